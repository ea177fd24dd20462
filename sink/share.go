package sink

import "time"

// share is the part of a minute's quota that is this client's while others use the rest. Spread over the minute it leaves
// them their part, which bursts at its beginning would not. Nobody tells how many others there are: a minute that was used
// up shows what this client got of it, and minutes that were not let the share grow.
type share struct {
	size    int         // requests in a minute, 0 = all of them
	due     time.Time   // when the next of them may be sent
	ended   time.Time   // end of the last minute that was used up
	set     time.Time   // when size was last changed; in the future until ended
	clean   int         // how often it has grown since
	refused []time.Time // 429s of the last minute
}

// catchUp is how many requests that could not be sent when they were due may follow at once.
const catchUp = 2

// gap is the time between two requests of the share in a window.
func (s *share) gap(w *window) time.Duration {
	if s.size == 0 {
		return 0
	}
	return w.span / time.Duration(s.size)
}

// sent moves on when the next request is due.
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

// divide settles on a share after a 429 that says that the window which ends then is used up: what this client got of it and a
// bit less, so that unequal shares become equal in time. A window in which it did not ask from the beginning on tells nothing,
// nor does one of which others in a rush have left it next to nothing: then a quarter is asked for.
func (s *share) divide(w *window, end time.Time) {
	now, begin := time.Now(), end.Add(-w.span-time.Second) // Retry-After is in whole seconds
	if end.Sub(s.ended) <= time.Second {
		return // the requests that were under way together are all refused
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

// ease lets the share grow when nothing was refused for a window, and by twice as much each time. That small shares grow
// by as much as large ones makes them equal in time; too large ones cost every client one refused request.
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
