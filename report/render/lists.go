package render

import (
	"fmt"
	"strings"

	"klaviyo-export/report"
)

// textLists and promLists bound the lists that are shown.
const textLists, promLists = 20, 100

// listed sums up the lists that rows name, "" where they name none.
func listed(r *report.Report) string {
	if len(r.Lists) == 0 {
		return ""
	}
	created := 0
	for i := range r.Lists {
		if r.Lists[i].Created {
			created++
		}
	}
	text := grouped(int64(len(r.Lists)))
	if r.RowsOfOthers > 0 {
		text += " and more"
	}
	if created > 0 {
		return text + ", " + grouped(int64(created)) + " created"
	}
	return text
}

// listTitle names a list.
func listTitle(l *report.List) string {
	switch {
	case l.Name == "":
		return l.ID
	case l.ID == "":
		return l.Name
	case l.Created:
		return l.Name + " (" + l.ID + ", created)"
	}
	return l.Name + " (" + l.ID + ")"
}

// moreLists sums up the lists that are left out, "" for none.
func moreLists(r *report.Report, shown int) string {
	rows := r.RowsOfOthers
	for i := range r.Lists[min(shown, len(r.Lists)):] {
		rows += r.Lists[shown+i].Rows
	}
	if len(r.Lists) <= shown && rows == 0 {
		return ""
	}
	return "and more lists with " + numbered(rows, "row")
}

// writeLists writes how many rows each list has.
func writeLists(b *strings.Builder, r *report.Report) {
	if len(r.Lists) == 0 {
		return
	}
	top := r.Lists[:min(len(r.Lists), textLists)]
	name := len("lists") - 2
	for i := range top {
		name = max(name, min(columns(visible(listTitle(&top[i].List))), 2*textColumn))
	}
	fmt.Fprintf(b, "\n%-*s%12s\n", 2+name, "lists", "rows")
	for i := range top {
		fmt.Fprintf(b, "  %s%12s\n", padded(listTitle(&top[i].List), name), grouped(top[i].Rows))
	}
	if more := moreLists(r, len(top)); more != "" {
		b.WriteString("  " + more + "\n")
	}
}

// rowsOfList is a line of the page's table of lists. The note follows the name, whatever direction that is written in.
type rowsOfList struct{ Name, Note, Rows string }

func (p *page) lists(r *report.Report) {
	for i := range r.Lists {
		l := &r.Lists[i]
		name, note := l.Name, strings.TrimPrefix(listTitle(&l.List), l.Name)
		if name == "" {
			name, note = l.ID, ""
		}
		p.Lists = append(p.Lists, rowsOfList{shown(name), shown(note), grouped(l.Rows)})
	}
	if len(r.Lists) > 0 {
		p.MoreLists = moreLists(r, len(r.Lists))
	}
}

// lists are the rows of each list.
func (p *exposition) lists(lists []report.ListRows) {
	if len(lists) == 0 {
		return
	}
	p.metric("list_rows", fmt.Sprintf("Rows of the last run by list, for the %d lists with most rows.", promLists))
	var all sums
	for i := range lists {
		all.add(labels("id", lists[i].ID, "name", lists[i].Name), lists[i].Rows)
	}
	p.sums(&all, promLists)
}
