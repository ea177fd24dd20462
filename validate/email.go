package validate

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"klaviyo-export/validate/phone"
)

// maxEmail is Klaviyo's limit (klaviyo-api.md section 11). maxLocal is the limit of RFC 5321, maxLabel of RFC 1035.
const (
	maxEmail = 100
	maxLocal = 64
	maxLabel = 63
)

// Classes of characters.
const (
	atext = 1 << iota // RFC 5322, without !
	ldh               // letter, digit or hyphen
	letter
)

var classes = func() (t [256]byte) {
	for c := range t {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			t[c] = atext | ldh | letter
		case c >= '0' && c <= '9', c == '-':
			t[c] = atext | ldh
		case bytes.IndexByte([]byte("#$%&'*+/=?^_`{|}~"), byte(c)) >= 0:
			t[c] = atext
		}
	}
	return t
}()

// validEmail reports whether b is an address that Klaviyo should accept: a dot-atom of RFC 5322 without !, an @, and a
// domain of two or more labels of letters, digits and hyphens, the last of two or more letters or in its xn-- form.
// Klaviyo refuses all others (klaviyo-more.md section 9). A ' at the start is a spreadsheet's.
func validEmail(b []byte) bool {
	if len(b) == 0 || len(b) > maxEmail || b[0] == '\'' {
		return false
	}
	at, start := 0, 0
	for ; at < len(b) && b[at] != '@'; at++ {
		if classes[b[at]]&atext == 0 {
			if b[at] != '.' || at == start {
				return false
			}
			start = at + 1
		}
	}
	return at > start && at <= maxLocal && at < len(b) && validDomain(b[at+1:])
}

// validDomain checks the part after the @.
func validDomain(b []byte) bool {
	start, labels := 0, 0
	all := byte(letter)
	for i, c := range b {
		if class := classes[c]; class&ldh != 0 {
			all &= class
			continue
		}
		if c != '.' || !validLabel(b[start:i]) {
			return false
		}
		start, all = i+1, letter
		labels++
	}
	top := b[start:]
	return labels > 0 && validLabel(top) && (all == letter && len(top) >= 2 || isPunycode(top))
}

// validLabel checks the length and the ends of a label of letters, digits and hyphens.
func validLabel(b []byte) bool {
	return len(b) > 0 && len(b) <= maxLabel && b[0] != '-' && b[len(b)-1] != '-'
}

func isPunycode(b []byte) bool {
	return len(b) > 4 && b[0]|0x20 == 'x' && b[1]|0x20 == 'n' && b[2] == '-' && b[3] == '-'
}

// emailReason returns why validEmail refuses b: the end of a sentence that begins with b.
func emailReason(b []byte) string {
	const mailto = "mailto:"
	at := bytes.IndexByte(b, '@')
	last := b[len(b)-1]
	switch {
	case b[0] == '\'':
		return phone.SpreadsheetQuote
	case len(b) >= len(mailto) && bytes.EqualFold(b[:len(mailto)], []byte(mailto)):
		return "begins with mailto:; give only the address"
	case bytes.IndexByte(b, '<') >= 0 && last == '>':
		return "has a display name; give only the address between < and >"
	case at < 0:
		return "has no @"
	case bytes.Count(b, []byte("@")) > 1:
		return "has more than one @; give a single address"
	case len(b) > maxEmail:
		return fmt.Sprintf("is longer than %d characters", maxEmail)
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		class := byte(atext)
		if i > at {
			class = ldh
		}
		switch {
		case r == '@' || r == '.' || r < utf8.RuneSelf && classes[r]&class != 0:
		case invisible(r) && r != ' ':
			return fmt.Sprintf("contains %q, which is invisible; remove it", r)
		case r == '!' && i < at:
			return "contains a ! before the @, which Klaviyo refuses"
		case r >= utf8.RuneSelf && i > at:
			return "has a domain that is not ASCII; write the domain in its xn-- form"
		case r >= utf8.RuneSelf:
			return fmt.Sprintf("contains %q, which is not ASCII; only a domain has an ASCII form (xn--)", r)
		default:
			return fmt.Sprintf("contains the character %q, which is not allowed", r)
		}
		i += n
	}
	local, domain := b[:at], b[at+1:]
	switch {
	case at == 0:
		return "has nothing before the @"
	case dotted(local):
		return "has a dot at the start or end of the part before the @, or two dots in a row"
	case len(local) > maxLocal:
		return fmt.Sprintf("has more than %d characters before the @", maxLocal)
	}
	return domainReason(domain)
}

// domainReason is emailReason for a domain of letters, digits, hyphens and dots that validDomain refuses.
func domainReason(b []byte) string {
	switch {
	case len(b) == 0:
		return "has nothing after the @"
	case dotted(b):
		return "has a dot at the start or end of the domain, or two dots in a row"
	case bytes.IndexByte(b, '.') < 0:
		return "has a domain without a dot"
	}
	top := b[bytes.LastIndexByte(b, '.')+1:]
	for label := range bytes.SplitSeq(b, []byte(".")) {
		switch {
		case len(label) > maxLabel:
			return fmt.Sprintf("has a domain with more than %d characters between two dots", maxLabel)
		case !validLabel(label):
			return "has a domain with a hyphen next to a dot or at its start or end"
		}
	}
	if len(top) == 1 {
		return "has a top-level domain of one character: " + quote(top)
	}
	return "has a top-level domain with characters other than letters: " + quote(top)
}

// dotted reports whether b has a dot at an end, or two in a row.
func dotted(b []byte) bool {
	return b[0] == '.' || b[len(b)-1] == '.' || bytes.Contains(b, []byte(".."))
}
