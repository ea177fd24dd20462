package simulator

import "bytes"

// emailInvalid is Klaviyo's text for an email that it refuses.
const emailInvalid = "Invalid email address"

// validEmail is what is known about Klaviyo's rule, which is not published: at most 100 ASCII characters, a dot-atom
// without "!", and a domain of two or more labels. The last label has two or more characters and no digit.
//
// Choice: the last label may also be a name in another script, which starts with xn-- and may have digits.
func validEmail(email []byte) bool {
	at := bytes.LastIndexByte(email, '@')
	if len(email) > 100 || at < 0 || !validParts(email[:at], isAtomByte) || !validParts(email[at+1:], isLabelByte) {
		return false
	}
	labels := bytes.Split(email[at+1:], []byte("."))
	for _, label := range labels {
		if len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	last := labels[len(labels)-1]
	script := len(last) > len("xn--") && bytes.EqualFold(last[:len("xn--")], []byte("xn--"))
	return len(labels) > 1 && len(last) > 1 && (script || bytes.IndexFunc(last, isDigit) < 0)
}

// validParts reports whether b is parts joined by dots, each at least one byte long and of valid bytes only.
func validParts(b []byte, valid func(byte) bool) bool {
	part := 0
	for _, c := range b {
		switch {
		case c == '.' && part > 0:
			part = 0
		case valid(c):
			part++
		default:
			return false
		}
	}
	return part > 0
}

func isLetter(c byte) bool    { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(r rune) bool     { return '0' <= r && r <= '9' }
func isLabelByte(c byte) bool { return isLetter(c) || isDigit(rune(c)) || c == '-' }
func isAtomByte(c byte) bool {
	return isLabelByte(c) || bytes.IndexByte([]byte("#$%&'*+/=?^_`{|}~"), c) >= 0
}
