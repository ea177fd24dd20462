package render

import (
	"fmt"
	"slices"
	"strings"

	"klaviyo-export/report"
)

const (
	textColumns = 20
	textColumn  = 26 // columns of a name
)

// writeColumns writes what each column of the input became.
func writeColumns(b *strings.Builder, all []report.Column) {
	if len(all) == 0 {
		return
	}
	top := all[:min(len(all), textColumns)]
	name, as := len("columns")-2, len("as")
	cleared := func(string) string { return "" }
	if anyCleared(top) {
		cleared = func(text string) string { return fmt.Sprintf("%12s", text) }
	}
	for i := range top {
		name = max(name, min(columns(visible(top[i].Column)), textColumn))
		as = max(as, min(columns(visible(top[i].As)), textColumn))
	}
	fmt.Fprintf(b, "\n%-*s  %-*s%12s%s\n", 2+name, "columns", as, "as", "rows", cleared("cleared"))
	for _, c := range top {
		fmt.Fprintf(b, "  %s  %s%12s%s\n", padded(c.Column, name), padded(c.As, as), grouped(c.Rows),
			cleared(grouped(c.Cleared)))
	}
	if more := len(all) - len(top); more > 0 {
		b.WriteString("  and " + numbered(int64(more), "more column") + "\n")
	}
}

// anyCleared reports whether rows clear one of the columns.
func anyCleared(all []report.Column) bool {
	return slices.ContainsFunc(all, func(c report.Column) bool { return c.Cleared > 0 })
}

// columnOf is a line of the page's table of columns.
type columnOf struct{ Name, As, Rows, Cleared string }

func (p *page) columns(all []report.Column) {
	p.Cleared = anyCleared(all)
	for _, c := range all {
		p.Became = append(p.Became, columnOf{shown(c.Column), shown(c.As), grouped(c.Rows), grouped(c.Cleared)})
	}
}
