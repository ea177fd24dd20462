package validate

import "unicode/utf8"

// maxProfileID is far above the 26 characters of Klaviyo's ids, which are opaque.
const maxProfileID = 100

// validProfileID says whether b can be a profile id.
func validProfileID(b []byte) bool {
	for _, c := range b {
		if classes[c]&ldh == 0 && c != '_' {
			return false
		}
	}
	return len(b) <= maxProfileID
}

// profileIDReason says what is wrong with an id that validProfileID refuses.
func profileIDReason(b []byte) string {
	for i, c := range b {
		if c == '@' {
			return "is no profile id but looks like an address: remove needs Klaviyo's profile ids"
		}
		if classes[c]&ldh == 0 && c != '_' {
			_, n := utf8.DecodeRune(b[i:])
			return "is no profile id: it holds " + quote(b[i:i+n])
		}
	}
	return "is no profile id: it is longer than 100 characters"
}
