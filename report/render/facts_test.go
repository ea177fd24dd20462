package render

import (
	"testing"

	"klaviyo-export/report"
)

// The latency of import jobs is said in as few words as possible.
func TestLatencyWords(t *testing.T) {
	for _, c := range []struct {
		name    string
		classes []report.Latency
		want    string
	}{
		{"unknown", nil, ""},
		{"one class", []report.Latency{{Seconds: 8, Jobs: 3}}, "all within 8s"},
		{"few jobs", []report.Latency{{Seconds: 8, Jobs: 3}, {Seconds: 64, Jobs: 1}}, "half within 8s, all within 1m4s"},
		{"one late job", []report.Latency{{Seconds: 8, Jobs: 99}, {Seconds: 64, Jobs: 1}},
			"half within 8s, all within 1m4s"},
		{"many jobs", []report.Latency{{Seconds: 1, Jobs: 50}, {Seconds: 16, Jobs: 45}, {Seconds: 64, Jobs: 5}},
			"half within 1s, 95 % within 16s, all within 1m4s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := latency(c.classes); got != c.want {
				t.Errorf("got %q, expected %q", got, c.want)
			}
		})
	}
}

// Rows per second count the rows of the run itself: no resumed rows, and no rows of killed runs.
func TestTook(t *testing.T) {
	for _, c := range []struct {
		name string
		rows report.Rows
		want string
	}{
		{"only resumed rows", report.Rows{Read: 5, Resumed: 5}, "10s"},
		{"some resumed rows", report.Rows{Read: 10, Resumed: 5}, "10s, 0.5 rows per second"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &report.Report{
				StartedAt: "2026-11-23T09:30:00.000Z", Rows: report.Rows{Read: 100}, Seconds: 10,
				Timeline: []report.Bucket{{Rows: c.rows}},
			}
			if got := took(r); got != c.want {
				t.Errorf("got %q, expected %q", got, c.want)
			}
		})
	}
}

// Rows per second have three digits at least.
func TestRowsPerSecond(t *testing.T) {
	for rows, want := range map[int64]string{1: "0.0333", 2795: "93.2", 300_000: "10,000"} {
		r := &report.Report{Seconds: 30, Timeline: []report.Bucket{
			{Rows: report.Rows{Read: rows + 2, Resumed: 5}}, {Rows: report.Rows{Read: 3}},
		}}
		if got := rowsPerSecond(r); got != want {
			t.Errorf("%d rows in 30 s are %s per second, expected %s", rows, got, want)
		}
	}
}
