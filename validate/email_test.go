package validate

import (
	"net/mail"
	"strings"
	"testing"
)

var goodEmails = []string{
	"a@b.co", "a.b@c.co", "A.B-c_d+e@EXAMPLE.com", "!#$%&'*+-/=?^_`{|}~@x.org", "1@2.jp", "a@1-2.3-4.museum", "x@xn--wgv71a119e.xn--jp-x", "x@y.XN--P1AI",
	strings.Repeat("l", 64) + "@x.org", "a@" + strings.Repeat("x", 63) + ".org", "a@" + strings.Repeat("x.", 47) + "info",
}

var badEmails = []struct{ address, reason string }{
	{"bob", "has no @"},
	{"a@b@c.co", "has more than one @: give one address alone"},
	{"a@b.co,c@d.co", "has more than one @: give one address alone"},
	{"Ann <a@b.co>", "has a display name: give the address between < and > alone"},
	{"@b.co", "has nothing before the @"},
	{"@", "has nothing before the @"},
	{"a@", "has nothing after the @"},
	{".a@b.co", "has a dot at an end of the part before the @, or two dots in a row"},
	{"a.@b.co", "has a dot at an end of the part before the @, or two dots in a row"},
	{"a..b@c.co", "has a dot at an end of the part before the @, or two dots in a row"},
	{"a..bcd@e.co", "has a dot at an end of the part before the @, or two dots in a row"},
	{strings.Repeat("l", 64) + "@localhost", "has a domain without a dot"},
	{strings.Repeat("l", 65) + "@x.org", "has more than 64 characters before the @"},
	{"a@b", "has a domain without a dot"},
	{"a@.b.co", "has a dot at an end of the domain, or two dots in a row"},
	{"a@b.co.", "has a dot at an end of the domain, or two dots in a row"},
	{"a@b..co", "has a dot at an end of the domain, or two dots in a row"},
	{"a@-b.co", "has a domain with a hyphen beside a dot or at an end"},
	{"a@b-.co", "has a domain with a hyphen beside a dot or at an end"},
	{"a@b.co-", "has a domain with a hyphen beside a dot or at an end"},
	{"a@" + strings.Repeat("x", 64) + ".org", "has a domain with more than 63 characters between two dots"},
	{"a@" + strings.Repeat("x", 63) + ".c1", "has a top-level domain that is not made of letters: `c1`"},
	{"user@domain.c", "has a top-level domain of one character: `c`"},
	{"a@b.1", "has a top-level domain of one character: `1`"},
	{"a@b.c1", "has a top-level domain that is not made of letters: `c1`"},
	{"a@127.0.0.10", "has a top-level domain that is not made of letters: `10`"},
	{"a@b.xn--", "has a domain with a hyphen beside a dot or at an end"},
	{"a@" + strings.Repeat("x.", 47) + "infos", "is longer than 100 characters"},
	{"a@b_c.co", "holds a character that is not allowed: `_`"},
	{"a@[127.0.0.1]", "holds a character that is not allowed: `[`"},
	{`"a b"@c.co`, "holds a character that is not allowed: `\"`"},
	{"a b@c.co", "holds a character that is not allowed: ` `"},
	{"mailto:a@b.co", "holds a character that is not allowed: `:`"},
	{"a\x00@b.co", "holds a character that is not allowed: `\\u0000`"},
	{"太郎@b.co", "is not ASCII (`太`): addresses are ASCII, only a domain can be written in its xn-- form"},
	{"a\u200b@b.co", "is not ASCII (`\\u200b`): addresses are ASCII, only a domain can be written in its xn-- form"},
	{"a@日本.jp", "is not ASCII: write the domain in its xn-- form"},
}

func TestEmails(t *testing.T) {
	for _, address := range goodEmails {
		if !validEmail([]byte(address)) {
			t.Errorf("%s is refused", address)
		}
	}
	for _, test := range badEmails {
		if validEmail([]byte(test.address)) {
			t.Errorf("%s is taken", test.address)
		} else if got := emailReason([]byte(test.address)); got != test.reason {
			t.Errorf("%s\ngot  %s\nwant %s", test.address, got, test.reason)
		}
	}
}

// FuzzEmail holds validEmail against net/mail: what it takes, net/mail takes as the same address. net/mail also takes
// quoted local parts, domain literals, display names, comments, non-ASCII text, domains of one label, any atext in
// domains, and lengths beyond the limits.
func FuzzEmail(f *testing.F) {
	for _, address := range goodEmails {
		f.Add(address)
	}
	for _, test := range badEmails {
		f.Add(test.address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if !validEmail([]byte(address)) {
			if address != "" && emailReason([]byte(address)) == "" {
				t.Errorf("%q is refused without a reason", address)
			}
			if simpleEmail(address) {
				t.Errorf("%q is refused", address)
			}
			return
		}
		parsed, err := mail.ParseAddress(address)
		if err != nil || parsed.Address != address || parsed.Name != "" {
			t.Errorf("%q is taken, net/mail: %v, %v", address, parsed, err)
		}
		if !simpleEmail(address) {
			t.Errorf("%q is taken", address)
		}
	})
}

// simpleEmail is the rule in other words.
func simpleEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(s) > 100 || len(local) > 64 {
		return false
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const names = letters + "0123456789-"
	for _, atom := range strings.Split(local, ".") {
		if atom == "" || strings.Trim(atom, names+"!#$%&'*+/=?^_`{|}~") != "" {
			return false
		}
	}
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, names) != "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	top := labels[len(labels)-1]
	return len(labels) > 1 && (len(top) > 1 && strings.Trim(top, letters) == "" || len(top) > 4 && strings.EqualFold(top[:4], "xn--"))
}

func BenchmarkEmail(b *testing.B) {
	address := []byte("customer0000001@mail.example.com")
	for b.Loop() {
		if !validEmail(address) {
			b.Fatal("refused")
		}
	}
}
