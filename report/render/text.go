// Package render shows reports and running exports to people: as text, as an HTML page, as metrics, as a progress
// display and as a log. Start with Text.
package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"klaviyo-export/report"
)

const (
	textWidth   = 80
	textReasons = 10
	textOpen    = 5
	textCode    = 32 // columns of a code
	textID      = 40 // columns of a job's id
	factName    = 12 // columns of a fact's name
)

// Text writes a summary of r for people, in lines of at most 80 columns. It escapes control characters in texts from
// outside. Runs are the files of the report, as for HTML.
func Text(w io.Writer, r *report.Report, runs ...Run) error {
	var b strings.Builder
	status, meaning := headline(r)
	line := capital(status) + ": " + meaning
	if people := people(r); len(people) > 0 {
		line = sentences(people) + "\n" + line
	}
	if r.Simulated {
		line = simulated(r) + " " + line
	}
	for one := range strings.Lines(line) {
		writeWrapped(&b, strings.TrimSuffix(one, "\n"), 0)
	}
	writeFacts(&b, facts(r))
	writeRows(&b, r)
	writeReasons(&b, r)
	writeSteps(&b, next(r, runs...))
	writeRuns(&b, runs)
	writeLists(&b, r)
	writeColumns(&b, r.Columns)
	writeSending(&b, r)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeFacts writes an empty line and the facts. It writes nothing when there are none.
func writeFacts(b *strings.Builder, facts []fact) {
	if len(facts) > 0 {
		b.WriteByte('\n')
	}
	for _, f := range facts {
		fmt.Fprintf(b, "%-*s", factName, f.Name)
		writeWrapped(b, f.Value, factName)
	}
}

// writeWrapped writes text from a column on. Its further lines begin in the same column.
func writeWrapped(b *strings.Builder, text string, column int) {
	at := column
	for i, word := range strings.Split(text, " ") {
		if i > 0 && at+1+columns(word) > textWidth {
			b.WriteString("\n" + strings.Repeat(" ", column))
			at = column
		} else if i > 0 {
			b.WriteByte(' ')
			at++
		}
		for at+columns(word) > textWidth {
			part := word
			for at+columns(part) > textWidth {
				part = part[:strings.LastIndexFunc(part, func(rune) bool { return true })]
			}
			b.WriteString(part + "\n" + strings.Repeat(" ", column))
			word, at = word[len(part):], column
		}
		b.WriteString(word)
		at += columns(word)
	}
	b.WriteByte('\n')
}

func writeRows(b *strings.Builder, r *report.Report) {
	rows := &r.Rows
	b.WriteByte('\n')
	width := max(len(grouped(rows.Read)), 9)
	fmt.Fprintf(b, "%-*s%*s\n", factName, "rows", width, grouped(rows.Read))
	for status, n := range rows.ByStatus() {
		if n > 0 {
			fmt.Fprintf(b, "  %-*s%*s %8s   ", factName-2, report.Status(status), width, grouped(n), share(n, rows.Read))
			writeWrapped(b, meaning(r, report.Status(status)), factName+width+12)
		}
	}
}

func writeReasons(b *strings.Builder, r *report.Report) {
	reasons := r.Reasons
	if len(reasons) == 0 {
		return
	}
	top := reasons[:min(len(reasons), textReasons)]
	code, stage := len("reasons")-2, 0
	for i := range top {
		code = max(code, min(columns(visible(top[i].Code)), textCode))
		stage = max(stage, min(columns(visible(top[i].Stage)), factName))
	}
	fmt.Fprintf(b, "\n%-*s%12s %12s\n", 2+code+2+stage, "reasons", "rows", "first row")
	for _, reason := range top {
		file := clipped(visible(ofFile(reason.FirstFile)), textWidth-2-code-2-stage-25)
		fmt.Fprintf(b, "  %s  %s%12s %12s%s\n", padded(reason.Code, code), padded(reason.Stage, stage),
			grouped(reason.Rows), grouped(reason.FirstRow), file)
		told := tell(r, &reason)
		b.WriteString("    ")
		writeWrapped(b, strings.TrimSpace(told.Means+" "+told.Remedy), 4)
	}
	if more := rest(reasons[len(top):]); more != "" {
		b.WriteString("  " + more + "\n")
	}
}

// writeSteps writes what to do after the run.
func writeSteps(b *strings.Builder, steps []step) {
	if len(steps) > 0 {
		b.WriteString("\nnext\n")
	}
	for _, s := range steps {
		b.WriteString("  ")
		writeWrapped(b, s.Text, 2)
		if s.Command != "" {
			b.WriteString("    " + s.Command + "\n") // on one line, to be pasted into a shell
		}
	}
	if text := standsFor(steps); text != "" {
		b.WriteString("  ")
		writeWrapped(b, text, 2)
	}
}

// ofFile follows the number of a row in merged reports.
func ofFile(name string) string {
	if name == "" {
		return ""
	}
	return " of " + name
}

// padded cuts a value to width columns, or fills it up to them.
func padded(text string, width int) string {
	text = clipped(visible(text), width)
	return text + strings.Repeat(" ", width-columns(text))
}

func writeSending(b *strings.Builder, r *report.Report) { writeFacts(b, sending(r)) }

// sending sums up import jobs and requests.
func sending(r *report.Report) []fact {
	list := []fact{
		{"import jobs", jobs(&r.Jobs)}, {"jobs ended", latency(r.Jobs.Latency)}, {"  open", open(r.Jobs.Open)},
		{"requests", requests(&r.Requests)},
	}
	if seconds := throttled(r.Timeline); seconds > 0 {
		list = append(list, fact{"throttled", duration(seconds) + " in total"})
	}
	return slices.DeleteFunc(list, func(f fact) bool { return f.Value == "" })
}

// open names the first open jobs.
func open(jobs []string) string {
	var ids []string
	for _, id := range jobs[:min(len(jobs), textOpen)] {
		ids = append(ids, clipped(visible(id), textID))
	}
	if more := len(jobs) - textOpen; more > 0 {
		ids = append(ids, "and", grouped(int64(more)), "more")
	}
	return strings.Join(ids, " ")
}
