package schedule

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/segmentio/encoding/json"
	"golang.org/x/term"
)

const (
	// DefaultGiveUpAfter is the customary Options.GiveUpAfter.
	DefaultGiveUpAfter = 5

	misconfigured = 2                // the exit status of a command that has to be mended before it can work
	slice         = 30 * time.Second // of a sleep, after which the clock is read again: it may have been set, or the machine suspended
	correction    = 3 * time.Hour    // a clock that is set back further was wrong altogether; Vixie cron's limit
)

// Options say what Run does.
type Options struct {
	Plan
	// GiveUpAfter is how many runs in a row may end with exit status 2 before Run ends; 0 is any number.
	GiveUpAfter int
	// Command is a program, looked up as a shell does, and its arguments.
	Command []string
	// Stdin, Stdout and Stderr are handed to every run. Files are handed on as such, but for a terminal as Stdin: runs get an empty
	// input then, as they are no part of the terminal's foreground.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Log gets a JSON line of type "run" for each run when it has ended and for each one that is skipped, and one of type "clock" when the
	// clock was set back so far that the times are reckoned anew.
	Log io.Writer

	clock clock
}

// clock is what a test puts in the place of the machine's.
type clock struct {
	now    func() time.Time
	sleep  func(ctx context.Context, d time.Duration)
	linger time.Duration
}

// GaveUp ends a scheduler whose command has to be mended first.
type GaveUp struct {
	Runs int // in a row that ended with exit status 2, or could not start as there was no such program
}

func (e *GaveUp) Error() string {
	return fmt.Sprintf("run the command: %d times in a row it ended with exit status %d or was not there, so that something has to be mended first", e.Runs, misconfigured)
}

// Run runs the command at the times of the plan, one run at a time, and returns nil when there is no further time. A run that is late
// starts as soon as it can, unless the plan skips it; the time after it is reckoned from its scheduled time. Clocks that are set back start
// no run twice, unless by more than three hours: then the times are reckoned from the new time, as at the start. When ctx ends, Run waits
// for the run under way and returns the cause; when abort ends, which is to come later, the run gets SIGTERM, its children too, and is waited
// for as long as it takes: a third signal, which kills the scheduler, kills it alone and leaves the run. Errors of the options come
// before anything runs. *GaveUp is the error of too many runs in a row that ended with exit status 2.
func Run(ctx, abort context.Context, o Options) error {
	r, err := newRunner(o)
	if err != nil {
		return err
	}
	at, ok, err := r.reckon(r.now())
	for ok && err == nil {
		if at, ok, err = r.await(ctx, at); err != nil || !ok {
			return err
		}
		if err := r.take(abort, at); err != nil {
			return err
		}
		at, ok = r.Next(at)
	}
	return err
}

type runner struct {
	Options
	program string
	seen    time.Time // the highest reading of the clock
	taken   bool      // a scheduled time was taken, so that it and those before it are past
	spans   []runSpan // with SkipOnOvertime, of the runs that the next time may fall into
	useless int       // runs in a row with exit status 2
}

type runSpan struct{ started, ended time.Time }

func newRunner(o Options) (*runner, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if len(o.Command) == 0 {
		return nil, errors.New("the command to run is missing")
	}
	program, err := exec.LookPath(o.Command[0])
	if err != nil {
		return nil, fmt.Errorf("find the command to run: %w", err)
	}
	if f, ok := o.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Stdin = nil
	}
	if o.clock.now == nil {
		o.clock = clock{now: time.Now, sleep: sleep, linger: 2 * time.Second}
	}
	now := o.clock.now
	o.clock.now = func() time.Time { return now().Truncate(time.Millisecond).In(o.Location) } // without the monotonic reading, which stands still in a suspended machine
	return &runner{Options: o, program: program}, nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// now reads the clock.
func (r *runner) now() time.Time {
	now := r.clock.now()
	if now.After(r.seen) {
		r.seen = now
	}
	return now
}

// reckon begins anew at a reading of the clock and returns the first scheduled time whose run is not due yet. It is false when there is none.
func (r *runner) reckon(now time.Time) (time.Time, bool, error) {
	if r.taken {
		if err := r.log(clockLine{"clock", r.seen, now}); err != nil {
			return now, false, err
		}
	}
	r.seen, r.taken, r.spans = now, false, nil
	at, ok := r.Next(now.Add(-r.Delay))
	return at, ok, nil
}

// await sleeps until the run of a scheduled time is due, and returns that time. Clocks that are set back before the first one is taken, and
// such as were wrong altogether, bring earlier times with them: one of these is returned then. It is false when the clocks leave none.
func (r *runner) await(ctx context.Context, at time.Time) (time.Time, bool, error) {
	for ctx.Err() == nil {
		now := r.now()
		if back := r.seen.Sub(now); back > correction || back > 0 && !r.taken {
			var ok bool
			var err error
			if at, ok, err = r.reckon(now); err != nil || !ok {
				return at, false, err
			}
		}
		wait := at.Add(r.Delay).Sub(now)
		if wait <= 0 {
			return at, true, nil
		}
		r.clock.sleep(ctx, min(wait, slice))
	}
	return at, false, context.Cause(ctx)
}

// take runs the command for a scheduled time that is due, or skips it.
func (r *runner) take(abort context.Context, at time.Time) error {
	r.taken = true
	due, started := at.Add(r.Delay), r.now()
	switch {
	case r.SkipDelayedBy > 0 && started.Sub(due) > r.SkipDelayedBy:
		return r.log(line{Type: "run", Scheduled: at, Skipped: "delayed"})
	case r.SkipOnOvertime && r.busy(due):
		return r.log(line{Type: "run", Scheduled: at, Skipped: "overtime"})
	}
	status, err := r.child(abort, at)
	ended := r.now()
	if r.SkipOnOvertime {
		r.spans = append(r.spans, runSpan{started, ended})
	}
	l := line{Type: "run", Scheduled: at, Started: &started, Ended: &ended}
	if err != nil {
		l.Error = err.Error()
	}
	if status != noStatus {
		l.ExitCode = &status
	}
	r.useless++
	if status != misconfigured && !(status == noStatus && isGone(err)) {
		r.useless = 0
	}
	if err := r.log(l); err != nil {
		return err
	}
	if r.useless == r.GiveUpAfter && r.useless > 0 {
		return &GaveUp{r.useless}
	}
	return nil
}

// busy tells that a run was under way at a due time, which is later than all that it was asked about before.
func (r *runner) busy(due time.Time) bool {
	r.spans = slices.DeleteFunc(r.spans, func(s runSpan) bool { return !s.ended.After(due) })
	return slices.ContainsFunc(r.spans, func(s runSpan) bool { return !s.started.After(due) })
}

// line is a line of the log about a run.
type line struct {
	Type      string     `json:"type"`
	Scheduled time.Time  `json:"scheduled"`
	Started   *time.Time `json:"started,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
	ExitCode  *int       `json:"exit_code,omitempty"`
	Skipped   string     `json:"skipped,omitempty"` // why: overtime or delayed
	Error     string     `json:"error,omitempty"`   // why there was no exit status
}

// clockLine is a line of the log about a clock that was set back.
type clockLine struct {
	Type string    `json:"type"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

func (r *runner) log(l any) error {
	text, err := json.Append(nil, l, 0)
	if err != nil {
		return err
	}
	if _, err := r.Log.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write the log of runs: %w", err)
	}
	return nil
}
