// Package report writes one result line per row and the report of the run, and reads both back. Start with Writer and
// Report; package report/render shows them to people.
package report

import "time"

// Report is the last line of a run's output. Its members are written in this order.
type Report struct {
	Type      string `json:"type"`   // "report"
	Status    string `json:"status"` // see StatusOf
	ExitCode  int    `json:"exit_code"`
	Operation string `json:"operation"`
	List      *List  `json:"list,omitempty"` // nil when the run names no list
	// Lists are those that the rows name, those with most rows first, at most MaxLists. RowsOfOthers is how many rows
	// further lists have.
	Lists        []ListRows `json:"lists,omitempty"`
	RowsOfOthers int64      `json:"rows_of_other_lists,omitempty"`

	By       string   `json:"by,omitempty"` // the identifier, "" for the operation's default
	Rows     Rows     `json:"rows"`
	Reasons  []Reason `json:"reasons"` // most rows first
	Jobs     Jobs     `json:"jobs"`
	Requests Requests `json:"requests"`
	Members  *Members `json:"members,omitempty"` // nil when no row was read back and no list mirrored

	Consent  *Consents `json:"consent,omitempty"`  // nil unless the run set or withdrew consent
	Campaign *Campaign `json:"campaign,omitempty"` // nil unless a campaign was to be sent to the list

	Account   *Account `json:"account,omitempty"` // nil when the run could not read it
	BaseURL   string   `json:"base_url,omitempty"`
	Simulated bool     `json:"simulated,omitempty"` // the far side was the simulator
	Columns   []Column `json:"columns,omitempty"`   // at most maxColumns, in the order in which they were met
	// Dropped counts rows whose profile went without the value of a column, by column. Unknown and unsent rows do not
	// count, because a resumed run counts them.
	Dropped map[string]int64 `json:"dropped,omitempty"`

	StartedAt  string   `json:"started_at"`  // RFC 3339, UTC, with milliseconds
	FinishedAt string   `json:"finished_at"` // RFC 3339, UTC, with milliseconds
	Seconds    float64  `json:"seconds"`     // between the two
	Version    string   `json:"version"`
	Timeline   []Bucket `json:"timeline"`
	Runs       int64    `json:"runs,omitempty"`  // number of merged runs, 0 in the report of one run
	Error      string   `json:"error,omitempty"` // why the run failed

	// Settled counts the rows that an earlier run left accepted, and whose import jobs this run waited for. They are in
	// Rows by their status, not resumed.
	Settled int64 `json:"settled,omitempty"`
	// Unread says that the run ended before it had read its input to the end: rows of the input have no result.
	Unread bool `json:"unread,omitempty"`
}

// List is the Klaviyo list of the run. ID is empty while the list does not exist.
type List struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Created bool   `json:"created"` // by this run
	// LeftBehind holds the ids of empty lists that the run created but does not use, because another process created
	// an older list with the same name at the same time.
	LeftBehind []string `json:"left_behind,omitempty"`
}

// MaxLists bounds the lists of a report.
const MaxLists = 1000

// ListRows is a list and its rows. Unknown and unsent rows do not count, because a resumed run counts them.
type ListRows struct {
	List
	Rows int64 `json:"rows"`
}

// Account is the Klaviyo account of the API key.
type Account struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Reason counts the rows that share a code and a stage. FirstKey and Detail are those of the first row, and empty when
// that row has none. FirstFile names its results where the reports of several files are merged.
type Reason struct {
	Code      string `json:"code"`
	Stage     string `json:"stage,omitempty"`
	Rows      int64  `json:"rows"`
	FirstRow  int64  `json:"first_row"`
	FirstFile string `json:"first_file,omitempty"`
	FirstKey  string `json:"first_key,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// Requests counts HTTP requests. A retried request repeats a failed one. A resent request is a retried one whose
// first attempt may have reached Klaviyo. Bytes counts request bodies.
type Requests struct {
	Sent      int64 `json:"sent"`
	Retried   int64 `json:"retried"`
	Throttled int64 `json:"throttled"`
	Bytes     int64 `json:"bytes"`
	Resent    int64 `json:"resent"`
}

// StatusOf returns the report's status for an exit status.
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

// timeForm is the format of the report's times. Times in this format sort as text.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

// Span sets the report's times. The length of the run comes from the monotonic clock.
func (r *Report) Span(from, to time.Time) {
	start := from.UTC().Truncate(time.Millisecond)
	end := start.Add(to.Sub(from).Round(time.Millisecond))
	r.StartedAt, r.FinishedAt = start.Format(timeForm), end.Format(timeForm)
	r.Seconds = round(end.Sub(start).Seconds())
}
