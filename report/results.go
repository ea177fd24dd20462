package report

import (
	"fmt"
	"io"

	"github.com/segmentio/encoding/json"
)

// maxRuns bounds how often row numbers may start over in results. Each start costs a buffer of 16 KiB.
const maxRuns = 1000

// Results are earlier results, row by row. They may hold several runs on the same input, one after the other: then
// the last line of a row counts. Results are for one goroutine at a time. Their memory grows with the runs, not with
// the rows.
type Results struct {
	Last    int64   // the greatest row number
	Cut     bool    // the last line was cut short
	Reports *Report // the last report, with the jobs of all; nil when there is none

	runs []*cursor
	row  int64 // the row that Next returned last
}

// cursor reads the lines of one run, whose row numbers ascend.
type cursor struct {
	lines *Lines
	entry Entry // the next row, with Row 0 after the last one
}

// OpenResults finds the runs in results, which are size bytes long. It returns the errors of Lines.
func OpenResults(results io.ReaderAt, size int64) (*Results, error) {
	r := new(Results)
	begins, err := r.find(io.NewSectionReader(results, 0, size))
	if err != nil {
		return nil, err
	}
	for i, begin := range begins {
		end := size
		if i+1 < len(begins) {
			end = begins[i+1]
		}
		c := &cursor{lines: newLines(io.NewSectionReader(results, begin, end-begin), 16<<10)}
		if err := c.advance(); err != nil {
			return nil, err
		}
		r.runs = append(r.runs, c)
	}
	return r, nil
}

// find reads all results once and returns the offsets where row numbers start over.
func (r *Results) find(in io.Reader) (begins []int64, err error) {
	all := NewLines(in)
	last := int64(0)
	for {
		cut := all.cut.lines
		e, at, err := all.next()
		if r.Cut = all.cut.lines > cut; err == io.EOF {
			return begins, nil
		}
		if err == nil && e.Report {
			err = r.add(e.Text)
		} else if err == nil {
			if e.Row <= last || begins == nil {
				begins = append(begins, at)
			}
			last = e.Row
			r.Last = max(r.Last, e.Row)
		}
		if err != nil {
			return nil, err
		}
		if len(begins) > maxRuns {
			return nil, fmt.Errorf("the rows are not in order: their numbers start over more than %d times", maxRuns)
		}
	}
}

// add reads a report.
func (r *Results) add(text []byte) error {
	next := new(Report)
	if json.Unmarshal(text, next) != nil {
		return errMember
	}
	if r.Reports != nil {
		next.Jobs.Submitted += r.Reports.Jobs.Submitted
	}
	r.Reports = next
	return nil
}

// Of returns the last result of a row, valid until the next call. ok is false when there is none. Ask for rows in
// ascending order, and do not mix Of with Next.
func (r *Results) Of(row int64) (e Entry, ok bool, err error) {
	for _, c := range r.runs {
		for c.entry.Row != 0 && c.entry.Row < row {
			if err := c.advance(); err != nil {
				return Entry{}, false, err
			}
		}
		if c.entry.Row == row {
			e, ok = c.entry, true
		}
	}
	return e, ok, nil
}

// Next returns the last result of the next row that has one, or io.EOF after the last row. The entry is valid until
// the next call.
func (r *Results) Next() (Entry, error) {
	next := int64(0)
	for _, c := range r.runs {
		for c.entry.Row != 0 && c.entry.Row <= r.row {
			if err := c.advance(); err != nil {
				return Entry{}, err
			}
		}
		if at := c.entry.Row; at != 0 && (next == 0 || at < next) {
			next = at
		}
	}
	if next == 0 {
		return Entry{}, io.EOF
	}
	r.row = next
	e, _, err := r.Of(next)
	return e, err
}

func (c *cursor) advance() error {
	for {
		e, err := c.lines.Next()
		if err != nil && err != io.EOF {
			return err
		}
		if c.entry = e; !e.Report {
			return nil
		}
	}
}
