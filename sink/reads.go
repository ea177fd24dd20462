package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/sourcegraph/conc/panics"
)

const (
	// readers is how many jobs are read at once by a call of Wait, and by all.
	readers = 4
	// doubtful is from how many failures in a row on a read waits for others like it, and no longer for all.
	doubtful = 2
	// A job's pages do not end when they hold more errors than perRow for each of its rows, and someErrors more. A page
	// counts as fewErrors at least.
	perRow, someErrors, fewErrors = 4, 100, 20
)

// read is the reading of one job's errors.
type read struct {
	place int // of the job in its call of Wait
	doing string
	next  string // path of the page to read
	left  int    // how many more errors may come
	count int    // how many came
	settling
	took time.Duration

	due      time.Time // not to be tried before
	failures int       // in a row
	pause    *backoff.ExponentialBackOff
	failing  retry  // as the client's stats show it
	why      string // the last failure
	end      *End   // nil while it goes on
	err      error  // ends the wait
}

// reads are the reads of one call of Wait. Up to readers goroutines carry them on, side by side; wait waits for them.
type reads struct {
	client  *Client
	slots   *[2]chan struct{} // as in Jobs
	mu      sync.Mutex
	waiting []*read
	over    []*read
	running int
	more    chan struct{} // holds one element after a read was added
	wake    chan struct{} // gets one when a read is over
	wg      sync.WaitGroup
	panic   panics.Catcher
}

// add begins a read.
func (s *reads) add(ctx context.Context, r *read) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, r)
	if s.running < readers {
		s.running++
		s.wg.Go(func() { s.panic.Try(func() { s.carry(ctx) }) })
	}
	signal(s.more)
}

// signal puts an element into a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// carry carries on whatever read is due, until none is left or ctx ends.
func (s *reads) carry(ctx context.Context) {
	defer signal(s.wake) // also after a panic
	for ctx.Err() == nil {
		r, wait := s.pick()
		switch {
		case r != nil:
			s.read(ctx, r)
			s.put(r)
		case wait == 0:
			return
		default:
			_ = sleep(ctx, wait, s.more)
		}
	}
}

// pick takes the due read that has failed least. When none is due it returns how long to wait, 0 when none is left.
func (s *reads) pick() (*read, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	best, now, first := -1, time.Now(), time.Time{}
	for i, r := range s.waiting {
		if r.due.After(now) {
			if first.IsZero() || r.due.Before(first) {
				first = r.due
			}
		} else if best < 0 || r.failures < s.waiting[best].failures {
			best = i
		}
	}
	switch {
	case best >= 0:
		r := s.waiting[best]
		s.waiting = slices.Delete(s.waiting, best, best+1)
		if len(s.waiting) > 0 {
			signal(s.more)
		}
		return r, 0
	case first.IsZero():
		s.running--
		return nil, 0
	}
	return nil, first.Sub(now)
}

// put puts a read back, or among those that are over.
func (s *reads) put(r *read) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.end == nil && r.err == nil {
		s.waiting = append(s.waiting, r)
		return
	}
	s.over = append(s.over, r)
	signal(s.wake)
}

// take returns the reads that are over since the last call.
func (s *reads) take() []*read {
	s.mu.Lock()
	defer s.mu.Unlock()
	over := s.over
	s.over = nil
	return over
}

// broken reports whether a reader has panicked.
func (s *reads) broken() bool { return s.panic.Recovered() != nil }

// wait returns when nothing is read any more. The context that add got has ended by then. It returns the reads that
// are not over.
func (s *reads) wait() []*read {
	s.wg.Wait()
	s.panic.Repanic()
	for _, r := range s.waiting {
		s.client.retries.end(&r.failing)
	}
	return s.waiting
}

// read reads a job's pages until the last one or a failure, when one more job may be read: what is known of its rows so
// far takes memory.
func (s *reads) read(ctx context.Context, r *read) {
	slot := s.slots[min(r.failures/doubtful, 1)]
	select {
	case slot <- struct{}{}:
		defer func() { <-slot }()
	case <-ctx.Done():
		return
	}
	for r.end == nil && r.err == nil {
		n, next, err := s.client.errorPage(ctx, r.doing, r.next, &r.settling)
		if err != nil {
			if s.failed(ctx, r, err) {
				return
			}
			continue
		}
		s.client.retries.end(&r.failing)
		r.failures, r.why, r.next = 0, "", next
		r.count += n
		r.left -= max(n, fewErrors)
		if next != "" && r.left < 0 {
			r.endless, r.next = r.count, ""
		}
		if r.next == "" {
			r.end = &End{State: Complete, Took: r.took, Settlement: r.settlement()}
		}
	}
}

// failed notes that a page was not read. It reports whether other reads are to go on first.
func (s *reads) failed(ctx context.Context, r *read, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	var failed *Error
	switch {
	case !errors.As(err, &failed):
		r.err = err
	case failed.status == http.StatusNotFound:
		r.end = endOf(Expired, 0)
	case failed.Kind == Setup:
		r.err = err
	case failed.Kind == Outage && failed.closed > 0:
		return false // the next try waits until the endpoint is open
	case failed.Kind == Outage:
		r.why = failed.brief
		r.failures++
		r.rest()
		r.due = time.Now().Add(max(r.pause.NextBackOff(), failed.pause))
		until, _ := ctx.Deadline()
		s.client.notice(fmt.Sprintf("%s; retrying until %s", err, clock(until)))
		s.client.retries.set(&r.failing, retry{
			endpoint: s.client.endpoints.errors, first: s.client.elapsed(), limit: time.Until(until), deadline: until,
			failure: failed.brief,
		})
	}
	if r.err != nil || r.end != nil {
		s.client.retries.end(&r.failing)
		r.texts.free()
	}
	return true
}

// unread is the end of a job whose errors were not read in time.
func (r *read) unread() *End {
	r.texts.free()
	e := endOf(Open, 0)
	e.Unread = cmp.Or(r.why, "not all pages came in time")
	return e
}
