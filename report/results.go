package report

import (
	"fmt"
	"io"
	"slices"
)

// maxRuns bounds how often the rows of results may begin anew. Each beginning costs a buffer of 16 KiB.
const maxRuns = 1000

// Results looks up what earlier results say of rows, which are asked for in ascending order. The results may be those of
// several runs of one job, one after the other: then the last line of a row counts. It is for one goroutine at a time and
// takes memory for the number of runs, not of rows.
type Results struct {
	runs []*cursor
	last int64
}

// cursor reads the lines of one run, whose rows ascend.
type cursor struct {
	lines *Lines
	entry Entry // the next row's, its Row is 0 when there is none
}

// OpenResults finds the runs in results of that size. What Lines refuses is an error.
func OpenResults(results io.ReaderAt, size int64) (*Results, error) {
	r := new(Results)
	all := newLines(io.NewSectionReader(results, 0, size), 256<<10)
	var begins []int64
	last := int64(0)
	for {
		e, at, err := all.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if e.Report {
			continue
		}
		if e.Row <= last || begins == nil {
			begins = append(begins, at)
		}
		if len(begins) > maxRuns {
			return nil, fmt.Errorf("its rows are not in order: they begin anew more than %d times", maxRuns)
		}
		last = e.Row
		r.last = max(r.last, e.Row)
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

// Last returns the greatest row number in the results.
func (r *Results) Last() int64 { return r.last }

// Of returns the status that a row has last had, and its key as a JSON string, if the line has one, which is valid until the next call.
// Rows are asked for in ascending order. ok is false where the results do not speak of the row.
func (r *Results) Of(row int64) (status Status, key []byte, ok bool, err error) {
	for _, c := range r.runs {
		for c.entry.Row != 0 && c.entry.Row < row {
			if err := c.advance(); err != nil {
				return 0, nil, false, err
			}
		}
		if c.entry.Row == row {
			status, key, ok = c.entry.Status, c.entry.Key, true
		}
	}
	return status, key, ok, nil
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

// Final reports whether rows of that status are not to be sent again.
func (s Status) Final() bool {
	return slices.Contains([]Status{Applied, Accepted, Skipped, Rejected}, s)
}
