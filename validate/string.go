package validate

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str reads the string whose first character is at i and returns the offset after its closing quote.
func (s *scanner) str(i int) (end int, escaped bool) {
	p, start := s.line, i
	other := uint64(0) // has a high bit when some byte before i is not ASCII
	for {
		// The lowest marked byte is the first quote, backslash or control character. Higher marks may be false.
		for i+8 <= len(p) {
			w := binary.LittleEndian.Uint64(p[i:])
			quote, slash := w^('"'*ones), w^('\\'*ones)
			marks := ((quote-ones)&^quote | (slash-ones)&^slash | (w-' '*ones)&^w) & highs
			if marks != 0 {
				other |= w & (marks - 1) &^ marks // the bytes before the mark
				i += bits.TrailingZeros64(marks) / 8
				break
			}
			other |= w
			i += 8
		}
		for i < len(p) && p[i] != '"' && p[i] != '\\' && p[i] >= ' ' {
			other |= uint64(p[i])
			i++
		}
		switch {
		case i >= len(p):
			return s.fail(cut, i), escaped
		case p[i] == '"':
			if other&highs != 0 && !utf8.Valid(p[start:i]) {
				return s.fail(notText, start), escaped
			}
			return i + 1, escaped
		case p[i] < ' ':
			return s.fail(rawControl, i), escaped
		}
		if i = s.escape(i); i < 0 {
			return i, true
		}
		escaped = true
	}
}

// escape reads the escape at i and returns the offset after it.
func (s *scanner) escape(i int) int {
	p := s.line
	if i+1 >= len(p) {
		return s.fail(cut, i+1)
	}
	switch p[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
	default:
		return s.fail(badEscape, i)
	}
	unit, n := hex(p[i+2:])
	if n < 4 {
		return s.badHex(i, i+2+n)
	}
	if !utf16.IsSurrogate(unit) {
		return i + 6
	}
	if unit >= 0xDC00 {
		return s.fail(loneSurrogate, i)
	}
	low := i + 6
	if low >= len(p) || p[low] == '\\' && low+1 >= len(p) {
		return s.fail(cut, len(p))
	}
	if p[low] != '\\' || p[low+1] != 'u' {
		return s.fail(loneSurrogate, i)
	}
	unit, n = hex(p[low+2:])
	if n < 4 {
		return s.badHex(low, low+2+n)
	}
	if unit < 0xDC00 || unit > 0xDFFF {
		return s.fail(loneSurrogate, i)
	}
	return low + 6
}

// badHex fails an escape at i whose byte at wrong is not hexadecimal: it is cut when the line ends there.
func (s *scanner) badHex(i, wrong int) int {
	if wrong >= len(s.line) {
		return s.fail(cut, wrong)
	}
	return s.fail(badEscape, i)
}

// hex reads up to four hexadecimal digits and returns their value and number.
func hex(p []byte) (r rune, n int) {
	for n < 4 && n < len(p) {
		c := p[n]
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return r, n
		}
		r = r<<4 | rune(c)
		n++
	}
	return r, n
}

// name returns the decoded name of m. It is valid until the next string is decoded.
func (s *scanner) name(m *member) []byte {
	raw := s.line[m.name:m.nameEnd]
	if m.nameEscaped {
		return s.unescape(raw)
	}
	return raw
}

// text returns the decoded string that is the value of m. It is valid until the next string is decoded.
func (s *scanner) text(m *member) []byte {
	raw := s.line[m.value+1 : m.end-1]
	if m.valueEscaped {
		return s.unescape(raw)
	}
	return raw
}

// unescape decodes the inside of a string that was scanned without a problem.
func (s *scanner) unescape(raw []byte) []byte {
	d := s.decoded[:0]
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '\\' {
			i++
			switch c = raw[i]; c {
			case 'b':
				c = '\b'
			case 'f':
				c = '\f'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			case 'u':
				r, _ := hex(raw[i+1:])
				i += 4
				if utf16.IsSurrogate(r) {
					low, _ := hex(raw[i+3:])
					r = utf16.DecodeRune(r, low)
					i += 6
				}
				d = utf8.AppendRune(d, r)
				continue
			}
		}
		d = append(d, c)
	}
	s.decoded = d
	return d
}
