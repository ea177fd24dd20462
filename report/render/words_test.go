package render

import (
	"strings"
	"testing"
)

// A part is never said to be nothing or all when it is not.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		part, all int64
		want      string
	}{
		{0, 0, ""}, {0, 5, "0.0 %"}, {5, 5, "100.0 %"}, {1, 3, "33.3 %"}, {1, 1_000_000, "< 0.1 %"}, {999_999, 1_000_000, "> 99.9 %"}, {999, 1000, "99.9 %"}, {1, 1000, "0.1 %"},
	} {
		if got := share(c.part, c.all); got != c.want {
			t.Errorf("%d of %d is %s, want %s", c.part, c.all, got, c.want)
		}
	}
}

func TestMeasures(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0s", 0.002: "0s", 1.254: "1.25s", 12.34: "12.3s", 432.7: "7m13s", 90061: "25h1m1s"} {
		if got := duration(seconds); got != want {
			t.Errorf("%v s is %s, want %s", seconds, got, want)
		}
	}
	for bytes, want := range map[int64]string{0: "0.0 kB", 1234: "1.2 kB", 999_999: "1.0 MB", 2_728_355_450: "2.7 GB", 5e16: "50000.0 TB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d bytes are %s, want %s", bytes, got, want)
		}
	}
	for rows, want := range map[int64]string{1: "0.0333", 2795: "93.2", 300_000: "10,000"} {
		if got := (&Report{Timeline: []Bucket{{Rows: Rows{Read: rows + 2, Resumed: 5}}, {Rows: Rows{Read: 3}}}, Seconds: 30}).pace(); got != want {
			t.Errorf("%d rows in 30 s are %s a second, want %s", rows, got, want)
		}
	}
}

// A text of any length is cut in time, and to no more columns than there are.
func TestClipped(t *testing.T) {
	for text, want := range map[string]string{
		"1234567890": "1234567890", "12345678901": "12345678…", "語語語語語": "語語語語語", "語語語語語語": "語語語語…", "": "",
		strings.Repeat("x", 4<<20): "xxxxxxxx…",
	} {
		if got := clipped(text, 10); got != want {
			t.Errorf("%.20s is cut to %s, want %s", text, got, want)
		}
	}
}

// Every outcome has its words.
func TestOutcome(t *testing.T) {
	for _, c := range []struct {
		exit int
		rows Rows
		want string
	}{
		{0, Rows{}, "there were no rows"},
		{0, Rows{Read: 2, Applied: 1, Skipped: 1}, "every row got there"},
		{0, Rows{Read: 2, Valid: 2}, "nothing is wrong with the rows, and nothing was sent"},
		{0, Rows{Read: 2, Applied: 1, Rejected: 1}, "rows got there, and not more were rejected than --max-invalid allows"},
		{1, Rows{Read: 2, Applied: 1, Rejected: 1}, "the run came to its end, but some rows did not get there"},
		{1, Rows{Read: 2, Rejected: 1, Unknown: 1}, "the run came to its end, but no row got there"},
		{1, Rows{Read: 2, Applied: 2}, "the rows that were read got there, but the input was not as expected"},
		{1, Rows{}, "the rows that were read got there, but the input was not as expected"},
		{2, Rows{}, "it could not run to its end; something has to be mended first"},
		{3, Rows{}, "import jobs were not done within the waiting time; klaviyo-export wait takes them up again"},
		{4, Rows{}, "Klaviyo or the network gave up; run it again later"},
		{130, Rows{}, "stopped by SIGINT"},
		{143, Rows{}, "stopped by SIGTERM or SIGHUP, or killed"},
	} {
		if got := (&Report{ExitCode: c.exit, Rows: c.rows}).outcome(); got != c.want {
			t.Errorf("%d with %+v: %s, want %s", c.exit, c.rows, got, c.want)
		}
	}
}

// How long jobs took is said in as few words as it can be.
func TestLatencyWords(t *testing.T) {
	for _, c := range []struct {
		classes []Latency
		want    string
	}{
		{nil, ""},
		{[]Latency{{8, 3}}, "all within 8s"},
		{[]Latency{{8, 3}, {64, 1}}, "half within 8s, all within 1m4s"},
		{[]Latency{{8, 99}, {64, 1}}, "half within 8s, all within 1m4s"},
		{[]Latency{{1, 50}, {16, 45}, {64, 5}}, "half within 1s, 95 % within 16s, all within 1m4s"},
	} {
		if got := (&Report{Jobs: Jobs{Latency: c.classes}}).latency(); got != c.want {
			t.Errorf("%v: %s, want %s", c.classes, got, c.want)
		}
	}
}

// A pace is that of the rows which were worked on in that time: not of those that were done before, nor of runs that were killed, of
// whose time nothing is known.
func TestTook(t *testing.T) {
	for want, rows := range map[string]Rows{"10s": {Read: 5, Resumed: 5}, "10s, 0.5 rows a second": {Read: 10, Resumed: 5}} {
		if got := (&Report{StartedAt: "2026-11-23T09:30:00.000Z", Rows: Rows{Read: 100}, Timeline: []Bucket{{Rows: rows}}, Seconds: 10}).took(); got != want {
			t.Errorf("%+v took %s, want %s", rows, got, want)
		}
	}
}
