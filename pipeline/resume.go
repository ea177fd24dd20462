package pipeline

import (
	"bytes"
	"fmt"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/validate"
)

// resumption compares the rows of the input with earlier results.
type resumption struct {
	results *report.Results
	// unchangedAgain says that rows that were skipped as unchanged are compared again: who left a list since is sent.
	unchangedAgain bool
	strangers      bool // a row names another person than its result: rows are not compared any more

	job string // the import job of the row that of was asked for last, "" unless its end is not known
}

// newResumption returns nil, which knows no row, where there are no earlier results.
func newResumption(o *Options) (*resumption, error) {
	if o.Resume == nil {
		return nil, nil
	}
	results, err := o.Resume.results()
	return &resumption{results: results, unchangedAgain: o.Mirror != nil}, err
}

// of returns the status of a row in the earlier results. Where it is final, the row is not sent again, nor printed
// unless job is waited for. Its error means that the results belong to another input, or cannot be read.
func (s *resumption) of(c *chunk, i int, number int64) (status report.Status, final bool, err error) {
	if s == nil {
		return 0, false, nil
	}
	e, ok, err := s.results.Of(number)
	if s.job = ""; err != nil {
		return 0, false, fmt.Errorf("read the earlier results: %w", err)
	}
	// The end of an input may have cut the last row, which is whole now.
	cut := number == s.results.Last && e.Code == string(validate.JSONInvalid)
	if !ok || !e.Status.Final() || cut || s.unchangedAgain && e.Code == unchanged {
		return 0, false, nil
	}
	if waiting(&e) {
		s.job = e.Job
	}
	row := &c.rows.Rows[i]
	if !s.strangers && !sameKey(e.Key, c.rows.Data[row.KeyStart:row.KeyEnd]) {
		s.strangers = true
		err = &Error{
			Text: fmt.Sprintf("resume: row %d names another person than its earlier result: the results belong to another input",
				number),
			Hint: hintSameRows,
		}
	}
	if at := c.target(i); err == nil && !s.strangers && e.List != "" && row.Fault == nil && at.id() != e.List {
		s.strangers = true
		err = &Error{
			Text: fmt.Sprintf("resume: row %d names another list than in the earlier run: the results belong to another input",
				number),
			Hint: hintSameRows,
		}
	}
	return e.Status, true, err
}

// leftOver is the error of earlier results that go further than the input.
func (s *resumption) leftOver(rows int64) error {
	if s == nil || s.results.Last <= rows {
		return nil
	}
	return leftOver(rows, s.results.Last)
}

const hintSameRows = "pass the same rows in the same order: keep them in a file, or add an ORDER BY to the query"

// sameKey reports whether two keys, JSON strings or nothing, may belong to one row.
func sameKey(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var plain [2]string
	return json.Unmarshal(a, &plain[0]) == nil && json.Unmarshal(b, &plain[1]) == nil && plain[0] == plain[1]
}

func leftOver(rows, last int64) error {
	return &Error{
		Text: fmt.Sprintf("the input ended after row %d, but the earlier results go on to row %d", rows, last),
		Hint: "check whether the client before the pipe failed, and whether the results belong to this input",
		exit: 1,
	}
}
