package report

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// Jobs counts Klaviyo's import jobs. Open holds the ids of jobs that are not known to have ended. Latency counts the
// other jobs by the time from their start to their end, shortest first.
type Jobs struct {
	Submitted int64     `json:"submitted"`
	Complete  int64     `json:"complete"`
	Cancelled int64     `json:"cancelled"`
	Open      []string  `json:"open"`
	Latency   []Latency `json:"latency,omitempty"`
}

// Latency is a class of import jobs: those that ended within Seconds, but not within half of it. Seconds is a power
// of two. The class of 1 second begins at 0.
type Latency struct {
	Seconds int64 `json:"within_seconds"`
	Jobs    int64 `json:"jobs"`
}

// Took adds a job that ended after d to classes and returns them.
func Took(classes []Latency, d time.Duration) []Latency {
	within := int64(1)
	for time.Duration(within)*time.Second < d {
		within *= 2
	}
	i, found := slices.BinarySearchFunc(classes, within, func(l Latency, s int64) int {
		return cmp.Compare(l.Seconds, s)
	})
	if !found {
		classes = slices.Insert(classes, i, Latency{Seconds: within})
	}
	classes[i].Jobs++
	return classes
}

func mergeJobs(a, b *Jobs) Jobs {
	latency := slices.Concat(a.Latency, b.Latency)
	sort.Slice(latency, func(i, j int) bool { return latency[i].Seconds < latency[j].Seconds })
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

// union returns what is in a or b, sorted.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
