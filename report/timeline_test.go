package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A timeline stays within its bound and on its grid and loses no count, in runs of any length.
func TestTimelineSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := Timeline{Start: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "start"), 0)}
		var s Sample
		var elapsed time.Duration
		most := int64(0)
		for range rapid.IntRange(1, 300).Draw(t, "samples") {
			pause := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "pause"))
			elapsed += pause >> rapid.IntRange(0, 20).Draw(t, "shift")
			n := rapid.Int64Range(0, 10_000).Draw(t, "rows")
			s.Rows.add(Rows{Read: n, Accepted: n})
			s.Requests++
			s.Throttled += 250*time.Millisecond + 300*time.Microsecond
			s.OpenJobs = rapid.Int64Range(0, 256).Draw(t, "open")
			most = max(most, s.OpenJobs)
			line.Add(elapsed, s)
		}
		var sum Bucket
		buckets := line.Buckets()
		last := int64(-1)
		for _, b := range buckets {
			at := b.At.Unix()
			onGrid := at%b.Seconds == 0 && b.Seconds&(b.Seconds-1) == 0 && b.Seconds == buckets[0].Seconds
			if at <= last || !onGrid || b.At.After(line.Start.Add(elapsed)) {
				t.Fatalf("bucket %+v after second %d", b, last)
			}
			last = at
			sum.Rows.add(b.Rows)
			sum.Requests += b.Requests
			sum.ThrottledSeconds = round(sum.ThrottledSeconds + b.ThrottledSeconds)
			sum.OpenJobs = max(sum.OpenJobs, b.OpenJobs)
		}
		width := buckets[0].Seconds
		if n := (last - buckets[0].At.Unix()) / width; n >= maxBuckets || width > 1 && 2*n+3 < maxBuckets {
			t.Fatalf("%d buckets of %d s", n+1, width)
		}
		want := Bucket{
			Rows: s.Rows, Requests: s.Requests, OpenJobs: most,
			ThrottledSeconds: s.Throttled.Round(time.Millisecond).Seconds(),
		}
		if diff := cmp.Diff(want, sum); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A run that outgrows 120 buckets of one second gets buckets of two. A second without news or a clock that goes back
// adds no bucket.
func TestTimelineWidens(t *testing.T) {
	start := time.Unix(1_000_001, 900_000_000) // an odd second: the first bucket of two seconds is half full
	line := Timeline{Start: start}
	for second := range 150 {
		line.Add(time.Duration(second)*time.Second, Sample{Requests: int64(second + 1)})
	}
	got := line.Buckets()
	first := Bucket{At: time.Unix(1_000_000, 0).UTC(), Seconds: 2, Requests: 1}
	last := Bucket{At: time.Unix(1_000_150, 0).UTC(), Seconds: 2, Requests: 1}
	if len(got) != 76 || got[0] != first || got[75] != last {
		t.Errorf("%d buckets, first %+v, last %+v", len(got), got[0], got[len(got)-1])
	}
	line.Add(time.Hour, Sample{Requests: 150})
	if n := len(line.Buckets()); n != 76 {
		t.Errorf("got %d buckets after an hour without news, expected 76", n)
	}
	line.Add(0, Sample{Requests: 151})
	if n := line.Buckets()[75].Requests; n != 2 {
		t.Errorf("the clock went back: the last bucket has %d requests, expected 2", n)
	}
}

// A chart never falls to 0 between two samples: counts are spread over the time between them, and jobs stay open. Rows
// that the end of a run leaves without a result are not spread. Where nothing happened, there is no bucket.
func TestTimelineBetweenSamples(t *testing.T) {
	start := time.Unix(1_000_000, 500_000_000)
	line := Timeline{Start: start}
	for _, s := range []struct {
		at     time.Duration
		sample Sample
	}{
		{2500 * time.Millisecond, Sample{Rows: Rows{Read: 11, Accepted: 10, Rejected: 1}, Requests: 2, OpenJobs: 2}},
		{4500 * time.Millisecond, Sample{Rows: Rows{Read: 11, Accepted: 10, Rejected: 1}, Requests: 2, OpenJobs: 2}},
		{5500 * time.Millisecond, Sample{Rows: Rows{Read: 11, Accepted: 10, Rejected: 1}, Requests: 2}},
		{8500 * time.Millisecond, Sample{Rows: Rows{Read: 11, Accepted: 10, Rejected: 1}, Requests: 2}},
		{10500 * time.Millisecond, Sample{
			Rows:     Rows{Read: 26, Accepted: 14, Rejected: 1, Unknown: 4, Unsent: 7},
			Requests: 4, Throttled: 1500 * time.Millisecond, OpenJobs: 1,
		}},
	} {
		line.Add(s.at, s.sample)
	}
	at := func(second int64) time.Time { return time.Unix(1_000_000+second, 0).UTC() }
	want := []Bucket{
		{At: at(0), Seconds: 1, Rows: Rows{Read: 2, Accepted: 2}},
		{At: at(1), Seconds: 1, Rows: Rows{Read: 5, Accepted: 4, Rejected: 1}, Requests: 1},
		{At: at(2), Seconds: 1, Rows: Rows{Read: 4, Accepted: 4}, Requests: 1},
		{At: at(3), Seconds: 1, OpenJobs: 2},
		{At: at(4), Seconds: 1, OpenJobs: 2},
		{At: at(5), Seconds: 1, OpenJobs: 2},
		{At: at(9), Seconds: 1, Rows: Rows{Read: 2, Accepted: 2}, Requests: 1, ThrottledSeconds: 0.75},
		{At: at(10), Seconds: 1, Rows: Rows{Read: 2, Accepted: 2}, Requests: 1, ThrottledSeconds: 0.75},
		{At: at(11), Seconds: 1, Rows: Rows{Read: 11, Unknown: 4, Unsent: 7}, OpenJobs: 1},
	}
	if diff := cmp.Diff(want, line.Buckets()); diff != "" {
		t.Error(diff)
	}
}
