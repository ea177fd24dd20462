package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mask returns text with the local part of every email address cut to its first character and three stars:
// a***@example.com. Punctuation that an address begins with stays before that character, for it mostly is not the address's.
// Quotes around a local part go. What is doubtful is masked: whatever stands before an @ and could be a local part.
// It takes time in proportion to the text's length, and next to none where there is no @.
func Mask(text string) string {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	// From the right, so that an @ within a quoted local part belongs to that part.
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

// local is where a local part stands, and its first character.
type local struct {
	from, at int
	first    string
}

// localBefore finds the local part that text ends with. From is len(text) where there is none.
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

// openingQuote returns where the quote, or its backslash, stands that opens the quoted string that text ends with;
// the last quote where there is no other.
func openingQuote(text string) int {
	last := len(text) - 1
	nearest := strings.LastIndexByte(text[:last], '"')
	open := nearest
	// A quote that a backslash escapes does not open, unless the last one is escaped like it, as in JSON within JSON.
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

// inLocal reports whether a local part may hold r without quotes (RFC 5321 and 6531, with some room).
func inLocal(r rune) bool {
	if r < utf8.RuneSelf {
		return begins(r) || r != 0 && strings.ContainsRune("!#$%&'*+-./=?^_`{|}~", r)
	}
	return !unicode.IsSpace(r) && !unicode.IsPunct(r) && !unicode.IsControl(r)
}

// begins reports whether r is no ASCII punctuation.
func begins(r rune) bool {
	return r >= utf8.RuneSelf || 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9'
}

func firstOf(text string) string {
	_, size := utf8.DecodeRuneInString(text)
	return text[:size]
}
