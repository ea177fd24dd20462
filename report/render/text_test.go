package render

import (
	"strings"
	"testing"
	"unicode"
)

// The summary of each kind of run stays the same. Its lines fit into 100 columns and contain no control character.
func TestText(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := Text(&b, r); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", b.String())
			for line := range strings.SplitSeq(b.String(), "\n") {
				hidden := strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsGraphic(r) })
				command := strings.HasPrefix(line, "    klaviyo-export ") // stays on one line, to be pasted
				if n := columns(line); n > textWidth && !command || hidden {
					t.Errorf("%d columns, or a control character: %q", n, line)
				}
			}
		})
	}
	if err := Text(full{}, samples()["zero"]); err != errFull {
		t.Error(err)
	}
}
