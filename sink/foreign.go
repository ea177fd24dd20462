package sink

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxText bounds each text from outside that is kept, in bytes: for every row that it is about, and in a line for
	// people.
	maxText = 1000
	// longestID bounds an id in a message. A request id is a UUID so far.
	longestID = 100
)

// foreign is a text from outside: from Klaviyo's answer, from a proxy, or the name of a list. The bytes are only
// compared, or sent back. Printed with %s or %v it is String, with %q the same in quotes, so that no text from outside
// begins a line of its own, moves a terminal's cursor or fills a disk. Client.text removes the key too.
type foreign string

// String returns the text for people: on one line, cut to maxText, with characters that cannot be seen as escapes.
// Applied twice it changes nothing more.
func (f foreign) String() string { return visible(string(f), maxText) }

// Format implements fmt.Formatter, so that %q escapes no escape again.
func (f foreign) Format(s fmt.State, verb rune) {
	text := f.String()
	if verb == 'q' {
		text = strconv.Quote(cut(string(f)))
	}
	_, _ = s.Write([]byte(text)) // fmt keeps no error
}

// hidden returns the text without the key.
func (c *Client) hidden(f foreign) foreign { return foreign(c.hide(string(f))) }

// text returns a text from outside for people: without the key, on one line, cut to maxText.
func (c *Client) text(f foreign) string { return c.hidden(f).String() }

// short is text for an id, a date or the like.
func (c *Client) short(f foreign) string { return visible(string(c.hidden(f)), longestID) }

// name returns a name for the report: without the key and cut, but otherwise as it is. JSON escapes it there, and who
// prints it puts it in quotes.
func (c *Client) name(f foreign) string {
	return strings.ToValidUTF8(cut(string(c.hidden(f))), "\ufffd")
}

// cut shortens text to maxText.
func cut(text string) string { return cutTo(maxText, text) }

// cutTo shortens text to so many bytes.
func cutTo(most int, text string) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > most-utf8.UTFMax && end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end]) + "…"
}

// visible writes the characters of a text that cannot be seen as Go escapes, such as \n, \x1b and \u202e, and cuts it
// to so many bytes. It cuts before an escape and not within it.
func visible(text string, most int) string {
	if !strings.ContainsFunc(text[:min(len(text), most)], unseen) {
		return cutTo(most, text)
	}
	b := make([]byte, 0, min(len(text), most)+utf8.UTFMax)
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		whole := len(b)
		switch {
		case r == utf8.RuneError && size == 1:
			b = fmt.Appendf(b, `\x%02x`, text[0])
		case r != utf8.RuneError && unseen(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b = append(b, quoted[1:len(quoted)-1]...)
		default:
			b = append(b, text[:size]...)
		}
		if len(b) > most {
			return string(b[:whole]) + "…"
		}
		text = text[size:]
	}
	return string(b)
}

// unseen reports whether a character cannot be seen, or may be a byte that is no UTF-8. The two that join letters and
// emoji stay: they have no effect beyond their neighbours.
func unseen(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return r == utf8.RuneError || !unicode.IsGraphic(r) && r != nonJoiner && r != joiner
}
