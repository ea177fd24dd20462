package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// meanings says of each status what it means, in a few words.
var meanings = [statuses]string{
	Applied:  "proved done",
	Accepted: "taken by Klaviyo, not waited for",
	Skipped:  "not sent on purpose: a duplicate",
	Rejected: "refused, by the checks or by Klaviyo",
	Unknown:  "sent, but its fate cannot be proved",
	Unsent:   "never sent: the run stopped first",
	Valid:    "nothing wrong with it, and nothing was to be sent",
	Resumed:  "done in an earlier run",
}

// outcome says what the exit status means for the rows.
func (r *Report) outcome() string {
	astray := r.Rows.Rejected + r.Rows.Unknown + r.Rows.Unsent
	switch {
	case r.ExitCode == 0 && r.Rows.Read == 0:
		return "there were no rows"
	case r.ExitCode == 0 && astray > 0:
		return "rows got there, and not more were rejected than --max-invalid allows"
	case r.ExitCode == 0 && r.Rows.Valid == r.Rows.Read:
		return "nothing is wrong with the rows, and nothing was sent"
	case r.ExitCode == 0:
		return "every row got there"
	case r.ExitCode == 1 && astray == 0:
		return "the rows that were read got there, but the input was not as expected"
	case r.ExitCode == 1 && astray == r.Rows.Read:
		return "the run came to its end, but no row got there"
	case r.ExitCode == 1:
		return "the run came to its end, but some rows did not get there"
	case r.ExitCode == 3:
		return "import jobs were not done within the waiting time; klaviyo-export wait takes them up again"
	case r.ExitCode == 4:
		return "Klaviyo or the network gave up; run it again later"
	case r.ExitCode == 130:
		return "stopped by SIGINT"
	case r.ExitCode == 143:
		return "stopped by SIGTERM or SIGHUP, or killed"
	}
	return "it could not run to its end; something has to be mended first"
}

// headline is the outcome of a report in two parts: its status with the exit status, and what that means.
func (r *Report) headline() (status, meaning string) {
	status = fmt.Sprintf("%s, exit status %d", strings.ReplaceAll(r.Status, "_", " "), r.ExitCode)
	if r.Runs > 1 && r.ExitCode == 0 {
		return status, fmt.Sprintf("in all %s runs: %s", grouped(r.Runs), r.outcome())
	}
	if r.Runs > 1 {
		return status, fmt.Sprintf("the worst of %s runs: %s", grouped(r.Runs), r.outcome())
	}
	return status, r.outcome()
}

// longest bounds what of a text from outside people have to read, in columns.
const longest = 2000

// fact is a name and its value.
type fact struct{ Name, Value string }

// facts say what went wrong, what ran and when.
func (r *Report) facts() []fact {
	var list []fact
	add := func(name, value string) {
		if value != "" {
			list = append(list, fact{name, clipped(visible(value), longest)})
		}
	}
	add("error", r.Error)
	add("list", r.target())
	add("operation", r.Operation)
	add("when", r.when())
	add("took", r.took())
	if r.Runs > 1 {
		add("runs", grouped(r.Runs))
	}
	add("version", r.Version)
	return list
}

func (r *Report) target() string {
	l := r.List
	switch {
	case l == nil && r.Runs > 1:
		return "several, or none"
	case l == nil || l.ID == "" && l.Name == "":
		return ""
	case l.Name == "":
		return l.ID
	case l.ID == "":
		return l.Name
	case l.Created:
		return l.Name + " (" + l.ID + ", created)"
	}
	return l.Name + " (" + l.ID + ")"
}

// when gives both times, the date of the second only where it is another one.
func (r *Report) when() string {
	from, err := time.Parse(timeForm, r.StartedAt)
	to, err2 := time.Parse(timeForm, r.FinishedAt)
	if err != nil || err2 != nil {
		return ""
	}
	end := to.Format("15:04:05")
	if to.Sub(from) < time.Second {
		return from.Format(time.DateTime) + " UTC"
	}
	if from.Format(time.DateOnly) != to.Format(time.DateOnly) {
		end = to.Format(time.DateTime)
	}
	return from.Format(time.DateTime) + " to " + end + " UTC"
}

func (r *Report) took() string {
	if r.StartedAt == "" {
		return ""
	}
	took := duration(r.Seconds)
	if r.timed() > 0 && r.Seconds >= 1 {
		took += ", " + r.pace() + " rows a second"
	}
	return took
}

// timed is the number of rows of runs whose times are known: not of those that were killed.
func (r *Report) timed() (rows int64) {
	for i := range r.Timeline {
		rows += r.Timeline[i].Rows.Read - r.Timeline[i].Rows.Resumed
	}
	return rows
}

// pace is the number of rows a second, in three digits at least.
func (r *Report) pace() string {
	pace := float64(r.timed()) / r.Seconds
	if pace < 100 {
		return strconv.FormatFloat(pace, 'g', 3, 64)
	}
	return grouped(int64(math.Round(pace)))
}

// duration writes seconds as 1.25s, 12.3s, 7m12s or 26h3m5s.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// share writes a part in percent. It is never rounded to nothing nor to all.
func share(part, all int64) string {
	if all == 0 {
		return ""
	}
	percent := float64(part) / float64(all) * 100
	switch {
	case part > 0 && percent < 0.1:
		return "< 0.1 %"
	case part < all && percent > 99.9:
		return "> 99.9 %"
	}
	return strconv.FormatFloat(percent, 'f', 1, 64) + " %"
}

// size writes bytes in kB, MB or GB.
func size(bytes int64) string {
	value, unit := float64(bytes)/1e3, "kB"
	for _, larger := range []string{"MB", "GB", "TB"} {
		if value < 999.95 {
			break
		}
		value, unit = value/1e3, larger
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + unit
}

// numbered writes a number of things, whose plural ends in s.
func numbered(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return grouped(n) + " " + thing
}

// jobs sums up the import jobs, if there are any.
func (r *Report) jobs() string {
	if r.Jobs.Submitted == 0 {
		return ""
	}
	parts := []string{grouped(r.Jobs.Submitted) + " submitted"}
	for _, p := range []struct {
		jobs int64
		are  string
	}{
		{r.Jobs.Complete, "complete"}, {r.Jobs.Cancelled, "cancelled"}, {int64(len(r.Jobs.Open)), "not known to have ended"},
	} {
		if p.jobs > 0 {
			parts = append(parts, grouped(p.jobs)+" "+p.are)
		}
	}
	return strings.Join(parts, ", ")
}

// latency says within what time jobs were done, or nothing.
func (r *Report) latency() string {
	all := int64(0)
	for _, l := range r.Jobs.Latency {
		all += l.Jobs
	}
	if all == 0 {
		return ""
	}
	within := func(part float64) int64 {
		sum := int64(0)
		i := slices.IndexFunc(r.Jobs.Latency, func(l Latency) bool {
			sum += l.Jobs
			return float64(sum) >= part*float64(all)
		})
		return r.Jobs.Latency[i].Seconds
	}
	half, most, whole := within(0.5), within(0.95), within(1)
	if half == whole {
		return "all within " + duration(float64(whole))
	}
	parts := []string{"half within " + duration(float64(half))}
	if most > half && most < whole {
		parts = append(parts, "95 % within "+duration(float64(most)))
	}
	return strings.Join(append(parts, "all within "+duration(float64(whole))), ", ")
}

// requests sums up the requests, if there are any.
func (r *Report) requests() string {
	q := &r.Requests
	if q.Sent == 0 {
		return ""
	}
	parts := []string{grouped(q.Sent) + " sent"}
	for _, p := range []struct {
		requests int64
		are      string
	}{{q.Retried, "retried"}, {q.Throttled, "throttled"}, {q.Resent, "resent after a lost answer"}} {
		if p.requests > 0 {
			parts = append(parts, grouped(p.requests)+" "+p.are)
		}
	}
	return strings.Join(append(parts, size(q.Bytes)), ", ")
}

// throttled returns the seconds for which requests were held back.
func (r *Report) throttled() float64 {
	sum := 0.0
	for i := range r.Timeline {
		sum = round(sum + r.Timeline[i].ThrottledSeconds)
	}
	return sum
}
