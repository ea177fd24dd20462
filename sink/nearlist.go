package sink

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
)

const (
	// nearPages bounds the pages of lists, most recently changed first, that are searched for a near name.
	nearPages = 30
	// nearTime bounds the time for them: the search is a courtesy.
	nearTime = 20 * time.Second
	// maxNear is how many lists with near names are told.
	maxNear = 3
)

// nearLists returns up to maxNear lists whose names differ from name only in letter case or blanks. Klaviyo has no
// filter for that (klaviyo-api.md §5), so it reads the account's lists. A search that fails finds none.
func (c *Client) nearLists(ctx context.Context, name string) (near []listResource) {
	doing := fmt.Sprintf("look for lists with names like %q", c.hidden(foreign(name)))
	c.someLists(ctx, doing, func(list listResource) {
		if len(near) < maxNear && list.isNear(name) {
			near = append(near, list)
		}
	})
	return near
}

// isNear reports whether a name differs from the list's only in letter case or blanks.
func (l *listResource) isNear(name string) bool {
	return strings.EqualFold(closeUp(string(l.Attributes.Name)), closeUp(name))
}

// someLists calls each for the account's lists, as far as they can be read quickly.
func (c *Client) someLists(ctx context.Context, doing string, each func(listResource)) {
	ctx, cancel := context.WithTimeout(ctx, nearTime)
	defer cancel()
	r := &request{doing: doing, endpoint: c.endpoints.lists, brief: true, optional: true}
	next := "/api/lists?" + url.Values{
		"fields[list]": {"name"}, "page[size]": {"10"}, "sort": {"-updated"},
	}.Encode()
	for pages := 0; next != "" && pages < nearPages; pages++ {
		var page []listResource
		var err error
		if page, next, err = c.lists(ctx, r, next); err != nil {
			return
		}
		for _, list := range page {
			each(list)
		}
	}
}

// closeUp removes the blanks of a name, and the characters that have no width.
func closeUp(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name)
}

// differ is the end of a message that names lists with near names, "" where there are none.
func (c *Client) differ(near []listResource) string {
	names := make([]string, len(near))
	for i, list := range near {
		name := foreign(cutTo(longestID, c.name(list.Attributes.Name)))
		names[i] = fmt.Sprintf("%q (%s)", name, list.ID)
	}
	switch len(near) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("; list %s differs only in letter case or blanks", names[0])
	}
	return fmt.Sprintf("; lists %s differ only in letter case or blanks", strings.Join(names, ", "))
}

// absent returns the error when no list has the name and none may be created. near are the lists with near names.
func (l *List) absent(near []listResource) error {
	others := l.client.differ(near)
	text, hint := fmt.Sprintf("look up list %q: no list has this name%s", l.asked, others), ""
	switch {
	case l.ref.Create && !l.ref.NoCreate:
		if others != "" {
			l.client.tell(fmt.Sprintf("no list has the name %q yet%s", l.asked, others))
		}
		return nil
	case others != "" && l.ref.NoCreate:
		hint = "pass its exact name to --list-name, or leave out --no-create to create another list"
	case others != "":
		hint = "pass its exact name to --list-name, or its id to --list-id"
	case l.ref.NoCreate:
		hint = "check the exact name, letter case included, or leave out --no-create to create the list"
	default:
		hint = "check the exact name, letter case included, or pass --list-id with the id in the list's address " +
			"in Klaviyo"
	}
	return setupError(hint, "%s", text)
}
