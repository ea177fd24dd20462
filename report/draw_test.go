package report

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// bytesOf returns the line of a report.
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
	r.Read = r.sum()
	return r
}

// drawReport draws a report that a run writes, or that ReadStream returns for a killed run.
func drawReport(t *rapid.T) *Report {
	n := func(name string) int64 { return rapid.Int64Range(0, 1000).Draw(t, name) }
	of := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
	exit := rapid.SampledFrom(worse).Draw(t, "exit")
	r := &Report{
		Type: "report", Status: StatusOf(exit), ExitCode: exit, Rows: drawRows(t),
		Operation: of("operation", "", "add", "add", "remove"), Version: of("version", "", "v1", "v1", "v2"),
	}
	if rapid.IntRange(0, 9).Draw(t, "list") > 0 {
		created := rapid.Bool().Draw(t, "created")
		r.List = &List{ID: of("id", "", "X", "X", "Y"), Name: of("name", "", "A", "A", "B"), Created: created}
	}
	counted := newTally()
	for range rapid.IntRange(0, 8).Draw(t, "reasons") {
		code, stage := of("code", "duplicate", "email_invalid", "outage"), of("stage", "", "validate", "import")
		if first := counted.add(n("row")+1, Rejected, code, stage); first != nil {
			first.describe(of("key", "", "a@b.example", "c@d.example"), of("detail", "", "d", "e"))
		}
	}
	r.Reasons = slices.Grow(counted.Reasons(), 9)
	r.SetFile(of("file", "", "part-1", "part-2"))
	if rapid.Bool().Draw(t, "account") {
		r.Account = &Account{ID: of("account id", "A", "A", "B"), Name: "Acme"}
	}
	r.BaseURL, r.Simulated = of("base", "", "https://a.klaviyo.com", "http://[::1]"), rapid.Bool().Draw(t, "simulated")
	for range rapid.IntRange(0, 5).Draw(t, "columns") {
		r.Columns = append(r.Columns, Column{
			of("column", "email", "plan", "town"), of("as", "email", "dropped"), n("rows"), n("cleared"),
		})
	}
	if rapid.Bool().Draw(t, "many columns") {
		first := rapid.IntRange(0, 150).Draw(t, "first")
		for i := range maxColumns - len(r.Columns) {
			r.Columns = append(r.Columns, Column{fmt.Sprintf("c%03d", first+i), "properties.c", n("rows"), 0})
		}
	}
	for _, id := range []string{"", "X", "Y"}[:rapid.IntRange(0, 3).Draw(t, "lists")] {
		created := rapid.Bool().Draw(t, "created")
		r.Lists = append(r.Lists, ListRows{List{ID: id, Name: of("name", "A", "B"), Created: created}, n("rows")})
	}
	if rapid.IntRange(0, 4).Draw(t, "many lists") == 0 {
		first := rapid.IntRange(0, 600).Draw(t, "first")
		for i := range MaxLists - len(r.Lists) {
			r.Lists = append(r.Lists, ListRows{List{ID: fmt.Sprintf("L%04d", first+i)}, int64(i % 7)})
		}
		r.RowsOfOthers = n("rows")
	}
	slices.SortFunc(r.Lists, mostRows)
	if rapid.Bool().Draw(t, "dropped") {
		r.Dropped = map[string]int64{of("dropped column", "phone_number", "email"): n("rows")}
	}
	ids := rapid.SampledFrom([]string{"01A", "01B", "01C", "01D"})
	r.Jobs = Jobs{
		Submitted: n("submitted"), Complete: n("complete"), Cancelled: n("cancelled"),
		Open: slices.Grow(rapid.SliceOfN(ids, 0, 3).Draw(t, "open"), 4),
	}
	for range rapid.IntRange(0, 4).Draw(t, "jobs") {
		r.Jobs.Latency = Took(r.Jobs.Latency, time.Duration(n("latency"))*time.Second)
	}
	r.Requests = Requests{
		Sent: n("sent"), Retried: n("retried"), Throttled: n("throttled"), Bytes: n("bytes"), Resent: n("resent"),
	}
	if rapid.Bool().Draw(t, "read back") {
		r.Members = &Members{ReadBackCounts: &ReadBackCounts{n("verified"), n("new"), n("unmailable"), n("missing"), 1}}
	}
	if rapid.Bool().Draw(t, "mirrored") {
		r.Members = r.Members.Plus(&Members{
			Mirrored: &Mirrored{n("read"), n("matched"), n("added"), n("joined"), n("extras"), n("nameless"), n("removed"), 1},
		})
	}
	if exit == 2 || exit == 3 || exit == 4 {
		r.Error = of("error", "b", "a", "c", "")
	}
	if rapid.IntRange(0, 9).Draw(t, "killed") == 0 {
		return r
	}
	after := rapid.Int64Range(0, 1_000_000_000).Draw(t, "start") >> rapid.IntRange(0, 25).Draw(t, "near")
	start := time.UnixMilli(1_800_000_000_000 + after)
	line := Timeline{Start: start}
	var s Sample
	var elapsed time.Duration
	for range rapid.IntRange(0, 10).Draw(t, "samples") {
		pause := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "pause"))
		elapsed += pause >> rapid.IntRange(0, 12).Draw(t, "short")
		s = Sample{
			Rows: s.Rows, Requests: s.Requests + n("requests"), OpenJobs: n("jobs"),
			Throttled: s.Throttled + time.Duration(n("throttled"))*123456,
		}
		s.Rows.add(drawRows(t))
		line.Add(elapsed, s)
	}
	r.Timeline = slices.Grow(line.Buckets(), 11)
	r.Span(start, start.Add(elapsed))
	return r
}

// again reads a report line. It fails unless the line is valid and stays the same when it is written again.
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
