package sink

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"
)

// trial is what the batches of a run find out together: whether Klaviyo accepts any of their requests. Until it
// accepts one, a profile that is refused alone, without a name, may be refused because the request itself is wrong.
// The zero value is ready; its methods may be called concurrently.
type trial struct {
	doing string // of its requests, for errors; "" is sending profiles

	mu      sync.Mutex
	through bool          // a request was accepted
	ended   error         // ends the run: of the first batch that failed
	alone   int           // profiles that were refused alone, without a name
	unnamed int           // requests that were refused without a name, of the batches that settle
	sending int           // batches that are being sent
	waiting int           // those of them that settle
	changed chan struct{} // closed when any of this changes
}

// begin counts a batch as being sent. Each begin needs one end.
func (t *trial) begin() {
	t.change(func() { t.sending++ })
}

// end counts a batch as sent, with the error of its Send. That a list was deleted says nothing of other lists.
func (t *trial) end(err error) {
	t.change(func() {
		t.sending--
		if t.ended == nil && !ListGone(err) {
			t.ended = err
		}
	})
}

// pass notes that a request was accepted.
func (t *trial) pass() {
	t.change(func() { t.through = true })
}

func (t *trial) change(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
	t.wake()
}

func (t *trial) wake() {
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// settle decides whether the profiles that b blames alone are to blame. Its error ends the run, and they are not.
// While no request was accepted, it waits for the other batches in flight: one of them may be accepted. If none is,
// a single profile keeps the blame, because the refusal is about it alone; of two or more, the request is wrong. So it
// is when Klaviyo answers 404: what it does not find has no name, and the list is there.
func (t *trial) settle(ctx context.Context, b *batch) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.alone += len(b.alone)
	t.unnamed += b.unnamed
	t.waiting++
	defer func() { t.waiting-- }()
	t.wake()
	for {
		last := t.waiting == t.sending
		switch {
		case t.through:
			return nil
		case t.ended != nil:
			return t.ended
		case last && t.alone == 1 && b.refused.status != http.StatusNotFound:
			return nil
		case last:
			t.ended = wrongRequest(t.doing, t.unnamed, "", b.refused)
			t.wake()
			return t.ended
		case ctx.Err() != nil:
			return &Error{Kind: Stopped, err: fmt.Errorf("send profiles: %w", context.Cause(ctx))}
		}
		t.pause(ctx)
	}
}

// pause waits for a change, or for the end of ctx. It unlocks meanwhile.
func (t *trial) pause(ctx context.Context) {
	if t.changed == nil {
		t.changed = make(chan struct{})
	}
	changed := t.changed
	t.mu.Unlock()
	defer t.mu.Lock()
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

// wrongRequest is the error of a run whose requests of a kind are wrong in themselves: n of them, where the text says,
// were refused without a name, and none was accepted.
func wrongRequest(doing string, n int, where string, refused *refusal) error {
	return setupError("report this with the request id: klaviyo-export has a bug, or Klaviyo has changed its API",
		"%s: Klaviyo refused %s%s without naming a profile, and accepted none: %s",
		cmp.Or(doing, "send profiles"), plural(n, "request"), where, refused.traced())
}
