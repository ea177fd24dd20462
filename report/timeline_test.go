package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A timeline stays within its bound and loses nothing, however long the run and whenever samples come.
func TestTimelineSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var line Timeline
		var s Sample
		var elapsed time.Duration
		most := int64(0)
		for range rapid.IntRange(1, 300).Draw(t, "samples") {
			elapsed += time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "pause")) >> rapid.IntRange(0, 20).Draw(t, "shift")
			n := rapid.Int64Range(0, 10_000).Draw(t, "rows")
			s.Rows.add(Rows{Read: n, Accepted: n})
			s.Requests++
			s.Throttled += 250 * time.Millisecond
			s.OpenJobs = rapid.Int64Range(0, 256).Draw(t, "open")
			most = max(most, s.OpenJobs)
			line.Add(elapsed, s)
		}
		var sum Bucket
		last := int64(-1)
		for _, b := range line.Buckets() {
			if b.At <= last || b.At%b.Seconds != 0 || b.Seconds != line.Buckets()[0].Seconds || b.At > int64(elapsed/time.Second) {
				t.Fatalf("bucket %+v after second %d", b, last)
			}
			last = b.At
			sum.Rows.add(b.Rows)
			sum.Requests += b.Requests
			sum.ThrottledSeconds += b.ThrottledSeconds
			sum.OpenJobs = max(sum.OpenJobs, b.OpenJobs)
		}
		if n := len(line.Buckets()); n > maxBuckets {
			t.Fatalf("%d buckets", n)
		}
		want := Bucket{Rows: s.Rows, Requests: s.Requests, ThrottledSeconds: s.Throttled.Seconds(), OpenJobs: most}
		if diff := cmp.Diff(want, sum); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestTimelineWidens(t *testing.T) {
	var line Timeline
	for second := range 150 {
		line.Add(time.Duration(second)*time.Second, Sample{Requests: int64(second + 1)})
	}
	got := line.Buckets()
	if len(got) != 75 || got[0] != (Bucket{Seconds: 2, Requests: 2}) || got[74] != (Bucket{At: 148, Seconds: 2, Requests: 2}) {
		t.Errorf("%d buckets, first %+v, last %+v", len(got), got[0], got[len(got)-1])
	}
	line.Add(time.Hour, Sample{Requests: 150})
	if n := len(line.Buckets()); n != 75 {
		t.Errorf("nothing happened, but %d buckets", n)
	}
}
