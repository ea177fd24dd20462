package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"
)

// A panic in any stage ends the run with a report and exit status 2. No row claims more than happened, and nothing
// hangs.
func TestPanicInAStage(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"check", "batch", "send", "results", "settle", "verify", "write", "rehearse"} {
		for _, wait := range []bool{false, true} {
			if (stage == "settle" || stage == "verify") && !wait {
				continue
			}
			t.Run(fmt.Sprintf("%s/wait=%v", stage, wait), func(t *testing.T) {
				t.Parallel()
				mustEnd(t)
				o, sim := addOptions(t, nil)
				if wait {
					o.Wait, o.WaitTimeout, o.Verify = true, time.Minute, stage == "verify"
					o.MaxOpenJobs = 1 // without a permit that is not given back the run hangs
				}
				o.Concurrency, o.mostRows, o.CheckFirst = 2, 10, stage == "rehearse"
				o.probe = panicAtSecond(stage)
				var out bytes.Buffer
				rep, err := Run(t.Context(), o, wideRows(200), &out)
				if rep.ExitCode != 2 || err == nil || !strings.Contains(rep.Error, "bug: in "+stage) || Hint(err) == "" {
					t.Errorf("exit %d, error %v, in the report %q", rep.ExitCode, err, rep.Error)
				}
				members := sim.Members(rep.List.ID)
				written := linesInOrder(t, out.Bytes())
				ownKeys(t, written)
				unknown := 0
				for _, r := range written {
					on := slices.Contains(members, r.Key)
					if r.Status == "applied" && !on || r.Status == "unsent" && on {
						t.Errorf("row %d is %s, and on the list: %v", r.Row, r.Status, on)
					}
					if r.Status == "unknown" {
						unknown++
					}
				}
				if int64(len(written)) != rep.Rows.Read {
					t.Errorf("%d rows have results, the report counts %d", len(written), rep.Rows.Read)
				}
				if want := map[string]int{"send": 10, "results": 10}[stage]; unknown != want {
					t.Errorf("%d rows are unknown, want %d", unknown, want)
				}
				lost := 0 // rows without a result before the last one that has one
				if n := len(written); n > 0 {
					lost = int(written[n-1].Row) - n
				}
				if want := map[string]int{"write": 10}[stage]; lost != want {
					t.Errorf("%d rows in the middle have no result, want %d", lost, want)
				}
			})
		}
	}
}

// panicAtSecond returns a probe that panics when a stage begins its work for the second time.
func panicAtSecond(stage string) func(string) {
	var times atomic.Int64
	return func(at string) {
		if at == stage && times.Add(1) == 2 {
			panic("in " + stage)
		}
	}
}

// A panic while the jobs of earlier results are waited for ends the command wait with a report. Only the rows whose
// results were being written have none.
func TestPanicInWait(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"settle", "write"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			mustEnd(t)
			o, _ := addOptions(t, nil)
			o.mostRows = 10
			var sent, out bytes.Buffer
			if _, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 40)), &sent); err != nil {
				t.Fatal(err)
			}
			o.WaitTimeout, o.MaxOpenJobs = time.Minute, 2
			o.probe = panicAtSecond(stage)
			rep, err := Wait(t.Context(), o, &sent, &out)
			if rep.ExitCode != 2 || err == nil || !strings.Contains(rep.Error, "bug: in "+stage) {
				t.Errorf("exit %d, error %v, in the report %q", rep.ExitCode, err, rep.Error)
			}
			rows := linesInOrder(t, out.Bytes())
			ownKeys(t, rows)
			if want := map[string]int{"settle": 40, "write": 30}[stage]; len(rows) != want {
				t.Errorf("%d rows have a result, want %d", len(rows), want)
			}
		})
	}
}

// A panic behind the last batch, or behind the results of a refused input, stops the run: it does not end the process.
func TestPanicBehindAStage(t *testing.T) {
	o := checkOptions(t)
	for _, c := range []struct {
		name string
		add  func(c *control, rows *chunk)
	}{
		{"the last batch", func(c *control, rows *chunk) {
			s := newBatches(c, nil, o, nil, nil, func(*batch) { panic("behind") })
			s.add(rows)
			s.wait()
		}},
		{"a refused input", func(c *control, rows *chunk) {
			f := &refusal{control: c, code: stopped, emit: func(*results) { panic("behind") }}
			f.add(rows)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cause error
			control := newControl(t.Context(), o, time.Now(), func(err error) { cause = err })
			rows := control.newChunk()
			rows.text = append(rows.text, rowsFrom(0, 2)...)
			rows.check(o.Checker)
			c.add(control, rows)
			if cause == nil || !strings.Contains(cause.Error(), "bug: behind") {
				t.Errorf("the run stops with %v", cause)
			}
		})
	}
}

// An input that panics ends the run with an error, like one that fails.
func TestPanicInInput(t *testing.T) {
	in := reader(func([]byte) (int, error) { panic("in the input") })
	rep, err := Run(t.Context(), checkOptions(t), in, io.Discard)
	if rep.ExitCode != 2 || err == nil || !strings.Contains(rep.Error, "bug: in the input") {
		t.Errorf("exit %d, error %v, in the report %q", rep.ExitCode, err, rep.Error)
	}
}

// An output that panics once ends the run with an error in the report.
func TestPanicInOutput(t *testing.T) {
	var out bytes.Buffer
	panicked := false
	broken := writer(func(p []byte) (int, error) {
		if !panicked {
			panicked = true
			panic("in the output")
		}
		return out.Write(p)
	})
	rep, err := Run(t.Context(), checkOptions(t), strings.NewReader(rowsFrom(0, 2)), broken)
	if rep.ExitCode != 2 || err == nil || !strings.Contains(out.String(), "bug: in the output") {
		t.Errorf("exit %d, error %v, output %q", rep.ExitCode, err, out.String())
	}
}

// writer is an io.Writer.
type writer func([]byte) (int, error)

func (f writer) Write(p []byte) (int, error) { return f(p) }

// linesInOrder returns the results in out. It fails unless their numbers grow and the report is the last line.
func linesInOrder(t *testing.T, out []byte) (rows []line) {
	t.Helper()
	lines := bytes.SplitAfter(out, []byte{'\n'})
	last := int64(0)
	for i, text := range lines[:len(lines)-1] {
		var r line
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("line %d is not JSON: %q", i+1, text)
		}
		isReport := i == len(lines)-2
		if isReport != (r.Type == "report") || !isReport && r.Row <= last {
			t.Fatalf("line %d of %d is out of place: %q", i+1, len(lines)-1, text)
		}
		if last = r.Row; r.Type == "row" {
			rows = append(rows, r)
		}
	}
	return rows
}

// wideRows gives n rows of 60 KB, of which a chunk has a few.
func wideRows(n int) io.Reader {
	var readers []io.Reader
	wide := strings.Repeat("x", 60_000)
	for i := range n {
		row := fmt.Sprintf(`{"email":"p%d@example.com","note":"%s"}`+"\n", i, wide)
		readers = append(readers, strings.NewReader(row))
	}
	return io.MultiReader(readers...)
}
