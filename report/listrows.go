package report

import (
	"cmp"
	"slices"
	"sort"
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
	sort.SliceStable(all, func(i, j int) bool { return all[i].compare(all[j]) < 0 })
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
	sort.Slice(merged, func(i, j int) bool { return mostRows(merged[i], merged[j]) < 0 })
	return merged, others
}

// CountLists sets the rows of a report's lists to those that were counted. A list that the report lacks has no name.
func (t *tally) CountLists(r *Report) {
	places := make(map[string]int, len(r.Lists))
	for i := range r.Lists {
		if l := &r.Lists[i]; l.ID != "" {
			l.Rows, places[l.ID] = t.lists[l.ID], i
		}
	}
	for id, rows := range t.lists {
		if _, known := places[id]; !known {
			r.Lists = append(r.Lists, ListRows{List: List{ID: id}, Rows: rows})
		}
	}
	sort.Slice(r.Lists, func(i, j int) bool { return mostRows(r.Lists[i], r.Lists[j]) < 0 })
	r.RowsOfOthers = 0
	for _, l := range r.Lists[min(len(r.Lists), MaxLists):] {
		r.RowsOfOthers += l.Rows
	}
	r.Lists = slices.Clip(r.Lists[:min(len(r.Lists), MaxLists)])
}

// mostRows orders lists by their rows, most first.
func mostRows(a, b ListRows) int { return cmp.Or(cmp.Compare(b.Rows, a.Rows), a.compare(b)) }
