package sink

import (
	"fmt"
	"strings"
	"testing"
)

// TestBaseURL: New accepts https, and http to this machine alone. Its errors show no password of the URL.
func TestBaseURL(t *testing.T) {
	for base, ok := range map[string]bool{
		"":                                    false,
		"https://a.klaviyo.com":               true,
		"https://proxy.example:8443/klaviyo/": true,
		"http://127.0.0.1:80":                 true,
		"http://[::1]:80":                     true,
		"http://localhost":                    true,
		"http://a.klaviyo.com":                false,
		"http://127.0.0.1.example":            false,
		"ftp://127.0.0.1":                     false,
		"a.klaviyo.com":                       false,
		"https://":                            false,
		"https://user:secret@a.klaviyo.com":   false,
		"https://a.klaviyo.com?x=1":           false,
		"https://a.klaviyo.com#x":             false,
		":":                                   false,
	} {
		if _, err := New(Options{BaseURL: base, Revision: DefaultRevision}); (err == nil) != ok {
			t.Errorf("%q: %v", base, err)
		} else if err != nil && strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestIsKlaviyo: the rules for Klaviyo's own hosts apply to all of its hosts, and to no host with a similar name.
func TestIsKlaviyo(t *testing.T) {
	for base, want := range map[string]bool{
		"":                       false,
		DefaultBaseURL:           true,
		"https://KLAVIYO.com.":   true,
		"https://notklaviyo.com": false,
		"http://127.0.0.1":       false,
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
