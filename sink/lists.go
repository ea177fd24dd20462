package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
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
	left    string // id of the empty list that this run made while another process made the one that is used
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

// LeftBehind returns the id of an empty list that this run made and does not use, as another process made an older one of the
// same name at the same time; "" if there is none.
func (l *List) LeftBehind() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left
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
		Name    string `json:"name"`
		Created string `json:"created"`
	} `json:"attributes"`
}

// created is when the list was made, to the second; the zero time where the answer does not tell.
func (l *listResource) created() time.Time {
	at, _ := time.Parse(time.RFC3339, l.Attributes.Created)
	return at.Truncate(time.Second)
}

var (
	errNoData = errors.New("the answer has no data")
	errLongID = errors.New("an id in the answer is too long to be one")
)

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
		return setupError("", "look up list %q: %s", l.ref.ID, explain(a.status, a.errors))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name = doc.Data.Attributes.Name
	return nil
}

// twinsWithin is how much later than the oldest list of a name others are taken to be what processes left behind that made it at
// the same time. People are slower.
const twinsWithin = 10 * time.Second

// byName sets the id of the only list of the name; it stays empty where there is none. Where a list may be made and several were
// made at one time, the oldest of them is the one.
func (l *List) byName(ctx context.Context) error {
	found, err := l.lookUp(ctx)
	if err != nil {
		return err
	}
	if l.ref.Create && len(found) > 1 && twins(found) {
		l.client.tell(fmt.Sprintf("%d lists have the name %q, all made at the same time: the oldest, %s, is used", len(found), l.ref.Name, found[0].ID))
		found = found[:1]
	}
	if len(found) > 1 {
		ids := make([]string, len(found))
		for i := range found {
			ids[i] = found[i].ID
		}
		return setupError("give the one that is meant with --list-id", "look up list %q: %d lists have that name: %s", l.ref.Name, len(found), cut(strings.Join(ids, ", ")))
	}
	if len(found) == 1 {
		l.use(found[0].ID)
	}
	return nil
}

// twins reports whether lists, oldest first, were made at one time.
func twins(lists []listResource) bool {
	first, last := lists[0].created(), lists[len(lists)-1].created()
	return !first.IsZero() && last.Sub(first) <= twinsWithin
}

func (l *List) use(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id = id
}

// maxTwins bounds how many lists of one name are looked for: more than 150 a day cannot be made.
const maxTwins = 1000

// lookUp returns all lists of the name, over all pages, oldest first. Lists of one second are in the order of their ids, so that all
// who see them agree on the first.
func (l *List) lookUp(ctx context.Context) (found []listResource, err error) {
	next := "/api/lists?" + url.Values{
		"filter": {"equals(name," + quote(l.ref.Name) + ")"}, "page[size]": {"10"},
	}.Encode()
	for pages := 0; next != ""; pages++ {
		if pages == maxPages || len(found) > maxTwins {
			return nil, setupError("", "look up list %q: Klaviyo's pages have no end, %d lists of that name so far", l.ref.Name, len(found))
		}
		var page struct {
			Data  []listResource `json:"data"`
			Links links          `json:"links"`
		}
		err := l.client.page(ctx, &request{doing: fmt.Sprintf("look up list %q", l.ref.Name), path: next, endpoint: l.client.rates.lists}, &page, func() bool {
			return page.Data != nil && !slices.ContainsFunc(page.Data, func(list listResource) bool { return usable(list.ID) != nil })
		})
		if err != nil {
			return nil, err
		}
		for _, list := range page.Data {
			// The filter's way of comparing is Klaviyo's; only the same name will do.
			if list.Attributes.Name == l.ref.Name {
				found = append(found, list)
			}
		}
		if next, err = page.Links.next(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b listResource) int {
		return cmp.Or(a.created().Compare(b.created()), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
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
	l.failed = l.make(ctx)
	id, _, _ := l.State()
	return id, l.failed
}

// make makes the list, unless another process has made it since this run began.
func (l *List) make(ctx context.Context) error {
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

// agreeAfter is when all who made a list of one name in the same second see all of these: Klaviyo tells seconds.
const agreeAfter = 2 * time.Second

// agree has all processes that made a list of this name at the same time use the oldest one. own is the id of this run's, if it made one.
func (l *List) agree(ctx context.Context, own string) error {
	_ = sleep(ctx, agreeAfter, nil) // the next call sees to it when ctx ends
	found, err := l.lookUp(ctx)
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].ID == own {
		return nil // a list that was just made may not be found at once
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id, l.created, l.left = found[0].ID, false, own
	if own != "" {
		l.client.tell(fmt.Sprintf("another process made the list %q at the same time: list %s is used, and %s is left behind empty", l.ref.Name, l.id, own))
	}
	return nil
}

// create makes the list. That is no upsert, so after a lost answer the name is looked up before another try.
func (l *List) create(ctx context.Context) (string, error) {
	started, pause := time.Now(), newPause()
	for {
		begun := time.Since(started)
		err := l.post(ctx)
		var failed *Error
		if errors.As(err, &failed) && failed.lost {
			failed.lost = false // a list's answer, no profile's
			if failed.Kind == Outage && begun <= l.client.options.RetryFor {
				_ = sleep(ctx, pause.NextBackOff(), nil) // the next call sees to it when ctx ends
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
		return setupError("", "%s: %s", doing, explain(a.status, a.errors))
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

// decodeID reads an answer into doc and refuses one whose id in it cannot be one.
func decodeID(a *answer, doc any, id *string) error {
	if err := decode(a.body, doc); err != nil {
		return err
	}
	return usable(*id)
}

// usable refuses an id that is empty, or too long to be repeated for every row.
func usable(id string) error {
	switch {
	case id == "":
		return errNoData
	case len(id) > maxSaid:
		return errLongID
	}
	return nil
}
