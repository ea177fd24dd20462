package simulator

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// getProfiles is GET /api/profiles. Without sort, the order is that of creation.
func (s *Simulator) getProfiles(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	c.filter = s.alsoFound(c.filter)
	numbers, all := s.candidates(c.filter)
	if name, _ := c.sorting(); name == "email" || name == "updated" {
		for n := 0; all && n < len(s.profiles.all); n++ {
			numbers = append(numbers, uint32(n))
		}
		all = false
		slices.SortStableFunc(numbers, func(a, b uint32) int { return s.compareProfiles(name, a, b) })
	}
	n := len(numbers)
	if all {
		n = len(s.profiles.all)
	}
	at := func(i int) (uint32, bool) {
		number := uint32(i)
		if !all {
			number = numbers[i]
		}
		return number, c.filter.holds(s.profileField(number))
	}
	return collection(c, n, at, func(b []byte, n uint32) []byte { return s.appendProfile(b, c, n, 0, true) })
}

// compareProfiles sorts by updated or email. The orders by created and by id are those of the numbers.
func (s *Simulator) compareProfiles(name string, a, b uint32) int {
	x, y := &s.profiles.all[a], &s.profiles.all[b]
	if name == "updated" {
		return cmp.Compare(x.updated, y.updated)
	}
	return bytes.Compare(bytes.ToLower(identifier(x.attributes, name)), bytes.ToLower(identifier(y.attributes, name)))
}

// getProfile is GET /api/profiles/{id}.
func (s *Simulator) getProfile(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	n, ok := s.profiles.byID(c.id)
	if !ok {
		return noSuch("profile", c.id).answer()
	}
	return c.document(200, s.appendProfile(nil, c, n, 0, true))
}

// candidates returns the numbers, in order, of profiles that include every match of the filter.
// all is true instead if the filter names no identifier.
func (s *Simulator) candidates(f filter) (numbers []uint32, all bool) {
	for _, t := range f {
		switch t.field {
		case "id", "email", "phone_number", "external_id":
			for _, value := range t.values {
				numbers = append(numbers, s.named(t.field, value)...)
			}
			slices.Sort(numbers)
			return slices.Compact(numbers), false
		case "_kx", "push_token": // no profile has one
			return nil, false
		}
	}
	return nil, true
}

// alsoFound adds to each term on email the first address of the profiles that have one of its values as another
// address, so that they are found by it and show the first. A plan's also_found says by which operators they are.
func (s *Simulator) alsoFound(f filter) filter {
	for i := range f {
		t := &f[i]
		if t.field != "email" || !s.finds(t.operator) {
			continue
		}
		for _, value := range t.values {
			if n, ok := s.profiles.byEmail([]byte(value)); ok && s.profiles.isAnother(n, []byte(value)) {
				t.values = append(t.values, strings.ToLower(s.email(n)))
			}
		}
	}
	return f
}

// finds reports whether an operator finds a profile by another address than its first.
func (s *Simulator) finds(operator string) bool {
	found := ""
	if s.options.Plan != nil {
		found = s.options.Plan.AlsoFound
	}
	return found == "" || found == "any" || found == operator
}

func (s *Simulator) named(field, value string) []uint32 {
	var n uint32
	var ok bool
	switch field {
	case "id":
		n, ok = s.profiles.byID(value)
	case "email":
		n, ok = s.profiles.byEmail([]byte(value))
	case "phone_number":
		return s.profiles.phone.of([]byte(value))
	case "external_id":
		return s.profiles.external.of([]byte(value))
	}
	if !ok {
		return nil
	}
	return []uint32{n}
}

// profileField returns the fields of a profile as a filter sees them. The email is in lower case.
func (s *Simulator) profileField(n uint32) func(field string) (value string, at time.Time) {
	return func(field string) (string, time.Time) {
		p := &s.profiles.all[n]
		switch field {
		case "id":
			return s.profiles.id(n), time.Time{}
		case "created":
			return "", time.Unix(0, p.created)
		case "updated":
			return "", time.Unix(0, p.updated)
		case "email":
			return string(bytes.ToLower(identifier(p.attributes, field))), time.Time{}
		}
		return string(identifier(p.attributes, field)), time.Time{}
	}
}

// The attributes of a profile and of its location, in the order of Klaviyo's answers.
var (
	profileAttributes = []string{
		"email", "phone_number", "external_id", "first_name", "last_name", "organization", "locale", "title", "image",
		"created", "updated", "last_event_date", "location", "properties",
	}
	locationAttributes = []string{
		"address1", "address2", "city", "country", "latitude", "longitude", "region", "zip", "timezone", "ip",
	}
)

// appendProfile appends the resource object of a profile. joined, if not 0, is when it joined the list being read.
func (s *Simulator) appendProfile(b []byte, c *call, n uint32, joined int64, conversations bool) []byte {
	p := &s.profiles.all[n]
	id := s.profiles.id(n)
	stored := map[string][]byte{"properties": []byte("{}")}
	members(p.attributes, func(_, name, value []byte) { stored[string(name)] = value })
	attributes := make([]attribute, 0, len(profileAttributes)+2)
	for _, name := range profileAttributes {
		if !c.fields["profile"].wants(name) {
			continue
		}
		switch name {
		case "created":
			stored[name] = timeJSON(time.Unix(0, p.created))
		case "updated":
			stored[name] = timeJSON(time.Unix(0, p.updated))
		case "location":
			stored[name] = appendLocation(nil, c.fields["profile"], stored[name])
		}
		attributes = append(attributes, attribute{name, stored[name]})
	}
	if joined != 0 {
		attributes = append(attributes, attribute{"joined_group_at", timeJSON(time.Unix(0, joined))})
	}
	if c.additional["profile"] && c.fields["profile"].wants("subscriptions") {
		value := c.fields["profile"].prune(nil, "subscriptions", s.appendSubscriptions(nil, n))
		attributes = append(attributes, attribute{"subscriptions", value})
	}
	self := c.base + "/api/profiles/" + id + "/"
	b = c.fields["profile"].resource(b, "profile", id, attributes)
	b = append(b, `,"relationships":{`...)
	for i, name := range []string{"lists", "segments", "push-tokens", "conversations"} {
		if name == "conversations" && !conversations {
			break
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRelationship(b, self, name, nil)
	}
	return append(appendSelf(append(b, "},"...), self), '}')
}

// appendLocation appends all members of a location, with null for a missing one, or the members requested as
// location.NAME.
func appendLocation(b []byte, requested fieldset, stored []byte) []byte {
	values := map[string][]byte{}
	if stored != nil {
		members(stored, func(_, name, value []byte) { values[string(name)] = value })
	}
	var attributes []attribute
	for _, name := range locationAttributes {
		if requested == nil || requested["location"] || requested["location."+name] {
			attributes = append(attributes, attribute{name, values[name]})
		}
	}
	return fieldset(nil).object(b, attributes)
}

// timeJSON writes a time to the second, as Klaviyo does in most answers.
func timeJSON(t time.Time) []byte {
	return strconv.AppendQuote(nil, t.UTC().Format("2006-01-02T15:04:05+00:00"))
}

// microTimeJSON writes a time to the microsecond, as in answers to POST /api/lists and to GET of all import jobs.
func microTimeJSON(t time.Time) []byte {
	return strconv.AppendQuote(nil, t.UTC().Format("2006-01-02T15:04:05.000000+00:00"))
}
