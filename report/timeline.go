package report

import (
	"math"
	"slices"
	"time"
)

// maxBuckets bounds the number of buckets between the first and the last one, for runs of any length.
const maxBuckets = 120

// Bucket counts what happened in one stretch of time. All buckets of a timeline are equally long. Empty ones are left
// out. All timelines share one grid, so that they can be merged.
type Bucket struct {
	At               time.Time `json:"at"`      // the bucket's start, UTC, a multiple of its length since 1970
	Seconds          int64     `json:"seconds"` // the bucket's length, a power of two
	Rows             Rows      `json:"rows"`
	Requests         int64     `json:"requests"`
	ThrottledSeconds float64   `json:"throttled_seconds"`
	OpenJobs         int64     `json:"open_jobs"` // the maximum at one time, of one run
}

// Timeline collects the course of a run in at most 120 buckets. It is for one goroutine at a time.
type Timeline struct {
	Start   time.Time // of the run
	width   int64     // of a bucket, in seconds
	buckets []Bucket
	last    Sample
}

// Sample is the state of a run at one moment. All counts but OpenJobs are totals since the start.
type Sample struct {
	Rows      Rows
	Requests  int64
	Throttled time.Duration
	OpenJobs  int64
}

// Add adds what happened since the last Add, at the time elapsed since the start.
func (t *Timeline) Add(elapsed time.Duration, s Sample) {
	if s == t.last {
		return
	}
	second := max(t.Start.Add(elapsed).Unix(), 0)
	t.width = max(t.width, 1)
	for len(t.buckets) > 0 && !fits(t.buckets[0].At.Unix(), second, t.width) {
		t.width *= 2
		t.buckets = widen(t.buckets, t.width)
	}
	now := Bucket{
		Rows: s.Rows, Requests: s.Requests - t.last.Requests, OpenJobs: s.OpenJobs,
		ThrottledSeconds: (s.Throttled.Round(time.Millisecond) - t.last.Throttled.Round(time.Millisecond)).Seconds(),
	}
	now.Rows.subtract(t.last.Rows)
	t.buckets = enter(t.buckets, now, second, t.width)
	t.last = s
}

// Buckets returns the timeline so far, oldest first.
func (t *Timeline) Buckets() []Bucket { return t.buckets }

// fits reports whether at most maxBuckets buckets of that width cover the time from the first second to the last.
func fits(first, last, width int64) bool { return last/width-first/width < maxBuckets }

// widen joins buckets into longer ones.
func widen(buckets []Bucket, width int64) []Bucket {
	wide := make([]Bucket, 0, len(buckets))
	for _, b := range buckets {
		wide = enter(wide, b, b.At.Unix(), width)
	}
	return wide
}

// enter adds b, which happened at a second, to the last bucket or to a new one after it. When the clock went back,
// the last bucket gets it.
func enter(buckets []Bucket, b Bucket, second, width int64) []Bucket {
	at := time.Unix(second-second%width, 0).UTC()
	n := len(buckets)
	if n == 0 || buckets[n-1].At.Before(at) {
		buckets = append(buckets, Bucket{At: at, Seconds: width})
		n++
	}
	into := &buckets[n-1]
	into.Rows.add(b.Rows)
	into.Requests += b.Requests
	into.ThrottledSeconds = round(into.ThrottledSeconds + b.ThrottledSeconds)
	into.OpenJobs = max(into.OpenJobs, b.OpenJobs)
	return buckets
}

// mergeTimelines adds up buckets of the same time. Its buckets are as short as both timelines and maxBuckets allow.
func mergeTimelines(a, b []Bucket) []Bucket {
	all := slices.Concat(a, b)
	if len(all) == 0 {
		return all
	}
	slices.SortStableFunc(all, func(a, b Bucket) int { return a.At.Compare(b.At) })
	width := int64(1)
	for _, b := range all {
		width = max(width, b.Seconds)
	}
	for !fits(all[0].At.Unix(), all[len(all)-1].At.Unix(), width) {
		width *= 2
	}
	return widen(all, width)
}

// round rounds seconds to milliseconds.
func round(seconds float64) float64 { return math.Round(seconds*1000) / 1000 }
