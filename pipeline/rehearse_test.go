package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// Whatever ends the first reading of an input that is checked first, nothing is sent, and every row read whole has
// a result.
func TestRehearsalThatEndsEarly(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	broken := errors.New("broken pipe")
	for _, c := range []struct {
		name, want string
		end        func(feed *io.PipeWriter, cancel context.CancelCauseFunc)
		exit       int
	}{
		{
			"a signal", "1 unsent interrupted, 2 rejected json_invalid, 3 unsent interrupted",
			func(_ *io.PipeWriter, cancel context.CancelCauseFunc) {
				cancel(&Interrupted{Signal: "SIGTERM", ExitCode: 143})
			}, 143,
		},
		{
			"a read error", "1 unsent stopped, 2 rejected json_invalid, 3 unsent stopped, 4 rejected json_invalid",
			func(feed *io.PipeWriter, _ context.CancelCauseFunc) { feed.CloseWithError(broken) }, 2,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			mustEnd(t)
			o, _ := addOptions(t, nil)
			o.CheckFirst, o.MaxInvalid, o.BatchDelay = true, Bound{rows: 9}, 10*time.Millisecond
			o.Gauge = new(Gauge)
			checked := make(chan struct{})
			done := sync.OnceFunc(func() { close(checked) })
			o.probe = func(stage string) { // is called at each tick, so also after the three rows
				if stage == "rehearse" && o.Gauge.Moment().Rows.Read == 3 {
					done()
				}
			}
			in, feed := io.Pipe()
			defer feed.Close()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			go func() { // ends when the rows are read; the run does not end before
				_, _ = io.WriteString(feed, rowsFrom(1, 1)+"bad\n"+rowsFrom(3, 1)+`{"email"`)
				<-checked
				c.end(feed, cancel)
			}()
			var out bytes.Buffer
			rep, err := Run(ctx, o, in, &out)
			rows, _ := parse(t, out.Bytes())
			if got := brief(rows); got != c.want || rep.ExitCode != c.exit {
				t.Errorf("got %s; exit %d (%v), want %s; exit %d", got, rep.ExitCode, err, c.want, c.exit)
			}
			if rep.Jobs.Submitted != 0 || rep.List.Created {
				t.Errorf("%d import jobs, list created: %v", rep.Jobs.Submitted, rep.List.Created)
			}
		})
	}
}

// An input with a bad row beyond the bound is not sent: bad rows are rejected with their reason, all others unsent.
func TestRehearsalThatRefuses(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	o, sim := addOptions(t, nil)
	o.CheckFirst = true
	in := rowsFrom(0, 2) + "bad\n" + `{"email":"bad@"}` + "\n" + rowsFrom(4, 10_000)
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(in), &out)
	rows, _ := parse(t, out.Bytes())
	want := "1 unsent stopped, 2 unsent stopped, 3 rejected json_invalid, 4 rejected email_invalid, 5 unsent stopped"
	if got := brief(rows[:5]); got != want || len(rows) != 10_004 || rep.Rows.Unsent != 10_002 {
		t.Errorf("%d rows, %+v, the first: %s", len(rows), rep.Rows, got)
	}
	if rep.ExitCode != 1 || err == nil || !strings.Contains(err.Error(), "nothing was sent: 2 of 10004 rows") {
		t.Errorf("exit %d: %v", rep.ExitCode, err)
	}
	if n := sim.Requests()["POST /api/profile-bulk-import-jobs 202"]; n != 0 {
		t.Errorf("%d imports", n)
	}
}

// A resumed run that is refused keeps the final results of the earlier run: it writes no line for their rows.
func TestRehearsalThatRefusesAResumedRun(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	o, _ := addOptions(t, nil)
	o.CheckFirst, o.Gauge = true, new(Gauge)
	earlier := `{"type":"row","row":1,"status":"applied","key":"p0@example.com"}
{"type":"row","row":2,"status":"rejected","stage":"request","code":"invalid","key":"p1@example.com"}
{"type":"row","row":3,"status":"unsent","code":"stopped","key":"p2@example.com"}
`
	o.Resume = earlierResults(t, []byte(earlier))
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 3)+"bad\n"), &out)
	rows := linesInOrder(t, out.Bytes())
	if got := brief(rows); got != "3 unsent stopped, 4 rejected json_invalid" || rep.Rows.Resumed != 2 {
		t.Errorf("got %s; %+v", got, rep.Rows)
	}
	if rep.ExitCode != 1 || err == nil || !strings.Contains(err.Error(), "2 of 4 rows") {
		t.Errorf("exit %d: %v", rep.ExitCode, err)
	}
	if got := o.Gauge.Moment().Rows.Rejected; got != 2 {
		t.Errorf("the display shows %d rejected rows", got)
	}
}
