package sink

import (
	"sync"
	"time"
)

// retries are the requests that have failed and are sent again.
type retries struct {
	mu   sync.Mutex
	list []*retry
}

// retry is one of them.
type retry struct {
	endpoint *endpoint
	first    time.Duration // when the first try began
	limit    time.Duration // how long the last failure is retried
	deadline time.Time     // of the caller, zero for none
	failure  string        // the last one
}

// set notes a new failure of r, which is retried.
func (s *retries) set(r *retry, now retry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(r)
	*r = now
	s.list = append(s.list, r)
}

// end notes that r has its answer, or is given up.
func (s *retries) end(r *retry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(r)
}

// drop takes r out of the list, whose order stays. The lock is held.
func (s *retries) drop(r *retry) {
	for i := range s.list {
		if s.list[i] == r {
			s.list = append(s.list[:i], s.list[i+1:]...)
			return
		}
	}
}

// failing returns the last failure of the requests that are retried, and how long it takes until the first of them is
// given up unless a request succeeds. It returns "" when none is retried.
func (c *Client) failing() (failure string, giveUpIn time.Duration) {
	s := &c.retries
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.list {
		left := c.since(r.endpoint, r.first) + r.limit - c.elapsed()
		if !r.deadline.IsZero() {
			left = min(left, time.Until(r.deadline))
		}
		if i == 0 || left < giveUpIn {
			giveUpIn = left
		}
		failure = r.failure
	}
	return failure, max(giveUpIn, 0)
}
