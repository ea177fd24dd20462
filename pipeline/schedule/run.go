package schedule

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/segmentio/encoding/json"
	"golang.org/x/term"
)

const (
	// DefaultGiveUpAfter is the customary Options.GiveUpAfter.
	DefaultGiveUpAfter = 5

	misconfigured = 2                // the exit status of a command that has to be mended before it can work
	slice         = 30 * time.Second // of a sleep, after which the clock is read again: it may have been set, or the machine suspended
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
	// Log gets a JSON line for each run when it has ended, and for each one that is skipped.
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
// no run twice. When ctx ends, Run waits for the run under way and returns the cause; when abort ends, which is to come later, the run gets
// SIGTERM, its children too. Errors of the options come before anything runs. *GaveUp is the error of too many runs in a row that
// ended with exit status 2.
func Run(ctx, abort context.Context, o Options) error {
	r, err := newRunner(o)
	if err != nil {
		return err
	}
	at, ok := r.Next(r.clock.now().Add(-r.Delay))
	for ok {
		if at, ok, err = r.await(ctx, at); err != nil || !ok {
			return err
		}
		if err := r.take(abort, at); err != nil {
			return err
		}
		at, ok = r.Next(at)
	}
	return nil
}

type runner struct {
	Options
	program        string
	taken          bool      // a scheduled time was taken, so that it and those before it are past
	started, ended time.Time // of the last run
	useless        int       // runs in a row with exit status 2
}

func newRunner(o Options) (*runner, error) {
	if err := o.check(); err != nil {
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

// await sleeps until the run of a scheduled time is due, and returns that time. Until the first one is taken, clocks that are set back
// bring earlier times with them: that one is returned then. It is false when the clocks leave none.
func (r *runner) await(ctx context.Context, at time.Time) (time.Time, bool, error) {
	for seen := r.clock.now(); ctx.Err() == nil; {
		now := r.clock.now()
		if now.Before(seen) && !r.taken {
			var ok bool
			if at, ok = r.Next(now.Add(-r.Delay)); !ok {
				return at, false, nil
			}
		}
		seen = now
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
	due, now := at.Add(r.Delay), r.clock.now()
	switch {
	case r.SkipDelayedBy > 0 && now.Sub(due) > r.SkipDelayedBy:
		return r.log(line{Scheduled: at, Skipped: "delayed"})
	case r.SkipOnOvertime && !due.Before(r.started) && due.Before(r.ended):
		return r.log(line{Scheduled: at, Skipped: "overtime"})
	}
	r.started = now
	status, err := r.child(abort, at)
	r.ended = r.clock.now()
	l := line{Scheduled: at, Started: &r.started, Ended: &r.ended}
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

// line is a line of the log.
type line struct {
	Type      string     `json:"type"`
	Scheduled time.Time  `json:"scheduled"`
	Started   *time.Time `json:"started,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
	ExitCode  *int       `json:"exit_code,omitempty"`
	Skipped   string     `json:"skipped,omitempty"` // why: overtime or delayed
	Error     string     `json:"error,omitempty"`   // why there was no exit status
}

func (r *runner) log(l line) error {
	l.Type = "run"
	text, err := json.Append(nil, l, 0)
	if err != nil {
		return err
	}
	if _, err := r.Log.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write the log of runs: %w", err)
	}
	return nil
}
