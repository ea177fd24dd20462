package schedule

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func scheduleOf(t testing.TB, expression string) *Schedule {
	t.Helper()
	s, err := Parse(expression)
	if err != nil {
		t.Fatalf("%q: %v", expression, err)
	}
	return s
}

// following are the next n times as RFC 3339.
func following(s *Schedule, after time.Time, n int) []string {
	var times []string
	for range n {
		at, ok := s.Next(after)
		if !ok {
			break
		}
		times = append(times, at.Format(time.RFC3339))
		after = at
	}
	return times
}

// TestTimes guards the five times after a moment of each line in testdata/times.tsv.
func TestTimes(t *testing.T) {
	text, err := os.ReadFile("testdata/times.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		lines++
		columns := strings.Split(strings.TrimSpace(line), "\t")
		zone := zoneOf(t, columns[1])
		after, err := time.ParseInLocation("2006-01-02 15:04:05", (columns[2] + ":00")[:19], zone)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		date := ""
		for at := range strings.SplitSeq(columns[3], ", ") {
			if len(at) > len("15:04-0700") {
				date = at[:len("2006-01-02 ")]
			} else {
				at = date + at
			}
			moment, err := time.Parse("2006-01-02 15:04-0700", at)
			if err != nil {
				moment, err = time.ParseInLocation("2006-01-02 15:04", at, zone)
			}
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, moment.In(zone).Format(time.RFC3339))
		}
		if got := following(scheduleOf(t, columns[0]), after, len(want)); !slices.Equal(got, want) || len(want) != 5 {
			t.Errorf("%s in %s after %s:\n got %v\nwant %v", columns[0], columns[1], columns[2], got, want)
		}
	}
	if lines != 25 {
		t.Errorf("%d lines, want 25", lines)
	}
}

// TestClocks guards the times around changes of zones' clocks, and at the ends of the calendar.
func TestClocks(t *testing.T) {
	for _, c := range []struct{ expression, zone, after, want string }{
		// Half an hour forward at 2:00, back at 2:00.
		{"*/15 2 * * *", "Australia/Lord_Howe", "2024-10-06T01:00:00+10:30",
			"2024-10-06T02:30:00+11:00 2024-10-06T02:45:00+11:00 2024-10-07T02:00:00+11:00"},
		{"*/15 1 * * *", "Australia/Lord_Howe", "2024-04-07T01:10:00+11:00",
			"2024-04-07T01:15:00+11:00 2024-04-07T01:30:00+11:00 2024-04-07T01:45:00+11:00 " +
				"2024-04-07T01:30:00+10:30 2024-04-07T01:45:00+10:30 2024-04-08T01:00:00+10:30"},
		// Days without midnight.
		{"0 0 * * *", "America/Sao_Paulo", "2018-11-03T00:00:00-03:00", "2018-11-05T00:00:00-02:00"},
		{"0 1 * * *", "America/Sao_Paulo", "2018-11-03T01:00:00-03:00", "2018-11-04T01:00:00-02:00"},
		{"30 23 * * *", "America/Sao_Paulo", "2018-02-17T23:00:00-02:00",
			"2018-02-17T23:30:00-02:00 2018-02-17T23:30:00-03:00 2018-02-18T23:30:00-03:00"},
		{"0 6 * * 5", "Africa/Cairo", "2027-04-23T06:00:00+02:00", "2027-04-30T06:00:00+03:00"},
		// A day that the zone skipped.
		{"0 12 * * *", "Pacific/Apia", "2011-12-28T12:00:00-10:00",
			"2011-12-29T12:00:00-10:00 2011-12-31T12:00:00+14:00"},
		{"0 0 30 12 *", "Pacific/Apia", "2010-12-30T00:00:00-10:00", "2012-12-30T00:00:00+14:00"},
		{"* * * * *", "Pacific/Apia", "2011-12-29T23:59:00-10:00", "2011-12-31T00:00:00+14:00"},
		// Rules without an end, on day 366, where Go's ZoneBounds ends too early.
		{"0 * * * *", "America/New_York", "2048-12-31T22:30:00-05:00",
			"2048-12-31T23:00:00-05:00 2049-01-01T00:00:00-05:00"},
		{"0 0 1 1 *", "Europe/Berlin", "2048-12-31T12:00:00+01:00", "2049-01-01T00:00:00+01:00"},
		{"0 2 * * *", "America/New_York", "2400-03-10T02:00:00-05:00",
			"2400-03-11T02:00:00-05:00 2400-03-13T02:00:00-04:00"},
		// Leap days, and none in 2100 and 2200.
		{"0 0 29 2 *", "UTC", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"0 0 29 2 *", "Asia/Tokyo", "2196-02-29T00:00:00+09:00", "2204-02-29T00:00:00+09:00"},
		{"0 0 29,30,31 2 *", "UTC", "2024-02-28T23:59:59Z", "2024-02-29T00:00:00Z 2028-02-29T00:00:00Z"},
		// Strictly after, seconds 0, whatever the start.
		{"* * * * *", "UTC", "2024-01-01T00:00:00Z", "2024-01-01T00:01:00Z"},
		{"* * * * *", "UTC", "2024-01-01T00:00:59.999999999Z", "2024-01-01T00:01:00Z"},
		{"* * * * *", "UTC", "2023-12-31T23:59:59.999999999Z", "2024-01-01T00:00:00Z"},
		// Seconds 0 by clocks that are ahead by seconds.
		{"0 * * * *", "Africa/Monrovia", "1971-01-01T00:30:00-00:44", "1971-01-01T01:00:00-00:44"},
		{"0 0 1 1 *", "UTC", "9998-06-01T00:00:00Z", "9999-01-01T00:00:00Z"},
		{"0 0 1 1 *", "UTC", "9999-01-01T00:00:00Z", ""},
	} {
		after, err := time.Parse(time.RFC3339Nano, c.after)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(c.want)
		got := following(scheduleOf(t, c.expression), after.In(zoneOf(t, c.zone)), max(1, len(want)))
		if !slices.Equal(got, want) {
			t.Errorf("%s in %s after %s:\n got %v\nwant %v", c.expression, c.zone, c.after, got, want)
		}
	}
}

// BenchmarkNext measures how long it takes to find a time that is near, and one that is years away.
func BenchmarkNext(b *testing.B) {
	for _, expression := range []string{"* * * * *", "0 0 1 * *", "0 0 29 2 *"} {
		b.Run(expression, func(b *testing.B) {
			s, at := scheduleOf(b, expression), time.Date(2096, 3, 1, 0, 0, 0, 0, zoneOf(b, "America/New_York"))
			b.ReportAllocs()
			for b.Loop() {
				s.Next(at)
			}
		})
	}
}
