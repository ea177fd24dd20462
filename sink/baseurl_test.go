package sink

import (
	"fmt"
	"strings"
	"testing"
)

// TestBaseURL: New accepts https, and http to this machine alone. It asks the host that the checks were about. Its
// errors show no password of the URL.
func TestBaseURL(t *testing.T) {
	for base, want := range map[string]string{ // "" for one that is refused
		"":                                                "",
		"https://a.klaviyo.com":                           "https://a.klaviyo.com",
		"https://A.Klaviyo.COM/":                          "https://a.klaviyo.com",
		"https://proxy.example:8443/klaviyo/":             "https://proxy.example:8443/klaviyo",
		"https://my_proxy/a%2Fb":                          "https://my_proxy/a%2Fb",
		"http://127.0.0.1:80":                             "http://127.0.0.1:80",
		"http://[::1]:80":                                 "http://[::1]:80",
		"https://[fe80::1%25eth0]":                        "https://[fe80::1%25eth0]",
		"http://[::1]":                                    "http://[::1]",
		"http://localhost":                                "http://localhost",
		"http://LOCALHOST:8080":                           "http://localhost:8080",
		"http://①②⑦.0.0.1":                                "",
		"https://a.klaviyo。com":                           "",
		"https://bücher.example":                          "",
		"https://faß.example":                             "",
		"http://a.klaviyo.com":                            "",
		"http://127.0.0.1.example":                        "",
		"ftp://127.0.0.1":                                 "",
		"a.klaviyo.com":                                   "",
		"https://":                                        "",
		"https://user:secret@a.klaviyo.com":               "",
		"https://a.klaviyo.com?x=1":                       "",
		"https://a.klaviyo.com#x":                         "",
		":":                                               "",
		"http://127.0.0.1:99999":                          "",
		"http://127.0.0.1:0":                              "",
		"https://a..klaviyo.com":                          "",
		"https://.klaviyo.com":                            "",
		"https://klaviyo.com..":                           "",
		"https://a.klaviyo.com\u202e":                     "",
		"https://a.klaviyo,com":                           "",
		"https://a.\u212alaviyo.com":                      "",
		"https://a.klaviyo(com":                           "",
		"https://xn--a.com":                               "https://xn--a.com",
		"https://xn--klaviyo-.com":                        "https://xn--klaviyo-.com",
		"https://a\u2024klaviyo.com":                      "",
		"https://a／klaviyo.com":                           "",
		"https://a：80":                                    "",
		"https://" + strings.Repeat("a", 64) + ".example": "",
		"https://" + strings.Repeat("aaaaaaa.", 40) + "example": "",
	} {
		c, err := New(Options{BaseURL: base, Revision: DefaultRevision})
		switch {
		case err == nil && c.options.BaseURL != want:
			t.Errorf("%q: asks %q, want %q", base, c.options.BaseURL, want)
		case err != nil && want != "":
			t.Errorf("%q: %v", base, err)
		case strings.Contains(fmt.Sprint(err), "secret"):
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestIsKlaviyo: the rules for Klaviyo's own hosts apply to all of its hosts, and to no host with a similar name.
func TestIsKlaviyo(t *testing.T) {
	for base, want := range map[string]bool{
		"":                              false,
		DefaultBaseURL:                  true,
		"https://KLAVIYO.com.":          true,
		"https://notklaviyo.com":        false,
		"http://127.0.0.1":              false,
		"https://a.klaviyo。com":         false,
		"https://a.klaviyo．com":         false,
		"https://a.klaviyo｡com":         false,
		"https://a.klaviyo%E3%80%82com": false,
		"https://ｋｌａｖｉｙｏ．ｃｏｍ":         false,
		"https://𝓀laviyo.com":         false,
		"https://kla\u00adviyo.com":   false,
		"https://klaviyo.com。":        false,
		"https://klaviyö.com":         false,
		"https://кlaviyo.com":         false,
		"https://klaviyo。com.example": false,
	} {
		if IsKlaviyo(base) != want {
			t.Errorf("%q: IsKlaviyo is %v", base, !want)
		}
	}
}

// TestUnencrypted: without --allow-insecure the key goes unencrypted to this machine alone. With it, New warns.
// Klaviyo's own hosts never get the key unencrypted.
func TestUnencrypted(t *testing.T) {
	for base, want := range map[string]struct{ accepted, told bool }{
		"http://klaviyo.example":        {accepted: true, told: true},
		"http://192.0.2.1:8080/pk_key":  {accepted: true, told: true},
		"http://a.klaviyo.com":          {},
		"http://KLAVIYO.com.:80":        {},
		"http://a.klaviyo。com":          {},
		"http://ｋlaviyo.com":            {},
		"http://klaviyo%E3%80%82com:80": {},
		"ftp://klaviyo.example":         {},
		"http://pk_key@klaviyo.example": {},
		"http://127.0.0.2":              {accepted: true},
		"https://klaviyo.example":       {accepted: true},
	} {
		told := ""
		o := Options{
			BaseURL: base, Revision: DefaultRevision, AllowInsecure: true, Notice: func(text string) { told += text },
		}
		_, err := New(o)
		if (err == nil) != want.accepted || (told != "") != want.told ||
			strings.Contains(fmt.Sprint(err, told), "pk_key") {
			t.Errorf("%s: %v, told %q", base, err, told)
		}
		o.AllowInsecure, told = false, ""
		_, err = New(o)
		if want.told && err == nil || told != "" || strings.Contains(fmt.Sprint(err), "pk_key") {
			t.Errorf("%s without --allow-insecure: %v, told %q", base, err, told)
		}
	}
}

// TestRevision: New accepts a date, with or without a suffix, as API revision and names the flag of anything else.
func TestRevision(t *testing.T) {
	for revision, want := range map[string]string{
		DefaultRevision:  "<nil>",
		"2026-10-15.pre": "<nil>",
		"latest":         `--revision: expected a date such as 2026-07-15, got "latest"`,
	} {
		if _, err := New(Options{BaseURL: DefaultBaseURL, Revision: revision}); fmt.Sprint(err) != want {
			t.Errorf("%q: %v", revision, err)
		}
	}
}
