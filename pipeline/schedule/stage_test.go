//go:build unix

package schedule

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a scheduler on a clock of its own. The clock moves only when the scheduler sleeps, or when a command
// prints a number of seconds, which is how long it took.
type stage struct {
	Options
	t     *testing.T
	now   time.Time
	seen  bytes.Buffer       // what the command printed
	lines bytes.Buffer       // the log
	slept func(at time.Time) // called after each sleep
	heard func(line string)  // called with what the command prints
}

// newStage returns a scheduler that starts at a time and runs a command.
func newStage(t *testing.T, expression, zone, from string, command ...string) *stage {
	t.Helper()
	now, err := time.Parse(time.RFC3339, from)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, now: now}
	s.Options = Options{
		Plan: *planOf(t, expression, zone), Command: command, Stdout: s, Stderr: s, Log: &s.lines,
		clock: clock{now: func() time.Time { return s.now }, sleep: s.sleep, linger: time.Minute},
	}
	return s
}

func (s *stage) sleep(_ context.Context, d time.Duration) {
	if d <= 0 || d > slice {
		s.t.Fatalf("slept %v", d)
	}
	s.now = s.now.Add(d)
	if s.slept != nil {
		s.slept(s.now)
	}
}

// Write receives what the command prints.
func (s *stage) Write(text []byte) (int, error) {
	line := strings.TrimSpace(string(text))
	s.seen.Write(text)
	if seconds, err := strconv.Atoi(line); err == nil {
		s.now = s.now.Add(time.Duration(seconds) * time.Second)
	}
	if s.heard != nil {
		s.heard(line)
	}
	return len(text), nil
}

// until sets the last day.
func (s *stage) until(day string) *stage {
	s.t.Helper()
	if err := s.End.UnmarshalText([]byte(day)); err != nil {
		s.t.Fatal(err)
	}
	return s
}

// play runs the scheduler to its end and returns its log.
func (s *stage) play(want error) []string {
	s.t.Helper()
	if err := Run(context.Background(), context.Background(), s.Options); !errors.Is(err, want) {
		s.t.Fatalf("%v, want %v\n%s", err, want, s.lines.String())
	}
	return s.log()
}

// real lets the time pass as it does, from 20 ms before a minute on, and returns that minute. The clock starts when
// the scheduler first reads it, so that a slow machine changes nothing.
func (s *stage) real() time.Time {
	minute := time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC)
	var began time.Time
	s.clock = clock{now: func() time.Time {
		if began.IsZero() {
			began = time.Now()
		}
		return minute.Add(time.Since(began) - 20*time.Millisecond)
	}}
	return minute
}

// log returns the log so far, one line a run, with times in the zone: when it was scheduled, started and ended, its
// exit status, its error.
func (s *stage) log() []string {
	s.t.Helper()
	var log []string
	for text := range strings.Lines(s.lines.String()) {
		var l struct {
			Type, Scheduled, Started, Ended, Skipped, Error, From, To string

			ExitCode *int `json:"exit_code"`
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil || l.Type != "run" && l.Type != "clock" {
			s.t.Fatalf("%v: %s", err, text)
		}
		switch {
		case l.Type == "clock":
			log = append(log, "clock from "+l.From+" to "+l.To)
		case l.Skipped != "":
			log = append(log, l.Scheduled+" skipped: "+l.Skipped)
		case l.ExitCode == nil:
			log = append(log, fmt.Sprintf("%s error", l.Scheduled))
		default:
			text := fmt.Sprintf("%s %s %s %d %s", l.Scheduled, l.Started[11:19], l.Ended[11:19], *l.ExitCode, l.Error)
			log = append(log, strings.TrimSpace(text))
		}
	}
	return log
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
