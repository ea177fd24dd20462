package pipeline

import (
	"fmt"
	"strconv"
	"strings"

	"klaviyo-export/validate"
)

// sane is how many rows, all of them not JSON, show that the input is something else.
const sane = 1000

// required finds out whether the rows have the column that the operation needs. A row without it may come first: some
// clients leave nulls out.
type required struct {
	column  string // its name
	list    string // the name of the list column, which is required too; "" where there is none
	at      string // that of the column with the times of consent, likewise
	met     bool   // a row has the columns
	rows    int64  // seen while it is not met
	notJSON bool   // the first rows are not JSON
	lacking int64  // number of the first object without the column, if possible one with no other fault; 0 for none
	reason  string // what is wrong with that row
	other   bool   // that row has another fault, which its result names
	wrong   bool   // an object has the column, but not as a string

	flag    string // says which flag names the column that the row lacks, "" for none
	garbage string // what is wrong with the first row, if it is not JSON
}

func newRequired(c *validate.Checker) required {
	return required{column: c.RequiredColumn(), list: c.ListColumn(), at: c.ConsentedAt()}
}

// see looks at the rows of a chunk. It reports whether one of them is the first to have the column.
func (r *required) see(c *chunk) (first bool) {
	if r.met {
		return false
	}
	for i := 0; !r.met && i < len(c.rows.Rows); i++ {
		row := &c.rows.Rows[i]
		if r.rows++; r.rows == 1 || r.rows <= sane && r.notJSON {
			r.notJSON = row.Fault != nil && row.Fault.Code == validate.JSONInvalid
			if r.rows == 1 && r.notJSON {
				r.garbage = row.Fault.Detail
			}
		}
		switch row.Required {
		case validate.Present:
			r.met = true
		case validate.Missing, validate.WrongType:
			r.lacks(row, c.first+int64(i))
		}
	}
	return r.met
}

// lacks notes an object without the column.
func (r *required) lacks(row *validate.Row, number int64) {
	r.wrong = r.wrong || row.Required == validate.WrongType
	column, flag := r.column, ""
	switch {
	case row.Unlisted:
		column, flag = r.list, "the column with the lists in --list-column"
	case row.Undated:
		column, flag = r.at, "the column with the times in --consented-at"
	}
	other := row.Fault.Column != column
	if r.lacking > 0 && (other || !r.other) {
		return
	}
	r.lacking, r.reason, r.other, r.flag = number, row.Fault.Detail, other, flag
	switch {
	case other && row.Required == validate.Missing:
		r.reason = fmt.Sprintf("column %q is missing; the row has another fault too: %s", column, r.reason)
	case other:
		r.reason = fmt.Sprintf("column %q is not a string; the row has another fault too: %s", column, r.reason)
	}
}

// open reports whether an object lacks the column and no row has it so far.
func (r *required) open() bool { return !r.met && r.lacking > 0 }

// names are those of the columns that are required, in quotes.
func (r *required) names() (quoted []string) {
	for _, name := range []string{r.column, r.list, r.at} {
		if name != "" {
			quoted = append(quoted, strconv.Quote(name))
		}
	}
	return quoted
}

// hint says what to do about rows without the column.
func (r *required) hint() string {
	switch {
	case strings.Contains(r.reason, `"type", "row", "status"`):
		return "these are the results of a run, not rows: to send rows again, run klaviyo-export pick RESULTS < ROWS"
	case strings.Contains(r.reason, "; use --by "):
		return "pass the --by that fits, or map a column with --map; nothing was sent"
	case strings.Contains(r.reason, `the row has "profile_id"`):
		return "rows with profile_id are for remove (check --operation remove); nothing was sent"
	}
	if r.flag != "" {
		return "name " + r.flag + "; nothing was sent"
	}
	return "name that column in the query, or map one to it with --map; nothing was sent"
}

// due reports whether no more rows have to be seen to call the column missing.
func (r *required) due() bool { return r.rows >= sane && r.notJSON }

// missing is the error of rows that lack the column, as far as they were seen; nil when they may have it.
func (r *required) missing() error {
	switch {
	case r.rows >= sane && r.notJSON:
		return &Error{
			Text: fmt.Sprintf("the first %d rows are not JSON; row 1: %s", sane, r.garbage),
			Hint: "make the client print one JSON object per line; nothing was sent",
		}
	case r.met || r.lacking == 0:
		return nil
	}
	text := fmt.Sprintf("row %d: %s", r.lacking, r.reason)
	if r.rows > 1 {
		text += fmt.Sprintf("; none of the first %d rows has ", r.rows)
		switch names := r.names(); len(names) {
		case 1:
			text += names[0]
		case 2:
			text += "both " + names[0] + " and " + names[1]
		default:
			text += "all of " + strings.Join(names, ", ")
		}
		if r.wrong {
			text += " as a string"
		}
	}
	return &Error{Text: text, Hint: r.hint()}
}
