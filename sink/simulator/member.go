package simulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxMembers is the most profiles that one call adds to a list or removes from it.
const maxMembers = 1000

// getMembers is GET /api/lists/{id}/profiles and …/relationships/profiles, in the order of joining.
func (s *Simulator) getMembers(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	l := s.list(c.id)
	if l == nil {
		return noSuch("list", c.id).answer()
	}
	c.filter = s.alsoFound(c.filter)
	places, all := s.places(l, c.filter)
	n := len(places)
	if all {
		c.first, n = l.between(c.filter)
	}
	at := func(i int) (membership, bool) {
		if !all {
			i = places[i]
		}
		m := l.order[i]
		return m, !m.left && c.filter.holds(s.memberField(m))
	}
	return collection(c, n, at, func(b []byte, m membership) []byte {
		if c.relationship {
			return appendIdentifier(b, "profile", s.profiles.id(m.profile))
		}
		return s.appendProfile(b, c, m.profile, m.joined, false)
	})
}

// places returns the places in the order of members that include every match of the filter. all is true instead if the
// filter names no identifier.
func (s *Simulator) places(l *list, f filter) (places []int, all bool) {
	numbers, all := s.candidates(f)
	for _, n := range numbers {
		if place, member := l.at[n]; member {
			places = append(places, place)
		}
	}
	slices.Sort(places)
	return places, all
}

func (s *Simulator) memberField(m membership) func(field string) (value string, at time.Time) {
	return func(field string) (string, time.Time) {
		if field == "joined_group_at" {
			return "", time.Unix(0, m.joined)
		}
		return s.profileField(m.profile)(field)
	}
}

// postMembers is POST /api/lists/{id}/relationships/profiles.
func (s *Simulator) postMembers(c *call) answer {
	return s.changeMembers(c, s.joining)
}

// deleteMembers is DELETE /api/lists/{id}/relationships/profiles. It ignores profiles that are not members: a choice.
func (s *Simulator) deleteMembers(c *call) answer {
	return s.changeMembers(c, s.leaving)
}

// changeMembers changes all or nothing. One error names all ids that have no profile: recorded for DELETE with one id,
// and a choice for POST and for the comma between several.
func (s *Simulator) changeMembers(c *call, change func(*list, uint32, time.Time, cause)) answer {
	ids, ps := parseMembers(c.body)
	if ps != nil {
		return ps.answer()
	}
	s.lock()
	defer s.mu.Unlock()
	l := s.list(c.id)
	if l == nil {
		return noSuch("list", c.id).answer()
	}
	numbers := make([]uint32, 0, len(ids))
	var unknown []string
	for _, id := range ids {
		n, ok := s.profiles.byID(id)
		switch {
		case ok:
			numbers = append(numbers, n)
		case !s.options.AnyProfile && !slices.Contains(unknown, id): // each once: a choice
			unknown = append(unknown, id)
		}
	}
	if unknown != nil {
		return invalid("/data/", "Invalid profile IDs: %s", strings.Join(unknown, ", ")).answer()
	}
	now := s.options.Now()
	s.calls++
	for _, n := range numbers {
		change(l, n, now, cause{call: s.calls})
	}
	return answer{status: http.StatusNoContent}
}

// parseMembers reads {"data":[{"type":"profile","id":ID},…]}.
func parseMembers(body []byte) (ids []string, ps problems) {
	bad := problems{invalid("/data", payloadInvalid)}
	if !validJSON(body) {
		return nil, bad
	}
	if ps := onlyMembers(walk(body).b, "", "list", "data"); ps != nil {
		return nil, ps
	}
	data := find(body, "data")
	if data == nil || !isArray(data) {
		return nil, bad
	}
	ids, ps = parseIdentifiers(data, "profile", "/data", maxMembers)
	switch {
	case ps != nil:
		return nil, ps
	case len(ids) == 0:
		return nil, problems{invalid("/data", "At least one profile is required.")}
	}
	return ids, nil
}
