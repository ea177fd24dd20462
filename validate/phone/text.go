package phone

import (
	"bytes"
	"regexp"
	"sync"
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
	if len(text) >= len(scheme) && text[0]|0x20 == 't' && bytes.EqualFold(text[:len(scheme)], []byte(scheme)) {
		text = text[len(scheme):]
	}
	if n := len(text); n > 0 && text[n-1] == '0' && zeroFraction(text) {
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
			return rest, badCharacter
		}
		rest = rest[n:]
	}
	if count == 0 {
		return nil, noDigits
	}
	return kept, 0
}

// zeroFraction reports whether a decimal number's last digits, all zeros, are behind its point.
func zeroFraction(text []byte) bool {
	point := bytes.TrimRight(text, "0")
	n := len(point)
	return n > 0 && (point[n-1] == '.' || point[n-1] == ',') && isDecimal(text)
}

// isDecimal reports whether a text is a decimal number: digits with an exponent, such as 4.93E+11, or any number with
// zeros after its last point or comma, such as 493012345.0 or +49 30 12345 .00. Several zeros after the last of
// several points are a group of digits, such as in 01.42.68.53.00.
func isDecimal(text []byte) bool { return decimals().Match(text) }

var decimals = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?i:tel:)? *[+-]?\d+(?:[.,]\d*)?[eE][+-]?\d+$` +
		`|[\d \x{a0}](?:\.0|,0+)$|^[^.]*[\d \x{a0}]\.0+$`)
})
