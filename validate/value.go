package validate

// value reads the value at i, inside depth open levels, and returns its kind and the offset after it.
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

// skip reads the object or array at i and returns the offset after it. open has one bit per level, set for an object.
func (s *scanner) skip(i, depth int) int {
	p := s.line
	var open [(maxDepth + 63) / 64]uint64
	outside := depth
	for {
		switch c := p[i]; c {
		case '{', '[':
			if depth == maxDepth {
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

// after closes the levels that end after the value that ends at i. It returns the offset and depth of the next value,
// or, when depth is down to outside, the offset after the last closing bracket.
func (s *scanner) after(i, depth, outside int, open *[(maxDepth + 63) / 64]uint64) (int, int) {
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

// number reads the number at i and returns the offset after it.
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

// badDigits fails the number at start whose byte at wrong is not a digit: it is cut when the line ends there.
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
