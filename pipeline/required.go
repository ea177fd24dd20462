package pipeline

import (
	"fmt"

	"klaviyo-export/validate"
)

// required looks for the first row that is an object, which shows whether the rows have the column that the
// operation needs.
type required struct{ met bool }

// check looks through a chunk. With an error it returns how many of its rows stand before the row that the error is
// about.
func (r *required) check(c *chunk) (before int, err error) {
	for i := 0; !r.met && i < len(c.rows.Rows); i++ {
		switch row := &c.rows.Rows[i]; row.Required {
		case validate.Missing, validate.WrongType:
			return i, &Error{
				Text: fmt.Sprintf("row %d: %s", c.first+int64(i), row.Fault.Detail),
				Hint: "every row needs that column, as a string; nothing was sent",
			}
		case validate.Present:
			r.met = true
		}
	}
	return 0, nil
}
