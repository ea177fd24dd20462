// Package report writes what became of every row, and of the job as a whole.
package report

import (
	"math"
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
	statuses
)

var statusNames = [statuses]string{"applied", "accepted", "skipped", "rejected", "unknown", "unsent", "valid"}

func (s Status) String() string { return statusNames[s] }

// ParseStatus returns the status of that name.
func ParseStatus(name string) (Status, bool) {
	i := slices.Index(statusNames[:], name)
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
	StartedAt  string   `json:"started_at"`  // RFC 3339, UTC
	FinishedAt string   `json:"finished_at"` // RFC 3339, UTC
	Seconds    float64  `json:"seconds"`
	Version    string   `json:"version"`
	Timeline   []Bucket `json:"timeline"`
	Error      string   `json:"error,omitempty"` // why, when the run did not come to its end
}

// List is the Klaviyo list of the job. ID is empty while the list does not exist.
type List struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Created bool   `json:"created"` // by this run
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
}

// Reason counts the rows that share a code.
type Reason struct {
	Code     string `json:"code"`
	Stage    string `json:"stage,omitempty"`
	Rows     int64  `json:"rows"`
	FirstRow int64  `json:"first_row"`
}

// Jobs counts Klaviyo's import jobs. Open holds the ids of those not known to have ended.
type Jobs struct {
	Submitted int64    `json:"submitted"`
	Complete  int64    `json:"complete"`
	Cancelled int64    `json:"cancelled"`
	Open      []string `json:"open"`
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

// Span sets the report's times.
func (r *Report) Span(from, to time.Time) {
	r.StartedAt = from.UTC().Format(time.RFC3339)
	r.FinishedAt = to.UTC().Format(time.RFC3339)
	r.Seconds = math.Round(to.Sub(from).Seconds()*1000) / 1000
}
