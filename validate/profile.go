package validate

import (
	"fmt"
	"unicode/utf8"
)

// encode appends the row with its profile to out, or returns what is wrong with a column and appends nothing.
func (c *Checker) encode(s *Scratch, out *Rows) *Fault {
	switch {
	case c.operation == Remove:
		return c.encodeRemoval(s, out)
	case c.operation.consents():
		return c.encodeConsent(s, out)
	}
	start := len(out.Data)
	if c.clearNulls {
		if fault := s.findNulls(); fault != nil {
			return fault
		}
	}
	data, key, fault := c.appendAttributes(append(out.Data, `{"type":"profile","attributes":{`...), s)
	if fault != nil {
		out.Data = data[:start] // keeps what data has grown by
		return fault
	}
	data = s.appendGroup(data, `"location":{`, s.places)
	data = s.appendGroup(data, `"properties":{`, s.customs)
	data[len(data)-1] = '}'
	unset := 0
	if c.clearNulls {
		data, unset = s.appendUnset(data)
	}
	data = append(data, '}')
	if n := len(data) - start; n > maxProfile {
		out.Data = data[:start]
		return &Fault{Code: ProfileTooLarge, Detail: fmt.Sprintf(
			"expected a profile of at most %d bytes, got %d; leave columns out with --drop", maxProfile, n)}
	}
	out.Data = data
	out.accept(start, key, c.identity(s))
	if c.clearNulls {
		s.countNulls()
		out.Rows[len(out.Rows)-1].Unset = uint32(unset)
	}
	return nil
}

// encodeRemoval appends what removes the person: the profile's element for a profile id, else the identifier alone.
func (c *Checker) encodeRemoval(s *Scratch, out *Rows) *Fault {
	start := len(out.Data)
	if fault := c.checkContext(s); fault != nil {
		return fault
	}
	if c.key == profileID {
		out.Data = append(out.Data, `{"type":"profile","id":`...)
	}
	key := span{start: len(out.Data)}
	out.Data = c.appendKey(out.Data, s)
	key.end = len(out.Data)
	if c.key == profileID {
		out.Data = append(out.Data, '}')
	}
	out.accept(start, key, c.identity(s))
	return nil
}

// checkContext checks the members that tell the country of a phone number, in a row that has no other profile.
func (c *Checker) checkContext(s *Scratch) *Fault {
	if p := s.filled[country]; p != 0 && s.filled[phoneNumber] != 0 {
		return s.checkMember(s.member(p))
	}
	return nil
}

// appendKey appends the identifier as it is sent, a JSON string.
func (c *Checker) appendKey(data []byte, s *Scratch) []byte {
	if c.key == externalID {
		return appendText(data, string(s.key))
	}
	return appendQuoted(data, s.key) // the others need no escapes
}

// identity is what tells a person from others: emails are compared without regard to case.
func (c *Checker) identity(s *Scratch) []byte {
	if c.key == email {
		return s.lowerKey()
	}
	return s.key
}

// appendAttributes appends the attributes, each with a comma, and sorts the other members into places and customs.
// key is where the identifier is. With a fault, data ends in the middle of a profile.
func (c *Checker) appendAttributes(data []byte, s *Scratch) (_ []byte, key span, fault *Fault) {
	s.places, s.customs = s.places[:0], s.customs[:0]
	var r run
	for i := range s.scan.members {
		m := &s.scan.members[i]
		if m.kind == null {
			continue
		}
		switch e := &s.columns.entries[m.column]; e.target {
		case custom:
			s.customs = append(s.customs, place(i+1))
		case dropped, listed:
		case c.key:
			if size := len(s.key) + len(`""`); c.key == email && !m.valueEscaped && int(m.end-m.value) == size && s.verbatim(m) {
				data = s.appendMember(data, &r, m) // the key as the row has it
				key.start = len(data) + int(m.value-r.start)
				key.end = key.start + size
				continue
			}
			data = append(s.appendRun(data, &r), e.label...)
			key.start = len(data)
			data = c.appendKey(data, s)
			key.end = len(data)
			data = append(data, ',')
		case email:
			data, fault = s.appendEmail(s.appendRun(data, &r), m)
		case phoneNumber:
			data, fault = c.appendPhone(s.appendRun(data, &r), m, s)
		case propertiesObject, locationObject:
			fault = s.sortNested(m, e.target)
		default:
			if m.kind != text || !e.target.anyText() {
				fault = s.checkMember(m)
			}
			if e.target.isLocation() {
				s.places = append(s.places, place(i+1))
			} else {
				data = s.appendMember(data, &r, m)
			}
		}
		if fault != nil {
			return data, span{}, fault
		}
	}
	return s.appendRun(data, &r), key, nil
}

// appendEmail appends an address that does not name the person, with a comma.
func (s *Scratch) appendEmail(data []byte, m *member) ([]byte, *Fault) {
	if m.kind != text {
		return data, s.notText(m)
	}
	value := trim(s.scan.text(m))
	if !validEmail(value) {
		return data, &Fault{EmailInvalid, cutName(s.column(m)), quoteThen(value, emailReason(value))}
	}
	data = append(data, s.columns.entries[m.column].label...)
	return append(appendQuoted(data, value), ','), nil
}

// sortNested sorts the members of the location or properties object m into places or customs.
func (s *Scratch) sortNested(m *member, t target) *Fault {
	if m.kind != object {
		return wrongType(s.column(m), m.kind, "an object", "")
	}
	list := &s.customs
	if t == locationObject {
		list = &s.places
	}
	for i := m.first; i < m.first+m.members; i++ {
		n := &s.scan.nested[i]
		if n.kind == null {
			continue
		}
		if n.kind != text || !s.columns.entries[n.column].target.anyText() {
			if f := s.checkMember(n); f != nil {
				return f
			}
		}
		*list = append(*list, s.nestedPlace(i))
	}
	return nil
}

const maxExternalID = 255 // characters

// checkMember checks name and type of a member that is not null.
func (s *Scratch) checkMember(m *member) *Fault {
	switch t := s.columns.entries[m.column].target; t {
	case custom:
		return nil
	case reserved:
		return s.reservedName(m)
	case unknownMember:
		return &Fault{TypeWrong, cutName(s.column(m)), "Klaviyo's location has no member " +
			quote(s.columns.name(m.column)) + "; make it a column of its own or leave it out"}
	case latitude, longitude:
		if m.kind != text && m.kind != number {
			return wrongType(s.column(m), m.kind, "a number or a string", "")
		}
	case externalID:
		if m.kind == text && m.end-m.value > maxExternalID+2 {
			if n := utf8.RuneCount(s.scan.text(m)); n > maxExternalID {
				return &Fault{TypeWrong, cutName(s.column(m)), fmt.Sprintf(
					"column %s: expected at most %d characters, got %d", quote(s.column(m)), maxExternalID, n)}
			}
		}
		fallthrough
	default:
		if m.kind != text {
			return s.notText(m)
		}
	}
	return nil
}

// appendGroup appends an object of members with a comma, or nothing when there are no members.
func (s *Scratch) appendGroup(data []byte, opening string, members []place) []byte {
	if len(members) == 0 {
		return data
	}
	data = append(data, opening...)
	var r run
	for _, p := range members {
		data = s.appendMember(data, &r, s.member(p))
	}
	data = s.appendRun(data, &r)
	data[len(data)-1] = '}'
	return append(data, ',')
}

// run is a stretch of the line: members that stand side by side and are appended as they are, in one go.
type run struct{ start, end uint32 }

// appendRun appends the members of r with a comma, if there are any, and empties r.
func (s *Scratch) appendRun(data []byte, r *run) []byte {
	if r.end == 0 {
		return data
	}
	data = append(data, s.scan.line[r.start:r.end]...)
	*r = run{}
	return append(data, ',')
}

// verbatim reports whether a member goes into the profile byte for byte.
func (s *Scratch) verbatim(m *member) bool {
	return m.value == m.nameEnd+2 && !s.renamed(m)
}

// renamed reports whether a member goes into the profile under another name than the row has.
func (s *Scratch) renamed(m *member) bool {
	e := &s.columns.entries[m.column]
	return e.mapped && e.label != "" || m.nameEscaped && e.label != ""
}

// appendMember appends a member with a comma: its value byte for byte, under the name that Klaviyo knows. A member that
// is to be appended as it is may stay in r, which has those before it, for a later call of appendRun.
func (s *Scratch) appendMember(data []byte, r *run, m *member) []byte {
	line := s.scan.line
	if s.verbatim(m) {
		if r.end != 0 && r.end+1 == m.name-1 { // only a comma is between them
			r.end = m.end
			return data
		}
		data = s.appendRun(data, r)
		*r = run{m.name - 1, m.end}
		return data
	}
	data = s.appendRun(data, r)
	if s.renamed(m) {
		data = append(data, s.columns.entries[m.column].label...)
	} else {
		data = append(append(data, line[m.name-1:m.nameEnd+1]...), ':')
	}
	return append(append(data, line[m.value:m.end]...), ',')
}

// appendName appends the name that Klaviyo knows of a custom property, as a JSON string.
func (s *Scratch) appendName(data []byte, m *member) []byte {
	if e := &s.columns.entries[m.column]; e.mapped {
		return append(data, e.label[:len(e.label)-1]...)
	}
	return append(data, s.scan.line[m.name-1:m.nameEnd+1]...)
}

// appendQuoted appends a value that needs no escapes as a JSON string.
func appendQuoted(data, value []byte) []byte {
	data = append(data, '"')
	data = append(data, value...)
	return append(data, '"')
}
