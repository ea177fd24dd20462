package report

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// shown replaces the characters that cannot be seen, in the JSON that b has from a place on, by JSON's escapes. The
// values stay the same, and a terminal that shows the line is told nothing but text. Bytes below a blank are escaped in
// JSON anyway.
func shown(b []byte, from int) []byte {
	plain := from // most texts end here: to decode their characters takes ten times as long
	for plain < len(b) && b[plain] < 0x7f {
		plain++
	}
	if bytes.IndexFunc(b[plain:], hidden) < 0 {
		return b
	}
	text := bytes.Clone(b[from:])
	b = b[:from]
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch high, low := utf16.EncodeRune(r); {
		case !hidden(r):
			b = append(b, text[:size]...)
		case high == utf8.RuneError:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		}
		text = text[size:]
	}
	return b
}

// hidden is false for bytes that are no UTF-8: they cannot be escaped.
func hidden(r rune) bool {
	return r >= 0x7f && r != utf8.RuneError && !unicode.IsGraphic(r)
}
