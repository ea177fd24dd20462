package render

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"klaviyo-export/report"
)

const between = " · "

// field is a part of the summary.
type field struct {
	rank  int      // a field that does not fit is left out, and so are all fields with higher ranks
	forms []string // longest first
	room  int      // the fewest columns to reserve, so that a changing number does not push others in and out
	shown string
}

// summary returns the display's first line. It has fewer than width columns.
func summary(m *report.Moment, title string, elapsed time.Duration, rate float64, width int) string {
	all := fields(m, title, elapsed, rate)
	ranked := slices.SortedStableFunc(slices.Values(all), func(a, b *field) int { return cmp.Compare(a.rank, b.rank) })
	left := width - 1 + columns(between)
	for _, f := range ranked {
		takes := func(form string) int { return max(columns(form), f.room) + columns(between) }
		i := slices.IndexFunc(f.forms, func(form string) bool { return takes(form) <= left })
		if i < 0 {
			break
		}
		f.shown = f.forms[i]
		left -= takes(f.shown)
	}
	var shown []string
	for _, f := range all {
		if f.shown != "" {
			shown = append(shown, f.shown)
		}
	}
	return strings.Join(shown, between)
}

func fields(m *report.Moment, title string, elapsed time.Duration, rate float64) []*field {
	var list []*field
	add := func(when bool, rank, room int, forms ...string) {
		if when {
			list = append(list, &field{rank: rank, room: room, forms: forms})
		}
	}
	rows, requests := grouped(m.Rows.Read), "requests "+grouped(m.Requests)
	rejected := 6
	if m.Rows.Rejected > 0 {
		rejected = 3
	}
	add(title != "", 11, 0, clipped(visible(title), 40))
	add(true, 0, 0, "rows "+rows, rows)
	add(rate >= 0 && !m.InputEnded, 4, len("100,000/s"), perSecond(rate))
	add(true, rejected, 0, "rejected "+grouped(m.Rows.Rejected))
	add(m.Members > 0, 3, 0, "members read "+grouped(m.Members))
	add(m.Removed > 0, 3, 0, "removed "+grouped(m.Removed))
	consenting := grouped(m.Consenting) + " wait for consent"
	add(m.Consenting > 0, 5, 0, consenting+" to show", consenting)
	add(m.Requests > 0, 8, 0, requests)
	add(m.Retried > 0, 10, 0, "retried "+grouped(m.Retried))
	add(m.Requests > 0, 9, 0, "throttled "+grouped(m.Throttled))
	add(m.Jobs > 0, 5, 0, openJobs(m)+", "+grouped(m.JobsEnded)+" done", openJobs(m))
	add(elapsed >= time.Second, 7, len("elapsed 59m59s"), "elapsed "+whole(elapsed))
	closed := "paused " + whole(m.Closed+time.Second-1)
	add(m.Closed > 0, 2, 0, "quota used up, "+closed, closed)
	failing, rest := "retrying: "+clipped(visible(m.Failing), 60), givesUp(m.GiveUpIn)
	add(m.Failing != "", 1, 0, failing+", "+rest, "retrying, "+rest, rest)
	return list
}

// whole drops what is below a second.
func whole(d time.Duration) string { return max(d, 0).Truncate(time.Second).String() }

func givesUp(in time.Duration) string { return "gives up in " + whole(in) }

func openJobs(m *report.Moment) string { return "jobs " + grouped(m.OpenJobs()) + " open" }

const (
	leastBar = 8
	mostBar  = 32
)

// waiting returns the display's second line, or "". It has fewer than width columns.
func waiting(m *report.Moment, width int) string {
	if !m.Waiting || m.OpenJobs() == 0 {
		return ""
	}
	rest := givesUp(m.WaitLeft)
	jobs := "waiting: " + openJobs(m)
	long, reading := jobs, jobs
	if m.ReadingJobs > 0 {
		pages := "reading the error pages of " + grouped(m.ReadingJobs)
		long, reading = jobs+", "+pages, "waiting: "+pages
	}
	if m.JobRows > 0 {
		done := max(min(m.JobRowsDone, m.JobRows), 0)
		share := strconv.FormatInt(int64(float64(done)*100/float64(m.JobRows)), 10) + " %"
		for _, form := range [][2]string{
			{long, share + " of " + grouped(m.JobRows) + " rows" + between + rest},
			{long, share + between + rest},
			{reading, share + between + rest},
			{jobs, share + between + rest},
			{"waiting:", share + between + rest},
		} {
			if room := width - 1 - columns(form[0]) - columns(form[1]) - 2; room >= leastBar {
				return form[0] + " " + drawBar(done, m.JobRows, min(room, mostBar)) + " " + form[1]
			}
		}
		long, jobs = "waiting: "+share, share
	}
	for _, form := range []string{long + between + rest, jobs + between + rest, "waiting" + between + rest, rest} {
		if columns(form) < width {
			return form
		}
	}
	return ""
}

// drawBar draws a bar of width columns. Its last column that is done has the tip.
func drawBar(done, total int64, width int) string {
	room := width - len("[]")
	n := int(math.Round(float64(room) * float64(done) / float64(total)))
	return "[" + strings.Repeat("=", max(n-1, 0)) + strings.Repeat(">", min(n, 1)) + strings.Repeat(" ", room-n) + "]"
}
