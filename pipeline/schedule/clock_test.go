//go:build unix

package schedule

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestSuspended guards that runs which a suspended machine missed start at once afterwards, or are skipped as the
// plan says.
func TestSuspended(t *testing.T) {
	suspended := func() *stage {
		s := newStage(t, "*/20 * * * *", "UTC", "2026-01-01T22:00:00Z", "true").until("2026-01-01")
		s.slept = func(at time.Time) {
			if at.Format("15:04:05") == "22:30:00" {
				s.now = at.Add(time.Hour)
			}
		}
		return s
	}
	expect(t, suspended().play(nil),
		"2026-01-01T22:20:00Z 22:20:00 22:20:00 0",
		"2026-01-01T22:40:00Z 23:30:00 23:30:00 0",
		"2026-01-01T23:00:00Z 23:30:00 23:30:00 0",
		"2026-01-01T23:20:00Z 23:30:00 23:30:00 0",
		"2026-01-01T23:40:00Z 23:40:00 23:40:00 0")
	s := suspended()
	s.SkipOnOvertime = true // no time came during another run
	s.SkipDelayedBy = 40 * time.Minute
	expect(t, s.play(nil),
		"2026-01-01T22:20:00Z 22:20:00 22:20:00 0",
		"2026-01-01T22:40:00Z skipped: delayed",
		"2026-01-01T23:00:00Z 23:30:00 23:30:00 0",
		"2026-01-01T23:20:00Z 23:30:00 23:30:00 0",
		"2026-01-01T23:40:00Z 23:40:00 23:40:00 0")
}

// TestBacklog guards that, after an hour of suspension, the times that come during a run are skipped, however late
// the scheduler notices.
func TestBacklog(t *testing.T) {
	s := newStage(t, "*/20 * * * *", "UTC", "2026-01-01T20:35:00Z", "sh", "-c", "echo 900").until("2026-01-01")
	s.SkipOnOvertime = true
	s.slept = func(at time.Time) {
		if at.Format("15:04:05") == "20:35:30" {
			s.now = at.Add(65 * time.Minute)
		}
	}
	expect(t, s.play(nil),
		"2026-01-01T20:40:00Z 21:40:30 21:55:30 0",
		"2026-01-01T21:00:00Z 21:55:30 22:10:30 0",
		"2026-01-01T21:20:00Z 22:10:30 22:25:30 0",
		"2026-01-01T21:40:00Z 22:25:30 22:40:30 0", // its time came 30 seconds before the first run began
		"2026-01-01T22:00:00Z skipped: overtime",
		"2026-01-01T22:20:00Z skipped: overtime",
		"2026-01-01T22:40:00Z skipped: overtime",
		"2026-01-01T23:00:00Z 23:00:00 23:15:00 0",
		"2026-01-01T23:20:00Z 23:20:00 23:35:00 0",
		"2026-01-01T23:40:00Z 23:40:00 23:55:00 0")
	s = newStage(t, "*/20 22,23 * * *", "UTC", "2026-01-01T21:55:00Z", "sh", "-c", "echo 60").until("2026-01-01")
	s.SkipOnOvertime = true
	s.slept = func(at time.Time) {
		if at.Format("15:04:05") == "22:50:00" {
			s.now = at.Add(30 * time.Minute)
		}
	}
	expect(t, s.play(nil),
		"2026-01-01T22:00:00Z 22:00:00 22:01:00 0",
		"2026-01-01T22:20:00Z 22:20:00 22:21:00 0",
		"2026-01-01T22:40:00Z 22:40:00 22:41:00 0",
		"2026-01-01T23:00:00Z 23:20:00 23:21:00 0",
		"2026-01-01T23:20:00Z skipped: overtime", // its time came as that run began
		"2026-01-01T23:40:00Z 23:40:00 23:41:00 0")
}

// setBack plays an evening in which the clock is set back once at each of some times of day.
func setBack(t *testing.T, by time.Duration, when ...string) []string {
	t.Helper()
	s := newStage(t, "*/20 * * * *", "UTC", "2026-01-01T22:45:00Z", "true").until("2026-01-01")
	s.slept = func(at time.Time) {
		if len(when) > 0 && at.Format("15:04:05") == when[0] {
			s.now, when = at.Add(-by), when[1:]
		}
	}
	return s.play(nil)
}

// TestSetBack guards that a clock that is set back by an hour starts no run twice.
func TestSetBack(t *testing.T) {
	expect(t, setBack(t, time.Hour, "23:10:00"),
		"2026-01-01T23:00:00Z 23:00:00 23:00:00 0",
		"2026-01-01T23:20:00Z 23:20:00 23:20:00 0",
		"2026-01-01T23:40:00Z 23:40:00 23:40:00 0")
	// Before the first run, the earlier times count.
	expect(t, setBack(t, time.Hour, "22:50:00"),
		"2026-01-01T22:00:00Z 22:00:00 22:00:00 0",
		"2026-01-01T22:20:00Z 22:20:00 22:20:00 0",
		"2026-01-01T22:40:00Z 22:40:00 22:40:00 0",
		"2026-01-01T23:00:00Z 23:00:00 23:00:00 0",
		"2026-01-01T23:20:00Z 23:20:00 23:20:00 0",
		"2026-01-01T23:40:00Z 23:40:00 23:40:00 0")
}

// TestSetFarBack guards that a clock that is set back by more than three hours starts the schedule anew.
func TestSetFarBack(t *testing.T) {
	const noticed = 30 * time.Second // the last reading of the clock was before a sleep
	const first = "2026-01-01T23:00:00Z 23:00:00 23:00:00 0"
	today := func(from string) []string {
		var log []string
		for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Day() == 1; at = at.Add(20 * time.Minute) {
			if clock := at.Format("15:04:05"); clock >= from {
				log = append(log, fmt.Sprintf("2026-01-01T%sZ %[1]s %[1]s 0", clock))
			}
		}
		return log
	}
	expect(t, setBack(t, 3*time.Hour+noticed, "23:10:00"), today("23:00:00")...)
	expect(t, setBack(t, 3*time.Hour+noticed+time.Millisecond, "23:10:00"),
		append([]string{first, "clock from 2026-01-01T23:09:30Z to 2026-01-01T20:09:29.999Z"},
			today("20:20:00")...)...)
	// Again, before anything ran by the new time.
	expect(t, setBack(t, 4*time.Hour, "23:10:00", "19:15:00"),
		append([]string{first, "clock from 2026-01-01T23:09:30Z to 2026-01-01T19:10:00Z"}, today("15:20:00")...)...)
	// In two steps: the second one is compared with the time before the first.
	expect(t, setBack(t, 2*time.Hour, "23:10:00", "21:30:00"),
		append([]string{first, "clock from 2026-01-01T23:09:30Z to 2026-01-01T19:30:00Z"}, today("19:40:00")...)...)
}

// TestForgotten guards that a clock that is set back by four hours also forgets a long run, so that times during it
// are not skipped when they come again.
func TestForgotten(t *testing.T) {
	s := newStage(t, "0,20 23 * * *", "UTC", "2026-01-01T22:45:00Z", "echo", "done").until("2026-01-01")
	s.SkipOnOvertime = true
	s.heard = func(string) { s.heard, s.now = nil, s.now.Add(25*time.Minute) }
	done := false
	now := s.clock.now
	s.clock.now = func() time.Time {
		if !done && s.lines.Len() > 0 {
			done, s.now = true, s.now.Add(-4*time.Hour)
		}
		return now()
	}
	expect(t, s.play(nil),
		"2026-01-01T23:00:00Z 23:00:00 23:25:00 0",
		"clock from 2026-01-01T23:25:00Z to 2026-01-01T19:25:00Z",
		"2026-01-01T23:00:00Z 23:00:00 23:00:00 0",
		"2026-01-01T23:20:00Z 23:20:00 23:20:00 0")
}

// TestWrongYear guards that a scheduler that starts in a wrong year continues in the right one, once the clock is
// set.
func TestWrongYear(t *testing.T) {
	s := newStage(t, "0 * * * *", "UTC", "2030-06-01T10:30:00Z", "sh", "-c", "echo 7200")
	s.SkipOnOvertime = true
	ctx, stop := context.WithCancel(context.Background())
	runs := 0
	s.heard = func(string) {
		runs++
		switch runs {
		case 2:
			s.now = time.Date(2026, 1, 1, 22, 30, 0, 0, time.UTC)
		case 4:
			stop()
		}
	}
	if err := Run(ctx, context.Background(), s.Options); err != context.Canceled {
		t.Error(err)
	}
	expect(t, s.log(),
		"2030-06-01T11:00:00Z 11:00:00 13:00:00 0",
		"2030-06-01T12:00:00Z skipped: overtime",
		"2030-06-01T13:00:00Z 13:00:00 22:30:00 0",
		"clock from 2030-06-01T13:00:00Z to 2026-01-01T22:30:00Z",
		"2026-01-01T23:00:00Z 23:00:00 01:00:00 0",
		"2026-01-02T00:00:00Z skipped: overtime",
		"2026-01-02T01:00:00Z 01:00:00 03:00:00 0")
}

// TestMachineClock guards that the scheduler works by time that really passes, and that it ends while it sleeps.
func TestMachineClock(t *testing.T) {
	t.Run("a run", func(t *testing.T) {
		s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", "echo", "done")
		at := s.real()
		ctx, stop := context.WithCancel(context.Background())
		s.heard = func(string) { stop() }
		if err := Run(ctx, context.Background(), s.Options); err != context.Canceled {
			t.Error(err)
		}
		log := s.log()
		if len(log) != 1 || !strings.HasPrefix(log[0], at.Format(time.RFC3339)) || !strings.HasSuffix(log[0], " 0") {
			t.Errorf("%q", log)
		}
	})
	t.Run("asleep", func(t *testing.T) {
		s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", "true")
		s.clock, s.Start = clock{}, Date{lastYear, 1, 1} // so that nothing is due at any time of day
		ctx, stop := context.WithCancel(context.Background())
		time.AfterFunc(time.Millisecond, stop)
		if err := Run(ctx, context.Background(), s.Options); err != context.Canceled {
			t.Error(err)
		}
		expect(t, s.log())
	})
}
