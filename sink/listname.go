package sink

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"
)

// maxTwins bounds how many lists of one name are looked for: no more than 150 a day can be created.
const maxTwins = 1000

// byName sets the id of the list that has the name; it stays empty when no list has it.
func (l *List) byName(ctx context.Context) error {
	found, at, err := l.lookUp(ctx)
	if err != nil || len(found) == 0 {
		return err
	}
	return l.choose(ctx, found, at)
}

// choose sets the id to that of the one list to use of those that a look-up has found, at least one. It tells people if
// that one has another opt-in process than a new list would get.
func (l *List) choose(ctx context.Context, found []listResource, at lookedUp) error {
	found, err := l.settled(ctx, found, at)
	if err != nil {
		return err
	}
	chosen := l.one(found)
	if chosen == nil {
		return setupError("choose one of them with --list-id", "%s", l.sameName(found))
	}
	if want, has := l.ref.OptIn, chosen.Attributes.OptIn; want != "" && has != "" && string(has) != want {
		l.client.tell(fmt.Sprintf("list %q (%s) has %s, and --opt-in is only for a list that is created: "+
			"change the list's settings in Klaviyo", l.asked, chosen.ID, l.client.text(has)))
	}
	l.use(chosen)
	return nil
}

// one returns the one list of those found, oldest first, nil when it is not known which one is wanted. For a run that
// adds, the oldest of several lists that were created at the same time is used, as by the runs that created them.
func (l *List) one(found []listResource) *listResource {
	switch {
	case len(found) == 1:
	case (l.ref.Create || l.ref.NoCreate) && twins(found):
		l.client.tell(fmt.Sprintf("%d lists have the name %q and were created at the same time: using the oldest, %s",
			len(found), l.asked, found[0].ID))
	default:
		return nil
	}
	return &found[0]
}

// sameName says that several lists have the name.
func (l *List) sameName(found []listResource) string {
	ids := make([]string, len(found))
	for i := range found {
		ids[i] = found[i].ID
	}
	return fmt.Sprintf("look up list %q: %d lists have that name: %s", l.asked, len(found), cut(strings.Join(ids, ", ")))
}

// lookedUp is when lists were looked up: Klaviyo's time of its answer, zero when it did not say, and how much earlier
// it may have seen them.
type lookedUp struct {
	date    time.Time
	earlier time.Duration
}

// lookUp returns all lists of the name, over all pages, oldest first. Lists of the same second are sorted by their ids,
// so that all processes that see them agree on the first.
func (l *List) lookUp(ctx context.Context) (found []listResource, at lookedUp, err error) {
	r := &request{doing: fmt.Sprintf("look up list %q", l.asked), endpoint: l.client.endpoints.lists}
	next := "/api/lists?" + url.Values{
		"filter": {"equals(name," + quote(l.ref.Name) + ")"}, "page[size]": {"10"},
	}.Encode()
	for pages := 0; next != ""; pages++ {
		if pages == maxPages || len(found) > maxTwins {
			return nil, at, setupError("", "%s: Klaviyo's pages do not end; %d lists have that name so far",
				r.doing, len(found))
		}
		var page []listResource
		if page, next, err = l.client.lists(ctx, r, next); err != nil {
			return nil, at, err
		}
		if pages == 0 {
			at = lookedUp{r.date, r.took}
		}
		for _, list := range page {
			// Klaviyo's filter has its own way to compare; only the exact name counts.
			if string(list.Attributes.Name) == l.ref.Name {
				found = append(found, list)
			}
		}
	}
	oldestFirst(found)
	return found, at, nil
}

// oldestFirst sorts lists. Those whose time is not known come last.
func oldestFirst(lists []listResource) {
	sort.Slice(lists, func(i, j int) bool {
		first, second := lists[i].created(), lists[j].created()
		if first.IsZero() != second.IsZero() {
			return second.IsZero()
		}
		return cmp.Or(first.Compare(second), cmp.Compare(lists[i].ID, lists[j].ID)) < 0
	})
}

// lists reads a page of lists and returns the path of the next one.
func (c *Client) lists(ctx context.Context, r *request, path string) (lists []listResource, next string, err error) {
	var page struct {
		Data  []listResource `json:"data"`
		Links links          `json:"links"`
	}
	r.path = path
	err = c.page(ctx, r, &page, func() bool {
		return page.Data != nil && !slices.ContainsFunc(page.Data, func(list listResource) bool {
			return c.usable(list.ID) != nil
		})
	})
	if err != nil {
		return nil, "", err
	}
	next, err = page.Links.next()
	return page.Data, next, err
}

// quote writes a string for Klaviyo's filter syntax (klaviyo-api.md §5).
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
