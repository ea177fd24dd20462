package pipeline

import "github.com/hashicorp/golang-lru/v2/simplelru"

// seen remembers the people of the last rows, by two independent hashes each: in a million rows a wrong match has a chance
// of about 1 in 10^26. Rows are remembered by generations of a sixteenth of the window, of which the oldest is forgotten as a
// whole and its memory used again, so that a window never costs more than when it was first full: 60 MB for a million rows.
type seen struct {
	size        int // rows of a generation
	begun       int // generations so far
	generations *simplelru.LRU[int, generation]
	order       []generation // those that are remembered, oldest first
	spare       generation   // a forgotten one, empty
}

// generation has the first row of each person.
type generation map[[2]uint64]int64

const generations = 16

func newSeen(window int) *seen {
	s := &seen{size: (window + generations - 1) / generations}
	var err error
	s.generations, err = simplelru.NewLRU((window+s.size-1)/s.size, func(_ int, old generation) {
		clear(old)
		s.spare = old
	})
	if err != nil {
		panic(err) // the window is not positive
	}
	s.begin()
	return s
}

// first returns the number of the remembered row of the same person, or remembers this one and returns 0.
func (s *seen) first(id [2]uint64, row int64) int64 {
	newest := len(s.order) - 1
	for i := newest; i >= 0; i-- {
		of, ok := s.order[i][id]
		if !ok {
			continue
		}
		if i < newest {
			s.remember(id, of)
		}
		return of
	}
	s.remember(id, row)
	return 0
}

func (s *seen) remember(id [2]uint64, row int64) {
	if len(s.order[len(s.order)-1]) >= s.size {
		s.begin()
	}
	s.order[len(s.order)-1][id] = row
}

// begin opens a generation, for which the oldest is forgotten when the window is full.
func (s *seen) begin() {
	next := s.spare
	if s.spare = nil; next == nil {
		next = make(generation, s.size)
	}
	s.begun++
	s.generations.Add(s.begun, next)
	s.order = s.generations.Values()
}
