package phone

import (
	"bytes"
	"unicode/utf8"
)

const (
	maxText   = 250 // bytes; package phonenumbers reads no longer text
	maxDigits = 30  // more than any number has, with every prefix
)

// appendDigits appends the digits of a number to kept, after a + if the number has one. With badCharacter it returns
// the rest of text from that character on.
func appendDigits(kept, text []byte) (digits []byte, _ problem) {
	if len(text) > maxText {
		return nil, longText
	}
	const scheme = "tel:"
	if len(text) >= len(scheme) && bytes.EqualFold(text[:len(scheme)], []byte(scheme)) {
		text = text[len(scheme):]
	}
	if n := len(text); n > 0 && text[n-1] == '0' && isDecimal(text) {
		return nil, decimal
	}
	count := 0
	for rest := text; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch r {
		case ' ', '\u00a0', '-', '.', '(', ')', '/':
		case '+':
			if len(kept) > 0 {
				return nil, secondPlus
			}
			kept = append(kept, '+')
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if count++; count > maxDigits {
				return nil, manyDigits
			}
			kept = append(kept, byte(r))
		default:
			if isDecimal(text) {
				return nil, decimal
			}
			return rest, badCharacter
		}
		rest = rest[n:]
	}
	if count == 0 {
		return nil, noDigits
	}
	return kept, 0
}

// isDecimal reports whether a text is a decimal number as programs write it: digits with an exponent, such as
// 4.93E+11, or with zeros after a point, such as 493012345.0. A single 0 after the last point of any text counts too.
func isDecimal(text []byte) bool {
	t := bytes.TrimLeft(bytes.TrimSpace(text), "+-")
	whole := countDigits(t)
	rest := t[whole:]
	if point := len(rest) > 0 && (rest[0] == '.' || rest[0] == ','); point {
		rest = rest[1+countDigits(rest[1:]):]
	}
	fraction := t[whole : len(t)-len(rest)]
	switch {
	case whole > 0 && len(rest) > 1 && rest[0]|0x20 == 'e':
		exponent := rest[1:]
		if exponent[0] == '+' || exponent[0] == '-' {
			exponent = exponent[1:]
		}
		return len(exponent) > 0 && countDigits(exponent) == len(exponent)
	case whole > 0 && len(rest) == 0 && len(fraction) > 1:
		return len(bytes.Trim(fraction[1:], "0")) == 0
	}
	n := len(t)
	return n > 2 && t[n-1] == '0' && (t[n-2] == '.' || t[n-2] == ',') && t[n-3]-'0' <= 9
}

func countDigits(b []byte) (n int) {
	for n < len(b) && b[n]-'0' <= 9 {
		n++
	}
	return n
}
