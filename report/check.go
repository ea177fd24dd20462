package report

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// maxCount bounds what a report may count, so that sums of many reports stay within an int64.
	maxCount = 1 << 50
	// maxSeconds bounds a bucket's length, which keeps its start within the years of four digits.
	maxSeconds = 1 << 32
)

// check finds what no run writes into its report, and brings times and reasons of other writers into the form that Merge keeps.
func (r *Report) check() error {
	if !slices.Contains(worse, r.ExitCode) || r.Status != StatusOf(r.ExitCode) {
		return errors.New("its status does not go with its exit_code")
	}
	if r.negative() {
		return errors.New("a count is negative or too large")
	}
	if sum := r.Rows.byStatus(); r.Rows.Read != sumOf(sum[:]) {
		return errors.New("its rows do not add up to those read")
	}
	for _, at := range []*string{&r.StartedAt, &r.FinishedAt} {
		if *at == "" {
			continue
		}
		moment, err := time.Parse(time.RFC3339, *at)
		if moment = moment.UTC(); err != nil || moment.Year() < 1970 || moment.Year() > 9999 {
			return fmt.Errorf("%.40q is no time of RFC 3339", *at)
		}
		*at = moment.Format(timeForm)
	}
	if r.StartedAt != "" && r.FinishedAt != "" {
		if r.Seconds = secondsBetween(r.StartedAt, r.FinishedAt); r.Seconds < 0 {
			return errors.New("it finished before it started")
		}
	}
	r.Reasons = mergeReasons(nil, r.Reasons)
	if !onGrid(r.Timeline) {
		return errors.New("its timeline is not in order")
	}
	for i, l := range r.Jobs.Latency {
		if !powerOfTwo(l.Seconds) || i > 0 && r.Jobs.Latency[i-1].Seconds >= l.Seconds {
			return errors.New("its latency classes are not in order")
		}
	}
	return nil
}

// negative reports whether a count of the report is, or is too large.
func (r *Report) negative() bool {
	counts := []int64{
		r.Requests.Sent, r.Requests.Retried, r.Requests.Throttled, r.Requests.Bytes, r.Requests.Resent,
		r.Jobs.Submitted, r.Jobs.Complete, r.Jobs.Cancelled, r.Runs, int64(max(min(r.Seconds, maxCount+1), -1)),
	}
	for _, l := range r.Jobs.Latency {
		counts = append(counts, l.Jobs)
	}
	for _, reason := range r.Reasons {
		counts = append(counts, reason.Rows, reason.FirstRow)
	}
	for _, b := range r.Timeline {
		counts = append(counts, b.Requests, b.OpenJobs, int64(max(min(b.ThrottledSeconds, maxCount+1), -1)))
		if b.Rows.negative() {
			return true
		}
	}
	return r.Rows.negative() || slices.Min(counts) < 0 || slices.Max(counts) > maxCount
}

func (r *Rows) negative() bool {
	counts := r.byStatus()
	return min(r.Read, slices.Min(counts[:])) < 0 || max(r.Read, slices.Max(counts[:])) > maxCount
}

// byStatus returns the counts in the order of the statuses.
func (r *Rows) byStatus() [statuses]int64 {
	return [statuses]int64{r.Applied, r.Accepted, r.Skipped, r.Rejected, r.Unknown, r.Unsent, r.Valid, r.Resumed}
}

func sumOf(counts []int64) int64 {
	sum := int64(0)
	for _, n := range counts {
		sum += n
	}
	return sum
}

// onGrid reports whether a timeline is one that Timeline makes.
func onGrid(buckets []Bucket) bool {
	for i := range buckets {
		b := &buckets[i]
		b.At = b.At.UTC()
		at := b.At.Unix()
		switch {
		case !powerOfTwo(b.Seconds) || at < 0 || at%b.Seconds != 0 || b.At.Nanosecond() != 0 || b.At.Year() > 9999:
			return false
		case i > 0 && (b.Seconds != buckets[0].Seconds || !buckets[i-1].At.Before(b.At)):
			return false
		}
	}
	n := len(buckets)
	return n == 0 || fits(buckets[0].At.Unix(), buckets[n-1].At.Unix(), buckets[0].Seconds)
}

func powerOfTwo(seconds int64) bool {
	return seconds > 0 && seconds <= maxSeconds && seconds&(seconds-1) == 0
}
