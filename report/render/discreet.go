package render

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Discreet returns text as people may see it: emails and API keys are masked, control characters are escaped.
func Discreet(text string) string { return visible(keys().ReplaceAllString(mask(text), "pk_***")) }

// keys matches Klaviyo's private API keys. They are 37 characters long.
var keys = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`pk_[0-9A-Za-z]{20,}`) })

func hidden(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) }

// visible writes characters that are not graphic as Go escapes: \n, \x1b, \u202e.
func visible(text string) string {
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var b []byte
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			b = fmt.Appendf(b, `\x%02x`, text[0])
		case hidden(r):
			quoted := strconv.QuoteRune(r)
			b = append(b, quoted[1:len(quoted)-1]...)
		default:
			b = utf8.AppendRune(b, r)
		}
		text = text[size:]
	}
	return string(b)
}
