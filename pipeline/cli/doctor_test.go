package cli

import (
	"testing"

	"klaviyo-export/sink"
)

// At a terminal a finding is a line with a mark, and its hint is a second line. A check that passes with a hint is a
// warning. Control characters of names have no effect.
func TestFindingText(t *testing.T) {
	for _, c := range []struct {
		name    string
		finding sink.Finding
		want    string
	}{
		{"passed", sink.Finding{Check: "key", OK: true, Detail: "Klaviyo knows the API key"},
			"✓ key: Klaviyo knows the API key\n"},
		{"failed", sink.Finding{Check: "list", Detail: "no list", Hint: "check the name"},
			"✗ list: no list\n  hint: check the name\n"},
		{"failed without a hint", sink.Finding{Check: "list", Detail: "no list"}, "✗ list: no list\n"},
		{"warning", sink.Finding{Check: "revision", OK: true, Detail: "2024-10-15 ends", Hint: "leave out --revision"},
			"! revision: 2024-10-15 ends\n  hint: leave out --revision\n"},
		{"control characters", sink.Finding{Check: "list", OK: true, Detail: "list \x1b[2J"},
			"✓ list: list \\x1b[2J\n"},
	} {
		if got := findingText(&c.finding); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
