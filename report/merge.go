package report

import (
	"cmp"
	"slices"
	"time"
)

// several stands for an operation or a version in which merged reports differ.
const several = "several"

// worse are the exit statuses, each worse than those before it.
var worse = []int{0, 1, 3, 4, 130, 143, 2}

// Merge returns the report of all runs that a and b tell of, which it leaves as they are. Reports may be merged in any
// order and grouping, with the same result. A nil report is none: the other one is returned.
//
// Counts and timelines add up, the times span all runs, the worst exit status counts, with its smallest error text. An
// operation or version is kept, or becomes "several"; an empty one agrees with any. A list is kept if none differs from it and no
// report is without list; an empty id or name agrees with any.
func Merge(a, b *Report) *Report {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	m := &Report{
		Type: "report", ExitCode: worst(a.ExitCode, b.ExitCode),
		Operation: agreed(a.Operation, b.Operation), List: mergeLists(a.List, b.List),
		Rows: a.Rows, Reasons: mergeReasons(a.Reasons, b.Reasons), Jobs: mergeJobs(&a.Jobs, &b.Jobs),
		Requests: Requests{
			Sent: a.Requests.Sent + b.Requests.Sent, Retried: a.Requests.Retried + b.Requests.Retried,
			Throttled: a.Requests.Throttled + b.Requests.Throttled, Bytes: a.Requests.Bytes + b.Requests.Bytes,
			Resent: a.Requests.Resent + b.Requests.Resent,
		},
		StartedAt: extreme(a.StartedAt, b.StartedAt, -1), FinishedAt: extreme(a.FinishedAt, b.FinishedAt, 1),
		Version: agreed(a.Version, b.Version), Timeline: mergeTimelines(a.Timeline, b.Timeline),
		Runs: max(a.Runs, 1) + max(b.Runs, 1),
	}
	m.Status = StatusOf(m.ExitCode)
	m.Rows.add(b.Rows)
	m.Seconds = secondsBetween(m.StartedAt, m.FinishedAt)
	for _, r := range []*Report{a, b} {
		if r.ExitCode == m.ExitCode && r.Error != "" && (m.Error == "" || r.Error < m.Error) {
			m.Error = r.Error
		}
	}
	return m
}

func worst(a, b int) int {
	if slices.Index(worse, a) > slices.Index(worse, b) {
		return a
	}
	return b
}

func agreed(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return several
}

// mergeLists returns nil where a and b are not the same list.
func mergeLists(a, b *List) *List {
	if a == nil || b == nil || a.ID != "" && b.ID != "" && a.ID != b.ID || a.Name != "" && b.Name != "" && a.Name != b.Name {
		return nil
	}
	return &List{ID: cmp.Or(a.ID, b.ID), Name: cmp.Or(a.Name, b.Name), Created: a.Created || b.Created, LeftBehind: union(a.LeftBehind, b.LeftBehind)}
}

// mergeReasons adds up the reasons of the same code and stage.
func mergeReasons(a, b []Reason) []Reason {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Stage, b.Stage))
	})
	merged := all[:0]
	for _, r := range all {
		if n := len(merged); n > 0 && merged[n-1].Code == r.Code && merged[n-1].Stage == r.Stage {
			merged[n-1].Rows += r.Rows
			merged[n-1].FirstRow = min(merged[n-1].FirstRow, r.FirstRow)
		} else {
			merged = append(merged, r)
		}
	}
	sortReasons(merged)
	return merged
}

// sortReasons puts those with most rows first.
func sortReasons(list []Reason) {
	slices.SortFunc(list, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.FirstRow, b.FirstRow),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Stage, b.Stage))
	})
}

func mergeJobs(a, b *Jobs) Jobs {
	latency := slices.Concat(a.Latency, b.Latency)
	slices.SortFunc(latency, func(a, b Latency) int { return cmp.Compare(a.Seconds, b.Seconds) })
	merged := latency[:0]
	for _, l := range latency {
		if n := len(merged); n > 0 && merged[n-1].Seconds == l.Seconds {
			merged[n-1].Jobs += l.Jobs
		} else {
			merged = append(merged, l)
		}
	}
	return Jobs{
		Submitted: a.Submitted + b.Submitted, Complete: a.Complete + b.Complete, Cancelled: a.Cancelled + b.Cancelled,
		Open: union(a.Open, b.Open), Latency: merged,
	}
}

// extreme returns the earlier one of two times, or with the sign 1 the later one. An empty one is none.
func extreme(a, b string, sign int) string {
	if a == "" || b != "" && cmp.Compare(b, a) == sign {
		return b
	}
	return a
}

// secondsBetween is 0 where one of the times is not known.
func secondsBetween(from, to string) float64 {
	start, err := time.Parse(timeForm, from)
	end, err2 := time.Parse(timeForm, to)
	if err != nil || err2 != nil {
		return 0
	}
	return round(end.Sub(start).Seconds())
}

// union returns what is in a or b, in order.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
