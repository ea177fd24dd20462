package phone

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

const (
	maxText   = 250 // bytes; package phonenumbers reads no longer text
	maxDigits = 30  // more than any number has, with every prefix
)

// appendDigits appends the digits of a number to kept, after a + if the number has one. A text that is not a number
// has a problem, and perhaps a character that does not belong there.
func appendDigits(kept, text []byte) (digits []byte, _ problem, char rune) {
	if len(text) > maxText {
		return nil, longText, 0
	}
	const scheme = "tel:"
	if len(text) >= len(scheme) && bytes.EqualFold(text[:len(scheme)], []byte(scheme)) {
		text = text[len(scheme):]
	}
	if n := len(text); n > 0 && text[n-1] == '0' && isDecimal(text) {
		return nil, decimal, 0
	}
	count := 0
	for rest := text; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		switch r {
		case ' ', '\u00a0', '-', '.', '(', ')', '/':
		case '+':
			if len(kept) > 0 {
				return nil, secondPlus, 0
			}
			kept = append(kept, '+')
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if count++; count > maxDigits {
				return nil, manyDigits, 0
			}
			kept = append(kept, byte(r))
		default:
			if isDecimal(text) {
				return nil, decimal, 0
			}
			return nil, badCharacter, r
		}
		rest = rest[n:]
	}
	if count == 0 {
		return nil, noDigits, 0
	}
	return kept, 0, 0
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

// reason returns the problem of a reading as the end of a sentence that begins with the text.
func (r reading) reason() string {
	switch r.problem {
	case longText:
		return fmt.Sprintf("is longer than %d bytes; give a single number", maxText)
	case manyDigits:
		return fmt.Sprintf("has more than %d digits", maxDigits)
	case noDigits:
		return "has no digits"
	case secondPlus:
		return "has a + after another + or after a digit"
	case badCharacter:
		return characterReason(r.char)
	case decimal:
		return "went through a decimal, which changes digits; cast the column to text before anything reads it as a number"
	case noSuchCode:
		return "begins with a country code that does not exist"
	case tooFewDigits:
		return "has too few digits"
	case tooManyDigits:
		return "has too many digits"
	case notE164:
		return fmt.Sprintf("has %d digits with its country code; expected %d to %d",
			len(r.code)+len(r.national), minE164, maxE164)
	}
	return "is not a valid number in the numbering plan of +" + string(r.code)
}

// characterReason is the reason for a number that contains r.
func characterReason(r rune) string {
	switch {
	case r == ';':
		return "contains a semicolon; give a single number without an extension"
	case r == ',':
		return "contains a comma; give a single number without an extension"
	case unicode.IsLetter(r):
		return fmt.Sprintf("contains the letter %q; give a single number in digits, without an extension", r)
	}
	return fmt.Sprintf("contains the character %q, which is not allowed", r)
}
