package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

// ListRef names a list by its id or by its exact name. If Create is set and no list has the name, one is created.
// NoCreate forbids that, and everything else is as with Create.
type ListRef struct {
	ID, Name string
	Create   bool
	NoCreate bool
	OptIn    string // opt_in_process of a list that is created, "" = the account's default
}

// List is the list that a run changes. If it does not exist, it is created when the first profiles are sent to it.
type List struct {
	client   *Client
	ref      ListRef
	asked    foreign       // the name of ref, or its id, without the key
	creating chan struct{} // holds one element while one caller creates the list
	failed   error         // of the creation, for all callers; guarded by creating

	mu      sync.Mutex
	id      string
	name    foreign
	created bool
	optIn   foreign // opt_in_process
	left    string  // id of an empty list that this run created; another process created the one in use
}

// FindList looks a list up. It is an error when several lists have the name, or when no list has it and no list may be
// created. When no list has it, lists whose names differ only in letter case or blanks are named in the error, or in a
// notice.
func (c *Client) FindList(ctx context.Context, ref ListRef) (*List, error) {
	l := c.newList(ref)
	if c.hide(ref.ID) != ref.ID || c.hide(ref.Name) != ref.Name {
		l.id = ""
		return l, setupError("pass the id or the name of a list", "look up list %q: this holds the API key", l.asked)
	}
	if ref.ID != "" {
		return l, l.byID(ctx)
	}
	if err := l.byName(ctx); err != nil {
		return l, err
	}
	if l.id == "" {
		return l, l.absent(c.nearLists(ctx, ref.Name))
	}
	return l, nil
}

func (c *Client) newList(ref ListRef) *List {
	return &List{
		client: c, ref: ref, asked: c.hidden(foreign(cmp.Or(ref.ID, ref.Name))),
		id: ref.ID, name: foreign(ref.Name), creating: make(chan struct{}, 1),
	}
}

// LeftBehind returns the id of an empty list that this run created and does not use, because another process created
// an older one of the same name at the same time. It returns "" if there is none.
func (l *List) LeftBehind() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left
}

// State returns the list's id, empty while there is none, its name, and whether this run created it. The name is of any
// characters, at most 1,000 bytes, and without the key.
func (l *List) State() (id, name string, created bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.id, l.client.name(l.name), l.created
}

// doubleOptIn reports whether people who are subscribed to the list have to confirm it.
func (l *List) doubleOptIn() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.optIn == "double_opt_in"
}

func (l *List) use(list *listResource) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.id, l.name, l.optIn = list.ID, list.Attributes.Name, list.Attributes.OptIn
}

const goneHint = "run it again with another list: this one was deleted during the run; rows sent before stay sent"

// exists returns an error when the list was deleted.
func (l *List) exists(ctx context.Context) error {
	id, _, _ := l.State()
	err := (&List{client: l.client, ref: ListRef{ID: id}, asked: l.client.hidden(foreign(id))}).byID(ctx)
	var failed *Error
	if errors.As(err, &failed) && failed.status == http.StatusNotFound {
		failed.gone = true
		failed.Hint = goneHint
	}
	return err
}

type listResource struct {
	ID         string `json:"id"`
	Attributes struct {
		Name    foreign `json:"name"`
		Created string  `json:"created"`
		OptIn   foreign `json:"opt_in_process"`
	} `json:"attributes"`
}

func (l *listResource) is(other listResource) bool { return l.ID == other.ID }

// byID sets the name of the list with the id of ref.
func (l *List) byID(ctx context.Context) error {
	var doc struct {
		Data listResource `json:"data"`
	}
	doing := fmt.Sprintf("look up list %q", l.asked)
	a, err := l.client.call(ctx, &request{
		doing: doing, method: http.MethodGet, path: "/api/lists/" + url.PathEscape(l.ref.ID),
		endpoint: l.client.endpoints.list,
		accept:   func(a *answer) error { return l.client.decodeID(a, &doc, &doc.Data.ID) },
	})
	switch {
	case err != nil:
		return err
	case a.missing():
		return notFound("copy the id from the list's address in Klaviyo, or pass the list's name to --list-name",
			"%s: no list in this account has this id", doing)
	case a.status >= 300:
		return a.refused(doing)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.name, l.optIn = doc.Data.Attributes.Name, doc.Data.Attributes.OptIn
	return nil
}
