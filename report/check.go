package report

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// maxCount bounds the counts in a report, so that the sums of many reports fit into an int64.
	maxCount = 1 << 50
	// maxSeconds bounds the length of a bucket, which keeps its start within the years of four digits.
	maxSeconds = 1 << 32
)

// check returns an error about anything that no run writes into its report. It brings the times, reasons and columns
// of other writers into the form that Merge keeps.
func (r *Report) check() error {
	if !slices.Contains(worse, r.ExitCode) {
		return fmt.Errorf("expected an exit_code of 0, 1, 2, 3, 4, 130 or 143, got %d", r.ExitCode)
	}
	if want := StatusOf(r.ExitCode); r.Status != want {
		return fmt.Errorf("expected status %s with exit_code %d, got %.40q", want, r.ExitCode, r.Status)
	}
	if r.outOfRange() {
		return errors.New("a count is negative or too large")
	}
	if sum := r.Rows.sum(); r.Rows.Read != sum {
		return fmt.Errorf("rows.read is %d, but its other counts add up to %d", r.Rows.Read, sum)
	}
	for _, at := range []*string{&r.StartedAt, &r.FinishedAt} {
		if *at == "" {
			continue
		}
		moment, err := time.Parse(time.RFC3339, *at)
		if moment = moment.UTC(); err != nil || moment.Year() < 1970 || moment.Year() > 9999 {
			return fmt.Errorf("expected an RFC 3339 time, got %.40q", *at)
		}
		*at = moment.Format(timeForm)
	}
	if r.StartedAt != "" && r.FinishedAt != "" {
		if r.Seconds = secondsBetween(r.StartedAt, r.FinishedAt); r.Seconds < 0 {
			return errors.New("finished_at is before started_at")
		}
	}
	r.normalise()
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

// normalise bounds the texts and the number of columns, and adds up reasons that share a code and a stage.
func (r *Report) normalise() {
	r.shorten()
	r.Rows.Continues = r.Rows.Continues && r.Runs < 2 // merged runs resume no run
	r.Reasons = mergeReasons(nil, r.Reasons)
	r.Columns = slices.Clip(r.Columns[:min(len(r.Columns), maxColumns)])
	r.Dropped = mergeDropped(nil, r.Dropped)
	if r.Consent != nil {
		r.Consent.Channels = shortenedAll(r.Consent.Channels[:min(len(r.Consent.Channels), maxColumns)])
	}
	if r.List != nil {
		r.List.LeftBehind = leftBehind(r.List.LeftBehind)
	}
	lists, others := mergeListRows(nil, r.Lists)
	r.Lists, r.RowsOfOthers = lists, r.RowsOfOthers+others
}

// outOfRange reports whether a count is negative or greater than maxCount.
func (r *Report) outOfRange() bool {
	counts := []int64{
		r.Requests.Sent, r.Requests.Retried, r.Requests.Throttled, r.Requests.Bytes, r.Requests.Resent,
		r.Jobs.Submitted, r.Jobs.Complete, r.Jobs.Cancelled, r.Runs, r.RowsOfOthers, r.Settled,
		int64(max(min(r.Seconds, maxCount+1), -1)),
	}
	counts = append(append(counts, r.Members.counts()...), r.Consent.counts()...)
	if c := r.Campaign; c != nil && c.EstimatedRecipients != nil {
		counts = append(counts, *c.EstimatedRecipients)
	}
	for _, l := range r.Jobs.Latency {
		counts = append(counts, l.Jobs)
	}
	for _, reason := range r.Reasons {
		counts = append(counts, reason.Rows, reason.FirstRow)
	}
	for _, c := range r.Columns {
		counts = append(counts, c.Rows, c.Cleared)
	}
	for _, n := range r.Dropped {
		counts = append(counts, n)
	}
	for _, l := range r.Lists {
		counts = append(counts, l.Rows)
	}
	for _, b := range r.Timeline {
		counts = append(counts, b.Requests, b.OpenJobs, int64(max(min(b.ThrottledSeconds, maxCount+1), -1)))
		if b.Rows.outOfRange() {
			return true
		}
	}
	return r.Rows.outOfRange() || slices.Min(counts) < 0 || slices.Max(counts) > maxCount
}

// onGrid reports whether a Timeline can have these buckets.
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
