package render

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Every local part is cut to its first character. Text without an address stays as it is.
func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"no address, +1 (555) 010-0199":   "no address, +1 (555) 010-0199",
		"ann@example.com":                 "a***@example.com",
		"ANN@x":                           "A***@x",
		"a@b":                             "a***@b",
		"a@b,c@d;e.f@g":                   "a***@b,c***@d;e***@g",
		"Ann <ann@example.com>, +4915112": "Ann <a***@example.com>, +4915112",
		"`bob@` has nothing after the @":  "`b***@` has nothing after the @",
		"'o''neil@example.com'":           "'o***@example.com'",
		"first.last+tag=x@example.com":    "f***@example.com",
		"_ann@example.com":                "_a***@example.com",
		"+@example.com":                   "+***@example.com",
		"josé@example.com é@x 名前@例え.jp":  "j***@example.com é***@x 名***@例え.jp",
		"「ann@example.com」":              "「a***@example.com」",
		"an\u200bn@example.com":          "a***@example.com",
		"a\xffnn@example.com":            "a***@example.com",
		`"ann smith"@example.com`:        `a***@example.com`,
		`to "ann \"x\" smith"@x, "b"`:    `to a***@x, "b"`,
		`"ann@home"@example.com`:         `a***@example.com`,
		`{\"to\":\"\"ann smith\"@x\"}`:   `{\"to\":\"a***@x\"}`,
		`"@home"@example.com`:            `***@example.com`,
		`say \"ann smith"@x`:             `say a***@x`,
		`""@example.com`:                 `***@example.com`,
		`ann"@example.com`:               `a***@example.com`,
		`john."ann smith"@example.com`:   `j***@example.com`,
		`"@example.com`:                  `***@example.com`,
		`{"email":"ann@example.com"}`:    `{"email":"a***@example.com"}`,
		"https://user@host/lists?x=1":    "https://u***@host/lists?x=1",
		"https://user:pass@host/":        "https://user:p***@host/",
		"mailto:ann@example.com?cc=bo@x": "mailto:a***@e***@x",
		"a@b@c":                          "a***@b***@c",
		"@ at @ann, 5 @ 3":               "@ at @ann, 5 @ 3",
		"ann@[192.0.2.1]":                "a***@[192.0.2.1]",
		"a***@example.com":               "a***@example.com",
		"ann\n@example.com":              "ann\n@example.com",
	} {
		if got := mask(text); got != want {
			t.Errorf("mask(%q) = %q, want %q", text, got, want)
		}
	}
}

var (
	// address matches an address whose local part does not begin with punctuation.
	address = regexp.MustCompile(`([\pL\pN\pM][\pL\pN\pM.!#$%&'*+/=?^_{|}~\x60-]*)@[A-Za-z0-9.-]+`)
	quoted  = regexp.MustCompile(`"(?:[^"\\]|\\.)+"@[A-Za-z0-9.-]+`)
)

// No text keeps a local part of more than four characters, and valid UTF-8 stays valid.
func FuzzMask(f *testing.F) {
	for _, text := range []string{
		"ann@example.com", `"ann smith"@example.com`, `\"a\"@b\"@c`, "a@b@c,d@e", "é@x", "\xff@\xfe@", "a***@b",
		`"@"@"@`, "`+@+`",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		masked := mask(text)
		for _, found := range address.FindAllStringSubmatch(masked, -1) {
			if utf8.RuneCountInString(found[1]) > len("a***") || !strings.HasSuffix(found[1], "***") {
				t.Errorf("mask(%q) = %q, which contains %q", text, masked, found[0])
			}
		}
		if found := quoted.FindString(masked); found != "" {
			t.Errorf("mask(%q) = %q, which contains %q", text, masked, found)
		}
		if utf8.ValidString(text) && !utf8.ValidString(masked) {
			t.Errorf("mask(%q) = %q, which is not UTF-8", text, masked)
		}
		if !strings.Contains(text, "@") && masked != text {
			t.Errorf("mask(%q) = %q", text, masked)
		}
	})
}

// The time grows with the length of the text only, not with the number of @ in it.
func TestMaskIsLinear(t *testing.T) {
	for _, part := range []string{
		"a", "@", "a@", `"@`, `\"@`, `"\"@`, `\""@`, `\\"@`, "a@\"", "é@", "'@", "`'a@", "\xff@", `" "@`,
	} {
		for name, text := range map[string]func(size int) string{
			"repeated": func(size int) string { return strings.Repeat(part, size/len(part)) },
			"before a long address": func(size int) string {
				return strings.Repeat(part, size/2/len(part)) + strings.Repeat("a", size/2) + "@x"
			},
		} {
			// This takes some 20 ms, and many minutes if the cost grows with the square.
			late := time.AfterFunc(time.Minute, func() { panic(fmt.Sprintf("%q %s: masking does not end", part, name)) })
			mask(text(1 << 20))
			late.Stop()
		}
	}
}

// Text without an @ costs no allocation.
func TestMaskCostsNothingWithoutAddress(t *testing.T) {
	text := strings.Repeat("no address here ", 64)
	if n := testing.AllocsPerRun(10, func() { text = mask(text) }); n > 0 {
		t.Errorf("%v allocations, expected 0", n)
	}
}
