package report

import (
	"fmt"
	"io"

	"github.com/segmentio/encoding/json"
)

// ReadStream reads a result stream: the lines of any number of runs, one after the other, or reports without rows. A
// report may be indented. ReadStream returns the merged report of all runs, and notes for people on what is odd in
// the stream. The name stands in errors and notes.
//
//   - A report counts, not the row lines before it. The report of a resumed run covers the run before it too.
//   - Rows without a report after them belong to a run that did not finish. They are counted from their lines, as a
//     report with the status interrupted and without times. The same goes for a stream without lines.
//   - A line that a crash cut short is left out, at the end of the stream or right before the next run's first line.
//   - Any other line is an error.
//
// Memory grows with the number of different codes only.
func ReadStream(name string, in io.Reader) (*Report, []string, error) {
	s := stream{lines: NewLines(in), rows: newTally()}
	for {
		cut := s.lines.cut.lines
		e, err := s.lines.Next()
		s.open = s.open || s.lines.cut.lines > cut
		if err == nil {
			err = s.add(e)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	s.flush()
	if s.open || s.merged == nil {
		s.killed()
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
	merged *Report // all runs before last, nil when there is none
	last   *Report // the last run, which the next run may have resumed; nil when there is none
	rows   tally   // the rows since the last report
	open   bool    // there are lines since the last report
	astray oddity  // reports that do not match their rows
	end    string  // a note on the rows without a report
}

// add adds a line.
func (s *stream) add(e Entry) error {
	s.open = true
	if !e.Report {
		if first := s.rows.add(e.Row, e.Status, e.Code, e.Stage); first != nil {
			first.describe(e.texts())
		}
		if len(e.Dropped) > 0 {
			s.rows.drop(e.Status, e.Dropped)
		}
		return nil
	}
	if err := s.report(e.Text); err != nil {
		return fmt.Errorf("line %d is not a result: %w", s.lines.first, err)
	}
	return nil
}

// report adds a report, which ends a run.
func (s *stream) report(text []byte) error {
	r := new(Report)
	if _, err := json.Parse(text, r, json.DontMatchCaseInsensitiveStructFields); err != nil {
		return errMember
	}
	if err := r.check(); err != nil {
		return err
	}
	if lines := s.rows.Rows(); lines.Read > 0 && !r.matches(lines) {
		s.astray.note(s.lines.first)
	}
	if before := s.before(r); before != nil {
		before.follow(r)
		s.last = before
	} else {
		s.flush()
		s.last = r
	}
	s.rows, s.open = newTally(), false
	return nil
}

// before returns the report of what r resumed, or nil when the stream does not hold it. That is the last run,
// together with runs since then that were killed. Their rows are the lines that are not r's own.
func (s *stream) before(r *Report) *Report {
	if r.Rows.Resumed == 0 {
		return nil
	}
	killed := s.rows.Rows()
	killed.subtract(r.Rows.own())
	known := killed.final()
	if s.last != nil {
		known += s.last.Rows.final() + s.last.Rows.Resumed
	}
	if killed.outOfRange() || killed.Read == 0 || known != r.Rows.Resumed {
		return s.last
	}
	lost := &Report{Type: "report", List: &List{}, Rows: killed}
	for _, one := range s.rows.Reasons() {
		for _, of := range r.Reasons {
			if of.Code == one.Code && of.Stage == one.Stage {
				one.Rows -= of.Rows
			}
		}
		if one.Rows > 0 {
			lost.Reasons = append(lost.Reasons, one)
		}
	}
	for column, rows := range s.rows.dropped {
		if rows -= r.Dropped[column]; rows > 0 {
			lost.Dropped = mergeDropped(lost.Dropped, map[string]int64{column: rows})
		}
	}
	if s.last == nil {
		return lost
	}
	both := *Merge(s.last, lost)
	both.Runs = s.last.Runs
	return &both
}

// flush merges the last run, which no later run resumed.
func (s *stream) flush() { s.merged, s.last = Merge(s.merged, s.last), nil }

// matches reports whether r can be the report of rows with these lines. The lines may also hold rows of the run that
// r resumed.
func (r *Report) matches(lines Rows) bool {
	if r.Rows.Resumed == 0 {
		return lines == r.Rows
	}
	lines.subtract(r.Rows.own())
	return !lines.outOfRange()
}

// killed adds the rows since the last report, whose run did not finish.
func (s *stream) killed() {
	r := &Report{
		Type: "report", Status: StatusOf(143), ExitCode: 143, List: &List{},
		Rows: s.rows.Rows(), Reasons: s.rows.Reasons(), Dropped: s.rows.Dropped(),
	}
	s.merged = Merge(s.merged, r)
	switch n := r.Rows.Read; n {
	case 0:
		s.end = "there is no report at the end: the run did not finish"
	case 1:
		s.end = "1 row line at the end has no report: the run did not finish"
	default:
		s.end = fmt.Sprintf("%d row lines at the end have no report: the run did not finish", n)
	}
}
