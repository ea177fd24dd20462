package validate

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// missing is the fault of a row without the required column. It names a column that looks like it.
func (c *Checker) missing(s *Scratch) *Fault {
	code := EmailMissing
	if c.operation == Remove {
		code = ProfileIDMissing
	}
	detail := "column " + quote(c.required) + " is missing"
	if near := c.near(s); near != "" {
		as := `; use AS "` + cutName(c.required) + `"`
		if strings.EqualFold(near, c.required) {
			detail += ", but " + quote(near) + " is there: names are case-sensitive" + as
			detail += " or --map " + shellescape.Quote(near+"="+c.key.name())
		} else {
			detail += ", but " + quote(near) + " is there: white space in names counts" + as
		}
	} else if hint := cmp.Or(wrapperHint(s.scan.line[space(s.scan.line, 0):]), separatorHint(s)); hint != "" {
		detail += "; " + hint
	}
	return &Fault{code, cutName(c.required), detail}
}

// near returns a column whose name differs from the required one only in case and white space, "" for none.
func (c *Checker) near(s *Scratch) string {
	for i := range s.scan.members {
		name := s.columns.name(s.scan.members[i].column)
		if bytes.EqualFold(bytes.TrimSpace(name), []byte(c.required)) {
			return string(name)
		}
	}
	return ""
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
