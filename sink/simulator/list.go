package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// list is one list with its members in the order of joining.
type list struct {
	id, name, optIn  string
	created, updated time.Time
	order            []membership
	at               map[uint32]int // profile → its place in order
}

// membership is a place in a list's order. The place remains after the profile has left.
type membership struct {
	joined  int64 // Unix nanoseconds of a whole second
	profile uint32
	left    bool
}

// join adds a profile and reports whether it was not a member before. For a member nothing changes.
func (l *list) join(profile uint32, now time.Time) bool {
	if _, member := l.at[profile]; member {
		return false
	}
	at := now.Truncate(time.Second).UnixNano()
	if n := len(l.order); n > 0 {
		at = max(at, l.order[n-1].joined) // in order even if the clock steps back
	}
	l.at[profile] = len(l.order)
	l.order = append(l.order, membership{joined: at, profile: profile})
	return true
}

// between returns the first place of the order that the filter's times of joining allow, and the end of them.
func (l *list) between(f filter) (first, end int) {
	end = len(l.order)
	for _, t := range f {
		if t.field != "joined_group_at" {
			continue
		}
		after := t.operator == "greater-than" || t.operator == "less-or-equal"
		place := sort.Search(len(l.order), func(i int) bool {
			joined := time.Unix(0, l.order[i].joined)
			return joined.After(t.at) || !after && joined.Equal(t.at)
		})
		if strings.HasPrefix(t.operator, "greater") {
			first = max(first, place)
		} else {
			end = min(end, place)
		}
	}
	return first, end
}

// leave removes a profile and reports whether it was a member.
func (l *list) leave(profile uint32) bool {
	place, member := l.at[profile]
	if member {
		l.order[place].left = true
		delete(l.at, profile)
	}
	return member
}

// joinAhead adds a profile in the second in which the newest member joined, ahead of all others of that second.
func (l *list) joinAhead(profile uint32) {
	newest := l.newest().UnixNano()
	place := sort.Search(len(l.order), func(i int) bool { return l.order[i].joined >= newest })
	l.order = slices.Insert(l.order, place, membership{joined: newest, profile: profile})
	for i := place; i < len(l.order); i++ {
		if !l.order[i].left {
			l.at[l.order[i].profile] = i
		}
	}
}

// newest returns the last second in which somebody joined. A list that nobody joined has the zero time.
func (l *list) newest() time.Time {
	if len(l.order) == 0 {
		return time.Time{}
	}
	return time.Unix(0, l.order[len(l.order)-1].joined)
}

// hand gives the membership of a profile to another one, with the time of joining. A member keeps its own.
// changed is the result for the other profile's membership: joined, or unchanged.
func (l *list) hand(from, to uint32) (changed string) {
	place := l.at[from]
	if _, member := l.at[to]; member {
		l.leave(from)
		return unchanged
	}
	delete(l.at, from)
	l.order[place].profile, l.at[to] = to, place
	return joined
}

func (l *list) field(field string) (value string, at time.Time) {
	switch field {
	case "name":
		return l.name, time.Time{}
	case "id":
		return l.id, time.Time{}
	case "created":
		return "", l.created
	}
	return "", l.updated
}

func (s *Simulator) list(id string) *list {
	for _, l := range s.lists {
		if l.id == id {
			return l
		}
	}
	return nil
}

func (s *Simulator) addList(name, optIn string, now time.Time) *list {
	l := &list{id: randomID(), name: name, optIn: optIn, created: now, updated: now, at: map[uint32]int{}}
	for s.list(l.id) != nil {
		l.id = randomID()
	}
	s.lists = append(s.lists, l)
	return l
}

// append appends the resource object of a list.
func (l *list) append(b []byte, c *call, timeJSON func(time.Time) []byte) []byte {
	attributes := []attribute{
		{"name", quote(nil, l.name)},
		{"created", timeJSON(l.created)},
		{"updated", timeJSON(l.updated)},
		{"opt_in_process", quote(nil, l.optIn)},
	}
	if c.additional["list"] {
		attributes = append(attributes, attribute{"profile_count", strconv.AppendInt(nil, int64(len(l.at)), 10)})
	}
	self := c.base + "/api/lists/" + l.id + "/"
	b = c.fields["list"].resource(b, "list", l.id, attributes)
	b = appendRelationship(append(b, `,"relationships":{`...), self, "profiles", nil)
	b = appendRelationship(append(b, ','), self, "tags", nil)
	b = appendRelationship(append(b, ','), self, "flow-triggers", nil)
	return append(appendSelf(append(b, "},"...), self), '}')
}

// getLists is GET /api/lists. Without sort, the order is that of creation.
func (s *Simulator) getLists(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	if s.options.AnyList {
		s.addMissing(c.filter)
	}
	lists := slices.Clone(s.lists)
	name, _ := c.sorting()
	slices.SortStableFunc(lists, func(a, b *list) int {
		switch name {
		case "id":
			return cmp.Compare(a.id, b.id)
		case "name":
			return cmp.Compare(a.name, b.name)
		case "updated":
			return a.updated.Compare(b.updated)
		}
		return 0
	})
	at := func(i int) (*list, bool) { return lists[i], c.filter.holds(lists[i].field) }
	return collection(c, len(lists), at, func(b []byte, l *list) []byte { return l.append(b, c, timeJSON) })
}

// addMissing adds the lists that a filter asks for.
func (s *Simulator) addMissing(f filter) {
	for _, t := range f {
		for _, value := range t.values {
			switch {
			case slices.ContainsFunc(s.lists, func(l *list) bool { v, _ := l.field(t.field); return v == value }):
			case t.field == "name":
				s.addList(value, "single_opt_in", s.options.Now())
			case t.field == "id":
				s.addList("Simulated "+value, "single_opt_in", s.options.Now()).id = value
			}
		}
	}
}

// getList is GET /api/lists/{id}.
func (s *Simulator) getList(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	l := s.list(c.id)
	if l == nil {
		return noSuch("list", c.id).answer()
	}
	return c.document(http.StatusOK, l.append(nil, c, timeJSON))
}

// postList is POST /api/lists. Names need not be unique: no known fact forbids it.
func (s *Simulator) postList(c *call) answer {
	name, optIn, ps := parseList(c.body)
	if ps == nil && name == "" {
		ps = problems{invalid("/data/attributes/name", "The name of a list is required.")}
	}
	if ps != nil {
		return ps.answer()
	}
	s.lock()
	defer s.mu.Unlock()
	l := s.addList(name, cmp.Or(optIn, "double_opt_in"), s.options.Now())
	return c.document(http.StatusCreated, l.append(nil, c, microTimeJSON))
}

// patchList is PATCH /api/lists/{id}.
func (s *Simulator) patchList(c *call) answer {
	name, optIn, ps := parseList(c.body, "id")
	if ps == nil {
		if id := find(find(c.body, "data"), "id"); id == nil || string(id) != `"`+c.id+`"` {
			ps = problems{invalid("/data/id", "The id must be that of the path.")}
		}
	}
	if ps != nil {
		return ps.answer()
	}
	s.lock()
	defer s.mu.Unlock()
	l := s.list(c.id)
	if l == nil {
		return noSuch("list", c.id).answer()
	}
	l.name, l.optIn, l.updated = cmp.Or(name, l.name), cmp.Or(optIn, l.optIn), s.options.Now()
	return c.document(http.StatusOK, l.append(nil, c, timeJSON))
}

// parseList reads the attributes of a list. A null or missing attribute is "".
// others are the members that data may have besides type and attributes.
func parseList(body []byte, others ...string) (name, optIn string, ps problems) {
	data, ps := resource(body, "list", others...)
	if ps != nil {
		return "", "", ps
	}
	const pointer = "/data/attributes"
	members(find(data, "attributes"), func(_, member, value []byte) {
		given, ok := text(value)
		switch at := pointer + "/" + string(member); {
		case string(member) != "name" && string(member) != "opt_in_process":
			ps.unknownField(pointer, member, "list")
		case isNull(value):
		case !ok:
			ps.add(wrongType(at, string(member), "string"))
		case string(member) == "name":
			if name = string(given); strings.TrimSpace(name) == "" {
				ps.invalid(at, "The name of a list must not be blank.")
			}
		default:
			if optIn = string(given); optIn != "single_opt_in" && optIn != "double_opt_in" {
				ps.invalid(at, "'%s' is not one of single_opt_in, double_opt_in.", optIn)
			}
		}
	})
	return name, optIn, ps
}

// deleteList is DELETE /api/lists/{id}. It keeps the profiles.
func (s *Simulator) deleteList(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	l := s.list(c.id)
	if l == nil {
		return noSuch("list", c.id).answer()
	}
	s.lists = slices.DeleteFunc(s.lists, func(other *list) bool { return other == l })
	return answer{status: http.StatusNoContent}
}
