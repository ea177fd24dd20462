package sink

import (
	"context"
	"net/http"
	"sync"
)

// inFlight holds the requests that have no answer yet, for Abort.
type inFlight struct {
	mu      sync.Mutex
	aborted bool
	cancels map[*context.CancelFunc]bool
}

// enter returns the context of a request and the function that ends it. A request that changes nothing ends with ctx;
// others go on without it.
func (f *inFlight) enter(ctx context.Context, method string) (context.Context, context.CancelFunc) {
	if method != http.MethodGet {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cancels == nil {
		f.cancels = map[*context.CancelFunc]bool{}
	}
	f.cancels[&cancel] = true
	if f.aborted {
		cancel()
	}
	return ctx, func() {
		f.mu.Lock()
		delete(f.cancels, &cancel)
		f.mu.Unlock()
		cancel()
	}
}

func (f *inFlight) abort() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.aborted = true
	for cancel := range f.cancels {
		(*cancel)()
	}
}
