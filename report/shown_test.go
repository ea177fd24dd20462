package report

import (
	"bytes"
	"testing"

	"github.com/segmentio/encoding/json"
)

// TestShown: results and reports hold no bare character that a terminal acts on, and their values stay the same.
func TestShown(t *testing.T) {
	for text, want := range map[string]string{
		"plain":              `"plain"`,
		"Jürgen 東京 👩":        `"Jürgen 東京 👩"`,
		"a\nb\x1b[2J\x7f":    `"a\nb\u001b[2J\u007f"`,
		"\u009b2J":           `"\u009b2J"`,
		"abc\u202edef\u2028": `"abc\u202edef\u2028"`,
		"👩\u200d💻\U000e0041": `"👩\u200d💻\udb40\udc41"`,
		"\ufffd":             "\"\ufffd\"",
	} {
		var out bytes.Buffer
		w := NewWriter(&out)
		w.Line(&Line{Row: 1, Status: Rejected, Detail: text})
		if err := w.Report(&Report{List: &List{Name: text}}); err != nil {
			t.Fatal(err)
		}
		lines := bytes.SplitAfter(out.Bytes(), []byte("\n"))
		if len(lines) != 3 || !bytes.Contains(lines[0], []byte(`"detail":`+want)) ||
			!bytes.Contains(lines[1], []byte(`"name":`+want)) {
			t.Fatalf("%q:\n%s\nwant %s", text, out.Bytes(), want)
		}
		var back struct{ Detail string }
		var rep Report
		if json.Unmarshal(lines[0], &back) != nil || json.Unmarshal(lines[1], &rep) != nil ||
			back.Detail != text || rep.List.Name != text {
			t.Errorf("%q came back as %q and %q", text, back.Detail, rep.List.Name)
		}
	}
}
