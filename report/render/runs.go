package render

import (
	"fmt"
	"slices"
	"strings"

	"klaviyo-export/report"
)

// shownRuns bounds the runs that are shown one by one, and shownNeeds those that say what to do after them.
const shownRuns, shownNeeds = 100, 10

// Run sums up the report of one file, for a table beside the merged report.
type Run struct {
	Name, Status, Rows, Arrived, Open, Failed string

	file  string
	needs []step
}

// NewRun sums up r, which was read from the file of that name. Accepted rows have not arrived: they are open.
func NewRun(name string, r *report.Report) Run {
	failed, _ := count(&r.Rows, bad...)
	status, _ := headline(r)
	if r.Simulated {
		status = "simulated; " + status
	}
	needs := commands{Report: r, results: []string{name}, apart: true}.needs()
	for i := range needs {
		needs[i].Text = shown(name) + ": " + needs[i].Text
	}
	return Run{
		shown(name), status, grouped(r.Rows.Read), grouped(r.Rows.Applied), grouped(r.Rows.Accepted), grouped(failed), name,
		needs,
	}
}

// needsOf says what to do after the first runs that need something, and how many more there are.
func needsOf(runs []Run) (steps []step) {
	some := slices.DeleteFunc(slices.Clone(runs), func(r Run) bool { return len(r.needs) == 0 })
	for _, r := range some[:min(len(some), shownNeeds)] {
		steps = append(steps, r.needs...)
	}
	if more := len(some) - shownNeeds; more > 0 {
		steps = append(steps, step{"Then look at the report of each other file: " + numbered(int64(more), "more file") + " " +
			verb(int64(more), "needs", "need") + " something.", ""})
	}
	return steps
}

// names returns the names of files.
func names(runs []Run) (all []string) {
	for i := range runs {
		all = append(all, runs[i].file)
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
