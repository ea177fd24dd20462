package sink

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// twinsWithin is how much later than the oldest list of a name others may be created, and still be taken for
	// lists that processes created at the same time. A person is slower.
	twinsWithin = 10 * time.Second
	// maxTwins bounds how many lists of one name are looked for: no more than 150 a day can be created.
	maxTwins = 1000
)

// byName sets the id of the only list that has the name; it stays empty when no list has it. For a run that adds, the
// oldest of several lists that were created at the same time is used.
func (l *List) byName(ctx context.Context) error {
	found, err := l.lookUp(ctx)
	if err != nil {
		return err
	}
	if (l.ref.Create || l.ref.NoCreate) && len(found) > 1 && twins(found) {
		l.client.tell(fmt.Sprintf("%d lists have the name %q and were created at the same time: using the oldest, %s",
			len(found), l.ref.Name, found[0].ID))
		found = found[:1]
	}
	if len(found) > 1 {
		ids := make([]string, len(found))
		for i := range found {
			ids[i] = found[i].ID
		}
		return setupError("choose one of them with --list-id", "look up list %q: %d lists have that name: %s",
			l.ref.Name, len(found), cut(strings.Join(ids, ", ")))
	}
	if len(found) == 1 {
		l.use(found[0].ID)
	}
	return nil
}

// twins reports whether lists, oldest first, were created at the same time.
func twins(lists []listResource) bool {
	first, last := lists[0].created(), lists[len(lists)-1].created()
	return !first.IsZero() && last.Sub(first) <= twinsWithin
}

// lookUp returns all lists of the name, over all pages, oldest first. Lists of the same second are sorted by their
// ids, so that all processes that see them agree on the first.
func (l *List) lookUp(ctx context.Context) (found []listResource, err error) {
	r := &request{doing: fmt.Sprintf("look up list %q", l.ref.Name), endpoint: l.client.endpoints.lists}
	next := "/api/lists?" + url.Values{
		"filter": {"equals(name," + quote(l.ref.Name) + ")"}, "page[size]": {"10"},
	}.Encode()
	for pages := 0; next != ""; pages++ {
		if pages == maxPages || len(found) > maxTwins {
			return nil, setupError("", "%s: Klaviyo's pages do not end; %d lists have that name so far",
				r.doing, len(found))
		}
		var page []listResource
		if page, next, err = l.client.lists(ctx, r, next); err != nil {
			return nil, err
		}
		for _, list := range page {
			// Klaviyo's filter has its own way to compare; only the exact name counts.
			if list.Attributes.Name == l.ref.Name {
				found = append(found, list)
			}
		}
	}
	slices.SortFunc(found, func(a, b listResource) int {
		return cmp.Or(a.created().Compare(b.created()), cmp.Compare(a.ID, b.ID))
	})
	return found, nil
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
			return usable(list.ID) != nil
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
