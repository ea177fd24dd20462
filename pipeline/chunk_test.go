package pipeline

import (
	"strings"
	"testing"
	"time"
)

// A huge row costs its memory once: its chunk and its text are not kept for other rows. Those of usual rows are.
func TestSwollenChunksAreNotKept(t *testing.T) {
	o := checkOptions(t)
	huge := `{"email":"ann@example.com","note":"` + strings.Repeat("x", 1_040_000) + `"}`
	for _, c := range []struct {
		name, text    string
		chunks, texts int
	}{
		{"usual rows", rowsFrom(0, 100), 1, 1},
		{"a long text of few profiles", strings.Repeat(" ", 3*chunkSize) + rowsFrom(0, 1), 1, 0},
		{"a huge row behind others", rowsFrom(0, 4000) + huge, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			control := newControl(t.Context(), o, time.Now(), func(error) {})
			rows := control.newChunk()
			rows.text = append(rows.text, c.text...)
			rows.check(o.Checker)
			rows.release()
			if chunks, texts := len(control.chunks.idle), len(control.texts.idle); chunks != c.chunks || texts != c.texts {
				t.Errorf("%d chunks and %d texts are kept, want %d and %d", chunks, texts, c.chunks, c.texts)
			}
		})
	}
}
