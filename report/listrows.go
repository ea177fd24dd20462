package report

import (
	"cmp"
	"slices"
)

// compare orders lists by their ids and names.
func (l *ListRows) compare(o ListRows) int {
	return cmp.Or(cmp.Compare(l.ID, o.ID), cmp.Compare(l.Name, o.Name))
}

// is reports whether both are one list. Results without a report have no names.
func (l *ListRows) is(o *ListRows) bool { return l.ID == o.ID && (l.ID != "" || l.Name == o.Name) }

// mergeListRows adds up the rows of the same lists. It keeps the first MaxLists by id, so that the order in which
// reports are merged makes no difference, and sorts them by rows, most first. others is how many rows the rest have.
func mergeListRows(a, b []ListRows) (merged []ListRows, others int64) {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(a, b ListRows) int { return a.compare(b) })
	merged = all[:0]
	for _, l := range all {
		if n := len(merged); n > 0 && merged[n-1].is(&l) {
			same := &merged[n-1]
			same.Name = cmp.Or(same.Name, l.Name)
			same.Rows += l.Rows
			same.Created = same.Created || l.Created
			same.LeftBehind = leftBehind(union(same.LeftBehind, l.LeftBehind))
		} else {
			merged = append(merged, l)
		}
	}
	for _, l := range merged[min(len(merged), MaxLists):] {
		others += l.Rows
	}
	merged = slices.Clone(merged[:min(len(merged), MaxLists)])
	slices.SortFunc(merged, func(a, b ListRows) int { return cmp.Or(cmp.Compare(b.Rows, a.Rows), a.compare(b)) })
	return merged, others
}

// countLists sets the rows of the lists by their ids, as the lines of the rows have them. The report may lack a list:
// it has no name then.
func (r *Report) countLists(rows map[string]int64) {
	if len(rows) == 0 {
		return
	}
	counted := make([]ListRows, 0, len(rows))
	for _, l := range r.Lists {
		l.Rows = rows[l.ID]
		counted = append(counted, l)
	}
	for id, n := range rows {
		if !slices.ContainsFunc(r.Lists, func(l ListRows) bool { return l.ID == id }) {
			counted = append(counted, ListRows{List: List{ID: id}, Rows: n})
		}
	}
	r.Lists, r.RowsOfOthers = mergeListRows(counted, nil)
}
