package render

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
)

// Rejected writes rows that did not get there to w: add writes a row, end the rest of what was written. The format is
// csv, with a line of names before the rows, or json, with an object on each line. Add serves report.Rejects. Both
// functions return the errors of w.
func Rejected(w io.Writer, format string) (add func(*report.Reject) error, end func() error) {
	out := bufio.NewWriterSize(w, 64<<10)
	failed := func(err error) error {
		if err != nil {
			return fmt.Errorf("write the rejected rows: %w", err)
		}
		return nil
	}
	end = func() error { return failed(out.Flush()) }
	if format == "csv" {
		table := csv.NewWriter(out)
		_ = table.Write([]string{"row", "key", "column", "code", "detail"}) // a later write returns the error again
		return func(r *report.Reject) error {
			return failed(table.Write([]string{strconv.FormatInt(r.Row, 10), r.Key, r.Column, r.Code, r.Detail}))
		}, end
	}
	var line []byte
	return func(r *report.Reject) (err error) {
		if line, err = json.Append(line[:0], r, 0); err == nil {
			_, err = out.Write(append(line, '\n'))
		}
		return failed(err)
	}, end
}
