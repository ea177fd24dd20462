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

	"github.com/sourcegraph/conc/pool"
)

const (
	// listsTogether is how many lists one look-up asks for: a page of the answer has as many (klaviyo-api.md §5).
	listsTogether = 10
	// maxListName is how long a name or an id is at most that is looked up, in bytes.
	maxListName = 1000
)

// ListRule says how the rows of a run name their lists.
type ListRule struct {
	ByID   bool
	Create int    // how many lists may be created of names that no list has; less than 0: the command creates none
	OptIn  string // as in ListRef
}

// NamedLists are the lists that the rows of a run name. Its methods are for one goroutine at a time.
type NamedLists struct {
	client *Client
	rule   ListRule
	left   int            // how many lists may still be created
	walked bool           // others are known
	others []listResource // some lists of the account: their names may be like one that no list has
}

// NewNamedLists returns a NamedLists.
func NewNamedLists(c *Client, rule ListRule) *NamedLists {
	return &NamedLists{client: c, rule: rule, left: rule.Create}
}

// Named is a list that rows name. List is nil if there is no list to use, and Absent says then why not, and what to do.
type Named struct {
	List   *List
	Absent string
}

// Find looks up lists by the names or ids that rows have, in this order. Each value is asked for once in a run. A list
// that does not exist is created when the first profiles are sent to it, as FindList does. The error is an *Error.
func (s *NamedLists) Find(ctx context.Context, values []string) ([]Named, error) {
	named := make([]Named, len(values))
	var asked []*sameNamed
	for i, value := range values {
		switch l := s.list(value); {
		case s.client.hide(value) != value:
			named[i].Absent = "the list's name holds the API key"
		case len(value) > maxListName:
			named[i].Absent = fmt.Sprintf("the list's name has more than %d bytes", maxListName)
		default:
			asked = append(asked, &sameNamed{list: l, named: &named[i]})
		}
	}
	if err := s.lookUp(ctx, asked); err != nil {
		return nil, err
	}
	for _, l := range asked {
		if len(l.found) == 0 && l.named.Absent == "" {
			s.create(ctx, l)
		}
	}
	return named, nil
}

func (s *NamedLists) list(value string) *List {
	if s.rule.ByID {
		return s.client.newList(ListRef{ID: value})
	}
	return s.client.newList(ListRef{Name: value, Create: s.rule.Create >= 0, OptIn: s.rule.OptIn})
}

// sameNamed is a list that is looked up, and the lists with its name or id.
type sameNamed struct {
	list  *List
	named *Named
	found []listResource
	at    lookedUp
}

// lookUp finds the lists, several of them with one request.
func (s *NamedLists) lookUp(ctx context.Context, lists []*sameNamed) error {
	p := pool.New().WithErrors().WithFirstError().WithMaxGoroutines(lookupsAtOnce)
	for group := range slices.Chunk(lists, listsTogether) {
		p.Go(func() error { return s.read(ctx, group) })
	}
	if err := p.Wait(); err != nil {
		return err
	}
	p = pool.New().WithErrors().WithFirstError().WithMaxGoroutines(lookupsAtOnce)
	for _, l := range lists {
		if len(l.found) > 0 {
			p.Go(func() error { return s.choose(ctx, l) })
		}
	}
	return p.Wait()
}

// read looks lists up with one request. When Klaviyo refuses it, it asks for half of them, down to single ones.
func (s *NamedLists) read(ctx context.Context, lists []*sameNamed) error {
	field, byValue := "name", map[string]*sameNamed{}
	if s.rule.ByID {
		field = "id"
	}
	quoted := make([]string, len(lists))
	for i, l := range lists {
		value := cmp.Or(l.list.ref.ID, l.list.ref.Name)
		quoted[i], byValue[value] = quote(value), l
	}
	r := &request{doing: "look up lists", endpoint: s.client.endpoints.lists}
	next := "/api/lists?" + url.Values{
		"filter": {"any(" + field + ",[" + strings.Join(quoted, ",") + "])"}, "page[size]": {"10"},
	}.Encode()
	var at lookedUp
	for pages := 0; next != ""; pages++ {
		var page []listResource
		var err error
		if page, next, err = s.client.lists(ctx, r, next); err != nil {
			return s.readHalves(ctx, lists, err)
		}
		if pages == 0 {
			at = lookedUp{r.date, r.took}
		}
		for _, list := range page {
			value := string(list.Attributes.Name)
			if s.rule.ByID {
				value = list.ID
			}
			// Klaviyo's filter has its own way to compare; only the exact name counts.
			if l := byValue[value]; l != nil && !slices.ContainsFunc(l.found, list.is) {
				l.found, l.at = append(l.found, list), at
			}
		}
		if pages == maxPages {
			return setupError("", "%s: Klaviyo's pages do not end", r.doing)
		}
	}
	return nil
}

// readHalves looks lists up again that Klaviyo has refused to look up together.
func (s *NamedLists) readHalves(ctx context.Context, lists []*sameNamed, why error) error {
	var failed *Error
	if !errors.As(why, &failed) || failed.status != http.StatusBadRequest {
		return why
	}
	if len(lists) == 1 {
		lists[0].found, lists[0].named.Absent = nil, cut(failed.Error())
		return nil
	}
	half := len(lists) / 2
	for _, l := range lists {
		l.found = nil
	}
	return cmp.Or(s.read(ctx, lists[:half]), s.read(ctx, lists[half:]))
}

// choose chooses the list to use of those that were found, at least one.
func (s *NamedLists) choose(ctx context.Context, l *sameNamed) error {
	oldestFirst(l.found)
	found, err := l.list.settled(ctx, l.found, l.at)
	if err != nil {
		return err
	}
	chosen := l.list.one(found)
	if chosen == nil {
		l.named.Absent = fmt.Sprintf("%s; rename one of them, or name lists by their ids with --lists-by id",
			l.list.sameName(found))
		return nil
	}
	l.list.use(chosen)
	l.named.List = l.list
	return nil
}

// create uses a list that does not exist yet, if one more may be created.
func (s *NamedLists) create(ctx context.Context, l *sameNamed) {
	if s.rule.ByID {
		l.named.Absent = fmt.Sprintf("no list in this account has the id %q; copy it from the list's address in Klaviyo",
			l.list.asked)
		return
	}
	near := s.near(ctx, l.list.ref.Name)
	if s.left > 0 {
		s.left--
		_ = l.list.absent(near) // only names lists with names like it
		l.named.List = l.list
		return
	}
	l.named.Absent = fmt.Sprintf("no list has the name %q%s", l.list.asked, s.client.differ(near))
	switch {
	case s.rule.Create > 0:
		l.named.Absent += fmt.Sprintf("; --create-lists %d is used up", s.rule.Create)
	case s.rule.Create == 0 && len(near) == 0:
		l.named.Absent += "; correct it, or create missing lists with --create-lists N"
	default:
		l.named.Absent += "; correct it"
	}
}

// near returns lists whose names are like one that no list has. The lists are read once.
func (s *NamedLists) near(ctx context.Context, name string) (near []listResource) {
	if !s.walked {
		s.walked = true
		s.client.someLists(ctx, "look for lists with like names", func(list listResource) {
			s.others = append(s.others, list)
		})
	}
	for _, list := range s.others {
		if len(near) < maxNear && list.isNear(name) {
			near = append(near, list)
		}
	}
	return near
}
