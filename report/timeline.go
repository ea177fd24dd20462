package report

import (
	"math"
	"slices"
	"sort"
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
	at      time.Duration // of the last sample
}

// Sample is the state of a run at one moment. All counts but OpenJobs are totals since the start.
type Sample struct {
	Rows      Rows
	Requests  int64
	Throttled time.Duration
	OpenJobs  int64
}

// Add adds what happened since the last Add, at the time elapsed since the start. A run takes samples when it writes
// results, but it works in between. So counts are spread evenly over the time between two samples, and import jobs
// stay open from one to the next. Only unknown and unsent rows are not spread: they get their results when the run
// stops.
func (t *Timeline) Add(elapsed time.Duration, s Sample) {
	b := since(t.last, s)
	from, to := t.Start.Add(min(t.at, elapsed)), t.Start.Add(elapsed) // the clock may have gone back
	t.last, t.at = s, elapsed
	if b.empty() && s.OpenJobs == 0 {
		return
	}
	stopped := Bucket{
		Rows:     Rows{Read: b.Rows.Unknown + b.Rows.Unsent, Unknown: b.Rows.Unknown, Unsent: b.Rows.Unsent},
		OpenJobs: s.OpenJobs,
	}
	b.Rows.subtract(stopped.Rows)
	first, last := max(from.Unix(), 0), max(to.Unix(), 0)
	if len(t.buckets) > 0 {
		first = t.buckets[0].At.Unix()
	}
	t.width = max(t.width, 1)
	for !fits(first, last, t.width) {
		t.width *= 2
		t.buckets = widen(t.buckets, t.width)
	}
	t.spread(&b, from, to)
	t.enter(stopped, last)
}

// since returns what happened between two samples, with the import jobs that were open at the first one.
func since(before, now Sample) Bucket {
	b := Bucket{
		Rows: now.Rows, Requests: now.Requests - before.Requests, OpenJobs: before.OpenJobs,
		ThrottledSeconds: (now.Throttled.Round(time.Millisecond) - before.Throttled.Round(time.Millisecond)).Seconds(),
	}
	b.Rows.subtract(before.Rows)
	return b
}

// spread enters b into the buckets between two times, in proportion to the time that each of them covers.
func (t *Timeline) spread(b *Bucket, from, to time.Time) {
	var done Bucket
	for at := from; ; {
		second := max(at.Unix(), 0)
		end := time.Unix(second-second%t.width+t.width, 0)
		part := *b
		if end.Before(to) {
			part = b.part(float64(end.Sub(from)) / float64(to.Sub(from)))
		}
		t.enter(part.minus(&done), second)
		if !end.Before(to) {
			return
		}
		done, at = part, end
	}
}

// part returns that share of the counts of b, each rounded by itself.
func (b *Bucket) part(share float64) Bucket {
	of := func(n int64) int64 { return int64(math.Round(float64(n) * share)) }
	p := Bucket{
		Rows: Rows{
			Applied: of(b.Rows.Applied), Accepted: of(b.Rows.Accepted), Skipped: of(b.Rows.Skipped),
			Rejected: of(b.Rows.Rejected), Valid: of(b.Rows.Valid), Resumed: of(b.Rows.Resumed),
		},
		Requests: of(b.Requests), ThrottledSeconds: round(b.ThrottledSeconds * share), OpenJobs: b.OpenJobs,
	}
	p.Rows.Read = p.Rows.sum()
	return p
}

// minus returns b without the counts of another bucket.
func (b Bucket) minus(o *Bucket) Bucket {
	b.Rows.subtract(o.Rows)
	b.Requests -= o.Requests
	b.ThrottledSeconds = round(b.ThrottledSeconds - o.ThrottledSeconds)
	return b
}

// empty reports whether b counts nothing.
func (b *Bucket) empty() bool {
	return b.Rows == Rows{} && b.Requests == 0 && b.ThrottledSeconds == 0 && b.OpenJobs == 0
}

// enter adds a bucket that is not empty to the one of its second.
func (t *Timeline) enter(b Bucket, second int64) {
	if !b.empty() {
		t.buckets = enter(t.buckets, b, second, t.width)
	}
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
	sort.SliceStable(all, func(i, j int) bool { return all[i].At.Before(all[j].At) })
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
