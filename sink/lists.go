package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/encoding/json"
)

// ListRef names a list by its id or by its exact name. A list that no name finds is made when Create is set.
type ListRef struct {
	ID, Name string
	Create   bool
	OptIn    string // opt_in_process of a list that is made, "" = the account's default
}

// List is the target of a run. It is made, where it has to be, when the first profiles are sent to it.
type List struct {
	client *Client
	ref    ListRef
	making chan struct{} // holds one element while the list is made
	failed error         // of making it, for all who wait; guarded by making

	mu      sync.Mutex
	id      string
	name    string
	created bool
}

// FindList looks a list up. Two lists of one name are an error, as is none when ref does not allow to create it.
func (c *Client) FindList(ctx context.Context, ref ListRef) (*List, error) {
	l := &List{client: c, ref: ref, id: ref.ID, name: ref.Name, making: make(chan struct{}, 1)}
	if ref.ID != "" {
		return l, l.byID(ctx)
	}
	if err := l.byName(ctx); err != nil {
		return l, err
	}
	if l.id == "" && !ref.Create {
		return l, setupError("names are compared exactly; list ids stand in the list's address in Klaviyo", "look up list %q: there is none of that name", ref.Name)
	}
	return l, nil
}

// State returns the list's id, empty while there is none, its name, and whether this run made it.
func (l *List) State() (id, name string, created bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id, l.name, l.created
}

type listResource struct {
	ID         string `json:"id"`
	Attributes struct {
		Name string `json:"name"`
	} `json:"attributes"`
}

var errNoData = errors.New("the answer has no data")

func (l *List) byID(ctx context.Context) error {
	var doc struct {
		Data listResource `json:"data"`
	}
	a, err := l.client.call(ctx, &request{
		doing: fmt.Sprintf("look up list %q", l.ref.ID), method: http.MethodGet, endpoint: l.client.rates.list,
		path:   "/api/lists/" + url.PathEscape(l.ref.ID),
		accept: func(a *answer) error { return decodeID(a, &doc, &doc.Data.ID) },
	})
	switch {
	case err != nil:
		return err
	case a.status == http.StatusNotFound:
		return notFound("list ids stand in the list's address in Klaviyo; --list-name takes a name", "look up list %q: there is none of that id in this account", l.ref.ID)
	case a.status >= 300:
		return setupError("", "look up list %q: %s", l.ref.ID, explain(a.status, apiErrors(a.body)))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name = doc.Data.Attributes.Name
	return nil
}

// byName sets the id of the only list of the name, over all pages; it stays empty where there is none.
func (l *List) byName(ctx context.Context) error {
	var found []string
	next := "/api/lists?" + url.Values{
		"filter": {"equals(name," + quote(l.ref.Name) + ")"}, "page[size]": {"10"},
	}.Encode()
	for pages := 0; next != ""; pages++ {
		if pages == maxPages {
			return setupError("", "look up list %q: Klaviyo's pages have no end", l.ref.Name)
		}
		var page struct {
			Data  []listResource `json:"data"`
			Links links          `json:"links"`
		}
		err := l.client.page(ctx, &request{doing: fmt.Sprintf("look up list %q", l.ref.Name), path: next, endpoint: l.client.rates.lists}, &page, func() bool { return page.Data != nil })
		if err != nil {
			return err
		}
		for _, list := range page.Data {
			// The filter's way of comparing is Klaviyo's; only the same name will do.
			if list.Attributes.Name == l.ref.Name {
				found = append(found, list.ID)
			}
		}
		if next, err = page.Links.next(); err != nil {
			return err
		}
	}
	if len(found) > 1 {
		return setupError("give the one that is meant with --list-id", "look up list %q: %d lists have that name: %s", l.ref.Name, len(found), strings.Join(found, ", "))
	}
	if len(found) == 1 {
		l.mu.Lock()
		l.id = found[0]
		l.mu.Unlock()
	}
	return nil
}

// quote writes a string for Klaviyo's filter syntax (klaviyo-api.md §5).
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// ensure returns the list's id and makes the list when there is none. Of several callers one does and the others wait.
func (l *List) ensure(ctx context.Context) (string, error) {
	select {
	case l.making <- struct{}{}:
		defer func() { <-l.making }()
	case <-ctx.Done():
		return "", &Error{Kind: Stopped, err: fmt.Errorf("create list %q: %w", l.ref.Name, context.Cause(ctx))}
	}
	if id, _, _ := l.State(); id != "" || l.failed != nil {
		return id, l.failed
	}
	// Another process may have made it since this run began.
	if l.failed = l.byName(ctx); l.failed != nil {
		return "", l.failed
	}
	if id, _, _ := l.State(); id != "" {
		return id, nil
	}
	var id string
	id, l.failed = l.create(ctx)
	return id, l.failed
}

// create makes the list. That is no upsert, so after a lost answer the name is looked up before another try.
func (l *List) create(ctx context.Context) (string, error) {
	started, pause := time.Now(), newPause()
	for {
		err := l.post(ctx)
		var failed *Error
		if errors.As(err, &failed) && failed.lost {
			failed.lost = false // a list's answer, no profile's
			if failed.Kind == Outage && time.Since(started) <= l.client.options.RetryFor {
				_ = sleep(ctx, pause.NextBackOff(), nil) // the next call sees to it when ctx ends
				if err = l.byName(ctx); err == nil {
					if id, _, _ := l.State(); id == "" {
						continue
					}
				}
			}
		}
		if err != nil {
			return "", err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.created = true
		return l.id, nil
	}
}

// post asks Klaviyo once to make the list.
func (l *List) post(ctx context.Context) error {
	var doc struct {
		Data listResource `json:"data"`
	}
	doing := fmt.Sprintf("create list %q", l.ref.Name)
	a, err := l.client.call(ctx, &request{
		doing: doing, method: http.MethodPost, path: "/api/lists", prefix: l.encode(), endpoint: l.client.rates.create, once: true,
		accept: func(a *answer) error { return decodeID(a, &doc, &doc.Data.ID) },
	})
	if err != nil {
		return err
	}
	if a.status >= 300 {
		return setupError("", "%s: %s", doing, explain(a.status, apiErrors(a.body)))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id = doc.Data.ID
	return nil
}

// exists returns an error when the list is no longer there.
func (l *List) exists(ctx context.Context) error {
	id, _, _ := l.State()
	err := (&List{client: l.client, ref: ListRef{ID: id}}).byID(ctx)
	var failed *Error
	if errors.As(err, &failed) && failed.status == http.StatusNotFound {
		failed.Hint = "it was deleted while the run went on; rows that were sent before stay sent"
	}
	return err
}

// encode writes the request that makes the list.
func (l *List) encode() string {
	b := append([]byte(nil), `{"data":{"type":"list","attributes":{"name":`...)
	b = json.AppendEscape(b, l.ref.Name, 0)
	if l.ref.OptIn != "" {
		b = append(b, `,"opt_in_process":`...)
		b = json.AppendEscape(b, l.ref.OptIn, 0)
	}
	return string(append(b, `}}}`...))
}

// decodeID reads an answer into doc and refuses one that leaves the id in it empty.
func decodeID(a *answer, doc any, id *string) error {
	if err := decode(a.body, doc); err != nil {
		return err
	}
	if *id == "" {
		return errNoData
	}
	return nil
}
