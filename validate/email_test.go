package validate

import (
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"klaviyo-export/validate/phone"
)

var goodEmails = []string{
	"a@b.co", "a.b@c.co", "A.B-c_d+e@EXAMPLE.com", "#$%&'*+-/=?^_`{|}~@x.org", "o'neill@x.org", "o'@x.org",
	"mailto@x.org", "1@2.jp", "a@1-2.3-4.museum",
	"x@xn--wgv71a119e.xn--jp-x", "x@y.XN--P1AI",
	strings.Repeat("l", 64) + "@x.org", "a@" + strings.Repeat("x", 63) + ".org",
	"a@" + strings.Repeat("x.", 47) + "info",
}

const (
	localDots  = "has a dot at the start or end of the part before the @, or two dots in a row"
	domainDots = "has a dot at the start or end of the domain, or two dots in a row"
)

var badEmails = []struct{ address, reason string }{
	{"bob", "has no @"},
	{"a@b@c.co", "has more than one @; give a single address"},
	{"a@b.co,c@d.co", "has more than one @; give a single address"},
	{"Ann <a@b.co>", "has a display name; give only the address between < and >"},
	{"<a@b.co>", "has a display name; give only the address between < and >"},
	{"@b.co", "has nothing before the @"},
	{"@", "has nothing before the @"},
	{"a@", "has nothing after the @"},
	{".a@b.co", localDots},
	{"a.@b.co", localDots},
	{"a..b@c.co", localDots},
	{"a..bcd@e.co", localDots},
	{strings.Repeat("l", 64) + "@localhost", "has a domain without a dot"},
	{strings.Repeat("l", 65) + "@x.org", "has more than 64 characters before the @"},
	{"a@b", "has a domain without a dot"},
	{"a@.b.co", domainDots},
	{"a@b.co.", domainDots},
	{"a@b..co", domainDots},
	{"a@-b.co", "has a domain with a hyphen next to a dot or at its start or end"},
	{"a@b-.co", "has a domain with a hyphen next to a dot or at its start or end"},
	{"a@b.co-", "has a domain with a hyphen next to a dot or at its start or end"},
	{"a@" + strings.Repeat("x", 64) + ".org", "has a domain with more than 63 characters between two dots"},
	{"a@" + strings.Repeat("x", 63) + ".c1", `has a top-level domain with characters other than letters: "c1"`},
	{"user@domain.c", `has a top-level domain of one character: "c"`},
	{"a@b.1", `has a top-level domain of one character: "1"`},
	{"a@b.c1", `has a top-level domain with characters other than letters: "c1"`},
	{"a@127.0.0.10", `has a top-level domain with characters other than letters: "10"`},
	{"a@b.xn--", "has a domain with a hyphen next to a dot or at its start or end"},
	{"a@" + strings.Repeat("x.", 47) + "infos", "is longer than 100 characters"},
	{"a@b_c.co", "contains the character '_', which is not allowed"},
	{"a@[127.0.0.1]", "contains the character '[', which is not allowed"},
	{`"a b"@c.co`, "contains the character '\"', which is not allowed"},
	{"a b@c.co", "contains the character ' ', which is not allowed"},
	{"a:b@c.co", "contains the character ':', which is not allowed"},
	{"a@b!c.co", "contains the character '!', which is not allowed"},
	{"a\x00@b.co", `contains '\x00', which is invisible; remove it`},
	{"太郎@b.co", "contains '太', which is not ASCII; only a domain has an ASCII form (xn--)"},
	{"a\u200b@b.co", `contains '\u200b', which is invisible; remove it`},
	{"a@b\u200b.co", `contains '\u200b', which is invisible; remove it`},
	{"a@b.co\u200b", `contains '\u200b', which is invisible; remove it`},
	{"\ufeffa@b.co", `contains '\ufeff', which is invisible; remove it`},
	{"a@b\u00a0c.co", `contains '\u00a0', which is invisible; remove it`},
	{"a@b\u00adc.co", `contains '\u00ad', which is invisible; remove it`},
	{"a\tb@c.co", `contains '\t', which is invisible; remove it`},
	{"'a@b.co", phone.SpreadsheetQuote},
	{"'a@b.co'", phone.SpreadsheetQuote},
	{"'", phone.SpreadsheetQuote},
	{"a@b.co'", "contains the character '\\'', which is not allowed"},
	{"a@日本.jp", "has a domain that is not ASCII; write the domain in its xn-- form"},
}

// refusedLive are addresses of the kinds that Klaviyo refuses, as recorded (klaviyo-api.md section 11, klaviyo-more.md
// section 9). net/mail accepts the first five.
var refusedLive = []struct{ address, reason string }{
	{"ann!@example.com", "contains a ! before the @, which Klaviyo refuses"},
	{"!ann@example.com", "contains a ! before the @, which Klaviyo refuses"},
	{"ann@example.com1", `has a top-level domain with characters other than letters: "com1"`},
	{"ann@example.1com", `has a top-level domain with characters other than letters: "1com"`},
	{"user@domain.c", `has a top-level domain of one character: "c"`},
	{"mailto:ann@example.com", "begins with mailto:; give only the address"},
	{"MailTo:ann@example.com", "begins with mailto:; give only the address"},
	{"jörg@example.com", "contains 'ö', which is not ASCII; only a domain has an ASCII form (xn--)"},
}

// An address of a kind that Klaviyo refused is refused before it is sent, and one of its neighbours is not.
func TestRefusedLive(t *testing.T) {
	for _, test := range refusedLive {
		if validEmail([]byte(test.address)) {
			t.Errorf("%s is accepted", test.address)
		} else if got := emailReason([]byte(test.address)); got != test.reason {
			t.Errorf("%s\ngot  %s\nwant %s", test.address, got, test.reason)
		}
	}
	for _, address := range []string{
		"ann@example.com", "ann1@1example1.com", "ann@example.xn--p1ai", "ann@example.xn--90a3ac1", "user@d.co", "x@y.museum",
	} {
		if !validEmail([]byte(address)) {
			t.Errorf("%s is refused", address)
		}
	}
}

// An address that Klaviyo should accept is valid; any other one gets the reason why it is not.
func TestEmails(t *testing.T) {
	for _, address := range goodEmails {
		if !validEmail([]byte(address)) {
			t.Errorf("%s is refused", address)
		}
	}
	for _, test := range badEmails {
		if validEmail([]byte(test.address)) {
			t.Errorf("%s is accepted", test.address)
		} else if got := emailReason([]byte(test.address)); got != test.reason {
			t.Errorf("%s\ngot  %s\nwant %s", test.address, got, test.reason)
		}
	}
}

// FuzzEmail compares validEmail with net/mail, which must read each valid address as the same address. net/mail also
// accepts quoted local parts, domain literals, display names, comments, text that is not ASCII, domains of one label,
// any atext in domains, lengths beyond the limits, and what Klaviyo refuses: a ! before the @, and a last label with a
// digit or of one letter. Every refused address has a reason.
func FuzzEmail(f *testing.F) {
	for _, address := range goodEmails {
		f.Add(address)
	}
	for _, test := range slices.Concat(badEmails, refusedLive) {
		f.Add(test.address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
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
			t.Errorf("%q is accepted, net/mail reads %v, %v", address, parsed, err)
		}
		if !simpleEmail(address) {
			t.Errorf("%q is accepted", address)
		}
	})
}

// simpleEmail is validEmail written in another way.
func simpleEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(s) > 100 || len(local) > 64 || strings.HasPrefix(s, "'") {
		return false
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const names = letters + "0123456789-"
	for _, atom := range strings.Split(local, ".") {
		if atom == "" || strings.Trim(atom, names+"#$%&'*+/=?^_`{|}~") != "" {
			return false
		}
	}
	labels := strings.Split(domain, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, names) != "" ||
			strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	top := labels[len(labels)-1]
	return len(labels) > 1 &&
		(len(top) > 1 && strings.Trim(top, letters) == "" || len(top) > 4 && strings.EqualFold(top[:4], "xn--"))
}

func BenchmarkEmail(b *testing.B) {
	address := []byte("customer0000001@mail.example.com")
	for b.Loop() {
		if !validEmail(address) {
			b.Fatal("refused")
		}
	}
}
