package simulator

import (
	"encoding/base64"
	"fmt"
	"slices"
)

// payloadInvalid is what Klaviyo says of a body it can't make sense of.
const payloadInvalid = "The payload provided in the request is invalid."

// attribute is a member of a resource object; its value is JSON, nil for null.
type attribute struct {
	name  string
	value []byte
}

// fieldset is the members that a sparse fieldset asks for; nil asks for all.
type fieldset map[string]bool

// resource appends a resource object as far as its attributes, without the closing brace.
func (f fieldset) resource(b []byte, kind, id string, attributes []attribute) []byte {
	b = quote(append(b, `{"type":`...), kind)
	b = quote(append(b, `,"id":`...), id)
	return f.object(append(b, `,"attributes":`...), attributes)
}

// object appends those attributes that are asked for as an object. Asking for NAME.MEMBER asks for NAME too.
func (f fieldset) object(b []byte, attributes []attribute) []byte {
	b = append(b, '{')
	first := true
	for _, a := range attributes {
		if f != nil && !f[a.name] && !f.within(a.name) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(quote(b, a.name), ':')
		if a.value == nil {
			b = append(b, "null"...)
		}
		b = append(b, a.value...)
	}
	return append(b, '}')
}

func (f fieldset) within(name string) bool {
	for field := range f {
		if len(field) > len(name) && field[:len(name)] == name && field[len(name)] == '.' {
			return true
		}
	}
	return false
}

// appendIdentifier appends what stands for a resource in a relationship.
func appendIdentifier(b []byte, kind, id string) []byte {
	b = quote(append(b, `{"type":`...), kind)
	return append(quote(append(b, `,"id":`...), id), '}')
}

// appendRelationship appends a relationship of the resource at self. data is JSON, nil where there is none.
func appendRelationship(b []byte, self, name string, data []byte) []byte {
	b = append(quote(b, name), `:{`...)
	if data != nil {
		b = append(append(append(b, `"data":`...), data...), ',')
	}
	b = quote(append(b, `"links":{"self":`...), self+"relationships/"+name+"/")
	b = quote(append(b, `,"related":`...), self+name+"/")
	return append(b, "}}"...)
}

// appendSelf appends the links of a resource object.
func appendSelf(b []byte, self string) []byte {
	return append(quote(append(b, `"links":{"self":`...), self), '}')
}

// document is the answer that has one resource object.
func (c *call) document(status int, data []byte) answer {
	b := append(append([]byte(`{"data":`), data...), ',')
	return answer{status, append(appendSelf(b, c.link(nil)), '}')}
}

// link returns the URL of the request, with another cursor if one is given.
func (c *call) link(at *cursor) string {
	link := c.base + c.path
	values := c.values
	if at != nil {
		values = make(map[string][]string, len(c.values)+1)
		for name, given := range c.values {
			values[name] = given
		}
		values.Set("page[cursor]", at.String())
	}
	if len(values) > 0 {
		link += "?" + values.Encode()
	}
	return link
}

// cursor is a place in a collection: page forward from the item at a position, or back from it.
// In jobs, profiles and members a position belongs to its item for good, unless a filter names
// them, so that paging through all stays right while others come and go.
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

// collection answers with one page, or with all where the operation has no pages. item returns what is at a
// position from 0 to n-1, and whether it belongs to the answer; appendItem appends its JSON.
func collection[T any](c *call, n int, item func(i int) (T, bool), appendItem func([]byte, T) []byte) answer {
	step, from, back := 1, 0, false
	if _, down := c.sorting(); down {
		step, from = -1, n-1
	}
	if c.cursor != nil {
		from, back = c.cursor.position, c.cursor.back
	}
	// places returns the next positions of items from i on, as many as asked for.
	places := func(i, step, wanted int) (found []int) {
		for ; i >= 0 && i < n && len(found) < wanted; i += step {
			if _, ok := item(i); ok {
				found = append(found, i)
			}
		}
		return found
	}
	size := c.size
	if size == 0 {
		size = n
	}
	var page, after, before []int
	if back {
		page = places(from, -step, size+1)
		before = page[min(size, len(page)):]
		page = page[:min(size, len(page))]
		slices.Reverse(page)
		after = places(from+step, step, 1)
	} else {
		page = places(from, step, size+1)
		after = page[min(size, len(page)):]
		page = page[:min(size, len(page))]
		before = places(from-step, -step, 1)
	}
	b := []byte(`{"data":[`)
	for i, position := range page {
		if i > 0 {
			b = append(b, ',')
		}
		it, _ := item(position)
		b = appendItem(b, it)
	}
	b = quote(append(b, `],"links":{"self":`...), c.link(nil))
	b = c.appendLink(append(b, `,"next":`...), after, false)
	b = c.appendLink(append(b, `,"prev":`...), before, true)
	return answer{200, append(b, "}}"...)}
}

// appendLink appends the link to the page that begins at the first of the places, null if there is none.
func (c *call) appendLink(b []byte, places []int, back bool) []byte {
	if len(places) == 0 {
		return append(b, "null"...)
	}
	return quote(b, c.link(&cursor{places[0], back}))
}

// resource checks the frame of a body, {"data":{"type":kind,"attributes":{…}}}, and returns data. It may have the others too.
func resource(body []byte, kind string, others ...string) (data []byte, ps problems) {
	bad := problems{invalid("/data", payloadInvalid)}
	if !validJSON(body) {
		return nil, bad
	}
	if ps := onlyMembers(walk(body).b, "", kind, "data"); ps != nil {
		return nil, ps
	}
	if data = find(body, "data"); data == nil {
		return nil, bad
	}
	if ps := onlyMembers(data, "/data", kind, append([]string{"type", "attributes"}, others...)...); ps != nil {
		return nil, ps
	}
	if said := find(data, "type"); said == nil || string(said) != `"`+kind+`"` {
		return nil, problems{invalid("/data/type", "The type must be '%s'.", kind)}
	}
	if attributes := find(data, "attributes"); attributes == nil || !isObject(attributes) {
		return nil, bad
	}
	return data, nil
}

// onlyMembers returns a problem for what is no object, and for each member that is not one of the names.
func onlyMembers(object []byte, pointer, kind string, names ...string) (ps problems) {
	if !isObject(object) {
		return problems{invalid(pointer, payloadInvalid)}
	}
	members(object, func(_, name, _ []byte) {
		if !slices.Contains(names, string(name)) {
			ps = append(ps, unknownField(pointer, name, kind))
		}
	})
	return ps
}

// parseIdentifiers reads an array of {"type":kind,"id":ID}.
func parseIdentifiers(array []byte, kind, pointer string) (ids []string, ps problems) {
	elements(array, func(i int, value []byte) {
		at := fmt.Sprintf("%s/%d", pointer, i)
		if found := onlyMembers(value, at, kind, "type", "id"); found != nil {
			ps = append(ps, found...)
			return
		}
		id := find(value, "id")
		if said := find(value, "type"); said == nil || string(said) != `"`+kind+`"` || id == nil || id[0] != '"' {
			ps = append(ps, invalid(at, payloadInvalid))
			return
		}
		s, _ := text(id)
		ids = append(ids, string(s))
	})
	return ids, ps
}

func unknownField(pointer string, name []byte, kind string) problem {
	return invalid(pointer+"/"+string(name), "'%s' is not a valid field for the resource '%s'.", name, kind)
}

func wrongType(pointer, name, wanted string) problem {
	return invalid(pointer, "'%s' must be of type %s or null.", name, wanted)
}
