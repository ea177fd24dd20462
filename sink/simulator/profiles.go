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
		return number, s.profiles.all[number].attributes != nil && c.filter.holds(s.profileField(number))
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
		if len(s.profiles.also) == 0 || t.field != "email" || !s.finds(t.operator) {
			continue
		}
		for _, value := range t.values {
			if n, ok := s.profiles.byEmail([]byte(value)); ok && s.profiles.isAnother(n, []byte(value)) {
				t.values = append(t.values, strings.ToLower(s.email(n)))
			}
		}
		slices.Sort(t.values)
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
			return strings.ToLower(s.email(n)), time.Time{}
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
// It makes no garbage for a plain profile, because a walk through a large list spends its time here.
func (s *Simulator) appendProfile(b []byte, c *call, n uint32, joined int64, conversations bool) []byte {
	p := &s.profiles.all[n]
	fields := c.fields["profile"]
	var stored [32][]byte // by place in profileAttributes
	members(p.attributes, func(_, name, value []byte) {
		if i := slices.Index(profileAttributes, string(name)); i >= 0 {
			stored[i] = value
		}
	})
	id := s.profiles.id(n)
	b = append(append(append(b, `{"type":"profile","id":"`...), id...), `","attributes":{`...)
	start := len(b)
	named := func(name string) {
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), `":`...)
	}
	if c.wanted == nil {
		for _, name := range profileAttributes {
			c.wanted = append(c.wanted, fields.wants(name))
		}
	}
	for i, name := range profileAttributes {
		if !c.wanted[i] {
			continue
		}
		named(name)
		switch {
		case name == "created":
			b = appendTime(b, time.Unix(0, p.created))
		case name == "updated":
			b = appendTime(b, time.Unix(0, p.updated))
		case name == "location":
			b = appendLocation(b, fields, stored[i])
		case stored[i] != nil:
			b = append(b, stored[i]...)
		case name == "properties":
			b = append(b, "{}"...)
		default:
			b = append(b, "null"...)
		}
	}
	if joined != 0 && fields.wants("joined_group_at") {
		named("joined_group_at")
		b = appendTime(b, time.Unix(0, joined))
	}
	if c.additional["profile"] && fields.wants("subscriptions") {
		named("subscriptions")
		b = fields.prune(b, "subscriptions", s.appendSubscriptions(nil, n))
	}
	b = append(b, `},"relationships":{`...)
	start = len(b)
	self := quote(make([]byte, 0, 128), c.base) // the rest of the link needs no escapes
	self = append(append(append(self[:len(self)-1], "/api/profiles/"...), id...), '/')
	link := func(key, kind, name string) {
		b = append(append(append(append(append(b, key...), self...), kind...), name...), `/"`...)
	}
	for _, name := range []string{"lists", "segments", "push-tokens", "conversations"} {
		if name == "conversations" && !conversations {
			break
		}
		named(name)
		link(`{"links":{"self":`, "relationships/", name)
		link(`,"related":`, "", name)
		b = append(b, "}}"...)
	}
	return append(append(append(b, `},"links":{"self":`...), self...), `"}}`...)
}

// appendLocation appends all members of a location, with null for a missing one, or the members requested as
// location.NAME.
func appendLocation(b []byte, requested fieldset, stored []byte) []byte {
	attributes := make([]attribute, 0, 10)
	for _, name := range locationAttributes {
		if requested == nil || requested["location"] || requested["location."+name] {
			a := attribute{name: name}
			if stored != nil {
				a.value = find(stored, name)
			}
			attributes = append(attributes, a)
		}
	}
	return fieldset(nil).object(b, attributes)
}

// appendTime appends a time to the second, as Klaviyo writes it in most answers.
func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, `"2006-01-02T15:04:05+00:00"`)
}

// timeJSON writes a time to the second, as Klaviyo does in most answers.
func timeJSON(t time.Time) []byte { return appendTime(nil, t) }

// microTimeJSON writes a time to the microsecond, as in answers to POST /api/lists and to GET of all import jobs.
func microTimeJSON(t time.Time) []byte {
	return strconv.AppendQuote(nil, t.UTC().Format("2006-01-02T15:04:05.000000+00:00"))
}
