//go:build unix

package schedule

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestGiveUp guards after how many runs in a row with exit status 2 the scheduler gives up. The runs end with 2 2 0
// 1 2 2 2 2 2 2.
func TestGiveUp(t *testing.T) {
	for after, wantRuns := range map[int]int{2: 2, 3: 7, 5: 9, 7: 10, 0: 10} {
		count := filepath.Join(t.TempDir(), "count")
		s := newStage(t, "0-9 * * * *", "UTC", "2026-01-01T22:59:00Z", "sh", "-c",
			`n=$(cat "$0" 2>/dev/null); n=$((n+1)); echo $n > "$0"
			set -- 2 2 0 1 2 2 2 2 2 2; shift $((n-1)); exit $1`, count).until("2026-01-01")
		s.GiveUpAfter = after
		err := Run(context.Background(), context.Background(), s.Options)
		if log := s.log(); len(log) != wantRuns {
			t.Errorf("after %d: %d runs, want %d", after, len(log), wantRuns)
		}
		var gave *GaveUp
		if errors.As(err, &gave) != (wantRuns < 10) || gave != nil && gave.Runs != after {
			t.Errorf("after %d: %v", after, err)
		}
	}
	want := "run the command: 5 runs in a row ended with exit status 2 or found no program; " +
		"fix the cause, then start again"
	if got := (&GaveUp{5}).Error(); got != want {
		t.Error(got)
	}
}

// TestGone guards that the scheduler gives up, with the reason in its log, when the program or the right to run it
// goes away.
func TestGone(t *testing.T) {
	for text, why := range map[string]string{"rm": "no such file or directory", "chmod 644": "permission denied"} {
		program := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(program, []byte("#!/bin/sh\n"+text+" \"$0\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		s := newStage(t, "0-9 * * * *", "UTC", "2026-01-01T23:00:30Z", program).until("2026-01-01")
		s.GiveUpAfter = 3
		err := Run(context.Background(), context.Background(), s.Options)
		if gave := (*GaveUp)(nil); !errors.As(err, &gave) || gave.Runs != 3 {
			t.Errorf("%s: %v", text, err)
		}
		expect(t, s.log(), "2026-01-01T23:01:00Z 23:01:00 23:01:00 0",
			"2026-01-01T23:02:00Z error", "2026-01-01T23:03:00Z error", "2026-01-01T23:04:00Z error")
		if want := `"error":"fork/exec ` + program + `: ` + why + `"}`; !strings.Contains(s.lines.String(), want) {
			t.Errorf("%s in\n%s", want, s.lines.String())
		}
	}
}

// TestNobodyWaits guards that a run whose end the system does not tell has an error in the log, and no exit status: 0
// would be a success.
func TestNobodyWaits(t *testing.T) {
	signal.Ignore(syscall.SIGCHLD) // so that children leave nothing to wait for
	defer func() {
		heard := make(chan os.Signal, 1)
		signal.Notify(heard, syscall.SIGCHLD) // Reset alone leaves it ignored
		signal.Stop(heard)
	}()
	s := newStage(t, "0-9 * * * *", "UTC", "2026-01-01T23:08:30Z", "true").until("2026-01-01")
	if err := Run(context.Background(), context.Background(), s.Options); err != nil {
		t.Error(err)
	}
	expect(t, s.log(), "2026-01-01T23:09:00Z error")
	if !strings.Contains(s.lines.String(), "no child processes") {
		t.Error(s.lines.String())
	}
}

// TestFirstSignal guards that the end of the first context waits for the run in progress, and that nothing runs
// after it.
func TestFirstSignal(t *testing.T) {
	s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", "sh", "-c", "echo ready; read line; exit $line")
	in, release, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	s.Stdin = in
	ctx, stop := context.WithCancelCause(context.Background())
	cause := errors.New("stopped")
	s.heard = func(string) {
		stop(cause)
		fmt.Fprintln(release, 4)
		release.Close()
	}
	if err := Run(ctx, context.Background(), s.Options); err != cause {
		t.Error(err)
	}
	expect(t, s.log(), "2026-01-01T00:01:00Z 00:01:00 00:01:00 4")
	if err := Run(ctx, context.Background(), s.Options); err != cause || len(s.log()) != 1 {
		t.Errorf("a context that has ended: %v", err)
	}
}

// TestSecondSignal guards that the end of both contexts sends SIGTERM to the command and to its child, which holds
// the output open.
func TestSecondSignal(t *testing.T) {
	for command, want := range map[string]int{
		"sh -c 'echo ready; exec sleep 60' & wait":                     128 + int(syscall.SIGTERM),
		"trap 'exit 7' TERM; sh -c 'echo ready; exec sleep 60' & wait": 7,
		"kill -0 -$$ || echo no group of its own; echo ready":          0,
	} {
		s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", "sh", "-c", command)
		ctx, stop := context.WithCancel(context.Background())
		abort, abandon := context.WithCancel(context.Background())
		s.heard = func(line string) {
			if line != "ready" {
				t.Errorf("%s: %s", command, line)
			}
			stop()
			if want != 0 {
				abandon()
			}
		}
		if err := Run(ctx, abort, s.Options); err != context.Canceled {
			t.Error(err)
		}
		abandon()
		expect(t, s.log(), fmt.Sprintf("2026-01-01T00:01:00Z 00:01:00 00:01:00 %d", want))
	}
}

// TestStopped guards that the end of both contexts ends a run that was stopped, as one that reads a terminal is.
func TestStopped(t *testing.T) {
	s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", "sh", "-c", "echo pid $$; kill -STOP $$; exit 1")
	ctx, stop := context.WithCancel(context.Background())
	abort, abandon := context.WithCancel(context.Background())
	s.heard = func(line string) {
		var pid int
		var status syscall.WaitStatus
		if _, err := fmt.Sscanf(line, "pid %d", &pid); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if _, err := syscall.Wait4(pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
			t.Errorf("not stopped: %v, %v", status, err)
		}
		stop()
		abandon()
	}
	if err := Run(ctx, abort, s.Options); err != context.Canceled {
		t.Error(err)
	}
	expect(t, s.log(), fmt.Sprintf("2026-01-01T00:01:00Z 00:01:00 00:01:00 %d", 128+int(syscall.SIGTERM)))
}

// listened is a context that counts who waits for its end.
type listened struct {
	context.Context
	end        chan struct{}
	came, went int
}

func (l *listened) Done() <-chan struct{} { return l.end }

func (l *listened) AfterFunc(func()) func() bool {
	l.came++
	return func() bool { l.went++; return true }
}

// TestUnwatched guards that no run is signalled after its end, when another process may have its number.
func TestUnwatched(t *testing.T) {
	s := newStage(t, "57-59 23 * * *", "UTC", "2026-01-01T23:00:00Z", "echo", "done").until("2026-01-01")
	abort := &listened{Context: context.Background(), end: make(chan struct{})}
	if err := Run(context.Background(), abort, s.Options); err != nil || len(s.log()) != 3 {
		t.Errorf("%v, %q", err, s.log())
	}
	if abort.came != 3 || abort.went != 3 {
		t.Errorf("%d runs waited for abort, %d stopped waiting at their end", abort.came, abort.went)
	}
}

// TestLeftBehind guards that the scheduler does not wait for a process that a command leaves behind with its output
// open.
func TestLeftBehind(t *testing.T) {
	for _, c := range []struct {
		name   string
		linger time.Duration
	}{
		{"with a short wait", time.Millisecond},
		{"with the usual wait", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			// The command ends only after its output has arrived, so that no output is lost on a slow machine.
			s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z",
				"sh", "-c", "echo done; read line; exec 3<&0; (read line <&3) & exit 0")
			in, release, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			defer release.Close()
			s.Stdin = in
			s.clock.linger = c.linger
			ctx, stop := context.WithCancel(context.Background())
			s.heard = func(string) {
				stop()
				fmt.Fprintln(release, "go on")
			}
			if err := Run(ctx, context.Background(), s.Options); err != context.Canceled {
				t.Error(err)
			}
			expect(t, s.log(), "2026-01-01T00:01:00Z 00:01:00 00:01:00 0")
		})
	}
}
