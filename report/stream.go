package report

import (
	"fmt"
	"io"
	"math"

	"github.com/segmentio/encoding/json"
)

// ReadStream reads a result stream: the lines of any number of runs, one after the other, or reports without rows. A
// report may be indented. ReadStream returns the merged report of all runs, and notes for people on what is odd in
// the stream. Errors and notes have the name.
//
//   - A report counts, not the row lines before it. A resumed run and the runs that it resumed are one run: the last
//     line of each of their rows counts, or their reports where lines are missing.
//   - Rows without a report after them belong to a run that did not finish. They are counted from their lines, as a
//     report with the status interrupted and without times. The same goes for a stream without lines.
//   - A line that a crash cut short is left out, at the end of the stream or right before the next run's first line.
//   - Any other line is an error.
//
// ReadStream reads the rows of resumed runs twice. It copies what cannot be read twice, like a pipe, to a temporary
// file. Memory grows with the number of different codes only.
func ReadStream(name string, in io.Reader) (*Report, []string, error) {
	kept := keep(in)
	defer kept.close()
	s := stream{lines: NewLines(kept), kept: kept, rows: newTally()}
	if err := s.read(); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", name, err)
	}
	var notes []string
	for _, note := range []string{
		s.lines.cut.text(cutNote, cutNotes),
		s.astray.text("the report on line %d does not match the row lines before it; the report counts",
			"%d reports do not match the row lines before them; the reports count; the first is on line %d"),
		s.end,
	} {
		if note != "" {
			notes = append(notes, name+": "+note)
		}
	}
	return s.merged, notes, nil
}

// The notes on lines that are cut short.
const (
	cutNote  = "line %d is cut short and not counted"
	cutNotes = "%d lines are cut short and not counted, the first is line %d"
)

// stream collects the lines of a result stream.
type stream struct {
	lines  *Lines
	kept   *kept
	merged *Report   // all runs before last, nil when there is none
	last   *Report   // the last run, which the next run may have resumed; nil when there is none
	chain  chain     // the lines of last
	rows   tally     // the rows since the last report
	run    segment   // their lines
	extras extras    // the members' lines among them
	sent   *Campaign // the last campaign's line among them, nil without one
	astray oddity    // reports that do not match their rows
	end    string    // a note on the rows without a report
}

// read reads all lines.
func (s *stream) read() error {
	open := false // there are lines since the last report
	for {
		cut := s.lines.cut.lines
		e, at, err := s.lines.next()
		open = open || s.lines.cut.lines > cut
		switch {
		case err == io.EOF && (open || s.merged == nil && s.last == nil):
			return s.killed()
		case err == io.EOF:
			return s.flush()
		case err != nil:
			return err
		}
		open = !e.Report
		switch {
		case e.Report:
			if err := s.report(e.Text, at); err != nil {
				return err
			}
		case e.Member != nil:
			s.extras.add(e.Member)
		case e.Campaign != nil:
			s.sent = e.Campaign
		default:
			s.rows.entry(&e)
			if s.run.err == nil {
				s.run.err = s.run.add(e.Row, at, math.MaxInt64)
			}
		}
	}
}

// report adds a report, which ends a run.
func (s *stream) report(text []byte, at int64) error {
	r := new(Report)
	_, err := json.Parse(text, r, json.DontMatchCaseInsensitiveStructFields)
	if err != nil {
		err = errMember
	} else {
		err = r.check()
	}
	if err != nil {
		return fmt.Errorf("line %d is not a result: %w", s.lines.first, err)
	}
	lines := s.rows.Rows()
	whole := r.matches(lines)
	if lines.Read > 0 && !whole {
		s.astray.note(s.lines.first)
	}
	c := chain{whole: whole && s.run.err == nil, stretches: s.run.close(at, &r.Rows)}
	if r.Rows.Continues && s.last == nil && c.whole && lines != r.Rows.own() {
		// The run that this one resumed was killed.
		s.last, s.chain = &Report{Type: "report", List: &List{}}, chain{whole: true}
	}
	if m := r.Members.mirrored(); m != nil && r.Rows.Continues && s.extras.removed > m.Removed {
		// The run that this one resumed was killed, and the others are those that it removed.
		killed := s.extras.removed - m.Removed
		r.Members.Mirrored = (&Mirrored{Extras: killed, Removed: killed}).follow(m)
	}
	s.rows, s.run, s.extras, s.sent = newTally(), segment{}, extras{}, nil
	if r.Rows.Continues && s.last != nil {
		s.last.follow(r)
		s.join(c)
		return nil
	}
	if err := s.flush(); err != nil {
		return err
	}
	s.last, s.chain = r, c
	return nil
}

// join adds the lines of the run that resumed the last one. If there are too many runs, their reports count.
func (s *stream) join(c chain) {
	if s.chain.join(c) != nil {
		s.chain = chain{joined: true}
	}
}

// matches reports whether r can be the report of rows with these lines. The lines may also hold rows of the run that
// r resumed.
func (r *Report) matches(lines Rows) bool {
	if !r.Rows.Continues {
		return lines == r.Rows
	}
	lines.subtract(r.Rows.own())
	return !lines.outOfRange()
}

// flush merges the last run, which no later run resumed.
func (s *stream) flush() error {
	if s.last != nil && s.chain.joined && s.chain.whole {
		results, err := s.kept.again()
		if err != nil {
			return err
		}
		if err := s.last.recount(results, s.lines.code, s.chain.stretches); err != nil {
			return err
		}
	}
	s.merged, s.last = Merge(s.merged, s.last), nil
	return nil
}

// recount counts the last line of each row.
func (r *Report) recount(results io.ReaderAt, code encoding, lines []stretch) error {
	var all Results
	if err := all.open(results, code, lines); err != nil {
		return err
	}
	until := int64(0)
	for _, l := range lines {
		until = max(until, l.until)
	}
	counted, known := newTally(), int64(0)
	for {
		e, err := all.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if counted.entry(&e); e.Row <= until {
			known++
		}
	}
	counted.counts[Resumed] = until - known
	continues := r.Rows.Continues
	r.Rows, r.Reasons, r.Dropped = counted.Rows(), counted.Reasons(), counted.Dropped()
	counted.CountLists(r)
	r.Rows.Continues = continues
	return nil
}

// killed adds the rows since the last report, whose run did not finish.
func (s *stream) killed() error {
	rows := s.rows.Rows().Read
	switch rows {
	case 0:
		s.end = "there is no report at the end: the run did not finish"
	case 1:
		s.end = "1 row line at the end has no report: the run did not finish"
	default:
		s.end = fmt.Sprintf("%d row lines at the end have no report: the run did not finish", rows)
	}
	r := &Report{Type: "report", Status: StatusOf(143), ExitCode: 143, List: &List{}, Campaign: s.sent}
	members, runs := s.extras.members(), s.run.stretches
	known := s.last != nil && s.chain.whole
	if s.run.err != nil || rows == 0 && members == nil || len(runs) <= 1 && !known {
		if err := s.flush(); err != nil {
			return err
		}
		r.Rows, r.Reasons, r.Dropped, r.Members = s.rows.Rows(), s.rows.Reasons(), s.rows.Dropped(), members
		s.rows.CountLists(r)
		s.merged = Merge(s.merged, r)
		return nil
	}
	results, err := s.kept.again()
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		runs = []stretch{{}} // all rows had a final result before
	}
	for _, run := range runs {
		c := chain{stretches: []stretch{run}, whole: true, joined: true}
		resumed := false
		if s.last != nil && s.chain.whole {
			if resumed, err = resumes(results, s.lines.code, s.chain.stretches, c.stretches); err != nil {
				return err
			}
		}
		one := *r
		one.Members, members = members, nil
		if resumed {
			s.last.follow(&one)
			s.join(c)
		} else {
			err = s.flush()
			s.last, s.chain = &one, c
		}
		if err != nil {
			return err
		}
	}
	return s.flush()
}
