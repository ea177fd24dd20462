package report

import (
	"fmt"
	"io"

	"github.com/segmentio/encoding/json"
)

// ReadStream reads a result stream called name: the lines of any number of runs, one after the other, or reports without
// rows, which may be indented. It returns the merged report of these runs and notes for people on what is odd in the stream.
//
// A report counts, and not the row lines before it. The report of a run that took up the one before it stands for both. Rows without a report after them are those of a run that did not come to its
// end: they are counted from their lines, as a report with the status interrupted and without times. So is a
// stream without any line. A line that a crash has cut short, at the end of the stream or directly before the next run's first line, is
// left out. Whatever else is no result line is an error. Memory does not grow with the stream, but for the number of different codes.
func ReadStream(name string, in io.Reader) (*Report, []string, error) {
	s := stream{lines: NewLines(in), rows: newTally()}
	for {
		cut := s.lines.cut.lines
		e, err := s.lines.Next()
		s.open = s.open || s.lines.cut.lines > cut
		if err == nil {
			err = s.take(e)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	s.settle()
	if s.open || s.merged == nil {
		s.killed()
	}
	var notes []string
	for _, note := range []string{
		s.lines.cut.text("line %d is cut short and not counted", "%s lines are cut short and not counted, the first is line %d"),
		s.astray.text("the report in line %d is at odds with the row lines before it, and believed",
			"%s reports are at odds with the row lines before them, and believed; the first is in line %d"),
		s.end,
	} {
		if note != "" {
			notes = append(notes, name+": "+note)
		}
	}
	return s.merged, notes, nil
}

// stream gathers what the lines of a result stream say.
type stream struct {
	lines  *Lines
	merged *Report // of the reports so far, nil = none
	last   *Report // that of the last run, which the next may take up again, nil = none
	rows   tally   // since the last report
	open   bool    // lines have come since the last report
	astray oddity  // reports that do not fit their rows
	end    string  // a note on the rows without a report
}

// take enters a line.
func (s *stream) take(e Entry) error {
	s.open = true
	if !e.Report {
		s.rows.add(e.Row, e.Status, e.Code, e.Stage)
		return nil
	}
	if err := s.report(e.Text); err != nil {
		return fmt.Errorf("line %d is not a result: %w", s.lines.first, err)
	}
	return nil
}

// report takes a report, which ends a run.
func (s *stream) report(text []byte) error {
	r := new(Report)
	if _, err := json.Parse(text, r, json.DontMatchCaseInsensitiveStructFields); err != nil {
		return errMember
	}
	if err := r.check(); err != nil {
		return err
	}
	if lines := s.rows.Rows(); lines.Read > 0 && !r.fits(lines) {
		s.astray.note(s.lines.first)
	}
	if before := s.before(r); before != nil {
		before.follow(r)
		s.last = before
	} else {
		s.settle()
		s.last = r
	}
	s.rows, s.open = newTally(), false
	return nil
}

// before returns the report of what r took up again, nil if that is not in the stream: of the last run, and of runs since then that were
// killed, whose rows are those that have lines and are not r's own.
func (s *stream) before(r *Report) *Report {
	if r.Rows.Resumed == 0 {
		return nil
	}
	own := r.Rows
	own.Read -= own.Resumed
	own.Resumed = 0
	killed := s.rows.Rows()
	killed.subtract(own)
	known := killed.final()
	if s.last != nil {
		known += s.last.Rows.final() + s.last.Rows.Resumed
	}
	if killed.negative() || killed.Read == 0 || known != r.Rows.Resumed {
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
	if s.last == nil {
		return lost
	}
	both := *Merge(s.last, lost)
	both.Runs = s.last.Runs
	return &both
}

// settle merges the last run, which no other takes up again.
func (s *stream) settle() { s.merged, s.last = Merge(s.merged, s.last), nil }

// fits reports whether r can be the report of rows with those lines. Rows that an earlier run had sent may have its lines or none.
func (r *Report) fits(lines Rows) bool {
	want := r.Rows
	want.Read -= want.Resumed
	want.Resumed = 0
	if r.Rows.Resumed == 0 {
		return lines == want
	}
	lines.subtract(want)
	return !lines.negative()
}

// killed takes the rows since the last report, whose run did not come to its end.
func (s *stream) killed() {
	r := &Report{
		Type: "report", Status: StatusOf(143), ExitCode: 143, List: &List{}, Rows: s.rows.Rows(), Reasons: s.rows.Reasons(),
	}
	s.merged = Merge(s.merged, r)
	s.end = "it ends without a report: its run did not come to its end"
	if r.Rows.Read > 0 {
		s.end = fmt.Sprintf("it ends with %s and no report: their run did not come to its end", numbered(r.Rows.Read, "row line"))
	}
}
