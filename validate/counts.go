package validate

import (
	"strings"
	"sync"
)

// Column is a column of the good rows. As is what it became: email, location.city, properties.plan or dropped. Rows
// is how many rows have a value in it, and Nulls, with Clear, how many have null.
type Column struct {
	Column, As  string
	Rows, Nulls int64
}

// Cleared returns how many rows clear the column. Only a custom property can be cleared.
func (c *Column) Cleared() int64 {
	if strings.HasPrefix(c.As, "properties.") {
		return c.Nulls
	}
	return 0
}

// maxCounted is how many columns a Checker counts.
const maxCounted = 200

// counts are the columns of all rows that were counted.
type counts struct {
	mu      sync.Mutex
	columns []Column
	places  map[[2]string]int // in columns, by Column and As
}

// Count adds the columns of the good rows in r to Columns. Columns are in the order of first meeting if the calls are
// in input order. Many goroutines may call it at once.
func (c *Checker) Count(r *Rows) {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	for i := range r.columns {
		column := &r.columns[i]
		key := [2]string{column.Column, column.As}
		place, known := c.counts.places[key]
		switch {
		case known:
			c.counts.columns[place].Rows += column.Rows
			c.counts.columns[place].Nulls += column.Nulls
		case len(c.counts.columns) < maxCounted:
			c.counts.places[key] = len(c.counts.columns)
			c.counts.columns = append(c.counts.columns, *column)
		}
	}
}

// Columns returns those of the first 200 columns in which the good rows had values or clear a property, in order of
// first meeting.
func (c *Checker) Columns() []Column {
	return c.columns(func(column *Column) bool { return column.Rows > 0 || column.Cleared() > 0 })
}

// NotCleared returns those of the first 200 columns that are not custom properties and are null in good rows, with
// Clear.
func (c *Checker) NotCleared() []Column {
	return c.columns(func(column *Column) bool { return column.Nulls > column.Cleared() })
}

func (c *Checker) columns(wanted func(*Column) bool) (found []Column) {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	for i := range c.counts.columns {
		if wanted(&c.counts.columns[i]) {
			found = append(found, c.counts.columns[i])
		}
	}
	return found
}

// uncount takes back that m was counted.
func (c *columns) uncount(m *member) { c.entries[m.column].rows-- }

// uncount takes back that the members of the row were counted.
func (s *Scratch) uncount() {
	for i := range s.scan.members {
		m := &s.scan.members[i]
		if m.kind == null {
			continue
		}
		s.columns.uncount(m)
		if t := s.columns.entries[m.column].target; t != locationObject && t != propertiesObject {
			continue
		}
		for j := m.first; j < m.first+m.members; j++ {
			if n := &s.scan.nested[j]; n.kind != null {
				s.columns.uncount(n)
			}
		}
	}
}

// flush adds what was counted since the last flush to r.
func (c *columns) flush(r *Rows) {
	for _, i := range c.counted {
		e := &c.entries[i]
		rows, nulls := int64(e.rows), int64(0)
		if e.target == locationObject || e.target == propertiesObject {
			rows = 0
		}
		if e.rows = 0; int(i) < len(c.nulls) {
			nulls, c.nulls[i] = int64(c.nulls[i]), 0
		}
		if rows > 0 || nulls > 0 {
			texts := c.describe(i)
			r.columns = append(r.columns, Column{texts.shown, texts.as, rows, nulls})
		}
	}
	c.counted = c.counted[:0]
}
