package render

import (
	"strings"
	"testing"
)

// Rounding never turns a share into nothing or all.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		part, all int64
		want      string
	}{
		{0, 0, ""}, {0, 5, "0.0 %"}, {5, 5, "100.0 %"}, {1, 3, "33.3 %"}, {1, 1_000_000, "< 0.1 %"},
		{999_999, 1_000_000, "> 99.9 %"}, {999, 1000, "99.9 %"}, {1, 1000, "0.1 %"},
	} {
		if got := share(c.part, c.all); got != c.want {
			t.Errorf("share(%d, %d) = %q, expected %q", c.part, c.all, got, c.want)
		}
	}
}

// Durations, sizes and counts have few digits and the right unit.
func TestMeasures(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0s", 0.002: "0s", 1.254: "1.25s", 12.34: "12.3s", 432.7: "7m13s", 90061: "25h1m1s",
	} {
		if got := duration(seconds); got != want {
			t.Errorf("duration(%v) = %s, expected %s", seconds, got, want)
		}
	}
	for bytes, want := range map[int64]string{
		0: "0.0 kB", 1234: "1.2 kB", 999_999: "1.0 MB", 2_728_355_450: "2.7 GB", 5e16: "50000.0 TB",
	} {
		if got := size(bytes); got != want {
			t.Errorf("size(%d) = %s, expected %s", bytes, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 rows", 1: "1 row", 999: "999 rows", 1_234_567: "1,234,567 rows"} {
		if got := numbered(n, "row"); got != want {
			t.Errorf("numbered(%d) = %s, expected %s", n, got, want)
		}
	}
}

// Words are joined as a sentence needs them.
func TestOneOf(t *testing.T) {
	for want, words := range map[string][]string{
		"": nil, "rejected": {"rejected"}, "rejected or unsent": {"rejected", "unsent"},
		"rejected, unknown or unsent": {"rejected", "unknown", "unsent"},
	} {
		if got := oneOf(words); got != want {
			t.Errorf("oneOf(%q) = %q, expected %q", words, got, want)
		}
	}
}

// A text of any length is cut quickly, to at most the given columns.
func TestClipped(t *testing.T) {
	for text, want := range map[string]string{
		"1234567890": "1234567890", "12345678901": "12345678…",
		"語語語語語": "語語語語語", "語語語語語語": "語語語語…", "": "", strings.Repeat("x", 4<<20): "xxxxxxxx…",
	} {
		if got := clipped(text, 10); got != want {
			t.Errorf("clipped(%.20q) = %q, expected %q", text, got, want)
		}
	}
}
