package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// throttledFor is how long 429s alone are retried, when --retry-for is shorter.
const throttledFor = 10 * time.Minute

// failure is a try without a usable answer. lost means that Klaviyo may have acted on the request all the same.
type failure struct {
	lost  bool
	brief string        // err in a few words, "" where err has few
	final bool          // every later try would fail in the same way
	after time.Duration // how long a 429 closes the endpoint
	pause time.Duration // how long a 503 asks to wait
	id    string        // Klaviyo's id of the request, "" when there was no answer
	err   error
}

// attempt sends r once. What r makes of an answer is done when it returns, so that the next long one may be read. lost
// says that an earlier try may have arrived.
func (c *Client) attempt(ctx context.Context, r *request, lost bool) (*answer, *failure, *Error) {
	var own turn
	defer own.end()
	a, failed := c.try(ctx, r, &own)
	if failed != nil {
		if a != nil {
			failed.id = a.id
		}
		return nil, failed, nil
	}
	a.lost = lost
	r.endpoint.progress.Store(int64(c.elapsed()))
	fatal := c.fatal(r, a)
	if fatal == nil && a.status >= 400 && r.refused != nil {
		r.refused(a)
	}
	return a, nil, fatal
}

// call sends r until it has a final answer: a 2xx that r.accept takes, or a 4xx about the content of the request.
// Its errors are *Error.
func (c *Client) call(ctx context.Context, r *request) (*answer, error) {
	if c.options.Print != nil && r.method != http.MethodGet {
		return c.print(r)
	}
	var first time.Duration // when the first try began
	var odd bool            // the last answer was of another shape
	lost, pause := false, newPause()
	retried := new(retry)
	defer c.retries.end(retried)
	for try := 0; ; try++ {
		if err := r.endpoint.take(ctx); err != nil {
			return nil, &Error{Kind: Stopped, lost: lost, err: fmt.Errorf("%s: %w", r.doing, context.Cause(ctx))}
		}
		if r.before != nil {
			if err := r.before(); err != nil {
				r.endpoint.done()
				return nil, &Error{Kind: Stopped, lost: lost, err: fmt.Errorf("%s: %w", r.doing, err)}
			}
		}
		began := c.elapsed()
		if try == 0 {
			first = began
		}
		count(&c.counters.retried, try > 0)
		count(&c.counters.resent, lost && r.method != http.MethodGet) // a look-up changes nothing
		a, failed, fatal := c.attempt(ctx, r, lost)
		r.endpoint.done()
		if fatal != nil {
			return nil, fatal
		}
		if failed == nil {
			return a, nil
		}
		lost = lost || failed.lost
		again := odd
		odd = r.method == http.MethodGet && errors.Is(failed.err, errShape)
		failed.final = failed.final || odd && again // a look-up is answered like that for good
		if err := failed.fatal(r, lost); err != nil {
			return nil, err
		}
		if failed.after > 0 {
			closed := r.endpoint.throttle(failed.after)
			if !r.optional {
				c.counters.waited.Add(int64(closed))
			}
		}
		once := r.brief || r.careful && lost || r.once && (lost || failed.after > 0)
		if once || c.gaveUp(r.endpoint, first, began, failed) {
			err := fmt.Errorf("%s: %w%s", r.doing, failed.err, trace(failed.id))
			return nil, &Error{
				Kind: Outage, lost: lost, closed: failed.after, pause: failed.pause, brief: failed.text(), err: err,
			}
		}
		if ctx.Err() != nil {
			continue // take returns the error
		}
		c.notice(fmt.Sprintf("%s: %v; retrying until %s", r.doing, failed.err, clock(c.until(r.endpoint, first, failed))))
		if failed.after > 0 && c.endpoints.takesRows(r.endpoint) {
			c.retries.end(retried) // Stats.Closed says it
		} else {
			until, _ := ctx.Deadline()
			c.retries.set(retried, retry{
				endpoint: r.endpoint, first: first, limit: c.limit(failed), deadline: until, failure: failed.text(),
			})
		}
		if failed.after > 0 {
			continue // take waits
		}
		_ = sleep(ctx, max(pause.NextBackOff(), failed.pause), nil) // when ctx has ended, take returns the error
	}
}

// text is the failure in a few words.
func (f *failure) text() string { return cmp.Or(f.brief, f.err.Error()) }

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
		var refused *proxyError
		switch {
		case errors.As(f.err, &refused):
			err = refused.setup(r.doing)
		case errors.Is(f.err, errShape):
			err = setupError("check --base-url; if it is Klaviyo's, report this: Klaviyo has changed its API",
				"%s: %w%s", r.doing, f.err, trace(f.id))
		}
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

// gaveUp reports whether no request to the endpoint had succeeded for the whole retry time when the failed try began.
// Others prove nothing about it: polls succeed while imports fail. The time of the try itself does not count: after a
// process or machine was suspended, there is another try. 429s prove that Klaviyo is there: they are retried for
// throttledFor even if --retry-for is shorter. A 503 whose pause is longer than the time left ends the retries at once.
func (c *Client) gaveUp(e *endpoint, first, began time.Duration, failed *failure) bool {
	limit, since := c.limit(failed), c.since(e, first)
	return limit == 0 || began-since >= limit || failed.pause > 0 && c.elapsed()+failed.pause-since > limit
}

// limit is how long a failure is retried while no request to its endpoint succeeds.
func (c *Client) limit(failed *failure) time.Duration {
	if failed.after > 0 {
		return max(c.options.RetryFor, throttledFor)
	}
	return c.options.RetryFor
}

// since is the time from which no request to the endpoint has succeeded. first is when the first try began.
func (c *Client) since(e *endpoint, first time.Duration) time.Duration {
	return max(first, time.Duration(e.progress.Load()))
}

// until is the time after which no other try begins, unless a request to the endpoint succeeds before.
func (c *Client) until(e *endpoint, first time.Duration, failed *failure) time.Time {
	return c.started.Add(c.since(e, first) + c.limit(failed))
}

// clock writes a time of this day, or another one with its date.
func clock(at time.Time) string {
	if at.Format(time.DateOnly) == time.Now().Format(time.DateOnly) {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
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
