package render

import (
	"fmt"
	"strings"

	"klaviyo-export/report"
)

// shownRuns bounds the runs that are shown one by one.
const shownRuns = 100

// Run sums up the report of one file, for a table beside the merged report.
type Run struct{ Name, Status, Rows, Arrived, Open, Failed string }

// NewRun sums up r, which was read from the file of that name. Accepted rows have not arrived: they are open.
func NewRun(name string, r *report.Report) Run {
	failed, _ := count(&r.Rows, bad...)
	status, _ := headline(r)
	if r.Simulated {
		status = "simulated; " + status
	}
	return Run{
		shown(name), status, grouped(r.Rows.Read), grouped(r.Rows.Applied), grouped(r.Rows.Accepted), grouped(failed),
	}
}

// names returns the names of files.
func names(runs []Run) (all []string) {
	for i := range runs {
		all = append(all, runs[i].Name)
	}
	return all
}

// moreRuns sums up the runs that are left out, "" for none.
func moreRuns(runs []Run) string {
	if more := len(runs) - shownRuns; more > 0 {
		return "and " + numbered(int64(more), "more file")
	}
	return ""
}

// writeRuns writes two lines for each file of a merged report.
func writeRuns(b *strings.Builder, runs []Run) {
	if len(runs) < 2 {
		return
	}
	b.WriteString("\nfiles\n")
	for _, run := range runs[:min(len(runs), shownRuns)] {
		b.WriteString("  ")
		writeWrapped(b, run.Name+": "+run.Status, 2)
		fmt.Fprintf(b, "    %s rows, %s applied, %s accepted, %s failed\n", run.Rows, run.Arrived, run.Open, run.Failed)
	}
	if more := moreRuns(runs); more != "" {
		b.WriteString("  " + more + "\n")
	}
}
