package pipeline

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// Error ends a run early, or says why some of its rows did not get there. Hint says what to do.
type Error struct {
	Text, Hint string
	cause      error
	exit       int // status, 0 = 2
}

const (
	hintRejected = "run klaviyo-export report --rejected csv RESULTS to see them; --max-invalid N or N% allows some"
	hintExpected = "check whether the client before the pipe failed or cut the rows off, and set -o pipefail"
)

func (e *Error) Error() string { return e.Text }

func (e *Error) Unwrap() error { return e.cause }

// ExitCode returns the exit status that an error of this package stands for.
func ExitCode(err error) int {
	var own *Error
	if errors.As(err, &own) && own.exit != 0 {
		return own.exit
	}
	return 2
}

// Hint returns what to do about an error of Run, or "".
func Hint(err error) string {
	var own *Error
	var far *sink.Error
	var other *report.NoResult
	switch {
	case errors.As(err, &own):
		return own.Hint
	case errors.As(err, &far):
		return far.Hint
	case errors.As(err, &other):
		return other.Hint
	}
	return ""
}

// severalError is the error of rejected rows that may hold several rows.
func severalError(rows int64) error {
	return &Error{
		Text: fmt.Sprintf("rejected lines that may hold several rows: %d; --max-invalid does not cover them", rows),
		Hint: "make the client print one object per line, or pipe the rows through jq -c '.[]'", exit: 1,
	}
}

// bug is the error of a panic.
func bug(p any) *Error {
	return &Error{
		Text: fmt.Sprintf("klaviyo-export has a bug: %v", p),
		Hint: "report it together with this: " + string(debug.Stack()),
	}
}

// Counts sums up rows by status, the ones that did not get there last.
func Counts(rows report.Rows) string {
	var parts []string
	for _, c := range []struct {
		rows int64
		name string
	}{
		{rows.Applied, "applied"}, {rows.Accepted, "accepted"}, {rows.Valid, "valid"}, {rows.Skipped, "skipped"},
		{rows.Resumed, "resumed"}, {rows.Rejected, "rejected"}, {rows.Unknown, "unknown"}, {rows.Unsent, "unsent"},
	} {
		if c.rows > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.rows, c.name))
		}
	}
	if rows.Read == 1 {
		return "1 row: " + strings.Join(parts, ", ")
	}
	return fmt.Sprintf("%d rows: %s", rows.Read, strings.Join(parts, ", "))
}

// early adds to the error of a run that ended early what happened to the rows that it had read. unfinished says
// that only a run that continues it finishes it.
func early(err error, rows report.Rows, reasons []report.Reason, unfinished bool) error {
	text, hint := err.Error(), Hint(err)
	if rows.Read > 0 {
		text += "; " + Counts(rows)
	}
	if hint == hintRejected { // that others are unsent is no reason
		rejected := rows
		rejected.Unknown, rejected.Unsent = 0, 0
		text += said(dominantReason(rejected, reasons))
	}
	var failed *sink.Error
	switch {
	case hint != "":
	case rows.Unknown+rows.Unsent > 0, unfinished && rows.Read > 0:
		hint = "run it again with --resume RESULTS and the same input: rows with a final result are not sent again"
	case rows.Accepted > 0:
		hint = "run klaviyo-export wait < RESULTS to get the final status of the accepted rows"
	case errors.As(err, &failed) && failed.Kind == sink.Outage:
		hint = "nothing was sent: run it again later; --retry-for sets how long it keeps trying"
	}
	return &Error{Text: text, Hint: hint, cause: err}
}

// dominantReason returns the reason of more than half of the rows that did not get there, nil when there is none.
func dominantReason(rows report.Rows, reasons []report.Reason) *report.Reason {
	astray := rows.Rejected + rows.Unknown + rows.Unsent
	for i := range reasons {
		if r := &reasons[i]; r.Fault() && 2*r.Rows > astray && r.Detail != "" {
			return r
		}
	}
	return nil
}

// said is what a reason says, as the end of a text, "" for no reason.
func said(r *report.Reason) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("; row %d: %s", r.FirstRow, r.Detail)
}

// rowsError sums up the rows that did not get there; earlier is how many rows the earlier results reject.
func rowsError(rows report.Rows, reasons []report.Reason, earlier int64) error {
	var why []string
	for _, r := range reasons {
		if !r.Fault() {
			continue
		}
		if len(why) == 3 {
			why = append(why, "…")
			break
		}
		why = append(why, fmt.Sprintf("%d %s (first in row %d)", r.Rows, r.Code, r.FirstRow))
	}
	if dominant := dominantReason(rows, reasons); dominant != nil {
		why = append(why, fmt.Sprintf("row %d: %s", dominant.FirstRow, dominant.Detail))
	}
	if earlier > 0 {
		why = append(why, fmt.Sprintf("%d rejected in the earlier results", earlier))
	}
	return &Error{
		Text: Counts(rows) + "; reasons: " + strings.Join(why, ", "),
		Hint: "run klaviyo-export report --rejected csv RESULTS to see them",
	}
}

// plural writes a number with its noun.
func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
