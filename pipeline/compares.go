package pipeline

import (
	"slices"

	"klaviyo-export/pipeline/state"
)

const (
	// comparedTogether is how many rows are compared with the state at a time: it reads its file once through for them.
	comparedTogether = 128 << 10
	maxCompared      = 32 << 20 // bytes of the rows that wait for that
)

// compares is the stage that compares profiles with those that the state remembers.
type compares struct {
	control *control
	state   *state.State // nil: profiles are not compared
	emit    func(*chunk)
	held    []*chunk
	rows    []state.Row
	kept    []state.Kept
	bytes   int
}

// add takes the next chunk, and hands on those that it has compared.
func (s *compares) add(c *chunk) {
	if s.state == nil {
		s.emit(c)
		return
	}
	s.held, s.rows = append(s.held, c), append(s.rows, c.hashes...)
	if s.bytes += len(c.rows.Data); c.tick || len(s.rows) >= comparedTogether || s.bytes >= maxCompared {
		s.compare()
	}
}

// wait hands on the last chunks.
func (s *compares) wait() { s.compare() }

func (s *compares) compare() {
	defer s.control.guard()
	s.kept = slices.Grow(s.kept[:0], len(s.rows))[:len(s.rows)]
	if len(s.rows) > 0 {
		if err := s.state.Compare(s.rows, s.kept); err != nil {
			s.control.stop(stateError(err))
		}
	}
	kept, held := s.kept, s.held
	s.rows, s.held, s.bytes = s.rows[:0], s.held[:0], 0
	for i, c := range held {
		n := len(c.hashes)
		c.kept = append(c.kept[:0], kept[:n]...)
		kept, held[i] = kept[n:], nil
		s.emit(c)
	}
}
