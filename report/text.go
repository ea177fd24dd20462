package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	textWidth   = 100
	textReasons = 10
	textOpen    = 5
	textCode    = 44 // columns of a code
	textID      = 40 // columns of a job's id
)

// WriteText writes a summary that a person reads at a glance, in lines of at most 100 columns. What others than this
// program have put into the report has its control characters escaped.
func WriteText(w io.Writer, r *Report) error {
	var b strings.Builder
	status, meaning := r.headline()
	writeWrapped(&b, strings.ToUpper(status[:1])+status[1:]+": "+meaning, 0)
	writeFacts(&b, r.facts())
	r.writeRows(&b)
	r.writeReasons(&b)
	r.writeSending(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

const factName = 12 // columns

// writeFacts writes an empty line and facts, if there are any.
func writeFacts(b *strings.Builder, facts []fact) {
	if len(facts) > 0 {
		b.WriteByte('\n')
	}
	for _, f := range facts {
		fmt.Fprintf(b, "%-*s", factName, f.Name)
		writeWrapped(b, f.Value, factName)
	}
}

// writeWrapped writes text that begins in a column, and goes on there in the next line.
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

func (r *Report) writeRows(b *strings.Builder) {
	b.WriteByte('\n')
	width := max(len(grouped(r.Rows.Read)), 9)
	fmt.Fprintf(b, "%-*s%*s\n", factName, "rows", width, grouped(r.Rows.Read))
	for status, n := range r.Rows.byStatus() {
		if n > 0 {
			fmt.Fprintf(b, "  %-*s%*s %8s   %s\n", factName-2, Status(status), width, grouped(n), share(n, r.Rows.Read), meanings[status])
		}
	}
}

func (r *Report) writeReasons(b *strings.Builder) {
	if len(r.Reasons) == 0 {
		return
	}
	top := r.Reasons[:min(len(r.Reasons), textReasons)]
	code, stage := len("reasons")-2, 0
	for i := range top {
		code = max(code, min(columns(visible(top[i].Code)), textCode))
		stage = max(stage, min(columns(visible(top[i].Stage)), factName))
	}
	fmt.Fprintf(b, "\n%-*s%12s %12s\n", 2+code+2+stage, "reasons", "rows", "first row")
	for _, reason := range top {
		fmt.Fprintf(b, "  %s  %s%12s %12s\n", padded(reason.Code, code), padded(reason.Stage, stage), grouped(reason.Rows), grouped(reason.FirstRow))
	}
	if rest := r.Reasons[len(top):]; len(rest) > 0 {
		rows := int64(0)
		for _, reason := range rest {
			rows += reason.Rows
		}
		fmt.Fprintf(b, "  and %s with %s\n", numbered(int64(len(rest)), "more reason"), numbered(rows, "row"))
	}
}

// padded shortens and fills up a value to width columns, as far as these can be known.
func padded(text string, width int) string {
	text = clipped(visible(text), width)
	return text + strings.Repeat(" ", width-columns(text))
}

func (r *Report) writeSending(b *strings.Builder) {
	facts := []fact{{"import jobs", r.jobs()}, {"  ended", r.latency()}, {"  open", r.open()}, {"requests", r.requests()}}
	if seconds := r.throttled(); seconds > 0 {
		facts = append(facts, fact{"throttled", duration(seconds) + " in all"})
	}
	writeFacts(b, slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" }))
}

// open names the first of the open jobs.
func (r *Report) open() string {
	var ids []string
	for _, id := range r.Jobs.Open[:min(len(r.Jobs.Open), textOpen)] {
		ids = append(ids, clipped(visible(id), textID))
	}
	if more := len(r.Jobs.Open) - textOpen; more > 0 {
		ids = append(ids, "and", grouped(int64(more)), "more")
	}
	return strings.Join(ids, " ")
}
