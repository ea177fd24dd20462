package sink

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sourcegraph/conc/pool"
)

// walkers is how many stretches of a list are read at once. A cursor is serial: at 0.3 seconds a page, four of them use
// the whole quota (klaviyo-more.md §4).
const walkers = 8

// walkStarts is how often a walk begins: everybody who was on its first page, or after it, may leave before it goes on.
const walkStarts = 3

// walk reads all members of a list: stretches of the seconds in which they joined, several at once. A walker that has
// nothing left to do takes the later half of the stretch that has the most seconds left.
type walk struct {
	memberPages
	each func([]Member) error

	emitting sync.Mutex // held while each runs

	mu        sync.Mutex
	stretches []*stretch
	changed   *sync.Cond
}

// stretch is a range of seconds that one walker reads.
type stretch struct {
	from, end time.Time // whole seconds, end excluded; a zero from has no bound
	at        time.Time // the second of the last member that was read
	more      bool      // a page was read since the stretch was divided, and another one follows
}

// Members calls each with all members of list who joined before the call, a page at a time, and in any order. Their
// text is good until each returns. Somebody who joins or leaves meanwhile may be missing, or come twice. Fields are
// names of the profile's attributes, as Klaviyo's sparse fieldsets have them. The error is an *Error, or that of each.
// ctx ends the reading.
func (c *Client) Members(ctx context.Context, list *List, fields []string, each func([]Member) error) error {
	w := &walk{memberPages: c.memberPages(list, "read the list's members", fields), each: each}
	w.changed = sync.NewCond(&w.mu)
	for range walkStarts {
		first, err := w.some(ctx, w.path("joined_group_at", "100", ""))
		if err != nil || len(first.members) == 0 {
			return err
		}
		if first.next == "" {
			return each(first.members)
		}
		last, err := w.some(ctx, w.path("-joined_group_at", "1", ""))
		if err != nil {
			return err
		}
		known := first.members[len(first.members)-1].Since
		if len(last.members) > 0 && !last.members[0].Since.Before(known) {
			w.divide(first.members[0].Since, last.members[0].Since.Add(time.Second))
			return w.run(ctx)
		}
	}
	return &Error{Kind: Outage, err: fmt.Errorf("%s: Klaviyo does not show who joined last, although it shows others",
		w.doing)}
}

// run reads the stretches.
func (w *walk) run(ctx context.Context) error {
	p := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError()
	for _, s := range slices.Clone(w.stretches) { // those who are done change them in place
		p.Go(func(ctx context.Context) error {
			defer context.AfterFunc(ctx, w.wake)()
			return w.work(ctx, s)
		})
	}
	return p.Wait()
}

// divide makes the first stretches: equal parts of the seconds from the first member to the last.
func (w *walk) divide(from, end time.Time) {
	seconds := int64(end.Sub(from) / time.Second)
	n := min(walkers, max(seconds, 1))
	for i := range n {
		part := func(i int64) time.Time { return from.Add(time.Duration(seconds*i/n) * time.Second) }
		w.stretches = append(w.stretches, &stretch{from: part(i), end: part(i + 1), at: part(i)})
	}
	w.stretches[0].from = time.Time{} // nobody joined earlier
}

// work reads a stretch, and then parts of others, until nothing is left.
func (w *walk) work(ctx context.Context, s *stretch) error {
	for s != nil {
		if err := w.read(ctx, s); err != nil {
			return err
		}
		s = w.take(ctx, s)
	}
	return nil
}

// take ends a stretch and returns the later half of another one. It waits while others may still be divided, and
// returns nil when none can be.
func (w *walk) take(ctx context.Context, done *stretch) *stretch {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range w.stretches {
		if s == done {
			w.stretches = append(w.stretches[:i], w.stretches[i+1:]...)
			break
		}
	}
	w.changed.Broadcast()
	for ctx.Err() == nil {
		var longest *stretch
		waiting := false
		for _, s := range w.stretches {
			switch left := s.end.Sub(s.at); {
			case left < 2*time.Second:
			case !s.more:
				waiting = true
			case longest == nil || left > longest.end.Sub(longest.at):
				longest = s
			}
		}
		switch {
		case longest != nil:
			middle := longest.at.Add(longest.end.Sub(longest.at) / 2).Truncate(time.Second)
			half := &stretch{from: middle, end: longest.end, at: middle}
			longest.end, longest.more = middle, false
			w.stretches = append(w.stretches, half)
			return half
		case !waiting:
			return nil
		}
		w.changed.Wait()
	}
	return nil
}

func (w *walk) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed.Broadcast()
}

// read reads a stretch to its end, which other walkers may bring nearer.
func (w *walk) read(ctx context.Context, s *stretch) error {
	w.mu.Lock()
	path := w.path("joined_group_at", "100", joinedIn(s.from, s.end))
	w.mu.Unlock()
	return w.follow(ctx, path, func(page *memberPage) (on bool, err error) {
		members, over, err := w.advance(s, page)
		if err != nil {
			return false, err
		}
		return !over, w.emit(members)
	})
}

// advance notes a page that was read. It returns the members who are in the stretch, and whether it is read to its end.
func (w *walk) advance(s *stretch, page *memberPage) (members []Member, over bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.changed.Broadcast()
	s.more = page.next != ""
	for i := range page.members {
		since := page.members[i].Since
		if !since.Before(s.end) {
			s.more = false
			return page.members[:i], true, nil
		}
		if since.Before(s.at) {
			return nil, true, w.disordered(since, s.at)
		}
		s.at = since
	}
	return page.members, false, nil
}

func (w *walk) emit(members []Member) error {
	w.emitting.Lock()
	defer w.emitting.Unlock()
	return w.each(members)
}
