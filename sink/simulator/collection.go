package simulator

import (
	"encoding/base64"
	"fmt"
	"slices"
)

// cursor is a place in a collection: the page goes forward from the resource at a position, or back from it.
// A position in import jobs, profiles and members never passes to another resource, unless a filter names them.
// So paging through all of them stays correct while others join and leave. With a plan's cursors: shifting the position
// is instead the number of resources before it, so that pages repeat or miss some meanwhile. Finding it then takes time
// in proportion to that number.
type cursor struct {
	position int
	back     bool
}

func (at cursor) String() string {
	direction := "next"
	if at.back {
		direction = "prev"
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s::%d", direction, at.position))
}

func parseCursor(s string) *cursor {
	decoded, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(decoded) < len("next::0") {
		return nil
	}
	at := cursor{back: string(decoded[:4]) == "prev"}
	if _, err := fmt.Sscanf(string(decoded[4:]), "::%d", &at.position); err != nil || at.String() != s {
		return nil
	}
	return &at
}

// collection answers with one page, or with everything if the operation has no pages. at returns the resource at a
// position from c.first to n-1, and whether it belongs to the answer. appendResource appends its JSON.
func collection[T any](c *call, n int, at func(i int) (T, bool), appendResource func([]byte, T) []byte) answer {
	page, after, before := c.page(n, func(i int) bool {
		_, ok := at(i)
		return ok
	})
	b := []byte(`{"data":[`)
	for i, position := range page {
		if i > 0 {
			b = append(b, ',')
		}
		resource, _ := at(position)
		b = appendResource(b, resource)
		if i == 0 { // the others are about as long
			b = slices.Grow(b, len(b)*len(page)*9/8+1024)
		}
	}
	b = quote(append(b, `],"links":{"self":`...), c.link(""))
	b = c.appendLink(append(b, `,"next":`...), after, false)
	b = append(b, `,"prev":`...)
	if c.filter.hasAny() {
		b = quote(b, c.link("<Filters: "+c.values.Get("filter")+">")) // on every page, and no cursor, as recorded
	} else {
		b = c.appendLink(b, before, true)
	}
	return answer{status: 200, body: append(b, "}}"...)}
}

// page returns the positions on the requested page, and the first ones after and before it. holds reports whether
// the resource at a position from c.first to n-1 belongs to the answer.
func (c *call) page(n int, holds func(i int) bool) (page, after, before []int) {
	step, from, back, rank := 1, c.first, false, 0
	if _, down := c.sorting(); down {
		step, from = -1, n-1
	}
	switch {
	case c.cursor == nil:
	case c.shifting:
		rank, back = c.cursor.position, c.cursor.back
		for ahead := rank; c.first <= from && from < n; from += step {
			if holds(from) {
				if ahead == 0 {
					break
				}
				ahead--
			}
		}
	default:
		from, back = c.cursor.position, c.cursor.back
	}
	// ranked replaces a position by the number of resources before it if the cursors count.
	ranked := func(places []int, rank int) []int {
		if c.shifting && len(places) > 0 {
			places[0] = rank
		}
		return places
	}
	// places returns the next wanted positions from i on.
	places := func(i, step, wanted int) (found []int) {
		for ; i >= c.first && i < n && len(found) < wanted; i += step {
			if holds(i) {
				found = append(found, i)
			}
		}
		return found
	}
	size := c.size
	if size == 0 {
		size = n
	}
	if back {
		page = places(from, -step, size+1)
		before = page[min(size, len(page)):]
		page = page[:min(size, len(page))]
		before = ranked(before, rank-len(page))
		slices.Reverse(page)
		return page, ranked(places(from+step, step, 1), rank+1), before
	}
	page = places(from, step, size+1)
	after = ranked(page[min(size, len(page)):], rank+size)
	return page[:min(size, len(page))], after, ranked(places(from-step, -step, 1), rank-1)
}

// link returns the URL of the request, with a cursor if it is not "".
func (c *call) link(cursor string) string {
	link := c.base + c.path
	values := c.values
	if cursor != "" {
		values = make(map[string][]string, len(c.values)+1)
		for name, given := range c.values {
			values[name] = given
		}
		values.Set("page[cursor]", cursor)
	}
	if len(values) > 0 {
		link += "?" + values.Encode()
	}
	return link
}

// appendLink appends the link to the page that starts at the first of the places, or null without places.
func (c *call) appendLink(b []byte, places []int, back bool) []byte {
	if len(places) == 0 {
		return append(b, "null"...)
	}
	return quote(b, c.link(cursor{places[0], back}.String()))
}
