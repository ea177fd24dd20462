package validate

import (
	"fmt"
	"unicode/utf8"
)

// encode appends the row with its profile to out, or returns what is wrong with a column and appends nothing.
func (c *Checker) encode(s *Scratch, out *Rows) *Fault {
	start := len(out.Data)
	if c.operation == Remove {
		out.Data = append(out.Data, `{"type":"profile","id":`...)
		key := len(out.Data)
		out.Data = append(appendQuoted(out.Data, s.key), '}')
		out.accept(start, key, key+len(s.key)+2, s.key)
		return nil
	}
	data, key, fault := c.appendAttributes(append(out.Data, `{"type":"profile","attributes":{`...), s)
	if fault != nil {
		out.Data = data[:start] // keeps what data has grown by
		return fault
	}
	data = s.appendGroup(data, `"location":{`, s.places)
	data = s.appendGroup(data, `"properties":{`, s.customs)
	data[len(data)-1] = '}'
	data = append(data, '}')
	if n := len(data) - start; n > maxProfile {
		out.Data = data[:start]
		return &Fault{Code: ProfileTooLarge, Detail: fmt.Sprintf(
			"expected a profile of at most %d bytes, got %d; leave columns out with --drop", maxProfile, n)}
	}
	out.Data = data
	out.accept(start, key, key+len(s.key)+2, s.lowerKey())
	return nil
}

// appendAttributes appends the attributes, each with a comma, and sorts the other members into places and customs.
// key is where the email begins. With a fault, data ends in the middle of a profile.
func (c *Checker) appendAttributes(data []byte, s *Scratch) (_ []byte, key int, fault *Fault) {
	s.places, s.customs = s.places[:0], s.customs[:0]
	for i := range s.scan.members {
		m := &s.scan.members[i]
		if m.kind == null {
			continue
		}
		switch e := &s.columns.entries[m.column]; e.target {
		case custom:
			s.customs = append(s.customs, place(i+1))
		case dropped:
		case email:
			data = append(data, e.label...)
			key = len(data)
			data = append(appendQuoted(data, s.key), ',')
		case phoneNumber:
			data, fault = c.appendPhone(data, m, s)
		case propertiesObject, locationObject:
			fault = s.sortNested(m, e.target)
		default:
			if fault = s.checkMember(m); fault != nil {
				break
			}
			if e.target.isLocation() {
				s.places = append(s.places, place(i+1))
			} else {
				data = s.appendMember(data, m)
			}
		}
		if fault != nil {
			return data, 0, fault
		}
	}
	return data, key, nil
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
		if f := s.checkMember(n); f != nil {
			return f
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
	for _, p := range members {
		data = s.appendMember(data, s.member(p))
	}
	data[len(data)-1] = '}'
	return append(data, ',')
}

// appendMember appends a member with a comma: its value byte for byte, under the name that Klaviyo knows.
func (s *Scratch) appendMember(data []byte, m *member) []byte {
	line := s.scan.line
	e := &s.columns.entries[m.column]
	switch {
	case e.label != "" && (e.mapped || m.nameEscaped):
		data = append(data, e.label...)
		data = append(data, line[m.value:m.end]...)
	case m.value == m.nameEnd+2:
		data = append(data, line[m.name-1:m.end]...)
	default:
		data = append(data, line[m.name-1:m.nameEnd+1]...)
		data = append(data, ':')
		data = append(data, line[m.value:m.end]...)
	}
	return append(data, ',')
}

// appendQuoted appends a value that needs no escapes as a JSON string.
func appendQuoted(data, value []byte) []byte {
	data = append(data, '"')
	data = append(data, value...)
	return append(data, '"')
}
