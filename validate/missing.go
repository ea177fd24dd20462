package validate

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// missing is the fault of a row without the required column. It names a column that looks like it, or those that are
// there.
func (c *Checker) missing(s *Scratch) *Fault {
	detail := "column " + quote(c.required) + " is missing"
	if near := c.near(s); near != "" {
		why := ""
		if strings.EqualFold(near, c.required) {
			why = ": names are case-sensitive"
		}
		detail += ", but " + quote(near) + " is there" + why + `; use AS "` + cutName(c.required) + `" or --map ` +
			shellescape.Quote(near+"="+c.key.name())
	} else if other := c.other(s); other != "" {
		detail += other
	} else if hint := cmp.Or(wrapperHint(s.scan.line), separatorHint(s)); hint != "" {
		detail += "; " + hint
	} else {
		detail += "; " + s.listColumns()
	}
	return &Fault{identifiers[c.key].missing, cutName(c.required), detail}
}

// near returns the column that looks most like the required one, "" for none.
func (c *Checker) near(s *Scratch) (near string) {
	var buffer, other [maxSynonym]byte // plain names: nothing is allocated but the name that is found
	required := appendPlain(buffer[:0], c.required)
	for i := range s.scan.members {
		name := string(s.columns.name(s.scan.members[i].column))
		switch {
		case strings.EqualFold(name, c.required):
			return name
		case near != "":
		case len(required) > 0 && string(appendPlain(other[:0], name)) == string(required), lookalike(name) == c.key.name():
			near = name
		}
	}
	return near
}

// maxListed is how many columns a detail lists.
const maxListed = 10

// listColumns returns a clause that lists the columns of the row.
func (s *Scratch) listColumns() string {
	members := s.scan.members
	if len(members) == 0 {
		return "the row has no columns"
	}
	var list strings.Builder
	list.Grow(256) // for most rows
	list.WriteString("the row has ")
	for i := range members[:min(len(members), maxListed)] {
		if i > 0 {
			list.WriteString(", ")
		}
		list.WriteString(quote(s.columns.name(members[i].column)))
	}
	if more := len(members) - maxListed; more > 0 {
		fmt.Fprintf(&list, " and %d more", more)
	}
	return list.String()
}

// separatorHint returns the hint for a row whose only column has a separator of CSV in its name, "" for any other row.
func separatorHint(s *Scratch) string {
	if len(s.scan.members) != 1 {
		return ""
	}
	name := s.columns.name(s.scan.members[0].column)
	if i := bytes.IndexAny(name, ";\t|"); i >= 0 {
		return fmt.Sprintf("%s is a single column: add --ifs %q to mlr", quote(name), name[i:i+1])
	}
	return ""
}
