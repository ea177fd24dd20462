package sink

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// throttledFor is how long 429s alone are retried, when --retry-for is shorter.
const throttledFor = 10 * time.Minute

// failure is a try without a usable answer. lost means that Klaviyo may have acted on the request all the same.
type failure struct {
	lost  bool
	final bool          // every later try would fail in the same way
	after time.Duration // how long a 429 closes the endpoint
	pause time.Duration // how long a 503 asks to wait
	err   error
}

// call sends r until it has a final answer: a 2xx that r.accept takes, or a 4xx about the content of the request.
// Its errors are *Error.
func (c *Client) call(ctx context.Context, r *request) (*answer, error) {
	var first time.Duration // when the first try began
	lost, pause := false, newPause()
	for try := 0; ; try++ {
		if err := r.endpoint.take(ctx); err != nil {
			return nil, &Error{Kind: Stopped, lost: lost, err: fmt.Errorf("%s: %w", r.doing, context.Cause(ctx))}
		}
		began := c.elapsed()
		if try == 0 {
			first = began
		}
		count(&c.counters.retried, try > 0)
		count(&c.counters.resent, lost)
		a, failed := c.try(ctx, r)
		r.endpoint.done()
		if failed == nil {
			c.progress.Store(int64(c.elapsed()))
			a.lost = lost
			if fatal := c.fatal(r, a); fatal != nil {
				return nil, fatal
			}
			return a, nil
		}
		lost = lost || failed.lost
		if err := failed.fatal(r, lost); err != nil {
			return nil, err
		}
		if failed.after > 0 {
			c.counters.waited.Add(int64(r.endpoint.throttle(failed.after)))
		}
		if c.gaveUp(first, began, failed) || r.once && lost || r.brief {
			return nil, &Error{Kind: Outage, lost: lost, err: fmt.Errorf("%s: %w", r.doing, failed.err)}
		}
		c.notice(fmt.Sprintf("%s: %v; retrying", r.doing, failed.err))
		if failed.after > 0 {
			continue // take waits
		}
		_ = sleep(ctx, max(pause.NextBackOff(), failed.pause), nil) // when ctx has ended, take returns the error
	}
}

// count adds one to n if it is so.
func count(n *atomic.Int64, so bool) {
	if so {
		n.Add(1)
	}
}

// fatal returns the error of a failure that ends the run without another try, or nil.
func (f *failure) fatal(r *request, lost bool) error {
	switch {
	case f.final:
		err := setupError("check --base-url and this machine's certificates and clock", "%s: %w", r.doing, f.err)
		err.lost = lost
		return err
	case r.once && f.after > longestThrottle:
		return &Error{
			Kind: Outage, Hint: "use a list that exists, or run it again after that time",
			err: fmt.Errorf("%s: Klaviyo's limit of 150 new lists a day is used up: it asks to wait %v",
				r.doing, f.after),
		}
	}
	return nil
}

// gaveUp reports whether no request had succeeded for the whole retry time when the failed try began. The time of the
// try itself does not count: after a process or machine was suspended, there is another try. 429s prove that Klaviyo
// is there: they are retried for throttledFor even if --retry-for is shorter. A 503 whose pause is longer than the
// time left ends the retries at once.
func (c *Client) gaveUp(first, began time.Duration, failed *failure) bool {
	limit := c.options.RetryFor
	if failed.after > 0 {
		limit = max(limit, throttledFor)
	}
	since := max(first, time.Duration(c.progress.Load())) // no request has succeeded since then
	return limit == 0 || began-since >= limit || failed.pause > 0 && c.elapsed()+failed.pause-since > limit
}

// newPause returns the waits between tries: TD's published one second, doubling to 32, each varied by half.
func newPause() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.Multiplier, b.MaxInterval = time.Second, 2, 32*time.Second
	return b
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
