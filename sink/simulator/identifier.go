package simulator

import "bytes"

// validEmail is the common part of what is known about Klaviyo's rule, which is not published: at most 100 ASCII
// characters, a dot-atom, and a domain of two or more labels. The last label has two or more characters and starts
// with a letter.
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
	return len(labels) > 1 && len(last) > 1 && isLetter(last[0])
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
func isLabelByte(c byte) bool { return isLetter(c) || '0' <= c && c <= '9' || c == '-' }
func isAtomByte(c byte) bool {
	return isLabelByte(c) || bytes.IndexByte([]byte("!#$%&'*+/=?^_`{|}~"), c) >= 0
}

// validPhone reports whether phone has the form of E.164. The minimum of 7 digits is a choice: Klaviyo was seen to
// refuse +1234.
func validPhone(phone []byte) bool {
	if len(phone) < 8 || len(phone) > 16 || phone[0] != '+' || phone[1] == '0' {
		return false
	}
	for _, c := range phone[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
