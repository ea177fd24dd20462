package render

import (
	"slices"

	"klaviyo-export/report"
)

// leastColumns is the fewest columns that a chart has: the facts say less in words.
const leastColumns = 3

// charts returns the charts of the page. A chart with few columns is left out.
func charts(r *report.Report) []chart {
	count := func(n float64) string { return grouped(int64(n)) }
	var byStatus []series
	for _, status := range inOrder {
		name := status.String()
		byStatus = append(byStatus, series{
			mark: mark{name, name},
			of:   func(b *report.Bucket) float64 { return float64(b.Rows.ByStatus()[status]) },
		})
	}
	one := func(class, name string, of func(*report.Bucket) float64) []series {
		return []series{{mark: mark{class, name}, of: of}}
	}
	sum := ""
	if seconds := throttled(r.Timeline); seconds > 0 {
		sum = duration(seconds) + " in total"
	}
	all := []chart{
		chart{
			least: 1, ID: "rows-over-time", Title: "Rows",
		}.overTime(r.Timeline, byStatus, count),
		chart{
			least: 1, ID: "requests", Title: "Requests",
			Sum: requests(&r.Requests),
		}.overTime(r.Timeline, one("requests", "requests", func(b *report.Bucket) float64 {
			return float64(b.Requests)
		}), count),
		chart{
			ID: "throttled", Title: "Seconds throttled", Sum: sum,
		}.overTime(r.Timeline, one("throttled", "seconds throttled", func(b *report.Bucket) float64 {
			return b.ThrottledSeconds
		}), duration),
		chart{
			least: 1, ID: "open-jobs", Title: "Most open import jobs",
			Sum: jobs(&r.Jobs),
		}.overTime(r.Timeline, one("jobs", "open jobs", func(b *report.Bucket) float64 {
			return float64(b.OpenJobs)
		}), count),
		chart{
			ID: "latency", Title: "Time until import jobs ended",
			Sum: latency(r.Jobs.Latency),
		}.latencies(r.Jobs.Latency),
	}
	return slices.DeleteFunc(all, func(c chart) bool { return len(c.Columns) < leastColumns })
}
