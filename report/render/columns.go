package render

import (
	"fmt"
	"strings"

	"klaviyo-export/report"
)

const (
	textColumns = 20
	textColumn  = 36 // columns of a name
)

// writeColumns writes what each column of the input became.
func writeColumns(b *strings.Builder, all []report.Column) {
	if len(all) == 0 {
		return
	}
	top := all[:min(len(all), textColumns)]
	name, as := len("columns")-2, len("as")
	for i := range top {
		name = max(name, min(columns(visible(top[i].Column)), textColumn))
		as = max(as, min(columns(visible(top[i].As)), textColumn))
	}
	fmt.Fprintf(b, "\n%-*s  %-*s%12s\n", 2+name, "columns", as, "as", "rows")
	for _, c := range top {
		fmt.Fprintf(b, "  %s  %s%12s\n", padded(c.Column, name), padded(c.As, as), grouped(c.Rows))
	}
	if more := len(all) - len(top); more > 0 {
		b.WriteString("  and " + numbered(int64(more), "more column") + "\n")
	}
}

// columnOf is a line of the page's table of columns.
type columnOf struct{ Name, As, Rows string }

func (p *page) columns(all []report.Column) {
	for _, c := range all {
		p.Became = append(p.Became, columnOf{shown(c.Column), shown(c.As), grouped(c.Rows)})
	}
}
