package report

import (
	"cmp"
	"maps"
	"slices"
	"sort"
)

// maxColumns bounds the columns of a report.
const maxColumns = 200

// Column says what a column of the input became. Rows counts the rows that passed the checks with a value of it, and
// Cleared those that clear the property.
type Column struct {
	Column  string `json:"column"`
	As      string `json:"as"` // email, location.city, properties.plan, list or dropped
	Rows    int64  `json:"rows"`
	Cleared int64  `json:"cleared,omitempty"`
}

func (c *Column) compare(o Column) int {
	return cmp.Or(cmp.Compare(c.Column, o.Column), cmp.Compare(c.As, o.As))
}

// mergeColumns adds up the columns with the same name that became the same. It keeps the first maxColumns by name, so
// that the order in which reports are merged makes no difference. It sorts them by rows, most first.
func mergeColumns(a, b []Column) []Column {
	all := slices.Concat(a, b)
	sort.Slice(all, func(i, j int) bool { return all[i].compare(all[j]) < 0 })
	merged := all[:0]
	for _, c := range all {
		if n := len(merged); n > 0 && merged[n-1].compare(c) == 0 {
			merged[n-1].Rows += c.Rows
			merged[n-1].Cleared += c.Cleared
		} else {
			merged = append(merged, c)
		}
	}
	merged = merged[:min(len(merged), maxColumns)]
	sort.Slice(merged, func(i, j int) bool {
		a, b := &merged[i], &merged[j]
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), a.compare(*b)) < 0
	})
	return merged
}

// followColumns returns the columns of a run and of the run that resumed it. The resumed run reads the whole input
// again, so that its counts include those of the first run as far as that got.
func followColumns(a, b []Column) []Column {
	all := slices.Clone(a)
	for _, c := range b {
		if i := slices.IndexFunc(all, func(o Column) bool { return o.compare(c) == 0 }); i >= 0 {
			all[i].Rows = max(all[i].Rows, c.Rows)
			all[i].Cleared = max(all[i].Cleared, c.Cleared)
		} else {
			all = append(all, c)
		}
	}
	return all[:min(len(all), maxColumns)]
}

// mergeDropped adds up counts by column. It keeps the first maxColumns by name and adds up the others. It returns nil
// when there are none.
func mergeDropped(a, b map[string]int64) map[string]int64 {
	if len(a)+len(b) == 0 {
		return nil
	}
	sum := map[string]int64{}
	for _, rows := range []map[string]int64{a, b} {
		for column, n := range rows {
			sum[column] += n
		}
	}
	if len(sum) <= maxColumns {
		return sum
	}
	others := sum[otherCodes]
	delete(sum, otherCodes)
	names := slices.Sorted(maps.Keys(sum))
	for _, column := range names[min(len(names), maxColumns):] {
		others += sum[column]
		delete(sum, column)
	}
	sum[otherCodes] = others
	return sum
}
