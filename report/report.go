// Package report writes what became of every row, and of the job as a whole.
package report

import (
	"cmp"
	"slices"
	"time"
)

// Status is what became of a row (DESIGN.md §4).
type Status uint8

// The statuses of a row. Their order is that of the report's counts.
const (
	Applied  Status = iota // proved done
	Accepted               // taken by Klaviyo, not waited for
	Skipped                // deliberately not sent
	Rejected               // refused, here or by Klaviyo
	Unknown                // sent, its fate not provable
	Unsent                 // never sent: the run stopped first
	Valid                  // nothing wrong with it, and nothing was to be sent
	Resumed                // an earlier run has its result: it has no line in this one's
	statuses
)

var statusNames = [statuses]string{"applied", "accepted", "skipped", "rejected", "unknown", "unsent", "valid", "resumed"}

func (s Status) String() string { return statusNames[s] }

// ParseStatus returns the status of that name, of those that result lines have.
func ParseStatus(name string) (Status, bool) {
	i := slices.Index(statusNames[:Resumed], name)
	return Status(max(i, 0)), i >= 0
}

// Report is the last line of a run's output. Its members are written in this order.
type Report struct {
	Type       string   `json:"type"`   // "report"
	Status     string   `json:"status"` // see StatusOf
	ExitCode   int      `json:"exit_code"`
	Operation  string   `json:"operation"`
	List       *List    `json:"list,omitempty"` // nil where no list was asked for
	Rows       Rows     `json:"rows"`
	Reasons    []Reason `json:"reasons"` // most rows first
	Jobs       Jobs     `json:"jobs"`
	Requests   Requests `json:"requests"`
	StartedAt  string   `json:"started_at"`  // RFC 3339, UTC, with milliseconds
	FinishedAt string   `json:"finished_at"` // RFC 3339, UTC, with milliseconds
	Seconds    float64  `json:"seconds"`     // between the two
	Version    string   `json:"version"`
	Timeline   []Bucket `json:"timeline"`
	Runs       int64    `json:"runs,omitempty"`  // how many were merged into this report, 0 = it is that of one run
	Error      string   `json:"error,omitempty"` // why, when the run did not come to its end
}

// List is the Klaviyo list of the job. ID is empty while the list does not exist.
type List struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Created bool   `json:"created"` // by this run
	// LeftBehind has the ids of empty lists that were made and are not used: another process made an older one of the same name at
	// the same time.
	LeftBehind []string `json:"left_behind,omitempty"`
}

// Rows counts rows by status. Read is the sum of the others.
type Rows struct {
	Read     int64 `json:"read"`
	Applied  int64 `json:"applied"`
	Accepted int64 `json:"accepted"`
	Skipped  int64 `json:"skipped"`
	Rejected int64 `json:"rejected"`
	Unknown  int64 `json:"unknown"`
	Unsent   int64 `json:"unsent"`
	Valid    int64 `json:"valid,omitempty"`
	Resumed  int64 `json:"resumed,omitempty"`
}

// Reason counts the rows that share a code.
type Reason struct {
	Code     string `json:"code"`
	Stage    string `json:"stage,omitempty"`
	Rows     int64  `json:"rows"`
	FirstRow int64  `json:"first_row"`
}

// Jobs counts Klaviyo's import jobs. Open holds the ids of those not known to have ended, Latency how long the others
// were waited for, shortest first.
type Jobs struct {
	Submitted int64     `json:"submitted"`
	Complete  int64     `json:"complete"`
	Cancelled int64     `json:"cancelled"`
	Open      []string  `json:"open"`
	Latency   []Latency `json:"latency,omitempty"`
}

// Latency counts the jobs that ended within Seconds, a power of two, and not within half of it; the first class begins at 0.
type Latency struct {
	Seconds int64 `json:"within_seconds"`
	Jobs    int64 `json:"jobs"`
}

// Took enters a job that took so long into classes.
func Took(classes []Latency, d time.Duration) []Latency {
	within := int64(1)
	for time.Duration(within)*time.Second < d {
		within *= 2
	}
	i, found := slices.BinarySearchFunc(classes, within, func(l Latency, s int64) int { return cmp.Compare(l.Seconds, s) })
	if !found {
		classes = slices.Insert(classes, i, Latency{Seconds: within})
	}
	classes[i].Jobs++
	return classes
}

// Requests counts HTTP requests. Retried are those that repeat a failed one, Resent those of them whose first sending may
// have arrived. Bytes are those of the request bodies.
type Requests struct {
	Sent      int64 `json:"sent"`
	Retried   int64 `json:"retried"`
	Throttled int64 `json:"throttled"`
	Bytes     int64 `json:"bytes"`
	Resent    int64 `json:"resent"`
}

// StatusOf names the outcome that an exit status stands for.
func StatusOf(exit int) string {
	switch exit {
	case 0:
		return "succeeded"
	case 1:
		return "failed"
	case 3:
		return "timed_out"
	case 4:
		return "outage"
	case 130, 143:
		return "interrupted"
	}
	return "error"
}

// timeForm is that of the report's times. Its texts sort as the times do.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

// Span sets the report's times. The run's length is taken from the monotonic clock.
func (r *Report) Span(from, to time.Time) {
	start := from.UTC().Truncate(time.Millisecond)
	end := start.Add(to.Sub(from).Round(time.Millisecond))
	r.StartedAt, r.FinishedAt = start.Format(timeForm), end.Format(timeForm)
	r.Seconds = round(end.Sub(start).Seconds())
}
