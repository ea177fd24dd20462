package report

import (
	"bytes"
	"fmt"
	"io"

	"github.com/segmentio/encoding/json"
)

const (
	// maxRuns bounds how often row numbers may start over in results. Each start costs a buffer of cursorBuffer bytes.
	maxRuns      = 1000
	cursorBuffer = 16 << 10
)

var errOrder = fmt.Errorf("the rows are not in order: their numbers start over more than %d times", maxRuns)

// Results are earlier results, row by row. They may hold several runs on the same input, one after the other: then
// the last line of a row counts. Results are for one goroutine at a time. Their memory grows with the runs, not with
// the rows.
type Results struct {
	Last    int64   // the greatest row number
	Cut     bool    // the last line was cut short
	Killed  bool    // lines of rows follow the last report, so their run has none
	Listed  bool    // rows name their lists
	Reports *Report // the last report, with the jobs of all; nil when there is none
	// Campaigns are the lines of campaigns, at most maxRuns of them.
	Campaigns []Entry

	again   func() (*Results, error)
	members *Lines // those from the first member's line to the last, nil when there is none
	runs    []*cursor
	long    [2][]byte // room for a long line: of one run to go past, of the entry that is returned
	row     int64     // the row that Next returned last
}

// cursor reads the lines of one run, whose row numbers ascend.
type cursor struct {
	lines *Lines
	entry Entry             // the next row, with Row 0 after the last one; of a long line it has row and status alone
	part  *io.SectionReader // the run
	long  int64             // offset in part of the entry when it is a long one, -1 otherwise
	until int64             // as in stretch
}

// stretch is a part of results whose row numbers ascend. Until is 0, or the last row that a run read which resumed
// another: those of its rows that have no line had a final result before.
type stretch struct{ from, to, until int64 }

// OpenResults finds the runs in results, which are size bytes long. It returns the errors of Lines.
func OpenResults(results io.ReaderAt, size int64) (*Results, error) {
	r := new(Results)
	all := NewLines(io.NewSectionReader(results, 0, size))
	stretches, members, err := r.find(all, size)
	if err != nil {
		return nil, err
	}
	return r, r.openAll(results, all.code, stretches, members)
}

// openAll begins to read stretches of results, and the members' lines in one.
func (r *Results) openAll(results io.ReaderAt, code encoding, stretches []stretch, members stretch) error {
	if err := r.open(results, code, stretches); err != nil {
		return err
	}
	if members.to > members.from {
		part := io.NewSectionReader(results, members.from, members.to-members.from)
		r.members = newLines(part, cursorBuffer, code)
	}
	r.again = func() (*Results, error) {
		other := &Results{Last: r.Last, Cut: r.Cut, Reports: r.Reports, Campaigns: r.Campaigns}
		return other, other.openAll(results, code, stretches, members)
	}
	return nil
}

// Again returns the same results from their beginning, to be read beside r.
func (r *Results) Again() (*Results, error) { return r.again() }

// open begins to read stretches of results.
func (r *Results) open(results io.ReaderAt, code encoding, stretches []stretch) error {
	for _, s := range stretches {
		part := io.NewSectionReader(results, s.from, s.to-s.from)
		c := &cursor{lines: newLines(part, cursorBuffer, code), part: part, until: s.until}
		if err := c.advance(&r.long[0]); err != nil {
			return err
		}
		r.runs = append(r.runs, c)
	}
	return nil
}

// find reads all results once, up to their end. It returns the stretches in which row numbers ascend, and the one from
// the first member's line to the end of the last.
func (r *Results) find(all *Lines, end int64) (found []stretch, members stretch, err error) {
	last := int64(0)
	for {
		cut := all.cut.lines
		e, at, err := all.next()
		r.Cut = all.cut.lines > cut
		if r.Killed = r.Killed || r.Cut; err == io.EOF {
			return found, members, nil
		}
		switch {
		case err != nil:
		case e.Report:
			err = r.add(e.Text, all.first)
		case e.Campaign != nil:
			if e.Text = bytes.Clone(e.Text); len(r.Campaigns) < maxRuns {
				r.Campaigns = append(r.Campaigns, e)
			}
		case e.Member != nil:
			if members.to == 0 {
				members.from = at
			}
			members.to = all.offset()
		default:
			r.Killed = true
			r.Listed = r.Listed || e.List != ""
			found, err = ascend(found, e.Row, last, at, end)
			last = e.Row
			r.Last = max(r.Last, e.Row)
		}
		if err != nil {
			return nil, stretch{}, err
		}
	}
}

// ascend begins the next stretch when a row does not follow the last one. at is the offset of the row, end that of the
// end of all results.
func ascend(found []stretch, row, last, at, end int64) ([]stretch, error) {
	n := len(found)
	switch {
	case n > 0 && row > last:
		return found, nil
	case n >= maxRuns:
		return nil, errOrder
	case n > 0:
		found[n-1].to = at
	}
	return append(found, stretch{from: at, to: end}), nil
}

// add reads the report on a line.
func (r *Results) add(text []byte, line int64) error {
	next := new(Report)
	if json.Unmarshal(text, next) != nil {
		return fmt.Errorf("line %d is not a result: %w", line, errMember)
	}
	if next.Rows.Read == 0 && next.ExitCode != 0 && (r.Reports != nil || r.Killed) {
		return nil // of a run that was refused: it changed nothing
	}
	if r.Reports != nil {
		next.Jobs.Submitted += r.Reports.Jobs.Submitted
	}
	r.Reports, r.Killed = next, false
	return nil
}

// Of returns the last result of a row, valid until the next call. ok is false when there is none. Ask for rows in
// ascending order, and do not mix Of with Next.
func (r *Results) Of(row int64) (e Entry, ok bool, err error) {
	var last *cursor
	for _, c := range r.runs {
		for c.entry.Row != 0 && c.entry.Row < row {
			if err := c.advance(&r.long[0]); err != nil {
				return Entry{}, false, err
			}
		}
		if c.entry.Row == row {
			last = c
		} else if last != nil && row <= c.until && !last.entry.Status.Final() {
			last = nil // its final result is elsewhere
		}
	}
	if last == nil {
		return Entry{}, false, nil
	}
	e, err = last.whole(&r.long[1])
	return e, true, err
}

// Next returns the last result of the next row that has one, or io.EOF after the last row. The entry is valid until
// the next call.
func (r *Results) Next() (Entry, error) {
	for {
		next := int64(0)
		for _, c := range r.runs {
			for c.entry.Row != 0 && c.entry.Row <= r.row {
				if err := c.advance(&r.long[0]); err != nil {
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
		if e, ok, err := r.Of(next); ok || err != nil {
			return e, err
		}
	}
}

// NextMember returns the next member's line, of all runs in their order, or io.EOF after the last. The entry is valid
// until the next call.
func (r *Results) NextMember() (Entry, error) {
	for r.members != nil {
		if e, err := r.members.Next(); err != nil || e.Member != nil {
			return e, err
		}
	}
	return Entry{}, io.EOF
}

// advance goes to the next row. It keeps nothing but row and status of a long line, as there may be many runs: they
// share the room for it.
func (c *cursor) advance(room *[]byte) error {
	for {
		c.lines.long = *room
		e, at, err := c.lines.next()
		if err != nil && err != io.EOF {
			return err
		}
		long := len(e.Text) > cursorBuffer
		if !c.lines.isIn || len(c.lines.rest) == 0 && (long || !e.isRow()) {
			*room, c.lines.long = c.lines.long, nil
		} else {
			*room = nil // the entry, or the next one, is in there
		}
		if !e.isRow() {
			continue
		}
		if c.entry, c.long = e, -1; long {
			c.entry, c.long = Entry{Row: e.Row, Status: e.Status}, at
		}
		return nil
	}
}

// whole returns the next row with all its members. It reads a long line again.
func (c *cursor) whole(room *[]byte) (Entry, error) {
	if c.long < 0 {
		return c.entry, nil
	}
	part := io.NewSectionReader(c.part, c.long, c.part.Size()-c.long)
	lines := newLines(part, cursorBuffer, c.lines.code)
	lines.long = *room
	e, err := lines.Next()
	*room = lines.long
	return e, err
}
