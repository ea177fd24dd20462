package main

import (
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// The manual describes every command and every flag as the command line defines it today.
func TestManualIsUpToDate(t *testing.T) {
	page, err := os.ReadFile("../../../man/klaviyo-export.1")
	if err != nil {
		t.Fatal(err)
	}
	text, err := generate(string(page))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(page), "\n"), strings.Split(text, "\n")); diff != "" {
		t.Errorf("the manual is out of date: run go generate ./... (-page +generated)\n%s", diff)
	}
}

// Each generated part replaces what stands between its markers. A part that has no place, or more than one, is an
// error: no command and no group of flags can be missing in the manual.
func TestFill(t *testing.T) {
	parts := map[string]string{"one": "1\n", "two": "2\n"}
	const one, two = begin + "one\nold\n" + end + "\n", begin + "two\n" + end + "\n"
	cases := []struct{ name, page, want, wantError string }{
		{
			name: "both parts", page: "a\n" + one + "b\n" + two + "c\n",
			want: "a\n" + begin + "one\n1\n" + end + "\nb\n" + begin + "two\n2\n" + end + "\nc\n",
		},
		{name: "a part without a place", page: one, wantError: `the part "two" has no place`},
		{name: "a part with two places", page: one + two + one, wantError: `line 6: the part "one" is unknown or has`},
		{name: "an unknown part", page: begin + "three\n" + end, wantError: `line 1: the part "three" is unknown`},
		{name: "a part without an end", page: two + begin + "one\n", wantError: `the part "one" has no end`},
		{name: "a part inside another", page: begin + "one\n" + two, wantError: `after the part "one"`},
		{name: "an end without a part", page: one + two + end, wantError: "ends no part"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := fill(c.page, parts)
			switch {
			case c.wantError == "" && err != nil:
				t.Fatalf("unexpected error: %v", err)
			case c.wantError != "" && (err == nil || !strings.Contains(err.Error(), c.wantError)):
				t.Fatalf("expected an error with %q, got %v", c.wantError, err)
			case got != c.want:
				t.Errorf("expected %q, got %q", c.want, got)
			}
		})
	}
}

// Help texts become mdoc that shows the same text: no word is taken for a request, and each sentence begins a line.
func TestProse(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"sentences", "Send it. Then wait.", "Send it.\nThen wait.\n"},
		{"flags", "See --wait-timeout, or (as here) --wait.", "See\n.Fl -wait-timeout ,\nor (as here)\n.Fl -wait .\n"},
		{"arguments", "In the place of <cron>.", "In the place of\n.Ar CRON .\n"},
		{"variables", "The variable KLAVIYO_API_KEY is read.", "The variable\n.Ev KLAVIYO_API_KEY\nis read.\n"},
		{"dashes alone", "Command to run, after --.", "Command to run, after --.\n"},
		{"a request at the start of a line", ".dig and 'a'.", "\\&.dig and 'a'.\n"},
		{"a backslash", `A \ here.`, `A \e here.` + "\n"},
		{
			"a long line", strings.Repeat("12345678 ", 9) + "end.",
			strings.TrimSpace(strings.Repeat("12345678 ", 8)) + "\n12345678 end.\n",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := prose(c.text); got != c.want {
				t.Errorf("expected %q, got %q", c.want, got)
			}
		})
	}
}

// A flag that several commands share is described once, so it has to mean the same in all of them.
func TestSharedFlagsAgree(t *testing.T) {
	type command struct {
		Wait string `group:"g" default:"1h" help:"Wait."`
	}
	cases := []struct {
		name    string
		line    any
		differs bool
	}{
		{"the same", &struct {
			A command `cmd:""`
			B command `cmd:""`
		}{}, false},
		{"another default", &struct {
			A command `cmd:""`
			B struct {
				Wait string `group:"g" default:"2h" help:"Wait."`
			} `cmd:""`
		}{}, true},
		{"another help", &struct {
			A command `cmd:""`
			B struct {
				Wait string `group:"g" default:"1h" help:"Do not wait."`
			} `cmd:""`
		}{}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := describe(kong.Must(c.line, kong.Exit(func(int) {})).Model)
			if got := err != nil; got != c.differs {
				t.Errorf("expected an error: %v, got %v", c.differs, err)
			}
		})
	}
}
