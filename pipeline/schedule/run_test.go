//go:build unix

package schedule

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// TestYear guards that a year of runs in New York has every time once, except for one that a day skips and one that
// a day repeats.
func TestYear(t *testing.T) {
	s := newStage(t, "30 1,2 * * *", "America/New_York", "2026-01-01T00:00:00-05:00", "true").until("2026-12-31")
	got := s.play(nil)
	var want []string
	for day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == 2026; day = day.AddDate(0, 0, 1) {
		for _, at := range map[string][]string{
			"2026-03-08": {"01:30:00-05:00"},
			"2026-11-01": {"01:30:00-04:00", "01:30:00-05:00", "02:30:00-05:00"},
		}[day.Format(time.DateOnly)] {
			want = append(want, day.Format(time.DateOnly)+"T"+at)
		}
		offset := "-05:00"
		switch {
		case day.Month() == 3 && day.Day() == 8 || day.Month() == 11 && day.Day() == 1:
			continue
		case day.Format("01-02") >= "03-09" && day.Format("01-02") < "11-01":
			offset = "-04:00"
		}
		date := day.Format(time.DateOnly)
		want = append(want, date+"T01:30:00"+offset, date+"T02:30:00"+offset)
	}
	for i := range got {
		scheduled, _, _ := strings.Cut(got[i], " ")
		if got[i] != scheduled+" "+scheduled[11:19]+" "+scheduled[11:19]+" 0" {
			t.Fatalf("not at its time: %s", got[i])
		}
		got[i] = scheduled
	}
	expect(t, got, want...)
}

// TestChangingClocks guards that runs start at the right times when clocks change, on a day without midnight and by
// half hours.
func TestChangingClocks(t *testing.T) {
	for _, c := range []struct {
		name, expression, zone, from, until string
		want                                []string
	}{
		{"no midnight", "0 0 * * *", "America/Sao_Paulo",
			"2018-11-02T12:00:00-03:00", "2018-11-06", []string{
				"2018-11-03T00:00:00-03:00 00:00:00 00:00:00 0",
				"2018-11-05T00:00:00-02:00 00:00:00 00:00:00 0",
				"2018-11-06T00:00:00-02:00 00:00:00 00:00:00 0"}},
		{"the last hour twice", "30 23 * * *", "America/Sao_Paulo",
			"2018-02-17T12:00:00-02:00", "2018-02-18", []string{
				"2018-02-17T23:30:00-02:00 23:30:00 23:30:00 0",
				"2018-02-17T23:30:00-03:00 23:30:00 23:30:00 0",
				"2018-02-18T23:30:00-03:00 23:30:00 23:30:00 0"}},
		{"half an hour forward", "15,45 1-2 * * *", "Australia/Lord_Howe",
			"2024-10-06T00:00:00+10:30", "2024-10-06", []string{
				"2024-10-06T01:15:00+10:30 01:15:00 01:15:00 0",
				"2024-10-06T01:45:00+10:30 01:45:00 01:45:00 0",
				"2024-10-06T02:45:00+11:00 02:45:00 02:45:00 0"}},
		{"half an hour back", "15,45 1 * * *", "Australia/Lord_Howe",
			"2024-04-07T00:00:00+11:00", "2024-04-07", []string{
				"2024-04-07T01:15:00+11:00 01:15:00 01:15:00 0",
				"2024-04-07T01:45:00+11:00 01:45:00 01:45:00 0",
				"2024-04-07T01:45:00+10:30 01:45:00 01:45:00 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, newStage(t, c.expression, c.zone, c.from, "true").until(c.until).play(nil), c.want...)
		})
	}
}

// TestLate guards what becomes of runs whose time comes during another run: they follow one by one, or are skipped
// as the plan says.
func TestLate(t *testing.T) {
	late := func(end string) *stage {
		return newStage(t, "57-59 23 * * *", "UTC", "2026-01-01T23:56:30Z",
			"sh", "-c", "echo "+end).until("2026-01-01")
	}
	expect(t, late("150").play(nil),
		"2026-01-01T23:57:00Z 23:57:00 23:59:30 0",
		"2026-01-01T23:58:00Z 23:59:30 00:02:00 0",
		"2026-01-01T23:59:00Z 00:02:00 00:04:30 0")
	s := late("150")
	s.SkipOnOvertime = true
	expect(t, s.play(nil),
		"2026-01-01T23:57:00Z 23:57:00 23:59:30 0",
		"2026-01-01T23:58:00Z skipped: overtime",
		"2026-01-01T23:59:00Z skipped: overtime")
	s = late("60") // it ends in the moment in which the next one is due
	s.SkipOnOvertime = true
	expect(t, s.play(nil),
		"2026-01-01T23:57:00Z 23:57:00 23:58:00 0",
		"2026-01-01T23:58:00Z 23:58:00 23:59:00 0",
		"2026-01-01T23:59:00Z 23:59:00 00:00:00 0")
	s = late("150")
	s.SkipDelayedBy = 90 * time.Second // as late as the second run is
	expect(t, s.play(nil),
		"2026-01-01T23:57:00Z 23:57:00 23:59:30 0",
		"2026-01-01T23:58:00Z 23:59:30 00:02:00 0",
		"2026-01-01T23:59:00Z skipped: delayed")
	s = late("150")
	s.SkipDelayedBy = 89 * time.Second
	expect(t, s.play(nil),
		"2026-01-01T23:57:00Z 23:57:00 23:59:30 0",
		"2026-01-01T23:58:00Z skipped: delayed",
		"2026-01-01T23:59:00Z 23:59:30 00:02:00 0")
}

// TestDelay guards that a delay moves runs and not their scheduled times, also for a scheduler that starts between
// the two.
func TestDelay(t *testing.T) {
	s := newStage(t, "0 * * * *", "Asia/Tokyo", "2026-01-01T21:10:00+09:00",
		"sh", "-c", `echo "$0 $SCHEDULED_TIME $SCHEDULED_UNIXTIME" >&2`).until("2026-01-01")
	s.Delay = 30 * time.Minute
	expect(t, s.play(nil),
		"2026-01-01T21:00:00+09:00 21:30:00 21:30:00 0",
		"2026-01-01T22:00:00+09:00 22:30:00 22:30:00 0",
		"2026-01-01T23:00:00+09:00 23:30:00 23:30:00 0")
	expect(t, strings.Split(strings.TrimSpace(s.seen.String()), "\n"),
		"sh 2026-01-01T21:00:00+09:00 1767268800",
		"sh 2026-01-01T22:00:00+09:00 1767272400",
		"sh 2026-01-01T23:00:00+09:00 1767276000")
}

// TestDays guards the first and the last day in a zone far ahead of UTC, on a day that Samoa skipped, and on one
// with two midnights.
func TestDays(t *testing.T) {
	s := newStage(t, "0 */12 * * *", "Pacific/Kiritimati", "2026-01-01T00:00:00Z", "true").until("2026-01-11")
	s.Start = Date{2026, 1, 10}
	expect(t, s.play(nil),
		"2026-01-10T00:00:00+14:00 00:00:00 00:00:00 0",
		"2026-01-10T12:00:00+14:00 12:00:00 12:00:00 0",
		"2026-01-11T00:00:00+14:00 00:00:00 00:00:00 0",
		"2026-01-11T12:00:00+14:00 12:00:00 12:00:00 0")
	s = newStage(t, "0 0 * * *", "Pacific/Apia", "2011-12-20T00:00:00Z", "true").until("2011-12-31")
	s.Start = Date{2011, 12, 30}
	expect(t, s.play(nil), "2011-12-31T00:00:00+14:00 00:00:00 00:00:00 0")
	s = newStage(t, "0 0 * * *", "America/Havana", "2026-10-31T00:00:00Z", "true").until("2026-11-01")
	s.Start = Date{2026, 11, 1}
	expect(t, s.play(nil), // a day with two midnights
		"2026-11-01T00:00:00-04:00 00:00:00 00:00:00 0",
		"2026-11-01T00:00:00-05:00 00:00:00 00:00:00 0")
	s = newStage(t, "0 0 * * *", "UTC", "2026-01-02T00:00:00Z", "true").until("2026-01-01")
	expect(t, s.play(nil))
	expect(t, newStage(t, "", "UTC", "2026-01-02T00:00:00Z", "true").play(nil))
}

// TestRunRefused guards the errors that come before anything runs, and that the check of a plan finds those of the
// plan.
func TestRunRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Options)
		inPlan bool
		want   string
	}{
		{"no command", func(o *Options) { o.Command = nil }, false, "expected a command to run, got none"},
		{"an unknown command", func(o *Options) { o.Command = []string{"no-such-program-here"} }, false,
			`find the command to run: exec: "no-such-program-here": executable file not found in $PATH`},
		{"a negative delay", func(o *Options) { o.Delay = -time.Second }, true,
			"delay: expected 0s or more, got -1s"},
		{"a negative lateness", func(o *Options) { o.SkipDelayedBy = -time.Second }, true,
			"skip delayed by: expected 0s or more, got -1s"},
		{"an end before the start", func(o *Options) { o.Start, o.End = Date{2026, 2, 1}, Date{2026, 1, 31} }, true,
			"start: expected the end, 2026-01-31, or earlier, got 2026-02-01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", "true")
			c.change(&s.Options)
			err := Run(context.Background(), context.Background(), s.Options)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			expect(t, s.log())
			if err := s.Check(); (err != nil) != c.inPlan {
				t.Errorf("the check of the plan: %v", err)
			}
		})
	}
}

// TestBrokenLog guards that the scheduler ends when its log cannot be written, so that no run goes unlogged.
func TestBrokenLog(t *testing.T) {
	s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", "true")
	s.Log = brokenLog{}
	if err := Run(context.Background(), context.Background(), s.Options); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

// TestLine guards the bytes of the lines in the log.
func TestLine(t *testing.T) {
	s := newStage(t, "57,59 23 * * *", "America/New_York", "2026-01-01T23:56:30-05:00",
		"sh", "-c", "echo 150; exit 3").until("2026-01-01")
	s.SkipOnOvertime = true
	s.slept = func(at time.Time) { s.now = at.Add(1999 * time.Microsecond) }
	s.play(nil)
	want := `{"type":"run","scheduled":"2026-01-01T23:57:00-05:00",` +
		`"started":"2026-01-01T23:57:00.001-05:00","ended":"2026-01-01T23:59:30.001-05:00","exit_code":3}
{"type":"run","scheduled":"2026-01-01T23:59:00-05:00","skipped":"overtime"}
`
	if got := s.lines.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

type brokenLog struct{}

func (brokenLog) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
