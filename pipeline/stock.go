package pipeline

import "sync"

// stock keeps what will be used again. A sync.Pool would be emptied by the garbage collector, which runs often since memory
// is to stay small; a stock comes to hold as many as were in use at once.
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
