package validate

import (
	"fmt"
	"unicode/utf8"
)

// encode appends the row with its profile, or returns what is wrong with a column and leaves r as it was.
func (c *Checker) encode(r *Rows) *Fault {
	start := len(r.Data)
	if c.operation == Remove {
		r.Data = append(r.Data, `{"type":"profile","id":`...)
		key := len(r.Data)
		r.Data = append(appendQuoted(r.Data, r.key), '}')
		r.accept(start, key, false)
		return nil
	}
	r.Data = append(r.Data, `{"type":"profile","attributes":{`...)
	key, fault := c.attributes(r)
	if fault != nil {
		r.Data = r.Data[:start]
		return fault
	}
	r.group(`"location":{`, r.places)
	r.group(`"properties":{`, r.customs)
	r.Data[len(r.Data)-1] = '}'
	r.Data = append(r.Data, '}')
	if n := len(r.Data) - start; n > MaxProfile {
		r.Data = r.Data[:start]
		return &Fault{Code: ProfileTooLarge, Detail: fmt.Sprintf("the profile is %d bytes long, and Klaviyo takes %d: leave columns out (--drop)", n, MaxProfile)}
	}
	r.accept(start, key, true)
	return nil
}

// attributes appends the attributes, each with a comma, and sorts the other members into places and customs. It returns
// where the email begins.
func (c *Checker) attributes(r *Rows) (key int, fault *Fault) {
	r.places, r.customs = r.places[:0], r.customs[:0]
	for i := range r.scan.members {
		m := &r.scan.members[i]
		if m.kind == null {
			continue
		}
		switch e := &r.columns.entries[m.column]; e.target {
		case custom:
			r.customs = append(r.customs, place(i+1))
		case dropped:
		case email:
			r.Data = append(r.Data, e.label...)
			key = len(r.Data)
			r.Data = append(appendQuoted(r.Data, r.key), ',')
		case phoneNumber:
			fault = c.phone(r, m)
		case propertiesObject, locationObject:
			fault = r.nested(m, e.target)
		default:
			if fault = r.checkMember(m); fault != nil {
				break
			}
			if e.target.isLocation() {
				r.places = append(r.places, place(i+1))
			} else {
				r.append(m)
			}
		}
		if fault != nil {
			return 0, fault
		}
	}
	return key, nil
}

// nested sorts the members of the location or properties object m into places or customs.
func (r *Rows) nested(m *member, t target) *Fault {
	if m.kind != object {
		return typeWrong(r.column(m), m.kind, "an object")
	}
	list := &r.customs
	if t == locationObject {
		list = &r.places
	}
	for i := m.first; i < m.first+m.members; i++ {
		n := &r.scan.nested[i]
		if n.kind == null {
			continue
		}
		if f := r.checkMember(n); f != nil {
			return f
		}
		*list = append(*list, r.nestedPlace(i))
	}
	return nil
}

const maxExternalID = 255

// checkMember checks name and type of a member that isn't null.
func (r *Rows) checkMember(m *member) *Fault {
	switch t := r.columns.entries[m.column].target; t {
	case custom:
		return nil
	case reserved:
		return r.nameReserved(m)
	case stranger:
		return &Fault{TypeWrong, cutName(r.column(m)), "Klaviyo's location has no member " + quote(r.columns.name(m.column)) + ": make it a column of its own, or leave it out"}
	case latitude, longitude:
		if m.kind != text && m.kind != number {
			return typeWrong(r.column(m), m.kind, "a number or a string")
		}
	case externalID:
		if m.kind == text && m.end-m.value > maxExternalID+2 {
			if n := utf8.RuneCount(r.scan.text(m)); n > maxExternalID {
				return &Fault{TypeWrong, cutName(r.column(m)), fmt.Sprintf("the external id has %d characters, and Klaviyo takes %d", n, maxExternalID)}
			}
		}
		fallthrough
	default:
		if m.kind != text {
			return typeWrong(r.column(m), m.kind, "a string: cast it to text")
		}
	}
	return nil
}

// group appends an object of members with a comma, unless there are none.
func (r *Rows) group(opening string, members []place) {
	if len(members) == 0 {
		return
	}
	r.Data = append(r.Data, opening...)
	for _, p := range members {
		r.append(r.member(p))
	}
	r.Data[len(r.Data)-1] = '}'
	r.Data = append(r.Data, ',')
}

// append appends a member with a comma: its value as it stands in the row, under the name that Klaviyo knows.
func (r *Rows) append(m *member) {
	line, d := r.scan.line, r.Data
	e := &r.columns.entries[m.column]
	switch {
	case e.label != "" && (e.mapped || m.nameEscaped):
		d = append(d, e.label...)
		d = append(d, line[m.value:m.end]...)
	case m.value == m.nameEnd+2:
		d = append(d, line[m.name-1:m.end]...)
	default:
		d = append(d, line[m.name-1:m.nameEnd+1]...)
		d = append(d, ':')
		d = append(d, line[m.value:m.end]...)
	}
	r.Data = append(d, ',')
}

// appendQuoted appends a value that needs no escapes as a JSON string.
func appendQuoted(d, value []byte) []byte {
	d = append(d, '"')
	d = append(d, value...)
	return append(d, '"')
}
