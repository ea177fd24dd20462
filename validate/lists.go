package validate

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// readLists makes the checker read the list of each row in a column, unless its name is "".
func (c *Checker) readLists(column string, drop []string) error {
	if column == "" {
		return nil
	}
	flag := "--list-column " + shellescape.Quote(column)
	switch f, read := c.fields[column]; {
	case column == c.required, read && f.target == c.second && c.second != custom, column == c.consentedAt:
		return fmt.Errorf("%s: %s reads this column as %s", flag, c.operation, f.target.path())
	case read && f.mapped:
		return fmt.Errorf("%s and %s cannot be combined: the list is no part of the profile",
			flag, mapFlag(column, mapTarget(f)))
	case slices.Contains(drop, column):
		return fmt.Errorf("%s and %s cannot be combined: a dropped column names no list", flag, dropFlag(column))
	}
	c.listColumn = column
	c.fields[column] = field{target: listed}
	return nil
}

// mapTarget is the target of a mapped column as --map has it.
func mapTarget(f field) string {
	if f.target == custom {
		return "properties." + string(f.property)
	}
	return f.target.path()
}

// ListColumn returns the name of the column with the rows' lists, as a Fault has it, "" for none.
func (c *Checker) ListColumn() string { return cutName(c.listColumn) }

// ConsentedAt returns the name of the column with the times of consent, as a Fault has it, "" for none.
func (c *Checker) ConsentedAt() string { return cutName(c.consentedAt) }

// checkList checks the list of the row, which is in m.
func (c *Checker) checkList(m *member, required Required, s *Scratch) *Fault {
	why := ""
	switch {
	case required == Missing:
		why = " is missing" + s.nearFlag("--list-column", c.listColumn)
	case required == WrongType:
		return s.notText(m)
	case m.kind == null && s.scan.line[m.value] != '"':
		why = " is null; every row needs its list"
	case len(trim(s.scan.text(m))) == 0:
		why = " is empty; every row needs its list"
	default:
		return nil
	}
	return &Fault{ListMissing, cutName(c.listColumn), "column " + quote(c.listColumn) + why}
}

// nearFlag returns the end of the detail of a row without the column that a flag names: a column that looks like it, or
// those that are there.
func (s *Scratch) nearFlag(flag, column string) string {
	for i := range s.scan.members {
		if name := string(s.columns.name(s.scan.members[i].column)); strings.EqualFold(name, column) {
			return ", but " + quote(name) + " is there: names are case-sensitive; use " + flag + " " + shellescape.Quote(name)
		}
	}
	return "; " + s.listColumns()
}

// listPlace is where a list is in Rows.Lists, and what tells it from others.
type listPlace struct {
	at   uint32
	hash [2]uint64
}

var listSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// enlist enters the list of the last row. On two lists a person counts as two.
func (r *Rows) enlist(value []byte, s *Scratch) {
	p, known := r.places[string(value)]
	if !known {
		name := s.list(value)
		p = listPlace{uint32(len(r.Lists)), [2]uint64{maphash.String(listSeeds[0], name), maphash.String(listSeeds[1], name)}}
		if r.places == nil {
			r.places = map[string]listPlace{}
		}
		r.places[name], r.Lists = p, append(r.Lists, name)
	}
	row := &r.Rows[len(r.Rows)-1]
	row.List = p.at
	row.Identity[0] ^= p.hash[0]
	row.Identity[1] ^= p.hash[1]
}

// list returns the name or the id of a list, the same string for many chunks.
func (s *Scratch) list(value []byte) string {
	name, known := s.lists[string(value)]
	if !known {
		name = string(value)
		if s.listBytes += len(name); s.lists == nil || len(s.lists) == maxColumns || s.listBytes > maxNames {
			s.lists, s.listBytes = map[string]string{}, len(name)
		}
		s.lists[name] = name
	}
	return name
}
