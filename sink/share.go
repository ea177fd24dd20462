package sink

import "time"

// share is this client's part of a minute's quota while others use the rest. Its requests are spread over the minute,
// so that the others get their part; a burst at the beginning would take it. The number of the others is not known. A
// minute that was used up shows how much this client got of it. Minutes that were not used up let the share grow.
type share struct {
	size    int         // requests in a minute, 0 = all of them
	due     time.Time   // when the next of them may be sent
	ended   time.Time   // end of the last minute that was used up
	set     time.Time   // when size last changed; in the future until ended
	clean   int         // how often it has grown since
	refused []time.Time // 429s of the last minute
}

// catchUp is how many requests that could not be sent when they were due may follow without a gap.
const catchUp = 2

// gap is the time between two requests of the share in a window.
func (s *share) gap(w *window) time.Duration {
	if s.size == 0 {
		return 0
	}
	return w.span / time.Duration(s.size)
}

// sent moves the time of the next request on.
func (s *share) sent(gap time.Duration) {
	if late := time.Now().Add(-catchUp * gap); s.due.Before(late) {
		s.due = late
	}
	s.due = s.due.Add(gap)
}

// refuse notes a 429.
func (s *share) refuse(w *window) {
	now := time.Now()
	for len(s.refused) > 0 && now.Sub(s.refused[0]) >= w.span {
		s.refused = s.refused[1:]
	}
	s.refused = append(s.refused, now)
}

// divide sets the share after a 429, which says that the window that ends at end is used up. The share is a little
// less than what this client got of that window, so that unequal shares become equal in time. A window proves nothing
// if this client did not ask from its beginning on, or if a rush of others left it almost nothing: then the share is
// a quarter.
func (s *share) divide(w *window, end time.Time) {
	now, begin := time.Now(), end.Add(-w.span-time.Second) // Retry-After is in whole seconds
	if end.Sub(s.ended) <= time.Second {
		return // all requests that were in flight together are refused
	}
	s.ended = end
	got, first, all := 0, now, len(w.answered)
	for _, at := range w.answered {
		if at.After(begin) {
			got++
			if at.Before(first) {
				first = at
			}
		}
	}
	asked := got == all || first.Before(begin.Add(w.span/4))
	for _, at := range s.refused {
		if at.After(begin) {
			got--
		}
	}
	s.size, s.due, s.set, s.clean = max(got-got/16, 1), end, end, 0
	if rushed := end.Sub(now) > w.span/2 && got <= all/32; rushed || !asked {
		s.size = max(s.size, all/4)
	}
}

// ease lets the share grow when no request was refused for a window, each time by twice as much. Small and large
// shares grow by about the same number, which makes them equal in time. A share that is too large costs each client
// one refusal.
func (s *share) ease(w *window) {
	if s.size == 0 || time.Since(s.set) < w.span {
		return
	}
	all := len(w.answered)
	s.size += (s.size/8 + all/16 + 1) << s.clean
	s.set, s.clean = time.Now(), s.clean+1
	if s.size >= all {
		s.size = 0
	}
}
