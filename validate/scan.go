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
	columns *columns
	ahead   []byte // the line and a bit of what is behind it in memory
	members []member
	nested  []member // the members of objects called location or properties

	problem problem
	at      int // where the problem is, or where the value ends
	decoded []byte
}

// scan reads the line, which has more than white space, and returns the kind of its value. A line without a problem
// is UTF-8. After a problem the members are of no use.
func (s *scanner) scan(line []byte, c *columns) kind {
	s.line, s.columns, s.problem = line, c, none
	s.ahead = line[:min(len(line)+shortName, cap(line))]
	s.members, s.nested = s.members[:0], s.nested[:0]
	i := space(line, 0)
	k := object
	if line[i] == '{' {
		s.members, i = s.object(i, topLevel, s.members)
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

// object reads the object at i, whose names are of the scope in. It appends the members and returns the offset after
// the object.
func (s *scanner) object(i int, in scope, members []member) ([]member, int) {
	p, depth := s.line, 1
	if in != topLevel {
		depth = 2
	}
	i = space(p, i+1)
	if i < len(p) && p[i] == '}' {
		return members, i + 1
	}
	for {
		if i >= len(p) || p[i] != '"' {
			return members, s.fail(noName, i)
		}
		members = append(members, member{}) // a literal with fields is copied from the stack, which takes longer
		m := &members[len(members)-1]
		m.name = uint32(i + 1)
		if m.column, i = s.columns.short.find(in, s.ahead, i+1, len(p)); m.column != 0 {
			i++
		} else if i, m.nameEscaped = s.str(i); i < 0 {
			return members, i
		}
		m.nameEnd = uint32(i - 1)
		if i+1 < len(p) && p[i] == ':' && p[i+1] > ' ' {
			i++
		} else if i = s.colon(i); i < 0 {
			return members, i
		}
		m.value = uint32(i)
		switch {
		case p[i] == '"':
			m.kind = text
			i, m.valueEscaped = s.str(i + 1)
		case p[i] == '{' && in == topLevel && s.opened(m) != topLevel:
			m.kind, m.first = object, uint32(len(s.nested))
			s.nested, i = s.object(i, s.opened(m), s.nested)
			m.members = uint32(len(s.nested)) - m.first
		default:
			m.kind, i = s.value(i, depth)
		}
		if i < 0 {
			return members, i
		}
		m.end = uint32(i)

		if i = space(p, i); i+1 < len(p) && p[i] == ',' && p[i+1] == '"' {
			i++
			continue
		}
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

// opened returns the scope of the names in the object that m names, topLevel when they are not read.
func (s *scanner) opened(m *member) scope {
	switch string(s.name(m)) {
	case "location":
		return inLocation
	case "properties":
		return inProperties
	}
	return topLevel
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
