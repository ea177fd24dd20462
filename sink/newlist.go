package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/segmentio/encoding/json"
)

// ensure returns the list's id and creates the list if there is none. If several callers ask, one creates it and the
// others wait.
func (l *List) ensure(ctx context.Context) (string, error) {
	select {
	case l.creating <- struct{}{}:
		defer func() { <-l.creating }()
	case <-ctx.Done():
		return "", &Error{Kind: Stopped, err: fmt.Errorf("create list %q: %w", l.ref.Name, context.Cause(ctx))}
	}
	if id, _, _ := l.State(); id != "" || l.failed != nil {
		return id, l.failed
	}
	if l.client.options.Print != nil {
		return Printed, nil
	}
	l.failed = l.find(ctx)
	id, _, _ := l.State()
	return id, l.failed
}

// find decides which list is used: one that another process has created since the run began, or a new one. A creation
// is no upsert, so the name is looked up before each try: after a lost answer the list may be there, and others may
// have created it while Klaviyo made this run wait.
func (l *List) find(ctx context.Context) error {
	started, pause, lost := time.Now(), newPause(), false
	for {
		found, at, err := l.lookUp(ctx)
		switch {
		case err != nil:
			return err
		case len(found) > 0 && lost:
			return l.made(ctx, found[0])
		case len(found) > 0:
			return l.choose(ctx, found, at)
		}
		began := time.Since(started)
		own, err := l.create(ctx)
		if err == nil {
			return l.made(ctx, own)
		}
		var failed *Error
		if !errors.As(err, &failed) {
			return err
		}
		wait, limit := failed.closed, max(l.client.options.RetryFor, throttledFor)
		if failed.lost {
			wait, limit = pause.NextBackOff(), l.client.options.RetryFor
			failed.lost, lost = false, true // the answer about the list was lost, not one about profiles
		}
		if failed.Kind != Outage || wait == 0 || began > limit {
			return err
		}
		l.client.notice(fmt.Sprintf("%v; retrying until %s", err, clock(time.Now().Add(limit-time.Since(started)))))
		_ = sleep(ctx, wait, nil) // when ctx has ended, the next call returns the error
	}
}

// made notes that this run created a list, and makes the run use the oldest list of the name, which may be another.
func (l *List) made(ctx context.Context, own listResource) error {
	l.mu.Lock()
	l.id, l.created, l.optIn = own.ID, true, own.Attributes.OptIn
	l.mu.Unlock()
	l.client.tell(fmt.Sprintf("created list %q (%s)", l.asked, own.ID))
	found, err := l.settled(ctx, []listResource{own}, lookedUp{date: own.created()})
	if err != nil || found[0].ID == own.ID {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id, l.created, l.left, l.optIn = found[0].ID, false, own.ID, found[0].Attributes.OptIn
	l.client.tell(fmt.Sprintf("another process created the list %q at the same time: "+
		"using list %s; the empty list %s is left behind", l.asked, l.id, own.ID))
	return nil
}

// create sends one request that creates the list.
func (l *List) create(ctx context.Context) (listResource, error) {
	var doc struct {
		Data listResource `json:"data"`
	}
	doing := fmt.Sprintf("create list %q", l.asked)
	a, err := l.client.call(ctx, &request{
		doing: doing, method: http.MethodPost, path: "/api/lists", prefix: l.encode(),
		endpoint: l.client.endpoints.create, once: true,
		accept: func(a *answer) error { return l.client.decodeID(a, &doc, &doc.Data.ID) },
	})
	if err == nil && a.status >= 300 {
		err = a.refused(doing)
	}
	return doc.Data, err
}

// encode writes the body of the request that creates the list.
func (l *List) encode() string {
	b := append([]byte(nil), `{"data":{"type":"list","attributes":{"name":`...)
	b = json.AppendEscape(b, l.ref.Name, 0)
	if l.ref.OptIn != "" {
		b = append(b, `,"opt_in_process":`...)
		b = json.AppendEscape(b, l.ref.OptIn, 0)
	}
	return string(append(b, `}}}`...))
}
