package sink

import "time"

// window counts the requests of an endpoint in one of its spans.
type window struct {
	limit    int // Klaviyo's, for all clients of the account
	span     time.Duration
	answered []time.Time // a ring with one place for each request that this client may send in a span
	next     int         // the place of the oldest
	pace     int         // how many requests may be sent in a span for now, at most len(answered)
	eased    time.Time   // when pace last grew or shrank
}

// add enters a request that was answered at the time given.
func (w *window) add(at time.Time) {
	w.answered[w.next] = at
	w.next = (w.next + 1) % len(w.answered)
}

// free returns when the window has room for one more request beside those in flight. ok is false while that is not
// known.
func (w *window) free(inFlight int) (at time.Time, ok bool) {
	room := w.pace - inFlight
	if room <= 0 {
		return at, false
	}
	// The room-th last answer must be at least a span old.
	last := w.answered[(w.next+len(w.answered)-room)%len(w.answered)]
	if last.IsZero() {
		return at, true
	}
	return last.Add(w.span), true
}

// used counts the requests that were answered within the last span.
func (w *window) used(now time.Time) (n int) {
	for _, at := range w.answered {
		if !at.IsZero() && now.Sub(at) < w.span {
			n++
		}
	}
	return n
}
