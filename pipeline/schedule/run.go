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

	"golang.org/x/term"
)

const (
	// DefaultGiveUpAfter is the usual Options.GiveUpAfter.
	DefaultGiveUpAfter = 5

	misconfigured = 2                // the exit status of a command that cannot work until its cause is fixed
	slice         = 30 * time.Second // the longest sleep: the clock may be set, or the machine suspended
	correction    = 3 * time.Hour    // a clock that is set back further was wrong altogether; Vixie cron's limit
	linger        = 2 * time.Second  // how long a run waits for processes that it leaves behind
)

// Options say what Run does.
type Options struct {
	Plan
	// GiveUpAfter is the number of consecutive runs with exit status 2 after which Run ends; 0 is never.
	GiveUpAfter int
	// Command is a program, looked up as a shell does, and its arguments.
	Command []string
	// Stdin, Stdout and Stderr go to every run, files as they are. A terminal as Stdin is replaced by an empty
	// input, because runs do not belong to the terminal's foreground.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Log gets a JSON line of type "run" for each run that ended or was skipped, and one of type "clock" when the
	// clock was set back so far that the times are computed anew.
	Log io.Writer

	clock clock
}

// clock is what a test replaces. Zero fields are the machine's own.
type clock struct {
	now    func() time.Time
	sleep  func(ctx context.Context, d time.Duration)
	linger time.Duration
}

// GaveUp is the error of a scheduler whose command fails again and again until its cause is fixed.
type GaveUp struct {
	Runs int // consecutive ones with exit status 2, or without a program to start
}

func (e *GaveUp) Error() string {
	return fmt.Sprintf("run the command: %d runs in a row ended with exit status %d or found no program; "+
		"fix the cause, then start again", e.Runs, misconfigured)
}

// Run runs the command at the times of the plan, one run at a time, and returns nil when there is no further time.
//
// A late run starts as soon as it can, unless the plan skips it; the time after it follows from its scheduled time.
// Clocks that are set back start no run twice, unless by more than three hours: then the times follow from the new
// time, as at the start. When ctx ends, Run waits for the run in progress and returns the cause. When abort ends,
// which is later, the run and its children get SIGTERM, and Run waits for as long as the run takes: a third signal,
// which kills the scheduler, leaves the run alone. Errors of the options come before anything runs. *GaveUp is the
// error of too many consecutive runs with exit status 2.
func Run(ctx, abort context.Context, o Options) error {
	r, err := newRunner(o)
	if err != nil {
		return err
	}
	at, ok, err := r.restart(r.now())
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
	useless int       // consecutive runs with exit status 2
}

type runSpan struct{ started, ended time.Time }

func newRunner(o Options) (*runner, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if len(o.Command) == 0 {
		return nil, errors.New("expected a command to run, got none")
	}
	program, err := exec.LookPath(o.Command[0])
	if err != nil {
		return nil, fmt.Errorf("find the command to run: %w", err)
	}
	if f, ok := o.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Stdin = nil
	}
	now := o.clock.now
	if now == nil {
		now = time.Now
	}
	// Truncate also removes the monotonic reading, which stands still in a suspended machine.
	o.clock.now = func() time.Time { return now().Truncate(time.Millisecond).In(o.Location) }
	if o.clock.sleep == nil {
		o.clock.sleep = sleep
	}
	if o.clock.linger == 0 {
		o.clock.linger = linger
	}
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

// restart begins at a reading of the clock and returns the first scheduled time whose run is not due yet. It is
// false when there is none.
func (r *runner) restart(now time.Time) (time.Time, bool, error) {
	if r.taken {
		if err := r.log(clockLine{"clock", r.seen, now}); err != nil {
			return now, false, err
		}
	}
	r.seen, r.taken, r.spans = now, false, nil
	at, ok := r.Next(now.Add(-r.Delay))
	return at, ok, nil
}

// await sleeps until the run of a scheduled time is due, and returns that time. It returns an earlier time when
// clocks are set back before the first one is taken, or were wrong altogether. It is false when the clocks leave no
// time.
func (r *runner) await(ctx context.Context, at time.Time) (time.Time, bool, error) {
	for ctx.Err() == nil {
		now := r.now()
		if back := r.seen.Sub(now); back > correction || back > 0 && !r.taken {
			var ok bool
			var err error
			if at, ok, err = r.restart(now); err != nil || !ok {
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

// busy reports whether a run was in progress at a due time, which is later than all due times before.
func (r *runner) busy(due time.Time) bool {
	r.spans = slices.DeleteFunc(r.spans, func(s runSpan) bool { return !s.ended.After(due) })
	return slices.ContainsFunc(r.spans, func(s runSpan) bool { return !s.started.After(due) })
}
