package pipeline

import (
	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// droppedPhone is report.Line.Dropped of a profile that went without its bad phone number.
var droppedPhone = []string{"phone_number"}

// writes is the last stage: it writes a line for each row, in input order.
type writes struct {
	control *control
	out     *report.Writer
	open    *permits
	state   *remembers       // nil: nothing is remembered
	refused func(key []byte) // called with the key of each row that Klaviyo refuses; may be nil
	left    []string         // ids of the import jobs that are not known to have ended
}

func newWrites(c *control, out *report.Writer, open *permits) *writes {
	return &writes{control: c, out: out, open: open}
}

// add writes results. It is called for one stretch of rows after the other, and blocks while the output does.
func (s *writes) add(r *results) {
	defer s.open.give(r.permits)
	defer s.control.guard()
	s.control.begin("write")
	for u := r.unwritten(); u.at < len(r.ends); {
		s.row(u)
	}
	s.flush()
	r.free()
	if r.pooled { // another batch may have them from now on
		s.control.results.put(r)
	}
}

// unwritten goes through results row by row.
type unwritten struct {
	*results
	turns
	odd     []odd
	dropped []uint32
	proofs  []proof
	asked   []sink.Consented
	sent    []sentAs
	at      int  // index of the next row
	lost    bool // a row of them could not be written
}

func (r *results) unwritten() *unwritten {
	return &unwritten{
		results: r, turns: turns{shared: r.shared}, odd: r.odd, dropped: r.dropped, proofs: r.proofs, asked: r.asked,
		sent: r.sentAs,
	}
}

// row writes the next row.
func (s *writes) row(u *unwritten) {
	var line report.Line
	row, number := u.at, u.number(u.at)
	u.at++
	if len(u.odd) > 0 && u.odd[0].row <= row {
		line = u.odd[0].line
		if u.odd[0].row+u.odd[0].rows == row+1 {
			u.odd = u.odd[1:]
		}
	} else {
		s.turn(&u.turns, number, &line)
	}
	if len(u.dropped) > 0 && int(u.dropped[0]) == row {
		line.Dropped, u.dropped = droppedPhone, u.dropped[1:]
	}
	if len(u.proofs) > 0 && u.proofs[0].row == row {
		u.proofs[0].enter(&line)
		u.proofs = u.proofs[1:]
	}
	if len(u.asked) > 0 && int(u.asked[0].Row) == row {
		s.consent(&u.asked[0], &line)
		u.asked = u.asked[1:]
	}
	line.Row, line.Key, line.List = number, u.key(row), u.list
	if s.refused != nil && line.Status == report.Rejected && line.Stage != stageOfChecks {
		s.refused(line.Key)
	}
	s.out.Line(&line)
	if u.to != nil && u.list == "" && line.Status == report.Valid {
		u.to.rows++
	}
	if len(u.sent) > 0 && int(u.sent[0].row) == row {
		if s.state != nil {
			s.state.note(&line, u.sent[0].profile)
		}
		u.sent = u.sent[1:]
	}
}

// consent enters what is known of a row's consent into its line.
func (s *writes) consent(c *sink.Consented, line *report.Line) {
	before := line.Status
	if enterConsent(c, line) {
		s.control.hidden.Add(1)
	}
	switch line.Status {
	case report.Rejected:
		line.Consent = nil
		if before != report.Rejected {
			s.control.reject(line.Row)
		}
	case report.Skipped, report.Unsent: // Klaviyo was not asked
		line.Consent = nil
	}
}

// turns goes through shared results row by row.
type turns struct {
	shared []shared
	place  int // of the next row among those that share the first
}

// job is the import job of the next row, "" where there is no row.
func (t *turns) job() string {
	if len(t.shared) == 0 {
		return ""
	}
	return t.shared[0].line.Job
}

// turn sets line to the result of the next row, and counts it.
func (s *writes) turn(t *turns, row int64, line *report.Line) {
	now := &t.shared[0]
	now.enter(t.place, line)
	if line.Status == report.Rejected {
		s.control.reject(row)
	}
	if t.place++; t.place == now.rows {
		s.leave(now.left())
		t.shared, t.place = t.shared[1:], 0
	}
}

// flush passes what is written on to the output, and counts it.
func (s *writes) flush() {
	if err := s.out.Flush(); err != nil {
		s.control.stop(err)
	} else if s.state != nil {
		if err := s.state.flush(); err != nil {
			s.control.stop(err)
		}
	}
	s.control.setSettled(s.out.Rows())
	s.control.sample()
}

// leave notes an import job that is left open; "" is none.
func (s *writes) leave(job string) {
	if job != "" {
		s.left = append(s.left, job)
		s.control.open.Add(1)
	}
}

// wait returns the ids of the import jobs that are not known to have ended. All results are written by then.
func (s *writes) wait() []string { return s.left }
