package validate

// problem says why a line is not JSON by RFC 8259 and the other rules for a row.
type problem uint8

const (
	none problem = iota
	cut          // the line ends inside a value
	tooDeep
	badValue
	badNumber
	badEscape
	loneSurrogate
	notText
	rawControl
	noName
	noColon
	noComma
	trailingComma
	afterEnd
)

type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	array
	object
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// member is a member of an object, as offsets into the line.
type member struct {
	name, nameEnd uint32 // without the quotes
	value, end    uint32 // with the quotes of a string
	column        uint32 // its entry in columns, once resolved

	kind           kind
	nameEscaped    bool
	valueEscaped   bool
	first, members uint32 // of a location or properties object: its range in scanner.nested
}

// scanner reads a line once, in constant stack, and keeps the members of the object in it.
type scanner struct {
	line    []byte
	members []member
	nested  []member // the members of objects called location or properties

	problem problem
	at      int // where the problem is, or where the value ends
	decoded []byte
}

// scan reads the line, which has more than white space, and returns the kind of its value. A line without a problem
// is UTF-8. After a problem the members are of no use.
func (s *scanner) scan(line []byte) kind {
	s.line, s.problem = line, none
	s.members, s.nested = s.members[:0], s.nested[:0]
	i := space(line, 0)
	k := object
	if line[i] == '{' {
		s.members, i = s.object(i, 1, s.members)
	} else {
		k, i = s.value(i, 0)
	}
	if i < 0 {
		return k
	}
	if s.at = space(line, i); s.at < len(line) {
		s.fail(afterEnd, s.at)
	}
	return k
}

// fail stores the problem at i and returns -1. At the end of the line the problem is cut.
func (s *scanner) fail(p problem, i int) int {
	if i >= len(s.line) {
		p, i = cut, len(s.line)
	}
	s.problem, s.at = p, i
	return -1
}

// object reads the object at i, on nesting level depth. It appends the members and returns the offset after the
// object.
func (s *scanner) object(i, depth int, members []member) ([]member, int) {
	p := s.line
	i = space(p, i+1)
	if i < len(p) && p[i] == '}' {
		return members, i + 1
	}
	for {
		var m member
		if i >= len(p) || p[i] != '"' {
			return members, s.fail(noName, i)
		}
		m.name = uint32(i + 1)
		if i, m.nameEscaped = s.str(i + 1); i < 0 {
			return members, i
		}
		m.nameEnd = uint32(i - 1)
		if i = s.colon(i); i < 0 {
			return members, i
		}
		m.value = uint32(i)
		switch {
		case p[i] == '"':
			m.kind = text
			i, m.valueEscaped = s.str(i + 1)
		case p[i] == '{' && depth == 1 && s.opened(&m):
			m.kind, m.first = object, uint32(len(s.nested))
			s.nested, i = s.object(i, depth+1, s.nested)
			m.members = uint32(len(s.nested)) - m.first
		default:
			m.kind, i = s.value(i, depth)
		}
		if i < 0 {
			return members, i
		}
		m.end = uint32(i)
		members = append(members, m)

		i = space(p, i)
		if i < len(p) && p[i] == '}' {
			return members, i + 1
		}
		if i >= len(p) || p[i] != ',' {
			return members, s.fail(noComma, i)
		}
		i = space(p, i+1)
		if i < len(p) && p[i] == '}' {
			return members, s.fail(trailingComma, i)
		}
	}
}

// opened reports whether the members of the object that m names are read too.
func (s *scanner) opened(m *member) bool {
	name := s.name(m)
	return string(name) == "location" || string(name) == "properties"
}

// dropEmpty makes null of the empty strings among the members.
func (s *scanner) dropEmpty() {
	for _, members := range [...][]member{s.members, s.nested} {
		for i := range members {
			if m := &members[i]; m.kind == text && m.end-m.value == uint32(len(`""`)) {
				m.kind = null
			}
		}
	}
}

// colon returns the offset of the value after the name that ends before i.
func (s *scanner) colon(i int) int {
	p := s.line
	if i = space(p, i); i >= len(p) || p[i] != ':' {
		return s.fail(noColon, i)
	}
	if i = space(p, i+1); i >= len(p) {
		return s.fail(badValue, i)
	}
	return i
}

// space returns the offset after JSON's white space at i.
func space(p []byte, i int) int {
	for i < len(p) && p[i] <= ' ' && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n') {
		i++
	}
	return i
}
