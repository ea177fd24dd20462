package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A timeline stays within its bound and on its grid and loses nothing, however long the run and whenever samples
// come.
func TestTimelineSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := Timeline{Start: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "start"), 0)}
		var s Sample
		var elapsed time.Duration
		most := int64(0)
		for range rapid.IntRange(1, 300).Draw(t, "samples") {
			elapsed += time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "pause")) >> rapid.IntRange(0, 20).Draw(t, "shift")
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
			if at <= last || at%b.Seconds != 0 || b.Seconds&(b.Seconds-1) != 0 || b.Seconds != buckets[0].Seconds || b.At.After(line.Start.Add(elapsed)) {
				t.Fatalf("bucket %+v after second %d", b, last)
			}
			last = at
			sum.Rows.add(b.Rows)
			sum.Requests += b.Requests
			sum.ThrottledSeconds = round(sum.ThrottledSeconds + b.ThrottledSeconds)
			sum.OpenJobs = max(sum.OpenJobs, b.OpenJobs)
		}
		if n := (last - buckets[0].At.Unix()) / buckets[0].Seconds; n >= maxBuckets || buckets[0].Seconds > 1 && 2*n+3 < maxBuckets {
			t.Fatalf("%d buckets of %d s", n+1, buckets[0].Seconds)
		}
		want := Bucket{Rows: s.Rows, Requests: s.Requests, ThrottledSeconds: s.Throttled.Round(time.Millisecond).Seconds(), OpenJobs: most}
		if diff := cmp.Diff(want, sum); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestTimelineWidens(t *testing.T) {
	start := time.Unix(1_000_001, 900_000_000) // its second is odd, so that the first bucket of two is half filled
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
		t.Errorf("nothing happened, but %d buckets", n)
	}
	line.Add(0, Sample{Requests: 151})
	if n := line.Buckets()[75].Requests; n != 2 {
		t.Errorf("time went back, and the last bucket has %d requests", n)
	}
}
