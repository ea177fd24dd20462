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

// bareName returns a column's name without the quotes and blanks around it and the invisible characters in it.
func bareName(name string) string {
	bare := strings.TrimFunc(name, invisible)
	bare = strings.Map(func(r rune) rune {
		if unseen(r) {
			return -1
		}
		return r
	}, bare)
	begins, ends := quotesAround(bare)
	return strings.TrimFunc(bare[begins:len(bare)-ends], invisible)
}

// quotesAround returns the lengths of the quotes that a name begins and ends with, 0 for none. A name of nothing but
// quotes has none around it.
func quotesAround(name string) (begins, ends int) {
	for _, q := range quotes {
		if begins == 0 && strings.HasPrefix(name, q[0]) {
			begins = len(q[0])
		}
		if ends == 0 && strings.HasSuffix(name, q[1]) {
			ends = len(q[1])
		}
	}
	if len(name) <= begins+ends {
		return 0, 0
	}
	return begins, ends
}

// invisible reports whether a character shows nothing: it is white space or unseen.
func invisible(r rune) bool { return unicode.IsSpace(r) || unseen(r) }

// unseen reports whether a character is a control character, or a mark such as a zero-width space.
func unseen(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf) && r < 0xe0000 // tags are parts of flags
}

// misnamedColumn is the fault of a column, or of a member of properties or location, whose name has something around
// it or an invisible character in it.
func (s *Scratch) misnamedColumn(m *member) *Fault {
	name := string(s.columns.name(m.column))
	found, hint := blemish(name)
	bare := bareName(name)
	use := `use AS "` + cutName(bare) + `" in the query`
	nested := s.columns.entries[m.column].scope != topLevel
	if nested {
		use = `name it "` + cutName(bare) + `" in the query`
	}
	switch {
	case hint == markHint && !nested || bare == "":
	case hint == "" || nested:
		hint = use
	default:
		hint = use + ", or " + hint
	}
	shown := s.column(m)
	if hint != "" {
		hint = "; " + hint
	}
	return &Fault{ColumnNameInvalid, cutName(shown), "column " + quote(shown) + ": the name " + found + hint}
}

// blemish says what is wrong with a misnamed column's name, and which option of a client leaves it out, "" for none.
func blemish(name string) (found, hint string) {
	first, _ := utf8.DecodeRuneInString(name)
	last, _ := utf8.DecodeLastRuneInString(name)
	inside := strings.IndexFunc(name, unseen)
	begins, ends := quotesAround(name)
	switch {
	case first == '\ufeff':
		return "begins with a byte order mark", markHint
	case invisible(first):
		return "begins with " + describeInvisible(first), blankHint
	case invisible(last):
		return "ends with " + describeInvisible(last), blankHint
	case inside >= 0:
		r, _ := utf8.DecodeRuneInString(name[inside:])
		return fmt.Sprintf("contains the invisible character %q", r), ""
	case ends == 0 && begins > 0:
		return "begins with a quote", quoteHint
	case begins == 0 && ends > 0:
		return "ends with a quote", quoteHint
	}
	return "is in quotes", quoteHint
}

func describeInvisible(r rune) string {
	if unicode.IsSpace(r) {
		return "a blank"
	}
	return fmt.Sprintf("the invisible character %q", r)
}
