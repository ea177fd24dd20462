package pipeline

import (
	"bytes"
	"io"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// rewrites is the last stage of Wait: it reads the earlier results a second time and writes them, with the final
// results of the rows that were waited for.
type rewrites struct {
	*writes
	held    func(*report.Entry) bool // as in groups
	earlier *report.Results
	changed bool // the earlier results are not what they were

	// where rows name their lists:
	backlog   *backlog
	scattered map[scattered][]*held // the final results that are not written yet
	next      report.Entry          // the row to be written next
	ahead     bool                  // next is read
	written   int                   // of the backlog, since it was told

	extended []byte // a line
}

func newRewrites(w *writes, waits func(*report.Entry) bool, earlier *report.Results) *rewrites {
	return &rewrites{
		writes: w, held: waits, earlier: earlier, backlog: newBacklog(), scattered: map[scattered][]*held{},
	}
}

// add writes the rows of a group. It is called for one group after the other, and blocks while the output does.
func (s *rewrites) add(r *results) {
	if r.of != (scattered{}) {
		s.scatter(r)
		return
	}
	defer s.open.give(r.permits)
	defer r.free()
	defer s.control.guard()
	s.control.begin("write")
	for g := (held{turns: turns{shared: r.shared}, proofs: r.proofs, asked: r.asked}); !s.changed; {
		e, err := s.earlier.Next()
		if err != nil || e.Row > r.last || s.held(&e) && e.Row >= r.first && !g.next(&e) {
			s.change(err)
			break
		}
		if e.Row >= r.first { // rows before it belong to a group that a panic cut short
			s.line(&e, &g)
		}
		if e.Row == r.last {
			break
		}
	}
	s.flush()
}

// change stops the run: the earlier results are not what they were.
func (s *rewrites) change(err error) {
	s.changed = true
	s.control.stop(changed(err))
}

// wait also passes on the lines of members and campaigns.
func (s *rewrites) wait() []string {
	s.members()
	return s.writes.wait()
}

// members passes on the lines of members and campaigns, which follow those of all rows.
func (s *rewrites) members() {
	defer s.control.guard()
	if _, err := s.earlier.Next(); s.changed || err != io.EOF {
		return // some rows were not passed on
	}
	for {
		e, err := s.earlier.NextMember()
		if err == io.EOF {
			break
		}
		if err != nil {
			s.control.stop(changed(err))
			break
		}
		s.out.Member(e.Member)
	}
	for i := range s.earlier.Campaigns {
		_ = s.out.Pass(&s.earlier.Campaigns[i]) // flush returns the error
	}
	s.flush()
}

// held goes through the rows of a group whose keys were kept.
type held struct {
	turns
	proofs []proof
	asked  []sink.Consented
	row    int // index of the next row

	results *results // of scattered rows
}

// next reports whether the next row is the one of an earlier result.
func (g *held) next(e *report.Entry) bool { return len(g.shared) > 0 && g.job() == e.Job }

// line writes one row.
func (s *rewrites) line(e *report.Entry, g *held) {
	line := report.Line{Status: e.Status, Stage: e.Stage, Code: e.Code, Raw: e.Text}
	if s.held(e) {
		s.turn(&g.turns, e.Row, &line)
		if !waiting(e) {
			line.Raw = e.Text // has members that only its run knew
		}
		if len(g.proofs) > 0 && g.proofs[0].row == g.row {
			g.proofs[0].enter(&line)
			g.proofs = g.proofs[1:]
		}
		if len(g.asked) > 0 && int(g.asked[0].Row) == g.row {
			s.consent(&g.asked[0], &line)
			if line.Status != e.Status || line.Code != e.Code {
				line.Raw = nil
			}
			g.asked = g.asked[1:]
		}
		g.row++
	}
	line.Row, line.Key, line.List, line.Dropped = e.Row, e.Key, e.List, e.Dropped
	if line.Raw != nil && line.ReadBack != nil {
		line.Raw = s.extend(&line)
	}
	s.out.Line(&line)
}

// extend returns the line of an earlier result with what reading the row back showed, nil when that changes its status.
func (s *rewrites) extend(line *report.Line) []byte {
	end := bytes.LastIndexByte(line.Raw, '}')
	if line.Status != report.Applied || end < 0 {
		return nil
	}
	s.extended = append(s.extended[:0], line.Raw[:end]...)
	s.extended = append(line.ReadBack.Append(s.extended), '}')
	return s.extended
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
