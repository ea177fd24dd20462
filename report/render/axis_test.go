package render

import (
	"strings"
	"testing"
	"time"
)

// Texts on an axis are short.
func TestAxisTexts(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0", 0.25: "0.25", 800: "800", 2500: "2,500", 10000: "10k", 25e3: "25k", 1.5e6: "1.5M", 2e9: "2G",
	} {
		if got := compact(n); got != want {
			t.Errorf("compact(%v) = %s, expected %s", n, got, want)
		}
	}
	for seconds, want := range map[int64][2]string{
		1: {"1 s", "1 s"}, 64: {"64 s", "1m4s"}, 128: {"2.1 min", "2m8s"}, 4096: {"68 min", "1h8m16s"},
		7200: {"2 h", "2h0m0s"}, 16384: {"4.6 h", "4h33m4s"}, 1 << 20: {"12 d", "291h16m16s"},
	} {
		if got := [2]string{about(seconds), exactly(seconds)}; got != want {
			t.Errorf("about and exactly of %d s are %q, expected %q", seconds, got, want)
		}
	}
}

// A clock shows seconds only where they differ, and the day at midnight.
func TestClock(t *testing.T) {
	from := time.Date(2026, 11, 28, 23, 57, 0, 0, time.UTC)
	for length, want := range map[time.Duration]string{
		4 * time.Second: "23:57:00 23:57:01 23:57:02 23:57:03 23:57:04",
		6 * time.Minute: "23:57 23:58 23:59 29 Nov 00:01 00:02 00:03",
	} {
		var texts []string
		for _, tick := range clock(from, from.Add(length)) {
			texts = append(texts, tick.Text)
		}
		if got := strings.Join(texts, " "); got != want {
			t.Errorf("%v: got %s, expected %s", length, got, want)
		}
	}
}
