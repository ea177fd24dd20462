package pipeline

import (
	"errors"
	"fmt"
	"strings"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// Error ends a run before its time, or tells why its rows did not all get there. Hint says what to do.
type Error struct {
	Text, Hint string
}

func (e *Error) Error() string { return e.Text }

// Hint returns what can be done about an error of Run, or "".
func Hint(err error) string {
	var own *Error
	var far *sink.Error
	switch {
	case errors.As(err, &own):
		return own.Hint
	case errors.As(err, &far):
		return far.Hint
	}
	return ""
}

// rowsError sums up the rows that did not get there.
func rowsError(rows report.Rows, reasons []report.Reason) error {
	var counts, why []string
	for _, c := range []struct {
		rows int64
		name string
	}{{rows.Rejected, "rejected"}, {rows.Unknown, "of unknown fate"}, {rows.Unsent, "not sent"}} {
		if c.rows > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", c.rows, c.name))
		}
	}
	for _, r := range reasons {
		if r.Code == duplicate {
			continue
		}
		if len(why) == 3 {
			why = append(why, "…")
			break
		}
		why = append(why, fmt.Sprintf("%s %d (first in row %d)", r.Code, r.Rows, r.FirstRow))
	}
	return &Error{
		Text: fmt.Sprintf("of %d rows %s: %s", rows.Read, strings.Join(counts, ", "), strings.Join(why, ", ")),
		Hint: `jq -c 'select(.status=="rejected" or .status=="unknown" or .status=="unsent")' on the results shows them`,
	}
}
