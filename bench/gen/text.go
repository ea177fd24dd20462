package main

import (
	"strings"
	"unicode/utf16"

	"github.com/segmentio/encoding/json"
)

// text is a JSON string, quotes included, in two spellings.
type text struct {
	plain   string
	escaped string // ASCII alone
}

func newText(s string) text {
	return text{quote(s), escape(s)}
}

// newTexts returns a text for each string of list. Its strings are separated by |.
func newTexts(list string) []text {
	var texts []text
	for s := range strings.SplitSeq(list, "|") {
		texts = append(texts, newText(s))
	}
	return texts
}

// quote returns s as a JSON string. It panics unless s is valid UTF-8.
func quote(s string) string {
	b, err := json.Append(nil, s, 0)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// escape returns s as a JSON string with \u escapes for all characters outside ASCII. Above U+FFFF they are pairs.
func escape(s string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	for _, r := range quote(s) {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			b.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				b.WriteByte(hex[unit>>shift&15])
			}
		}
	}
	return b.String()
}
