package validate

import (
	"fmt"
	"unicode/utf8"
)

// maxProfileID is far above the 26 characters of Klaviyo's ids, which are opaque.
const maxProfileID = 100

// validProfileID reports whether b can be a profile id.
func validProfileID(b []byte) bool {
	for _, c := range b {
		if classes[c]&ldh == 0 && c != '_' {
			return false
		}
	}
	return len(b) <= maxProfileID
}

// profileIDReason returns why validProfileID refuses b: the end of a sentence that begins with b.
func profileIDReason(b []byte) string {
	for i, c := range b {
		if c == '@' {
			return "is an email address, not a profile id; use --by email"
		}
		if classes[c]&ldh == 0 && c != '_' {
			r, _ := utf8.DecodeRune(b[i:])
			return fmt.Sprintf("is not a profile id: it contains %q", r)
		}
	}
	return fmt.Sprintf("is not a profile id: it has more than %d characters", maxProfileID)
}
