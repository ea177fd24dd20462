package render

import (
	"time"

	"pgregory.net/rapid"

	"klaviyo-export/report"
)

// drawReport draws a report with any timeline and any latency.
func drawReport(t *rapid.T) *report.Report {
	n := func(name string) int64 { return rapid.Int64Range(0, 1000).Draw(t, name) }
	r := &report.Report{Type: "report", Status: "succeeded", Jobs: report.Jobs{Submitted: n("submitted")}}
	r.Requests = report.Requests{Sent: n("sent"), Throttled: n("throttled")}
	for range rapid.IntRange(0, 4).Draw(t, "jobs") {
		r.Jobs.Latency = report.Took(r.Jobs.Latency, time.Duration(n("latency"))*time.Second)
	}
	if rapid.IntRange(0, 9).Draw(t, "killed") == 0 {
		return r
	}
	after := rapid.Int64Range(0, 1_000_000_000).Draw(t, "start") >> rapid.IntRange(0, 25).Draw(t, "near")
	start := time.UnixMilli(1_800_000_000_000 + after)
	line := report.Timeline{Start: start}
	var s report.Sample
	var elapsed time.Duration
	for range rapid.IntRange(0, 10).Draw(t, "samples") {
		pause := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "pause"))
		elapsed += pause >> rapid.IntRange(0, 12).Draw(t, "short")
		s.Requests += n("requests")
		s.Throttled += time.Duration(n("throttled")) * 123456
		s.OpenJobs = n("open")
		rows := &s.Rows
		for _, count := range []*int64{
			&rows.Applied, &rows.Accepted, &rows.Skipped, &rows.Rejected, &rows.Unknown, &rows.Unsent, &rows.Valid,
			&rows.Resumed,
		} {
			more := n("rows")
			*count += more
			rows.Read += more
		}
		line.Add(elapsed, s)
	}
	r.Rows, r.Timeline = s.Rows, line.Buckets()
	r.Span(start, start.Add(elapsed))
	return r
}
