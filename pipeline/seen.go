package pipeline

import "github.com/hashicorp/golang-lru/v2/simplelru"

// seen remembers the people of the last rows, by two independent hashes each: in a million rows a wrong
// match has a chance of about 1 in 10^26. A full window of a million takes 150 MB, and up to 250 MB in a long run.
type seen struct {
	rows *simplelru.LRU[[2]uint64, int64]
}

func newSeen(window int) *seen {
	rows, err := simplelru.NewLRU[[2]uint64, int64](window, nil)
	if err != nil {
		panic(err) // the window is not positive
	}
	return &seen{rows}
}

// first returns the number of the remembered row of the same person, or remembers this one and returns 0.
func (s *seen) first(id [2]uint64, row int64) int64 {
	if of, ok := s.rows.Get(id); ok {
		return of
	}
	s.rows.Add(id, row)
	return 0
}
