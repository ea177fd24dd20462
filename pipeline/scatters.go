package pipeline

import (
	"io"
	"math"
	"slices"

	"klaviyo-export/report"
)

// scattered names rows of earlier results that lie among those of other lists: they have one list, and one import job,
// "" for rows that are only read back.
type scattered struct{ list, job string }

func scatteredOf(e *report.Entry) scattered {
	if waiting(e) {
		return scattered{e.List, e.Job}
	}
	return scattered{list: e.List}
}

// scatter takes the next row of results whose rows name their lists. All rows of an import job have to be known before
// it is waited for: they are when the first one is maxSpread rows ago.
func (s *groups) scatter(e *report.Entry) {
	s.control.read.Add(1)
	s.last = e.Row
	for len(s.queue) > 0 && e.Row-s.queue[0].first >= maxSpread {
		s.gathered(s.queue[0])
	}
	s.backlog.crowded(s.oldest())
	if !s.held(e) {
		return
	}
	of := scatteredOf(e)
	r := s.scattered[of]
	if r == nil {
		if r = (&results{first: e.Row, of: of}); s.target != nil {
			r.to = s.target(e.List)
		}
		s.scattered[of] = r
		s.queue = append(s.queue, r)
	}
	if r.keep(e); of.job == "" && len(r.ends) >= maxUnread {
		s.gathered(r)
	}
}

// oldest is the first row of those that are not handed on.
func (s *groups) oldest() int64 {
	if len(s.queue) == 0 {
		return math.MaxInt64
	}
	return s.queue[0].first
}

// gathered hands on the rows of an import job.
func (s *groups) gathered(r *results) {
	delete(s.scattered, r.of)
	at := slices.Index(s.queue, r)
	s.queue = slices.Delete(s.queue, at, at+1)
	r.trim()
	r.cost = len(r.keys) + len(r.ends)*(resultCost+proofCost) + len(r.asked)*askedCost
	s.backlog.add(r.cost)
	s.emit(r)
}

// scatter takes the final results of rows that lie among others, and writes all rows whose turn has come.
func (s *rewrites) scatter(r *results) {
	defer s.control.guard()
	whole := false
	defer func() { s.move(!whole) }()
	s.control.begin("write")
	s.scattered[r.of] = append(s.scattered[r.of], &held{
		turns: turns{shared: r.shared}, proofs: r.proofs, asked: r.asked, results: r,
	})
	s.rewrite()
	s.flush()
	whole = true
}

// move tells the backlog which row is to be written next.
func (s *rewrites) move(broken bool) {
	s.backlog.move(s.next.Row, s.written, broken)
	s.written = 0
}

// rewrite writes the rows up to one whose final result is not there yet.
func (s *rewrites) rewrite() {
	for s.read() {
		var g *held
		if s.held(&s.next) {
			of := scatteredOf(&s.next)
			if len(s.scattered[of]) == 0 {
				return
			}
			if g = s.scattered[of][0]; !g.next(&s.next) {
				s.change(nil)
				return
			}
		}
		s.ahead = false
		if s.line(&s.next, g); g != nil && len(g.shared) == 0 {
			s.exhausted(g)
		}
	}
}

// read reads the next row, unless it is read already. It reports whether there is one.
func (s *rewrites) read() bool {
	if s.ahead || s.changed {
		return s.ahead && !s.changed
	}
	e, err := s.earlier.Next()
	switch {
	case err == io.EOF:
		s.next.Row = math.MaxInt64
		return false
	case err != nil:
		s.change(err)
		return false
	}
	s.next, s.ahead = e, true
	return true
}

// exhausted drops results that are written.
func (s *rewrites) exhausted(g *held) {
	of := g.results.of
	if s.scattered[of] = s.scattered[of][1:]; len(s.scattered[of]) == 0 {
		delete(s.scattered, of)
	}
	s.written += g.results.cost
	g.results.free()
}

// rewriteTo writes the rows that are left, up to the last one that was read before.
func (s *rewrites) rewriteTo(last int64) {
	defer s.control.guard()
	defer s.move(true)
	s.rewrite()
	if s.read() && s.next.Row <= last {
		s.change(nil)
	}
	s.flush()
}
