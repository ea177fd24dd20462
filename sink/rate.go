package sink

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// rates are the limits of the endpoints in use: requests a second, a minute and, if not 0, a day (klaviyo-api.md §2).
type rates struct{ burst, steady, daily int }

var (
	rateXS     = rates{burst: 1, steady: 15}
	rateM      = rates{burst: 10, steady: 150}
	rateL      = rates{burst: 75, steady: 750}
	rateCreate = rates{burst: 10, steady: 150, daily: 150}
)

// longestThrottle caps what a Retry-After can ask for, so that a strange one does not stop a run for a day.
const longestThrottle = 5 * time.Minute

// endpoint paces the requests to one endpoint, for all its senders. Klaviyo counts them in fixed windows whose phase is
// not known and by the moment they arrive, which lies between sending and answer. So those under way and those answered
// within the last span of a window are counted together, and the next is sent when there are fewer than the window's limit:
// then no window, wherever it starts, holds more.
type endpoint struct {
	mu       sync.Mutex
	windows  []window
	underWay int
	open     time.Time     // before it nothing is sent: Klaviyo said so
	changed  chan struct{} // closed when a request was answered
	share    share         // of the second window
}

type window struct {
	limit    int // Klaviyo's, for all clients of the account
	span     time.Duration
	answered []time.Time // a ring of as many as this client may use
	next     int         // the oldest
	pace     int         // the most in a span for now, at most len(answered)
	eased    time.Time   // when pace last grew or shrank
}

// newEndpoint leaves (100 - share) percent of each limit to others. With a share of 0 there are no windows.
func newEndpoint(r rates, share int) *endpoint {
	e := &endpoint{changed: make(chan struct{})}
	for _, w := range []window{{limit: r.burst, span: time.Second}, {limit: r.steady, span: time.Minute}, {limit: r.daily, span: 24 * time.Hour}} {
		if w.limit > 0 && share > 0 {
			w.pace = max(w.limit*share/100, 1)
			w.answered = make([]time.Time, w.pace)
			e.windows = append(e.windows, w)
		}
	}
	return e
}

// add enters a request that was answered at the time given.
func (w *window) add(at time.Time) {
	w.answered[w.next] = at
	w.next = (w.next + 1) % len(w.answered)
}

// free returns when the window has room for one more beside those under way; ok is false while that is not known.
func (w *window) free(underWay int) (at time.Time, ok bool) {
	room := w.pace - underWay
	if room <= 0 {
		return at, false
	}
	// The room-th last answer must be a span past.
	last := w.answered[(w.next+len(w.answered)-room)%len(w.answered)]
	if last.IsZero() {
		return at, true
	}
	return last.Add(w.span), true
}

// used counts the requests that were answered within the window's last span.
func (w *window) used(now time.Time) (n int) {
	for _, at := range w.answered {
		if !at.IsZero() && now.Sub(at) < w.span {
			n++
		}
	}
	return n
}

// take waits until a request may be sent, or ctx ends. A request that it lets pass must be told to done.
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

// try takes a place in every window, or tells how long to wait at most, and what may end the wait before.
func (e *endpoint) try() (time.Duration, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ease()
	at := e.open
	for i := range e.windows {
		free, ok := e.windows[i].free(e.underWay)
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
	e.underWay++
	if e.share.size > 0 {
		e.share.sent(e.share.gap(&e.windows[1]))
	}
	return 0, nil
}

// done notes that a request was answered, or failed.
func (e *endpoint) done() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.underWay--
	for i := range e.windows {
		e.windows[i].add(time.Now())
	}
	close(e.changed)
	e.changed = make(chan struct{})
}

// heed learns from an answer's headers what others use of the window that they speak of, and counts that as used here.
// It can only make this client slower.
func (e *endpoint) heed(h http.Header) {
	remaining, err := strconv.Atoi(strings.TrimSpace(h.Get("RateLimit-Remaining")))
	if err != nil || remaining < 0 {
		return
	}
	first, _, _ := strings.Cut(h.Get("RateLimit-Limit"), ",")
	limit, _ := strconv.Atoi(strings.TrimSpace(first))
	e.leave(limit, remaining)
	if reset, err := strconv.ParseUint(strings.TrimSpace(h.Get("RateLimit-Reset")), 10, 32); err == nil && remaining == 0 {
		e.shut(min(time.Duration(reset)*time.Second, time.Minute))
	}
}

// leave enters requests of others into the window of the given limit, so many that no more than remaining are left in it.
func (e *endpoint) leave(limit, remaining int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for i := range e.windows {
		if w := &e.windows[i]; w.limit == limit {
			for range len(w.answered) - remaining - e.underWay - w.used(now) {
				w.add(now)
			}
		}
	}
}

// easing is how long a 429 slows bursts down until they grow by one request again.
const easing = 20 * time.Second

// slow makes room after a 429 that asks to wait for d: somebody else is using the quota too. It returns over how long after that
// those who waited should spread their return.
func (e *endpoint) slow(d time.Duration) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	spread := min(d/10, time.Second)
	if len(e.windows) < 2 {
		return spread
	}
	burst, steady := &e.windows[0], &e.windows[1]
	e.share.refuse(steady)
	if burst.span < d && d <= steady.span {
		e.share.divide(steady, time.Now().Add(d))
		return max(spread, e.share.gap(steady))
	}
	// What is left lasts for the rate of the next longer window, so that no quota is wasted.
	enough := int(int64(len(steady.answered))*int64(burst.span)/int64(steady.span)) + 1
	burst.pace, burst.eased = min(max(burst.pace/2, enough), len(burst.answered)), time.Now()
	return spread
}

// ease lets bursts and the share grow again. The lock is held.
func (e *endpoint) ease() {
	for i := range e.windows {
		if w := &e.windows[i]; w.pace < len(w.answered) && time.Since(w.eased) >= easing {
			w.pace, w.eased = w.pace+1, time.Now()
		}
	}
	if len(e.windows) > 1 {
		e.share.ease(&e.windows[1])
	}
}

// throttle closes the endpoint to all its senders after a 429, and returns by how much longer it is closed now.
func (e *endpoint) throttle(d time.Duration) time.Duration {
	d = min(d, longestThrottle)
	// Not all processes of an account should come back at one instant.
	return e.shut(d + time.Duration(rand.Int64N(int64(e.slow(d))+1)))
}

func (e *endpoint) shut(d time.Duration) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	from := now
	if e.open.After(now) {
		from = e.open
	}
	if until := now.Add(d); until.After(e.open) {
		e.open = until
	}
	return max(e.open.Sub(from), 0)
}

// closed returns for how long nothing is sent because Klaviyo said so.
func (e *endpoint) closed() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return max(time.Until(e.open), 0)
}

// retryAfter reads the header's seconds or date; 0 when there is none.
func retryAfter(h http.Header) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// sleep waits for d, for wake, which may be nil, or for the end of ctx.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err()
}
