package report

import (
	"math"
	"time"
)

// maxBuckets bounds a timeline, whatever the run's length.
const maxBuckets = 120

// Bucket is what happened in one stretch of a run. Buckets of one timeline are equally long;
// those in which nothing happened are left out.
type Bucket struct {
	At               int64   `json:"at"`      // seconds from the run's start to the bucket's
	Seconds          int64   `json:"seconds"` // the bucket's length
	Rows             Rows    `json:"rows"`
	Requests         int64   `json:"requests"`
	ThrottledSeconds float64 `json:"throttled_seconds"`
	OpenJobs         int64   `json:"open_jobs"` // the most at one time
}

// Timeline gathers a run's course into at most 120 buckets. It is for one goroutine at a time.
type Timeline struct {
	width   int64 // seconds
	buckets []Bucket
	last    Sample
}

// Sample is the state of a run at one moment: totals since its start, but for OpenJobs.
type Sample struct {
	Rows      Rows
	Requests  int64
	Throttled time.Duration
	OpenJobs  int64
}

// Add enters what has happened since the last Add at the time elapsed from the start.
func (t *Timeline) Add(elapsed time.Duration, s Sample) {
	if s == t.last {
		return
	}
	second := max(int64(elapsed/time.Second), 0)
	t.width = max(t.width, 1)
	for second/t.width >= maxBuckets {
		t.widen()
	}
	b := t.bucket(second - second%t.width)
	b.Rows.add(s.Rows)
	b.Rows.subtract(t.last.Rows)
	b.Requests += s.Requests - t.last.Requests
	b.ThrottledSeconds = round(b.ThrottledSeconds + (s.Throttled - t.last.Throttled).Seconds())
	b.OpenJobs = max(b.OpenJobs, s.OpenJobs)
	t.last = s
}

// Buckets returns the timeline so far, oldest first.
func (t *Timeline) Buckets() []Bucket { return t.buckets }

// bucket returns the one that starts at the given second. Time does not go back.
func (t *Timeline) bucket(at int64) *Bucket {
	if n := len(t.buckets); n > 0 && t.buckets[n-1].At >= at {
		return &t.buckets[n-1]
	}
	t.buckets = append(t.buckets, Bucket{At: at, Seconds: t.width})
	return &t.buckets[len(t.buckets)-1]
}

// widen doubles the buckets' length and joins those that now fall together.
func (t *Timeline) widen() {
	t.width *= 2
	old := t.buckets
	t.buckets = make([]Bucket, 0, len(old))
	for _, b := range old {
		into := t.bucket(b.At - b.At%t.width)
		into.Rows.add(b.Rows)
		into.Requests += b.Requests
		into.ThrottledSeconds = round(into.ThrottledSeconds + b.ThrottledSeconds)
		into.OpenJobs = max(into.OpenJobs, b.OpenJobs)
	}
}

func (r *Rows) add(o Rows) {
	r.Read += o.Read
	r.Applied += o.Applied
	r.Accepted += o.Accepted
	r.Skipped += o.Skipped
	r.Rejected += o.Rejected
	r.Unknown += o.Unknown
	r.Unsent += o.Unsent
	r.Valid += o.Valid
}

func (r *Rows) subtract(o Rows) {
	r.add(Rows{-o.Read, -o.Applied, -o.Accepted, -o.Skipped, -o.Rejected, -o.Unknown, -o.Unsent, -o.Valid})
}

// round cuts a sum of seconds to milliseconds.
func round(seconds float64) float64 { return math.Round(seconds*1000) / 1000 }
