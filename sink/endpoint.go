package sink

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// longestThrottle bounds the wait that a Retry-After can ask for, so that a strange value does not stop a run for a
// day.
const longestThrottle = 5 * time.Minute

// endpoint paces the requests to one endpoint, for all its senders. Klaviyo counts requests in fixed windows of
// unknown phase, at the moment they arrive, which lies between sending and answer. So endpoint counts the requests in
// flight together with those that were answered within the last span of a window. It sends the next one only while
// there are fewer than the window's limit. Then no window holds more, wherever it starts.
type endpoint struct {
	mu       sync.Mutex
	windows  []window
	inFlight int
	open     time.Time     // no request is sent before it: Klaviyo said so
	changed  chan struct{} // closed when a request was answered
	share    share         // of the second window
	random   func(n int64) int64
	progress atomic.Int64 // nanoseconds from Client.started until the last good answer
}

// newEndpoint leaves (100 - share) percent of each limit to others. With a share of 0 there are no windows.
func newEndpoint(r rates, share int) *endpoint {
	e := &endpoint{changed: make(chan struct{}), random: rand.Int64N}
	for _, w := range []window{
		{limit: r.burst, span: time.Second},
		{limit: r.steady, span: time.Minute},
		{limit: r.daily, span: 24 * time.Hour},
	} {
		if w.limit > 0 && share > 0 {
			w.pace = max(w.limit*share/100, 1)
			w.answered = make([]time.Time, w.pace)
			e.windows = append(e.windows, w)
		}
	}
	return e
}

// take waits until a request may be sent, or ctx ends. After a nil error the caller calls done when the request is
// over.
func (e *endpoint) take(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		wait, changed := e.try()
		if changed == nil {
			return nil
		}
		if err := sleep(ctx, wait, changed); err != nil {
			return err
		}
	}
}

// try takes a place in every window. If it cannot, it returns the longest time to wait, and what may end the wait
// earlier.
func (e *endpoint) try() (time.Duration, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ease()
	at := e.open
	for i := range e.windows {
		free, ok := e.windows[i].free(e.inFlight)
		if !ok {
			return longestThrottle, e.changed
		}
		if free.After(at) {
			at = free
		}
	}
	if e.share.size > 0 && e.share.due.After(at) {
		at = e.share.due
	}
	if wait := time.Until(at); wait > 0 {
		return wait, e.changed
	}
	e.inFlight++
	if e.share.size > 0 {
		e.share.sent(e.share.gap(&e.windows[1]))
	}
	return 0, nil
}

// done notes that a request was answered, or failed.
func (e *endpoint) done() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inFlight--
	for i := range e.windows {
		e.windows[i].add(time.Now())
	}
	close(e.changed)
	e.changed = make(chan struct{})
}

// learn reads from an answer's headers what others use of a window, and counts that as used here. It can only make
// this client slower.
func (e *endpoint) learn(h http.Header) {
	remaining, err := strconv.Atoi(strings.TrimSpace(h.Get("RateLimit-Remaining")))
	if err != nil || remaining < 0 {
		return
	}
	first, _, _ := strings.Cut(h.Get("RateLimit-Limit"), ",")
	limit, _ := strconv.Atoi(strings.TrimSpace(first))
	e.leave(limit, remaining)
	reset, err := strconv.ParseUint(strings.TrimSpace(h.Get("RateLimit-Reset")), 10, 32)
	if err == nil && remaining == 0 {
		e.shut(min(time.Duration(reset)*time.Second, time.Minute))
	}
}

// leave enters requests of others into the window of the given limit, until no more than remaining are left in it.
func (e *endpoint) leave(limit, remaining int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for i := range e.windows {
		if w := &e.windows[i]; w.limit == limit {
			for range len(w.answered) - remaining - e.inFlight - w.used(now) {
				w.add(now)
			}
		}
	}
}
