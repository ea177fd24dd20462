package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/segmentio/encoding/json"
)

// ensure returns the list's id and creates the list if there is none. Of several callers one creates it and the
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
	l.failed = l.choose(ctx)
	id, _, _ := l.State()
	return id, l.failed
}

// choose decides which list is used: one that another process has created since the run began, or a new one.
func (l *List) choose(ctx context.Context) error {
	found, err := l.lookUp(ctx)
	if err != nil {
		return err
	}
	own := ""
	if len(found) > 0 {
		l.use(found[0].ID)
	} else if own, err = l.create(ctx); err != nil || l.client.options.Alone {
		return err
	}
	return l.agree(ctx, own)
}

// agreeAfter is the time after which all processes that created a list of one name in the same second see all of
// these lists: Klaviyo's times have whole seconds.
const agreeAfter = 2 * time.Second

// agree makes all processes that created a list of this name at the same time use the oldest one. own is the id of
// this run's list, if it created one.
func (l *List) agree(ctx context.Context, own string) error {
	_ = sleep(ctx, agreeAfter, nil) // when ctx has ended, the next call returns the error
	found, err := l.lookUp(ctx)
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].ID == own {
		return nil // a look-up may miss a list that was just created
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id, l.created, l.left = found[0].ID, false, own
	if own != "" {
		l.client.tell(fmt.Sprintf("another process created the list %q at the same time: "+
			"using list %s; the empty list %s is left behind", l.ref.Name, l.id, own))
	}
	return nil
}

// create creates the list. A creation is no upsert, so after a lost answer the name is looked up before the next try.
func (l *List) create(ctx context.Context) (string, error) {
	started, pause := time.Now(), newPause()
	for {
		began := time.Since(started)
		err := l.post(ctx)
		var failed *Error
		if errors.As(err, &failed) && failed.lost {
			failed.lost = false // the answer about the list was lost, not one about profiles
			if failed.Kind == Outage && began <= l.client.options.RetryFor {
				_ = sleep(ctx, pause.NextBackOff(), nil) // when ctx has ended, the next call returns the error
				var found []listResource
				if found, err = l.lookUp(ctx); err == nil && len(found) == 0 {
					continue
				}
				if err == nil {
					l.use(found[0].ID)
				}
			}
		}
		if err != nil {
			return "", err
		}
		id := l.made()
		l.client.tell(fmt.Sprintf("created list %q (%s)", l.ref.Name, l.client.short(id)))
		return id, nil
	}
}

// made notes that this run created the list, and returns its id.
func (l *List) made() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.created = true
	return l.id
}

// post sends one request that creates the list.
func (l *List) post(ctx context.Context) error {
	var doc struct {
		Data listResource `json:"data"`
	}
	doing := fmt.Sprintf("create list %q", l.ref.Name)
	a, err := l.client.call(ctx, &request{
		doing: doing, method: http.MethodPost, path: "/api/lists", prefix: l.encode(),
		endpoint: l.client.endpoints.create, once: true,
		accept: func(a *answer) error { return decodeID(a, &doc, &doc.Data.ID) },
	})
	if err != nil {
		return err
	}
	if a.status >= 300 {
		return a.refused(doing)
	}
	l.use(doc.Data.ID)
	return nil
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
