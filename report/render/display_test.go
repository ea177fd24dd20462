package render

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"klaviyo-export/report"
)

// The display shows what fits into the width, the most important things first.
func TestDisplay(t *testing.T) {
	sending := report.Moment{Rows: report.Rows{Read: 1_240_000, Rejected: 31}, Requests: 124, Jobs: 110, JobsEnded: 98}
	paused := sending
	paused.Closed, paused.Throttled, paused.Retried = 11*time.Second+time.Millisecond, 3, 2
	failing := paused
	failing.Closed, failing.Failing, failing.GiveUpIn = 0, "503 Service\x1b Unavailable", 9*time.Minute+12*time.Second
	both := failing
	both.Closed = 5 * time.Second
	inJobs := sending
	inJobs.InputEnded, inJobs.Waiting, inJobs.WaitLeft = true, true, 52*time.Minute+10*time.Second+900*time.Millisecond
	inJobs.JobRows, inJobs.JobRowsDone = 120_000, 57_600
	reading := inJobs
	reading.ReadingJobs = 3
	noRows := inJobs
	noRows.JobRows, noRows.JobRowsDone = 0, 0
	late := inJobs
	late.JobRowsDone, late.WaitLeft = 130_000, -time.Second
	part := inJobs
	part.JobRows, part.JobRowsDone = 100, 29
	done := inJobs
	done.JobsEnded = done.Jobs
	ahead := done
	ahead.JobsEnded++
	for _, c := range []struct {
		name   string
		moment report.Moment
		rate   float64
		width  int
		want   string
	}{
		{"begin", report.Moment{}, -1, 40, "add VIP · rows 0 · rejected 0"},
		{"check", report.Moment{Rows: report.Rows{Read: 999}}, 0.26, 40, "rows 999 · 0.3/s · rejected 0"},
		{"sending", sending, 82_310.4, 8, ""},
		{"sending", sending, 82_310.4, 12, "1,240,000"},
		{"sending", sending, 82_310.4, 40, "rows 1,240,000 · rejected 31"},
		{"sending", sending, 1, 58, "rows 1,240,000 · 1.0/s · rejected 31"}, // reserves columns for a larger rate
		{"sending", sending, 82_310.4, 80, "rows 1,240,000 · 82,310/s · rejected 31 · jobs 12 open, 98 done"},
		{"sending", sending, 82_310.4, 120, "add VIP · rows 1,240,000 · 82,310/s · rejected 31 · requests 124 · " +
			"throttled 0 · jobs 12 open, 98 done"},
		{"paused", paused, 0, 40, "rows 1,240,000 · paused 12s"},
		{"paused", paused, 0, 80, "rows 1,240,000 · 0/s · rejected 31 · quota used up, paused 12s"},
		{"paused", paused, 0, 120, "rows 1,240,000 · 0/s · rejected 31 · requests 124 · jobs 12 open, 98 done · " +
			"quota used up, paused 12s"},
		{"paused", paused, 0, 160, "add VIP · rows 1,240,000 · 0/s · rejected 31 · requests 124 · retried 2 · " +
			"throttled 3 · jobs 12 open, 98 done · quota used up, paused 12s"},
		{"failing", failing, 0, 30, "rows 1,240,000"},
		{"failing", failing, 0, 40, "rows 1,240,000 · gives up in 9m12s"},
		{"failing", failing, 0, 80, "rows 1,240,000 · retrying: 503 Service\\x1b Unavailable, gives up in 9m12s"},
		{"failing, quota used up", both, 0, 120, "rows 1,240,000 · rejected 31 · quota used up, paused 5s · " +
			"retrying: 503 Service\\x1b Unavailable, gives up in 9m12s"},
		{"waiting", inJobs, 0, 8, ""},
		{"waiting", inJobs, 0, 11, "1,240,000"},
		{"waiting", inJobs, 0, 12, "1,240,000"},
		{"waiting", inJobs, 0, 20, "rows 1,240,000\ngives up in 52m10s"},
		{"waiting", inJobs, 0, 30, "rows 1,240,000 · rejected 31\n48 % · gives up in 52m10s"},
		{"waiting", inJobs, 0, 40, "rows 1,240,000 · rejected 31\nwaiting: 48 % · gives up in 52m10s"},
		{"waiting", inJobs, 0, 50, "rows 1,240,000 · rejected 31 · jobs 12 open\n" +
			"waiting: [====>      ] 48 % · gives up in 52m10s"},
		{"waiting", inJobs, 0, 80, "rows 1,240,000 · rejected 31 · requests 124 · jobs 12 open, 98 done\n" +
			"waiting: jobs 12 open [=====>      ] 48 % of 120,000 rows · gives up in 52m10s"},
		{"waiting", inJobs, 0, 120, "add VIP · rows 1,240,000 · rejected 31 · requests 124 · throttled 0 · " +
			"jobs 12 open, 98 done\n" +
			"waiting: jobs 12 open [=============>                ] 48 % of 120,000 rows · gives up in 52m10s"},
		{"reading errors", reading, 0, 80, "rows 1,240,000 · rejected 31 · requests 124 · jobs 12 open, 98 done\n" +
			"waiting: reading the error pages of 3 [=====>      ] 48 % · gives up in 52m10s"},
		{"reading errors", reading, 0, 120, "add VIP · rows 1,240,000 · rejected 31 · requests 124 · throttled 0 · " +
			"jobs 12 open, 98 done\nwaiting: jobs 12 open, reading the error pages of 3 " +
			"[==========>           ] 48 % of 120,000 rows · gives up in 52m10s"},
		{"without rows", noRows, 0, 80, "rows 1,240,000 · rejected 31 · requests 124 · jobs 12 open, 98 done\n" +
			"waiting: jobs 12 open · gives up in 52m10s"},
		{"part", part, 0, 30, "rows 1,240,000 · rejected 31\n29 % · gives up in 52m10s"},
		{"late", late, 0, 40, "rows 1,240,000 · rejected 31\nwaiting: 100 % · gives up in 0s"},
		{"late", late, 0, 80, "rows 1,240,000 · rejected 31 · requests 124 · jobs 12 open, 98 done\n" +
			"waiting: jobs 12 open [==============>] 100 % of 120,000 rows · gives up in 0s"},
		{"done", done, 0, 60, "rows 1,240,000 · rejected 31 · jobs 0 open, 110 done"},
		{"ahead", ahead, 0, 60, "rows 1,240,000 · rejected 31 · jobs 0 open, 111 done"},
	} {
		t.Run(fmt.Sprintf("%s, %d columns", c.name, c.width), func(t *testing.T) {
			got := strings.TrimSuffix(summary(&c.moment, "add VIP", 0, c.rate, c.width)+"\n"+waiting(&c.moment, c.width), "\n")
			if got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

// The display shows the time since the run began, where there is room for a longer one too.
func TestDisplayElapsed(t *testing.T) {
	m := report.Moment{Rows: report.Rows{Read: 5}, Requests: 1}
	for _, c := range []struct {
		elapsed time.Duration
		width   int
		want    string
	}{
		{999 * time.Millisecond, 80, "rows 5 · rejected 0 · requests 1 · throttled 0"},
		{time.Second, 80, "rows 5 · rejected 0 · requests 1 · throttled 0 · elapsed 1s"},
		{61 * time.Second, 50, "rows 5 · rejected 0 · elapsed 1m1s"},
		{61 * time.Second, 36, "rows 5 · rejected 0"},
		{3661900 * time.Millisecond, 50, "rows 5 · rejected 0 · elapsed 1h1m1s"},
	} {
		if got := summary(&m, "", c.elapsed, -1, c.width); got != c.want {
			t.Errorf("after %v, %d columns: got %q, expected %q", c.elapsed, c.width, got, c.want)
		}
	}
}

// No line fills the last column, even if every character outside of ASCII takes two columns.
func TestDisplayNeverWraps(t *testing.T) {
	count := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Min(0))
	span := rapid.Map(rapid.Int64(), func(n int64) time.Duration { return time.Duration(n) })
	rapid.Check(t, func(t *rapid.T) {
		m := report.Moment{
			Rows:     report.Rows{Read: count.Draw(t, "read"), Rejected: count.Draw(t, "rejected")},
			Requests: count.Draw(t, "requests"), Retried: count.Draw(t, "retried"),
			Throttled: count.Draw(t, "throttled"), Closed: span.Draw(t, "closed"),
			Jobs: count.Draw(t, "jobs"), JobsEnded: count.Draw(t, "ended"), JobRows: count.Draw(t, "job rows"),
			JobRowsDone: count.Draw(t, "done"), Waiting: rapid.Bool().Draw(t, "waiting"),
			Failing: rapid.String().Draw(t, "failing"), GiveUpIn: span.Draw(t, "give up"),
			ReadingJobs: count.Draw(t, "reading"), WaitLeft: span.Draw(t, "left"),
		}
		width := rapid.IntRange(1, 200).Draw(t, "width")
		rate := rapid.Float64Range(-1, 1e7).Draw(t, "rate")
		title := rapid.String().Draw(t, "title")
		for _, line := range []string{summary(&m, title, span.Draw(t, "elapsed"), rate, width), waiting(&m, width)} {
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsGraphic(r) }) {
				t.Errorf("%q contains a control character", line)
			}
			taken := 0
			for _, r := range line {
				taken += min(utf8.RuneLen(r), 2)
			}
			if taken >= width {
				t.Errorf("%q takes %d of %d columns, expected at least one free", line, taken, width)
			}
		}
	})
}
