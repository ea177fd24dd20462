//go:build unix

package schedule

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a scheduler on a clock that goes on only when somebody sleeps, or a command says how long it took: it
// prints a number of seconds. It has a deadline.
type stage struct {
	Options
	t     *testing.T
	now   time.Time
	seen  bytes.Buffer       // what the command printed
	lines bytes.Buffer       // the log
	slept func(at time.Time) // called after each sleep
	heard func(line string)  // called with what the command prints
}

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

// Write gets what the command prints.
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

// play runs the scheduler to its end and returns the log: a line "scheduled → started … ended: outcome" a run,
// times in the zone.
func (s *stage) play(want error) []string {
	s.t.Helper()
	if err := Run(context.Background(), context.Background(), s.Options); !errors.Is(err, want) {
		s.t.Fatalf("%v, want %v\n%s", err, want, s.lines.String())
	}
	return s.log()
}

// byMachine has a run every minute, which the machine's clock brings in a moment, and returns the time of the first
// one.
func (s *stage) byMachine() time.Time {
	now := time.Now()
	s.clock, s.Delay = clock{}, now.Sub(now.Truncate(time.Minute))+20*time.Millisecond
	return now.UTC().Truncate(time.Minute)
}

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
			log = append(log, strings.TrimSpace(fmt.Sprintf("%s %s %s %d %s", l.Scheduled, l.Started[11:19], l.Ended[11:19], *l.ExitCode, l.Error)))
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

// TestYear runs a command through a year of New York, with a day that leaves 2:30 out and one that repeats 1:30.
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
		case !day.Before(time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)) && day.Before(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)):
			offset = "-04:00"
		}
		want = append(want, day.Format(time.DateOnly)+"T01:30:00"+offset, day.Format(time.DateOnly)+"T02:30:00"+offset)
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

// TestChangingClocks runs a command over changes of clocks: a day without midnight, and half hours.
func TestChangingClocks(t *testing.T) {
	expect(t, newStage(t, "0 0 * * *", "America/Sao_Paulo", "2018-11-02T12:00:00-03:00", "true").until("2018-11-06").play(nil),
		"2018-11-03T00:00:00-03:00 00:00:00 00:00:00 0",
		"2018-11-05T00:00:00-02:00 00:00:00 00:00:00 0",
		"2018-11-06T00:00:00-02:00 00:00:00 00:00:00 0")
	expect(t, newStage(t, "30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00:00-02:00", "true").until("2018-02-18").play(nil),
		"2018-02-17T23:30:00-02:00 23:30:00 23:30:00 0",
		"2018-02-17T23:30:00-03:00 23:30:00 23:30:00 0",
		"2018-02-18T23:30:00-03:00 23:30:00 23:30:00 0")
	expect(t, newStage(t, "15,45 1-2 * * *", "Australia/Lord_Howe", "2024-10-06T00:00:00+10:30", "true").until("2024-10-06").play(nil),
		"2024-10-06T01:15:00+10:30 01:15:00 01:15:00 0",
		"2024-10-06T01:45:00+10:30 01:45:00 01:45:00 0",
		"2024-10-06T02:45:00+11:00 02:45:00 02:45:00 0")
	expect(t, newStage(t, "15,45 1 * * *", "Australia/Lord_Howe", "2024-04-07T00:00:00+11:00", "true").until("2024-04-07").play(nil),
		"2024-04-07T01:15:00+11:00 01:15:00 01:15:00 0",
		"2024-04-07T01:45:00+11:00 01:45:00 01:45:00 0",
		"2024-04-07T01:45:00+10:30 01:45:00 01:45:00 0")
}

// TestLate has runs of 150 seconds every minute.
func TestLate(t *testing.T) {
	late := func(end string) *stage {
		return newStage(t, "57-59 23 * * *", "UTC", "2026-01-01T23:56:30Z", "sh", "-c", "echo "+end).until("2026-01-01")
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

// TestDelay has runs later than their scheduled times, and begins between the two.
func TestDelay(t *testing.T) {
	s := newStage(t, "0 * * * *", "Asia/Tokyo", "2026-01-01T21:10:00+09:00", "sh", "-c", `echo "$0 $SCHEDULED_TIME $SCHEDULED_UNIXTIME" >&2`).until("2026-01-01")
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

// TestDays has a first and a last day in a zone far ahead of UTC, and over the day that Samoa left out.
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

// TestSuspended stops the machine for an hour between two sleeps.
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
	s.SkipOnOvertime = true // none of them came while another one ran
	s.SkipDelayedBy = 40 * time.Minute
	expect(t, s.play(nil),
		"2026-01-01T22:20:00Z 22:20:00 22:20:00 0",
		"2026-01-01T22:40:00Z skipped: delayed",
		"2026-01-01T23:00:00Z 23:30:00 23:30:00 0",
		"2026-01-01T23:20:00Z 23:30:00 23:30:00 0",
		"2026-01-01T23:40:00Z 23:40:00 23:40:00 0")
}

// TestBacklog has runs of 15 minutes after an hour of suspension: times that come while they run are skipped,
// however late it is noticed.
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
		"2026-01-01T21:40:00Z 22:25:30 22:40:30 0", // 30 seconds before the first one began
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
		"2026-01-01T23:20:00Z skipped: overtime", // it came as that one began
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

// TestSetBack sets the clock back by an hour.
func TestSetBack(t *testing.T) {
	// Nothing runs a second time.
	expect(t, setBack(t, time.Hour, "23:10:00"),
		"2026-01-01T23:00:00Z 23:00:00 23:00:00 0",
		"2026-01-01T23:20:00Z 23:20:00 23:20:00 0",
		"2026-01-01T23:40:00Z 23:40:00 23:40:00 0")
	// Before the first run the clock was wrong, not the time.
	expect(t, setBack(t, time.Hour, "22:50:00"),
		"2026-01-01T22:00:00Z 22:00:00 22:00:00 0",
		"2026-01-01T22:20:00Z 22:20:00 22:20:00 0",
		"2026-01-01T22:40:00Z 22:40:00 22:40:00 0",
		"2026-01-01T23:00:00Z 23:00:00 23:00:00 0",
		"2026-01-01T23:20:00Z 23:20:00 23:20:00 0",
		"2026-01-01T23:40:00Z 23:40:00 23:40:00 0")
}

// TestSetFarBack sets the clock back by more than three hours, after which it was wrong altogether.
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
		append([]string{first, "clock from 2026-01-01T23:09:30Z to 2026-01-01T20:09:29.999Z"}, today("20:20:00")...)...)
	// Again, before anything ran by the new time.
	expect(t, setBack(t, 4*time.Hour, "23:10:00", "19:15:00"),
		append([]string{first, "clock from 2026-01-01T23:09:30Z to 2026-01-01T19:10:00Z"}, today("15:20:00")...)...)
	// In two steps, of which the second one is compared with what was seen before the first.
	expect(t, setBack(t, 2*time.Hour, "23:10:00", "21:30:00"),
		append([]string{first, "clock from 2026-01-01T23:09:30Z to 2026-01-01T19:30:00Z"}, today("19:40:00")...)...)
}

// TestForgotten sets the clock back by four hours after a run of 25 minutes, whose times then come again and are
// none of that run.
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

// TestWrongYear begins in 2030, where a run of two hours skips the time after it; in its second run the clock is
// set right.
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

// TestGiveUp has the exit statuses 2 2 0 1 2 2 2 2 2 2 of ten runs.
func TestGiveUp(t *testing.T) {
	for after, wantRuns := range map[int]int{2: 2, 3: 7, 5: 9, 7: 10, 0: 10} {
		count := filepath.Join(t.TempDir(), "count")
		s := newStage(t, "0-9 * * * *", "UTC", "2026-01-01T22:59:00Z", "sh", "-c",
			`n=$(cat "$0" 2>/dev/null); n=$((n+1)); echo $n > "$0"; set -- 2 2 0 1 2 2 2 2 2 2; shift $((n-1)); exit $1`, count).until("2026-01-01")
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
	want := "run the command: 5 times in a row it ended with exit status 2 or was not there, so that something has to be mended first"
	if got := (&GaveUp{5}).Error(); got != want {
		t.Error(got)
	}
}

// TestGone takes the program, or the right to run it, away in its first run.
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
		expect(t, s.log(), "2026-01-01T23:01:00Z 23:01:00 23:01:00 0", "2026-01-01T23:02:00Z error", "2026-01-01T23:03:00Z error", "2026-01-01T23:04:00Z error")
		if want := `"error":"fork/exec ` + program + `: ` + why + `"}`; !strings.Contains(s.lines.String(), want) {
			t.Errorf("%s in\n%s", want, s.lines.String())
		}
	}
}

// TestLine holds lines of the log to the byte.
func TestLine(t *testing.T) {
	s := newStage(t, "57,59 23 * * *", "America/New_York", "2026-01-01T23:56:30-05:00", "sh", "-c", "echo 150; exit 3").until("2026-01-01")
	s.SkipOnOvertime = true
	s.slept = func(at time.Time) { s.now = at.Add(1999 * time.Microsecond) }
	s.play(nil)
	want := `{"type":"run","scheduled":"2026-01-01T23:57:00-05:00","started":"2026-01-01T23:57:00.001-05:00","ended":"2026-01-01T23:59:30.001-05:00","exit_code":3}
{"type":"run","scheduled":"2026-01-01T23:59:00-05:00","skipped":"overtime"}
`
	if got := s.lines.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestRunRefused is about errors that come before anything runs.
func TestRunRefused(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"the command to run is missing": func(o *Options) { o.Command = nil },
		`find the command to run: exec: "no-such-program-here": executable file not found in $PATH`: func(o *Options) { o.Command = []string{"no-such-program-here"} },
		"a delay of -1s is before the time, one of 0s or more was meant":                            func(o *Options) { o.Delay = -time.Second },
		"runs cannot be skipped when they are -1s late, more than 0s was meant":                     func(o *Options) { o.SkipDelayedBy = -time.Second },
		"the schedule starts on 2026-02-01, after its end on 2026-01-31":                            func(o *Options) { o.Start, o.End = Date{2026, 2, 1}, Date{2026, 1, 31} },
	} {
		s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", "true")
		change(&s.Options)
		if err := Run(context.Background(), context.Background(), s.Options); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		expect(t, s.log())
		if err := s.Check(); (err != nil) != (len(s.Command) > 0 && s.Command[0] == "true") {
			t.Errorf("%s: the check of the plan: %v", want, err)
		}
	}
	s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", "true")
	s.Log = brokenLog{}
	if err := Run(context.Background(), context.Background(), s.Options); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a log that cannot be written: %v", err)
	}
}

type brokenLog struct{}

func (brokenLog) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestFirstSignal ends the context while a run is under way, which waits for its input.
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

// TestSecondSignal ends both contexts: the command and its child, which holds the output open, get SIGTERM.
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

// TestStopped ends both contexts when the run has stopped, as one does that reads a terminal.
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

// listened is a context that counts those who wait for its end.
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

// TestUnheeded looks who waits for an end of abort after the runs, when another process may have the number: nobody.
func TestUnheeded(t *testing.T) {
	s := newStage(t, "57-59 23 * * *", "UTC", "2026-01-01T23:00:00Z", "echo", "done").until("2026-01-01")
	abort := &listened{Context: context.Background(), end: make(chan struct{})}
	if err := Run(context.Background(), abort, s.Options); err != nil || len(s.log()) != 3 {
		t.Errorf("%v, %q", err, s.log())
	}
	if abort.came != 3 || abort.went != 3 {
		t.Errorf("%d waited for abort, %d ceased to when their run had ended", abort.came, abort.went)
	}
}

// TestLeftBehind has a command that ends and leaves a process behind with its output open, which waits for input.
func TestLeftBehind(t *testing.T) {
	s := newStage(t, "59 23 * * *", "UTC", "2026-01-01T00:00:00Z", "sh", "-c", "exec 3<&0; (read line <&3) & echo done").until("2026-01-01")
	in, release, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer release.Close()
	s.Stdin = in
	s.clock.linger = time.Millisecond
	expect(t, s.play(nil), "2026-01-01T23:59:00Z 23:59:00 23:59:00 0")
	s = newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", s.Command...)
	s.byMachine()
	s.Stdin = in
	ctx, stop := context.WithCancel(context.Background())
	s.heard = func(string) { stop() }
	if err := Run(ctx, context.Background(), s.Options); err != context.Canceled || len(s.log()) != 1 {
		t.Errorf("by the machine's clock: %v, %q", err, s.log())
	}
}

// TestMachineClock runs by the machine's clock, to a time that a delay brings near.
func TestMachineClock(t *testing.T) {
	s := newStage(t, "* * * * *", "UTC", "2026-01-01T00:00:00Z", "echo", "done")
	at := s.byMachine()
	ctx, stop := context.WithCancel(context.Background())
	s.heard = func(string) { stop() }
	if err := Run(ctx, context.Background(), s.Options); err != context.Canceled {
		t.Error(err)
	}
	if log := s.log(); len(log) != 1 || !strings.HasPrefix(log[0], at.Format("2006-01-02T15:04:00Z ")) || !strings.HasSuffix(log[0], " 0") {
		t.Errorf("%q", log)
	}
	ctx, stop = context.WithCancel(context.Background())
	time.AfterFunc(time.Millisecond, stop)
	if err := Run(ctx, context.Background(), s.Options); err != context.Canceled {
		t.Errorf("asleep: %v", err)
	}
}
