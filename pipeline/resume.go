package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/validate"
)

// Earlier is earlier results, open for looking rows up. What is no regular file is copied to a temporary one.
type Earlier struct {
	Rows    int64          // the greatest row number in the results
	Unended bool           // the last line has no newline
	Report  *report.Report // that of the last run that came to its end, nil when none did
	spool   *spool
	file    *os.File // nil where it is the caller's
}

// OpenEarlier opens a file of results as it is now: what is appended later is not seen. Reading a pipe ends with ctx.
func OpenEarlier(ctx context.Context, name string) (*Earlier, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the earlier results: %w", err)
	}
	e, err := openEarlier(ctx, f)
	if err == nil {
		e.file = f
		var r *report.Results
		if r, err = e.results(); err == nil {
			e.Rows, e.Report = r.Last, r.Reports
			e.Unended = e.spool.unended()
			return e, nil
		}
		e.spool.Close()
	}
	_ = f.Close()
	return nil, &Error{Text: fmt.Sprintf("read the earlier results in %s: %v", name, err), Hint: "the file is what an earlier run wrote to its standard output; the rows come by standard input", cause: err}
}

// openEarlier takes over results as far as they go when ctx ends.
func openEarlier(ctx context.Context, in io.Reader) (*Earlier, error) {
	s, err := newSpool(in)
	if err != nil {
		return nil, err
	}
	if s.temporary {
		if _, err = io.Copy(io.Discard, untilDone(ctx, s)); err != nil && ctx.Err() == nil {
			s.Close()
			return nil, err
		}
	}
	return &Earlier{spool: s}, nil
}

// results returns the results from their beginning.
func (e *Earlier) results() (*report.Results, error) {
	again := e.spool.again()
	return report.OpenResults(again, again.Size())
}

// Close closes the file.
func (e *Earlier) Close() {
	e.spool.Close()
	if e.file != nil {
		_ = e.file.Close()
	}
}

// resumption compares the rows of the input with earlier results.
type resumption struct {
	results   *report.Results
	strangers bool // a row was somebody else's: then nobody is compared any more
}

// newResumption returns nil, which knows of no row, where there are no earlier results.
func newResumption(e *Earlier) (*resumption, error) {
	if e == nil {
		return nil, nil
	}
	results, err := e.results()
	return &resumption{results: results}, err
}

// of returns the status of a row in the earlier results. Where it is final, the row is neither sent nor printed again.
// Its error means that the results are not those of this input, or cannot be read.
func (s *resumption) of(c *chunk, i int, number int64) (status report.Status, final bool, err error) {
	if s == nil {
		return 0, false, nil
	}
	e, ok, err := s.results.Of(number)
	if err != nil {
		return 0, false, fmt.Errorf("read the earlier results: %w", err)
	}
	// The last row may have been cut short with its input, and be whole now.
	cut := number == s.results.Last && e.Code == string(validate.JSONInvalid)
	if !ok || !e.Status.Final() || cut {
		return 0, false, nil
	}
	row := &c.rows.Rows[i]
	if !s.strangers && !sameKey(e.Key, c.rows.Data[row.KeyStart:row.KeyEnd]) {
		s.strangers = true
		err = &Error{
			Text: fmt.Sprintf("row %d is somebody else than in the earlier results: they are not those of this input", number),
			Hint: "--resume needs the same rows in the same order: keep them in a file, or give the query an ORDER BY",
		}
	}
	return e.Status, true, err
}

// leftOver is the error of earlier results that have more rows than the input.
func (s *resumption) leftOver(rows int64) error {
	if s == nil || s.results.Last <= rows {
		return nil
	}
	return leftOver(rows, s.results.Last)
}

// sameKey reports whether two keys, JSON strings or nothing, may be of one row.
func sameKey(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 || bytes.Equal(a, b) {
		return true
	}
	var plain [2]string
	return json.Unmarshal(a, &plain[0]) == nil && json.Unmarshal(b, &plain[1]) == nil && plain[0] == plain[1]
}

func leftOver(rows, last int64) error {
	return &Error{
		Text: fmt.Sprintf("the input ended after row %d, the earlier results go on to row %d", rows, last),
		Hint: "look whether the client before the pipe failed, and whether this is the input of those results",
		exit: 1,
	}
}
