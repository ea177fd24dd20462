package render

import (
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"klaviyo-export/report"
)

// longest bounds the length of a text from outside, in columns.
const longest = 2000

// fact is a name and its value.
type fact struct{ Name, Value string }

// facts says what went wrong, what ran and when.
func facts(r *report.Report) []fact {
	var list []fact
	add := func(name, value string) {
		if value != "" {
			list = append(list, fact{name, clipped(visible(value), longest)})
		}
	}
	add("error", private(r.Error))
	add("account", account(r.Account))
	if !klaviyo(r.BaseURL) {
		add("base URL", r.BaseURL)
	}
	add("list", target(r))
	add("lists", listed(r))
	add("operation", operation(r))
	add("when", when(r))
	add("took", took(r))
	if r.Runs > 1 {
		add("runs", grouped(r.Runs))
	}
	add("dropped", dropped(r.Dropped))
	add("consent", consent(r))
	add("members", mirror(r))
	add("read back", readBack(r.Members))
	add("campaign", campaign(r.Campaign))
	add("version", r.Version)
	return list
}

// account names the account.
func account(a *report.Account) string {
	switch {
	case a == nil:
		return ""
	case a.Name == "":
		return a.ID
	}
	return a.Name + " (" + a.ID + ")"
}

// klaviyo reports whether a base URL is Klaviyo's own.
func klaviyo(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return u.Scheme == "https" && (host == "klaviyo.com" || strings.HasSuffix(host, ".klaviyo.com"))
}

// dropped says how many rows go without the value of a column.
func dropped(rows map[string]int64) string {
	var parts []string
	for _, column := range slices.Sorted(maps.Keys(rows)) {
		parts = append(parts, "the "+column+" of "+numbered(rows[column], "row")+" was left out")
	}
	return strings.Join(parts, ", ")
}

// target names the list.
func target(r *report.Report) string {
	l := r.List
	switch {
	case l == nil && r.Runs > 1 && len(r.Lists) == 0:
		return "several or none"
	case l == nil || l.ID == "" && l.Name == "":
		return ""
	}
	return listTitle(l)
}

// when returns both times. The second one has a date only when the dates differ.
func when(r *report.Report) string {
	from, err := time.Parse(time.RFC3339, r.StartedAt)
	to, err2 := time.Parse(time.RFC3339, r.FinishedAt)
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

// took returns the length of the run and its rows per second.
func took(r *report.Report) string {
	if r.StartedAt == "" {
		return ""
	}
	took := duration(r.Seconds)
	if timed(r) > 0 && r.Seconds >= 1 {
		took += ", " + rowsPerSecond(r) + " rows per second"
	}
	return took
}

// timed counts the rows of runs whose times are known. Killed runs and resumed rows do not count.
func timed(r *report.Report) (rows int64) {
	for i := range r.Timeline {
		rows += r.Timeline[i].Rows.Read - r.Timeline[i].Rows.Resumed
	}
	return rows
}

// rowsPerSecond has at least three digits.
func rowsPerSecond(r *report.Report) string {
	rate := float64(timed(r)) / r.Seconds
	if rate < 100 {
		return strconv.FormatFloat(rate, 'g', 3, 64)
	}
	return grouped(int64(math.Round(rate)))
}

// jobs sums up the import jobs. It returns "" when there are none.
func jobs(j *report.Jobs) string {
	if j.Submitted+j.Complete+j.Cancelled+int64(len(j.Open)) == 0 {
		return ""
	}
	parts := []string{grouped(j.Submitted) + " submitted"}
	for _, p := range []struct {
		jobs  int64
		state string
	}{{j.Complete, "complete"}, {j.Cancelled, "cancelled"}, {int64(len(j.Open)), "open"}} {
		if p.jobs > 0 {
			parts = append(parts, grouped(p.jobs)+" "+p.state)
		}
	}
	return strings.Join(parts, ", ")
}

// latency says how long import jobs took. It returns "" when that is unknown.
func latency(classes []report.Latency) string {
	all := int64(0)
	for _, l := range classes {
		all += l.Jobs
	}
	if all == 0 {
		return ""
	}
	within := func(part float64) int64 {
		sum := int64(0)
		i := slices.IndexFunc(classes, func(l report.Latency) bool {
			sum += l.Jobs
			return float64(sum) >= part*float64(all)
		})
		return classes[i].Seconds
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

// requests sums up the requests. It returns "" when there are none.
func requests(q *report.Requests) string {
	if q.Sent == 0 {
		return ""
	}
	parts := []string{grouped(q.Sent) + " sent"}
	for _, p := range []struct {
		requests int64
		state    string
	}{{q.Retried, "retried"}, {q.Throttled, "throttled"}, {q.Resent, "resent after a lost answer"}} {
		if p.requests > 0 {
			parts = append(parts, grouped(p.requests)+" "+p.state)
		}
	}
	if q.Bytes > 0 {
		parts = append(parts, size(q.Bytes))
	}
	return strings.Join(parts, ", ")
}

// throttled returns the seconds for which Klaviyo throttled the run.
func throttled(buckets []report.Bucket) float64 {
	sum := 0.0
	for i := range buckets {
		sum = rounded(sum + buckets[i].ThrottledSeconds)
	}
	return sum
}

// rest sums up the reasons that are left out. It returns "" when there are none.
func rest(reasons []report.Reason) string {
	if len(reasons) == 0 {
		return ""
	}
	rows := int64(0)
	for _, reason := range reasons {
		rows += reason.Rows
	}
	return "and " + numbered(int64(len(reasons)), "more reason") + " with " + numbered(rows, "row")
}
