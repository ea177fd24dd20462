package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
)

// Earlier is a file of results, open for looking rows up. What is no regular file is copied to a temporary one.
type Earlier struct {
	Results *report.Results
	file    *os.File
	spool   *spool
}

// OpenEarlier opens a file of results as it is now: what is appended later is not seen.
func OpenEarlier(name string) (*Earlier, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the earlier results: %w", err)
	}
	e := &Earlier{file: f}
	if e.spool, err = newSpool(f); err == nil && e.spool.temporary {
		_, err = io.Copy(io.Discard, e.spool)
	}
	if err == nil {
		e.Results, err = report.OpenResults(io.NewSectionReader(e.spool.file, e.spool.from, e.spool.size), e.spool.size)
	}
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("read the earlier results in %s: %w", name, err)
	}
	return e, nil
}

// Close closes the file.
func (e *Earlier) Close() {
	if e.spool != nil {
		e.spool.Close()
	}
	_ = e.file.Close()
}

// resumed reports whether earlier results have a final one for a row, which is then neither sent nor printed again. Its error
// means that the results cannot be those of this input.
func (b *batcher) resumed(c *chunk, i int) (bool, error) {
	if b.earlier == nil {
		return false, nil
	}
	row, number := &c.rows.Rows[i], c.first+int64(i)
	status, key, ok, err := b.earlier.Of(number)
	if err != nil {
		return false, fmt.Errorf("read the earlier results: %w", err)
	}
	if !ok || !status.Final() {
		return false, nil
	}
	if !sameKey(key, c.rows.Data[row.KeyStart:row.KeyEnd]) {
		return false, &Error{
			Text: fmt.Sprintf("row %d is somebody else than in the earlier results: they are not those of this input", number),
			Hint: "--resume needs the same rows in the same order: keep them in a file, or give the query an ORDER BY",
		}
	}
	if row.Fault == nil && b.seen != nil {
		b.seen.first(row.Identity, number) // rows that repeat it are skipped, as they would have been then
	}
	if status == report.Rejected {
		b.run.gauge.earlier.Add(1)
		b.run.gauge.rejected.Add(1)
	}
	return true, nil
}

// sameKey reports whether two keys, JSON strings or nothing, may be of one row.
func sameKey(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 || bytes.Equal(a, b) {
		return true
	}
	var plain [2]string
	return json.Unmarshal(a, &plain[0]) == nil && json.Unmarshal(b, &plain[1]) == nil && plain[0] == plain[1]
}

// leftOver is the error of earlier results that have more rows than the input.
func (b *batcher) leftOver() error {
	if b.earlier == nil || b.earlier.Last() <= b.rows {
		return nil
	}
	return leftOver(b.rows, b.earlier.Last())
}

func leftOver(rows, last int64) error {
	return &Error{
		Text: fmt.Sprintf("the input ended after row %d, the earlier results go on to row %d", rows, last),
		Hint: "look whether the client before the pipe failed, and whether this is the input of those results",
		exit: 1,
	}
}
