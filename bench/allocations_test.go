package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
)

// A whole run allocates at most 0.2 heap objects for a good row and 6 for a bad row, whose reason is text. The test
// compares two runs that differ by 40,000 rows, so that one more allocation per row shows.
func TestAllocationsPerRow(t *testing.T) {
	web := httptest.NewServer(&server{})
	defer web.Close()
	good, bad := sampleRows(t)
	for _, kind := range []struct {
		name  string
		rows  []byte
		times int
		bound float64
	}{
		{"good", good, 40_000 / bytes.Count(good, []byte{'\n'}), 0.2},
		{
			"bad", slices.Concat(good[:bytes.IndexByte(good, '\n')+1], bad),
			40_000 / (bytes.Count(bad, []byte{'\n'}) + 1), 6,
		},
	} {
		t.Run(kind.name, func(t *testing.T) {
			count := func(times int) (rows, objects float64) {
				r, o, err := allocated(t.Context(), web.URL, repeated(kind.rows, times))
				if err != nil {
					t.Fatal(err)
				}
				return float64(r), float64(o)
			}
			count(kind.times / 4) // fills pools and lazy tables
			few, before := count(kind.times / 4)
			many, after := count(kind.times / 4 * 5)
			if many-few < 37_000 {
				t.Fatalf("expected at least 37,000 rows more, got %v", many-few)
			}
			perRow := (after - before) / (many - few)
			t.Logf("%.3f allocations per row", perRow)
			if perRow > kind.bound {
				t.Errorf("expected at most %v allocations per row, got %.3f", kind.bound, perRow)
			}
		})
	}
}

// sampleRows returns the good and the bad lines of testdata.
func sampleRows(t *testing.T) (good, bad []byte) {
	set := sample(t)
	rows, err := os.ReadFile(set.mixed)
	expected, unread := os.ReadFile(set.expected)
	if err := errors.Join(err, unread); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(rows, []byte{'\n'})
	for i, want := range bytes.SplitAfter(expected, []byte{'\n'}) {
		switch {
		case status(want) == "rejected":
			bad = append(bad, lines[i]...)
		case status(want) == "valid":
			good = append(good, lines[i]...)
		}
	}
	return good, bad
}

// repeated returns the rows so many times, with other addresses each time.
func repeated(rows []byte, times int) io.Reader {
	parts := make([]io.Reader, times)
	for i := range parts {
		parts[i] = bytes.NewReader(bytes.ReplaceAll(rows, []byte("@"), fmt.Appendf(nil, "@r%d.", i)))
	}
	return io.MultiReader(parts...)
}
