package pipeline

import (
	"io"

	"klaviyo-export/report"
)

// rewrites is the last stage of Wait: it reads the earlier results a second time and writes them, with the final
// results of the rows that were waited for.
type rewrites struct {
	*writes
	earlier *report.Results
	changed bool // the earlier results are not what they were
}

func newRewrites(w *writes, earlier *report.Results) *rewrites {
	return &rewrites{writes: w, earlier: earlier}
}

// add writes the rows of a group. It is called for one group after the other, and blocks while the output does.
func (s *rewrites) add(r *results) {
	defer s.open.give(r.permits)
	defer r.free()
	defer s.control.guard()
	s.control.begin("write")
	for t := (turns{shared: r.shared}); !s.changed; {
		e, err := s.earlier.Next()
		if err != nil || e.Row > r.last || waiting(&e) && e.Row >= r.first && t.job() != e.Job {
			s.changed = true
			s.control.stop(changed(err))
			break
		}
		if e.Row >= r.first { // rows before it belong to a group that a panic cut short
			s.line(&e, &t)
		}
		if e.Row == r.last {
			break
		}
	}
	s.flush()
}

// line writes one row.
func (s *rewrites) line(e *report.Entry, t *turns) {
	if !waiting(e) {
		s.out.Line(&report.Line{
			Row: e.Row, Status: e.Status, Stage: e.Stage, Code: e.Code, Dropped: e.Dropped, Raw: e.Text,
		})
		return
	}
	line := s.turn(t, e.Row)
	line.Row, line.Key, line.Dropped = e.Row, e.Key, e.Dropped
	s.out.Line(&line)
}

// changed is the error of earlier results that cannot be read for a second time, or differ then.
func changed(err error) error {
	if err != nil && err != io.EOF {
		return notResults(err)
	}
	return &Error{
		Text: "read results: they changed while they were read",
		Hint: "pass results that no other command writes to; the rows before the change have their results",
	}
}
