package render

import (
	"strings"
	"testing"
	"unicode"
)

// The summary of each kind of run, and that no line is too wide for a terminal nor does anything to it.
func TestText(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := WriteText(&b, r); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", b.String())
			for line := range strings.SplitSeq(b.String(), "\n") {
				if n := columns(line); n > textWidth || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsGraphic(r) }) {
					t.Errorf("%d columns: %q", n, line)
				}
			}
		})
	}
	if err := WriteText(writerFunc(func([]byte) (int, error) { return 0, errFull }), samples()["zero"]); err != errFull {
		t.Error(err)
	}
}
