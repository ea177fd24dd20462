package pipeline

import (
	"sync"

	"klaviyo-export/validate"
)

// pools keep the buffers of one run that are used again.
type pools struct {
	chunks    stock[chunk]
	texts     stock[[]byte]
	scratches stock[validate.Scratch]
	batches   stock[batch]
	results   stock[results]
	hashers   stock[hasher]

	properties *properties // nil where no row is read back
}

// stock keeps what will be used again. The garbage collector, which runs often since memory stays small, would
// empty a sync.Pool. A stock grows to as many as were in use at once. Its methods may be called at once.
type stock[T any] struct {
	mu   sync.Mutex
	idle []*T
}

// take returns one that was put back, or a new one.
func (s *stock[T]) take() *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle)
	if n == 0 {
		return new(T)
	}
	one := s.idle[n-1]
	s.idle = s.idle[:n-1]
	return one
}

func (s *stock[T]) put(one *T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, one)
}
