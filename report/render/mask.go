package render

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// mask cuts the local part of every email address to its first character and three stars: a***@example.com.
// Punctuation at the beginning of an address stays, because it mostly is not part of the address. Quotes around a
// local part go. In doubt, mask treats text before an @ as a local part. Its time is proportional to the length of
// the text.
func mask(text string) string {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	// Go from right to left, so that an @ inside a quoted local part belongs to that part.
	var locals []local
	for at >= 0 {
		part := localBefore(text[:at])
		if part.from < at {
			part.at = at
			locals = append(locals, part)
		}
		at = strings.LastIndexByte(text[:part.from], '@')
	}
	masked := make([]byte, 0, len(text)+3*len(locals))
	done := 0
	for i := len(locals) - 1; i >= 0; i-- {
		part := locals[i]
		masked = append(masked, text[done:part.from]...)
		masked = append(masked, part.first...)
		masked = append(masked, "***"...)
		done = part.at
	}
	return string(append(masked, text[done:]...))
}

// local is the place of a local part and of its @, and its first character.
type local struct {
	from, at int
	first    string
}

// localBefore finds the local part at the end of text. From is len(text) when there is none.
func localBefore(text string) local {
	end, first := len(text), ""
	if strings.HasSuffix(text, `"`) {
		end = openingQuote(text)
		first = strings.TrimPrefix(firstOf(strings.TrimLeft(text[end:], `\"`)), "@")
	}
	from := end
	for from > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:from])
		if !inLocal(r) {
			break
		}
		from -= size
	}
	if i := strings.IndexFunc(text[from:end], begins); i > 0 {
		from += i
	}
	if from < end {
		first = firstOf(text[from:])
	}
	return local{from: from, first: first}
}

// openingQuote returns the place of the quote that opens the quoted string at the end of text, or of its backslash.
// When there is only one quote, it returns the place of that.
func openingQuote(text string) int {
	last := len(text) - 1
	nearest := strings.LastIndexByte(text[:last], '"')
	open := nearest
	// An escaped quote opens nothing, unless the last quote is escaped too, as in JSON within JSON.
	for open > 0 && text[open-1] == '\\' && text[last-1] != '\\' {
		open = strings.LastIndexByte(text[:open], '"')
	}
	if open < 0 {
		open = nearest
	}
	switch {
	case open < 0:
		return last
	case open > 0 && text[open-1] == '\\':
		return open - 1
	}
	return open
}

// inLocal reports whether a local part may contain r without quotes. It allows more than RFC 5321 and RFC 6531.
func inLocal(r rune) bool {
	if r < utf8.RuneSelf {
		return begins(r) || r != 0 && strings.ContainsRune("!#$%&'*+-./=?^_`{|}~", r)
	}
	return !unicode.IsSpace(r) && !unicode.IsPunct(r) && !unicode.IsControl(r)
}

// begins reports whether r is a letter, a digit or not ASCII.
func begins(r rune) bool {
	return r >= utf8.RuneSelf || 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9'
}

func firstOf(text string) string {
	_, size := utf8.DecodeRuneInString(text)
	return text[:size]
}
