package validate

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// quotes are the pairs of quotes that a client may leave around a name.
var quotes = [...][2]string{{`"`, `"`}, {"'", "'"}, {"`", "`"}, {"“", "”"}, {"‘", "’"}}

// The remedies for the clients that leave something around a name.
const (
	markHint  = `read the file as utf-8-sig in Python, or remove the mark with sed '1s/^\xef\xbb\xbf//'`
	quoteHint = "read the file with mlr -S --icsv --ojsonl cat"
	blankHint = "add clean-whitespace -k to mlr"
)

// bareName returns a column's name without the byte order mark, quotes and blanks around it.
func bareName(name string) string {
	name = strings.TrimFunc(name, invisible)
	for _, q := range quotes {
		if len(name) > len(q[0]+q[1]) && strings.HasPrefix(name, q[0]) && strings.HasSuffix(name, q[1]) {
			return strings.TrimFunc(name[len(q[0]):len(name)-len(q[1])], invisible)
		}
	}
	return name
}

// invisible reports whether a character shows nothing: white space, a control character, or a mark such as a
// zero-width space.
func invisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf) && r < 0xe0000 // tags are parts of flags
}

// misnamedColumn is the fault of a column whose name has something around it.
func (s *Scratch) misnamedColumn(m *member) *Fault {
	name := s.column(m)
	bare := bareName(name)
	first, _ := utf8.DecodeRuneInString(name)
	last, _ := utf8.DecodeLastRuneInString(name)
	found, hint := "is in quotes", quoteHint
	switch {
	case first == '\ufeff':
		found, hint = "begins with a byte order mark", markHint
	case invisible(first):
		found, hint = "begins with "+describeInvisible(first), blankHint
	case invisible(last):
		found, hint = "ends with "+describeInvisible(last), blankHint
	}
	if hint != markHint && bare != "" {
		hint = `use AS "` + cutName(bare) + `" in the query, or ` + hint
	}
	return &Fault{ColumnNameInvalid, cutName(name), "column " + quote(name) + ": the name " + found + "; " + hint}
}

func describeInvisible(r rune) string {
	if unicode.IsSpace(r) {
		return "a blank"
	}
	return fmt.Sprintf("the invisible character %q", r)
}
