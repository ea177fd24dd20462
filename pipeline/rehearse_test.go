package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// Whatever ends the first reading of an input that is checked first, nothing is sent, and every row that was read whole has a result.
func TestRehearsalThatEndsEarly(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	broken := errors.New("broken pipe")
	for _, c := range []struct {
		name, want string
		end        func(feed *io.PipeWriter, cancel context.CancelCauseFunc)
		exit       int
	}{
		{"a signal", "1 unsent interrupted, 2 rejected json_invalid, 3 unsent interrupted", func(_ *io.PipeWriter, cancel context.CancelCauseFunc) {
			cancel(&Interrupted{Signal: "SIGTERM", ExitCode: 143})
		}, 143},
		{"a read error", "1 unsent stopped, 2 rejected json_invalid, 3 unsent stopped, 4 rejected json_invalid", func(feed *io.PipeWriter, _ context.CancelCauseFunc) {
			feed.CloseWithError(broken)
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, _ := addOptions(t, nil)
			o.CheckFirst, o.MaxInvalid, o.BatchDelay = true, Bound{rows: 9}, 10*time.Millisecond
			o.Gauge = new(Gauge)
			in, feed := io.Pipe()
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() { // ends when the rows are read
				_, _ = io.WriteString(feed, rowsFrom(1, 1)+"bad\n"+rowsFrom(3, 1)+`{"email"`)
				for o.Gauge.Moment().Rows.Read < 3 {
					time.Sleep(time.Millisecond)
				}
				c.end(feed, cancel)
			}()
			var out bytes.Buffer
			rep, err := Run(ctx, o, in, &out)
			_ = feed.Close()
			rows, _ := parse(t, out.Bytes())
			if got := brief(rows); got != c.want || rep.ExitCode != c.exit || rep.Jobs.Submitted != 0 || rep.List.Created {
				t.Errorf("got %s, exit %d (%v), list created: %v\nwant %s, exit %d", got, rep.ExitCode, err, rep.List.Created, c.want, c.exit)
			}
		})
	}
}

// Rows that Klaviyo rejects count against the bound like those that the checks reject, whenever it tells so.
func TestStopOnRowsThatKlaviyoRejects(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault simulator.Fault
		wait  bool
	}{
		{"at once", simulator.Fault{Do: "refuse", Times: -1, Addresses: []string{"p3@*"}, Code: "invalid", Detail: "Invalid.", Naming: "all"}, false},
		{"by its job", simulator.Fault{Do: "fail", Times: -1, Addresses: []string{"p3@*"}, Code: "invalid", Detail: "Invalid.", Payload: "full", Pointer: "index"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, sim := contract.Serve(t, simulator.Options{Plan: &simulator.Plan{Faults: []simulator.Fault{c.fault}}, JobTime: time.Millisecond})
			list := sim.AddList("News", "single_opt_in")
			client, err := sink.New(sink.Options{BaseURL: url, Alone: true, Revision: sink.DefaultRevision, Key: "k", Concurrency: 1, RetryFor: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			for _, bound := range []int64{0, 1} {
				o := checkOptions(t)
				o.Client, o.List, o.mostRows, o.StopOnInvalid, o.MaxInvalid = client, sink.ListRef{ID: list}, 2, true, Bound{rows: bound}
				o.Wait, o.WaitTimeout, o.MaxOpenJobs, o.Window = c.wait, time.Minute, 1, 0
				var out bytes.Buffer
				rep, _ := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 8)), &out)
				rows, _ := parse(t, out.Bytes())
				unsent := slices.ContainsFunc(rows, func(r line) bool { return r.Status == "unsent" && r.Code == "stopped" })
				if rows[3].Status != "rejected" || unsent != (bound == 0) || rep.ExitCode != int(1-bound) {
					t.Errorf("bound %d: %s, exit %d", bound, brief(rows), rep.ExitCode)
				}
			}
		})
	}
}

func TestBounds(t *testing.T) {
	for _, c := range []struct {
		text           string
		rejected, read int64
		allows, soFar  bool
	}{
		{"0", 0, 9, true, true},
		{"0", 1, 9, false, false},
		{"2", 2, 2, true, true},
		{"2", 3, 1 << 40, false, false},
		{"10%", 1, 10, true, true},
		{"10%", 1, 9, false, true},
		{"10%", 100, 100, false, true},
		{"10%", 101, 999, false, false},
		{"0.1%", 10, 10_000, true, true},
		{"0.1%", 11, 10_000, false, false},
		{"18.4%", 69, 375, true, true},
		{"18.4%", 70, 375, false, true},
		{"0.57%", 57, 10_000, true, true},
		{"0.000001%", 1, 100_000_000, true, true},
		{"0.000001%", 1, 99_999_999, false, false},
		{"50%", 1 << 61, 1 << 62, true, true},
		{"50%", 1<<61 + 1, 1 << 62, false, false},
		{"0%", 0, 0, true, true},
		{"0%", 1, 10_000, false, false},
		{"100%", 9, 9, true, true},
	} {
		var b Bound
		if err := b.UnmarshalText([]byte(c.text)); err != nil {
			t.Fatal(err)
		}
		if got := b.allows(c.rejected, c.read); got != c.allows {
			t.Errorf("%s allows %d of %d: %v", c.text, c.rejected, c.read, got)
		}
		if got := b.allowsSoFar(c.rejected, c.read); got != c.soFar {
			t.Errorf("%s allows %d of %d so far: %v", c.text, c.rejected, c.read, got)
		}
	}
	for _, text := range []string{"", "%", "-1", "1.5", "-1%", "101%", "NaN%", "1 %", "x", ".%", "1.%", "0.0000001%", "1e1%", "+1", "+1%"} {
		if err := new(Bound).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// Rows of every kind keep their number and their bytes through pick.
func TestPick(t *testing.T) {
	long := `{"email":"a@example.com","x":"` + strings.Repeat("y", 3<<20) + `"}`
	var results strings.Builder
	for row := 1; row <= 6; row++ {
		fmt.Fprintf(&results, `{"type":"row","row":%d,"status":"%s"}`+"\n", row, []string{"rejected", "applied"}[row%2])
	}
	// A line of blanks that is longer than a row may be counts as a row.
	in := "one\r\n\n \n" + long + "\n" + strings.Repeat(" ", 2<<20) + "\n4\n5\n6\n" + long + "8"
	for name, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "in pieces": iotest.HalfReader} {
		for selection, want := range map[string]string{
			"rejected": long + "\n4\n6\n", "applied": "one\r\n" + strings.Repeat(" ", 2<<20) + "\n5\n", "missing": long + "8\n",
		} {
			earlier, err := openEarlier(t.Context(), strings.NewReader(results.String()))
			if err != nil {
				t.Fatal(err)
			}
			defer earlier.Close()
			var out bytes.Buffer
			if err := Pick(t.Context(), selected(selection), earlier, wrap(strings.NewReader(in)), &out); err != nil {
				t.Fatal(err)
			}
			if out.String() != want {
				t.Errorf("%s, %s: %d bytes, want %d: %.80q…", name, selection, out.Len(), len(want), out.String())
			}
		}
	}
}

func selected(name string) Selection {
	status, ok := report.ParseStatus(name)
	if !ok {
		return Selection{Missing: true}
	}
	return Selection{Statuses: []report.Status{status}}
}
