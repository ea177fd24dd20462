package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/segmentio/encoding/json"
)

// A panic in any stage ends the run with a report and exit status 2. No row claims more than happened, and nothing hangs.
func TestPanicInAStage(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"check", "batch", "send", "results", "settle", "write", "rehearse"} {
		for _, wait := range []bool{false, true} {
			if stage == "settle" && !wait {
				continue
			}
			t.Run(fmt.Sprintf("%s/wait=%v", stage, wait), func(t *testing.T) {
				t.Parallel()
				o, sim := addOptions(t, nil)
				if wait {
					o.Wait, o.WaitTimeout, o.MaxOpenJobs = true, waitOptions(t, nil).WaitTimeout, 3
				}
				o.Concurrency, o.mostRows, o.CheckFirst = 2, 10, stage == "rehearse"
				var times atomic.Int64
				o.probe = func(at string) {
					if at == stage && times.Add(1) == 2 {
						panic("in " + stage)
					}
				}
				var out bytes.Buffer
				rep, err := Run(t.Context(), o, wideRows(200), &out)
				if rep.ExitCode != 2 || err == nil || !strings.Contains(rep.Error, "bug: in "+stage) || Hint(err) == "" {
					t.Errorf("exit %d, error %v, in the report %q", rep.ExitCode, err, rep.Error)
				}
				members := sim.Members(rep.List.ID)
				written := linesInOrder(t, out.Bytes())
				for _, r := range written {
					on := slices.Contains(members, r.Key)
					if r.Status == "applied" && !on || r.Status == "unsent" && on {
						t.Errorf("row %d is %s, and on the list: %v", r.Row, r.Status, on)
					}
				}
				if int64(len(written)) != rep.Rows.Read {
					t.Errorf("%d rows have results, the report counts %d", len(written), rep.Rows.Read)
				}
				if lost := map[string]int64{"results": 10, "write": 10}[stage]; stage == "send" || stage == "settle" || lost > 0 {
					if rep.Rows.Read != 200-lost && rep.Rows.Unsent == 0 {
						t.Errorf("%d of 200 rows have results", rep.Rows.Read)
					}
				}
			})
		}
	}
}

// A panic while later results are waited for ends wait with a report.
func TestPanicInWait(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"settle", "write"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			o, _ := addOptions(t, nil)
			o.mostRows = 10
			var sent, out bytes.Buffer
			if _, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 40)), &sent); err != nil {
				t.Fatal(err)
			}
			o.WaitTimeout, o.MaxOpenJobs = waitOptions(t, nil).WaitTimeout, 2
			var times atomic.Int64
			o.probe = func(at string) {
				if at == stage && times.Add(1) == 2 {
					panic("in " + stage)
				}
			}
			rep, err := Wait(t.Context(), o, &sent, &out)
			if rep.ExitCode != 2 || err == nil || !strings.Contains(rep.Error, "bug: in "+stage) {
				t.Errorf("exit %d, error %v, in the report %q", rep.ExitCode, err, rep.Error)
			}
			linesInOrder(t, out.Bytes())
		})
	}
}

// An input or an output that panics ends the run with an error, as one that fails.
func TestPanicInInputAndOutput(t *testing.T) {
	rep, err := Run(t.Context(), checkOptions(t), reader(func([]byte) (int, error) { panic("in the input") }), io.Discard)
	if rep.ExitCode != 2 || err == nil || !strings.Contains(rep.Error, "bug: in the input") {
		t.Errorf("exit %d, error %v, in the report %q", rep.ExitCode, err, rep.Error)
	}
}

// linesInOrder returns the results in out, and fails unless their numbers grow and the report is the last line.
func linesInOrder(t *testing.T, out []byte) (rows []line) {
	t.Helper()
	lines := bytes.SplitAfter(out, []byte{'\n'})
	last := int64(0)
	for i, text := range lines[:len(lines)-1] {
		var r line
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("line %d is not JSON: %q", i+1, text)
		}
		if isReport := i == len(lines)-2; isReport != (r.Type == "report") || !isReport && r.Row <= last {
			t.Fatalf("line %d of %d is out of place: %q", i+1, len(lines)-1, text)
		}
		if last = r.Row; r.Type == "row" {
			rows = append(rows, r)
		}
	}
	return rows
}

// wideRows gives so many rows of 60 KB: a chunk has a few of them.
func wideRows(n int) io.Reader {
	var readers []io.Reader
	wide := strings.Repeat("x", 60_000)
	for i := range n {
		readers = append(readers, strings.NewReader(fmt.Sprintf(`{"email":"p%d@example.com","note":"%s"}`+"\n", i, wide)))
	}
	return io.MultiReader(readers...)
}
