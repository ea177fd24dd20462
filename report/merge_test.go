package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// bytesOf returns the report's line.
func bytesOf(t rapid.TB, r *Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := NewWriter(&out).Report(r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// drawRows draws counts that add up.
func drawRows(t *rapid.T) Rows {
	n := func(name string) int64 { return rapid.Int64Range(0, 1000).Draw(t, name) }
	r := Rows{
		Applied: n("applied"), Accepted: n("accepted"), Skipped: n("skipped"), Rejected: n("rejected"),
		Unknown: n("unknown"), Unsent: n("unsent"), Valid: n("valid"), Resumed: n("resumed"),
	}
	counts := r.byStatus()
	r.Read = sumOf(counts[:])
	return r
}

// drawReport draws a report as a run writes it, or as ReadStream makes it of a run that was killed.
func drawReport(t *rapid.T) *Report {
	n := func(name string) int64 { return rapid.Int64Range(0, 1000).Draw(t, name) }
	of := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
	exit := rapid.SampledFrom(worse).Draw(t, "exit")
	r := &Report{Type: "report", Status: StatusOf(exit), ExitCode: exit, Rows: drawRows(t), Operation: of("operation", "", "add", "add", "remove"), Version: of("version", "", "v1", "v1", "v2")}
	if rapid.IntRange(0, 9).Draw(t, "list") > 0 {
		r.List = &List{ID: of("id", "", "X", "X", "Y"), Name: of("name", "", "A", "A", "B"), Created: rapid.Bool().Draw(t, "created")}
	}
	counted := newTally()
	for range rapid.IntRange(0, 8).Draw(t, "reasons") {
		counted.add(n("row")+1, Rejected, of("code", "duplicate", "email_invalid", "outage"), of("stage", "", "validate", "import"))
	}
	r.Reasons = slices.Grow(counted.Reasons(), 9)
	r.Jobs = Jobs{Submitted: n("submitted"), Complete: n("complete"), Cancelled: n("cancelled"), Open: rapid.SliceOfN(rapid.SampledFrom([]string{"01A", "01B", "01C", "01D"}), 0, 3).Draw(t, "open")}
	r.Jobs.Open = slices.Grow(r.Jobs.Open, 4)
	for range rapid.IntRange(0, 4).Draw(t, "jobs") {
		r.Jobs.Latency = Took(r.Jobs.Latency, time.Duration(n("latency"))*time.Second)
	}
	r.Requests = Requests{Sent: n("sent"), Retried: n("retried"), Throttled: n("throttled"), Bytes: n("bytes"), Resent: n("resent")}
	if exit == 2 || exit == 3 || exit == 4 {
		r.Error = of("error", "b", "a", "c", "")
	}
	if rapid.IntRange(0, 9).Draw(t, "killed") == 0 {
		return r
	}
	start := time.UnixMilli(1_800_000_000_000 + rapid.Int64Range(0, 1_000_000_000).Draw(t, "start")>>rapid.IntRange(0, 25).Draw(t, "near"))
	line := Timeline{Start: start}
	var s Sample
	var elapsed time.Duration
	for range rapid.IntRange(0, 10).Draw(t, "samples") {
		elapsed += time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "pause")) >> rapid.IntRange(0, 12).Draw(t, "short")
		s = Sample{Rows: s.Rows, Requests: s.Requests + n("requests"), Throttled: s.Throttled + time.Duration(n("throttled"))*123456, OpenJobs: n("jobs")}
		s.Rows.add(drawRows(t))
		line.Add(elapsed, s)
	}
	r.Timeline = slices.Grow(line.Buckets(), 11)
	r.Span(start, start.Add(elapsed))
	return r
}

// Reports of partitions are merged in any order and grouping, by this program and again from what it wrote: always
// with the same result.
func TestMergeAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reports := rapid.SliceOfN(rapid.Custom(drawReport), 2, 5).Draw(t, "reports")
		var before []string
		for _, r := range reports {
			before = append(before, bytesOf(t, r))
		}
		var want *Report
		for _, r := range reports {
			want = Merge(want, r)
		}
		shuffled := rapid.Permutation(reports).Draw(t, "order")
		for len(shuffled) > 1 {
			i := rapid.IntRange(0, len(shuffled)-2).Draw(t, "pair")
			merged := Merge(shuffled[i], shuffled[i+1])
			if rapid.Bool().Draw(t, "written") {
				merged = again(t, bytesOf(t, merged))
			}
			shuffled = append(append(append([]*Report{}, shuffled[:i]...), merged), shuffled[i+2:]...)
		}
		if diff := cmp.Diff(bytesOf(t, want), bytesOf(t, shuffled[0])); diff != "" {
			t.Fatal(diff)
		}
		for i, r := range reports {
			if got := bytesOf(t, r); got != before[i] {
				t.Fatalf("report %d was changed: %s", i, cmp.Diff(before[i], got))
			}
		}
	})
}

// again reads a report line, which must be one without a fault and come out as it is.
func again(t rapid.TB, line string) *Report {
	t.Helper()
	r, notes, err := ReadStream("merged", bytes.NewReader([]byte(line)))
	if err != nil || notes != nil {
		t.Fatal(err, notes)
	}
	if got := bytesOf(t, r); got != line {
		t.Fatal(cmp.Diff(line, got))
	}
	return r
}

// What a merged report says, member by member.
func TestMerge(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(1_800_000_000+s, 0).UTC() }
	a := &Report{
		Type: "report", Status: "failed", ExitCode: 1, Operation: "add", List: &List{ID: "X", Name: "News", Created: true},
		Rows:     Rows{Read: 10, Accepted: 7, Rejected: 3},
		Reasons:  []Reason{{"email_invalid", "validate", 2, 4}, {"email_invalid", "import", 1, 9}},
		Jobs:     Jobs{Submitted: 2, Complete: 1, Open: []string{"01B", "01A"}, Latency: []Latency{{1, 1}, {8, 2}}},
		Requests: Requests{Sent: 3, Retried: 1, Throttled: 1, Bytes: 100, Resent: 1}, Version: "v1",
		Timeline: []Bucket{{At: at(0), Seconds: 1, Rows: Rows{Read: 4, Accepted: 4}, Requests: 2, ThrottledSeconds: 0.1, OpenJobs: 2}, {At: at(3), Seconds: 1, Requests: 1, OpenJobs: 1}},
		Error:    "not to be seen",
	}
	a.Span(at(0), at(4))
	b := &Report{
		Type: "report", Status: "timed_out", ExitCode: 3, Operation: "add", List: &List{ID: "X"},
		Rows:     Rows{Read: 10, Accepted: 6, Rejected: 4},
		Reasons:  []Reason{{"email_invalid", "validate", 4, 2}},
		Jobs:     Jobs{Submitted: 1, Cancelled: 1, Open: []string{"01A", "01C"}, Latency: []Latency{{4, 1}, {8, 1}}},
		Requests: Requests{Sent: 5, Retried: 1, Throttled: 2, Bytes: 200, Resent: 1}, Version: "v2",
		Timeline: []Bucket{{At: at(2), Seconds: 2, Rows: Rows{Read: 5, Accepted: 5}, Requests: 4, ThrottledSeconds: 0.2, OpenJobs: 3}},
		Error:    "2 jobs were not done",
	}
	b.Span(at(2).Add(5*time.Millisecond), at(100).Add(250*time.Millisecond))
	want := &Report{
		Type: "report", Status: "timed_out", ExitCode: 3, Operation: "add", List: &List{ID: "X", Name: "News", Created: true},
		Rows:      Rows{Read: 20, Accepted: 13, Rejected: 7},
		Reasons:   []Reason{{"email_invalid", "validate", 6, 2}, {"email_invalid", "import", 1, 9}},
		Jobs:      Jobs{Submitted: 3, Complete: 1, Cancelled: 1, Open: []string{"01A", "01B", "01C"}, Latency: []Latency{{1, 1}, {4, 1}, {8, 3}}},
		Requests:  Requests{Sent: 8, Retried: 2, Throttled: 3, Bytes: 300, Resent: 2},
		StartedAt: "2027-01-15T08:00:00.000Z", FinishedAt: "2027-01-15T08:01:40.250Z", Seconds: 100.25, Version: "several",
		Timeline: []Bucket{
			{At: at(0), Seconds: 2, Rows: Rows{Read: 4, Accepted: 4}, Requests: 2, ThrottledSeconds: 0.1, OpenJobs: 2},
			{At: at(2), Seconds: 2, Rows: Rows{Read: 5, Accepted: 5}, Requests: 5, ThrottledSeconds: 0.2, OpenJobs: 3},
		},
		Runs: 2, Error: "2 jobs were not done",
	}
	got := Merge(a, b)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if Merge(nil, a) != a || Merge(a, nil) != a {
		t.Error("a report alone is not itself")
	}
	if runs := Merge(got, got).Runs; runs != 4 {
		t.Errorf("twice two runs are %d", runs)
	}
}

// The worst exit status counts, in an order of its own.
func TestMergeExit(t *testing.T) {
	order := []int{0, 1, 3, 4, 130, 143, 2}
	for i, a := range order {
		for j, b := range order {
			m := Merge(&Report{ExitCode: a, Error: fmt.Sprint("error ", a)}, &Report{ExitCode: b, Error: fmt.Sprint("error ", b)})
			if want := order[max(i, j)]; m.ExitCode != want || m.Status != StatusOf(want) || m.Error != fmt.Sprint("error ", want) {
				t.Errorf("%d and %d make %d, %s, %s", a, b, m.ExitCode, m.Status, m.Error)
			}
		}
	}
}

// Reasons have one order, whatever they tie in.
func TestReasonsOrder(t *testing.T) {
	var want []Reason
	for i := range 81 {
		want = append(want, Reason{Code: fmt.Sprint(i / 3 % 3), Stage: fmt.Sprint(i % 3), Rows: 9 - int64(i/27), FirstRow: int64(i / 9 % 3)})
	}
	got := slices.Clone(want)
	rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	sortReasons(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
