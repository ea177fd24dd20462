package validate

// problem says why a line is no JSON text by RFC 8259 and the further rules of a row.
type problem uint8

const (
	none problem = iota
	cut
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

// member is one member of an object, as offsets into the line.
type member struct {
	name, nameEnd uint32 // without the quotes
	value, end    uint32 // with the quotes of a string
	column        uint32 // its entry in columns, once resolved

	kind           kind
	nameEscaped    bool
	valueEscaped   bool
	first, members uint32 // of a location or properties object: its part of scanner.nested
}

// scanner goes once over a line, in constant stack, and keeps the members of the object in it.
type scanner struct {
	line    []byte
	members []member
	nested  []member // the members of objects called location or properties

	problem problem
	at      int // where the problem is, or where the value ends
	decoded []byte
}

// scan reads the line, which holds more than white space, and returns the kind of its value. A line without a problem is UTF-8.
// The members count only when there is no problem.
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

// fail notes the problem at i and returns -1. At the end of the line it is the end that is the problem.
func (s *scanner) fail(p problem, i int) int {
	if i >= len(s.line) {
		p, i = cut, len(s.line)
	}
	s.problem, s.at = p, i
	return -1
}

// object reads the object at i, on nesting level depth, appends its members and returns the offset after it.
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

// opened says whether the members of the object that m names are wanted too.
func (s *scanner) opened(m *member) bool {
	name := s.name(m)
	return string(name) == "location" || string(name) == "properties"
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

// value reads the value at i, around which depth levels are open, and returns its kind and the offset after it.
func (s *scanner) value(i, depth int) (kind, int) {
	switch c := s.line[i]; c {
	case '"':
		i, _ = s.str(i + 1)
		return text, i
	case '{':
		return object, s.skip(i, depth)
	case '[':
		return array, s.skip(i, depth)
	case 't':
		return boolean, s.literal(i, "true")
	case 'f':
		return boolean, s.literal(i, "false")
	case 'n':
		return null, s.literal(i, "null")
	default:
		if c == '-' || c-'0' <= 9 {
			return number, s.number(i)
		}
		return null, s.fail(badValue, i)
	}
}

// skip reads the object or array at i and returns the offset after it. open has one bit a level, set for objects.
func (s *scanner) skip(i, depth int) int {
	p := s.line
	var open [(MaxDepth + 63) / 64]uint64
	outside := depth
	for {
		switch c := p[i]; c {
		case '{', '[':
			if depth == MaxDepth {
				return s.fail(tooDeep, i)
			}
			word, bit := depth/64, uint64(1)<<(depth%64)
			depth++
			i = space(p, i+1)
			if c == '[' {
				open[word] &^= bit
				if i >= len(p) {
					return s.fail(badValue, i)
				}
				if p[i] != ']' {
					continue
				}
			} else {
				open[word] |= bit
				if i >= len(p) || p[i] != '}' {
					if i = s.member(i); i < 0 {
						return i
					}
					continue
				}
			}
			depth--
			i++
		default:
			if _, i = s.value(i, depth); i < 0 {
				return i
			}
		}
		if i, depth = s.after(i, depth, outside, &open); i < 0 || depth == outside {
			return i
		}
	}
}

// member reads a name and its colon at i and returns the offset of the value.
func (s *scanner) member(i int) int {
	if i >= len(s.line) || s.line[i] != '"' {
		return s.fail(noName, i)
	}
	if i, _ = s.str(i + 1); i < 0 {
		return i
	}
	return s.colon(i)
}

// after closes what ends after the value that ends at i. It returns the offset and depth of the next value, or, when depth
// has come down to outside, the offset after the whole.
func (s *scanner) after(i, depth, outside int, open *[(MaxDepth + 63) / 64]uint64) (int, int) {
	p := s.line
	for depth > outside {
		closing := byte(']')
		level := depth - 1
		isObject := open[level/64]>>(level%64)&1 == 1
		if isObject {
			closing = '}'
		}
		i = space(p, i)
		switch {
		case i < len(p) && p[i] == closing:
			depth--
			i++
			continue
		case i >= len(p) || p[i] != ',':
			return s.fail(noComma, i), depth
		}
		i = space(p, i+1)
		switch {
		case i < len(p) && p[i] == closing:
			return s.fail(trailingComma, i), depth
		case isObject:
			return s.member(i), depth
		case i >= len(p):
			return s.fail(badValue, i), depth
		}
		return i, depth
	}
	return i, depth
}

func (s *scanner) literal(i int, word string) int {
	rest := s.line[i:]
	if len(rest) >= len(word) && string(rest[:len(word)]) == word {
		return i + len(word)
	}
	if len(rest) < len(word) && string(rest) == word[:len(rest)] {
		return s.fail(cut, len(s.line))
	}
	return s.fail(badValue, i)
}

func (s *scanner) number(i int) int {
	p, start := s.line, i
	if p[i] == '-' {
		i++
	}
	whole := digits(p, i)
	if whole == i || p[i] == '0' && whole > i+1 {
		return s.badDigits(start, i)
	}
	if i = whole; i < len(p) && p[i] == '.' {
		part := digits(p, i+1)
		if part == i+1 {
			return s.badDigits(start, part)
		}
		i = part
	}
	if i < len(p) && p[i]|0x20 == 'e' {
		i++
		if i < len(p) && (p[i] == '+' || p[i] == '-') {
			i++
		}
		exponent := digits(p, i)
		if exponent == i {
			return s.badDigits(start, i)
		}
		i = exponent
	}
	return i
}

// badDigits tells a number that is cut by the end of the line from one that is wrong at wrong.
func (s *scanner) badDigits(start, wrong int) int {
	if wrong >= len(s.line) {
		return s.fail(cut, wrong)
	}
	return s.fail(badNumber, start)
}

// digits returns the offset after the digits at i.
func digits(p []byte, i int) int {
	for i < len(p) && p[i]-'0' <= 9 {
		i++
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
