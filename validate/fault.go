package validate

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Code names a reason to reject a row. The codes are a part of the output.
type Code string

const (
	JSONInvalid       Code = "json_invalid"
	RowTooLong        Code = "row_too_long"
	RowTooDeep        Code = "row_too_deep"
	NotAnObject       Code = "not_an_object"
	DuplicateMember   Code = "duplicate_member"
	ColumnNameInvalid Code = "column_name_invalid"
	EmailMissing      Code = "email_missing"
	EmailInvalid      Code = "email_invalid"
	ProfileIDMissing  Code = "profile_id_missing"
	ProfileIDInvalid  Code = "profile_id_invalid"
	PhoneMissing      Code = "phone_missing"
	PhoneInvalid      Code = "phone_invalid"
	PhoneAmbiguous    Code = "phone_ambiguous"
	ExternalIDMissing Code = "external_id_missing"
	ExternalIDInvalid Code = "external_id_invalid"
	TypeWrong         Code = "type_wrong"
	NameReserved      Code = "name_reserved"
	ProfileTooLarge   Code = "profile_too_large"

	ConsentedAtInvalid Code = "consented_at_invalid"
	ChannelMissing     Code = "channel_missing"

	ListMissing  Code = "list_missing"
	ListNotFound Code = "list_not_found" // no check finds this out: Klaviyo has to be asked
)

// Fault is the first thing that is wrong with a row. Column is the column's name in the input, "" when the fault is
// in no column. Detail is for people: what is wrong, then a semicolon and the remedy where there is one. When the
// required column is missing or has a wrong type, Detail can also be the error of the whole run.
type Fault struct {
	Code   Code
	Column string
	Detail string
}

const castHint = "; cast it to text in the query"

// wrongType is the fault of a column that has a value of the wrong kind. hint is appended to its detail.
func wrongType(column string, got kind, want, hint string) *Fault {
	detail := "column " + quote(column) + ": expected " + want + ", got " + got.String() + hint
	return &Fault{TypeWrong, cutName(column), detail}
}

// notText is the fault of m, which is no string where one is expected. Its detail names the cast that makes it one.
func (s *Scratch) notText(m *member) *Fault {
	hint := castHint
	value := s.scan.line[m.value:m.end]
	switch m.kind {
	case number, boolean:
		hint += ": cast(" + identifier(string(s.columns.name(m.column))) + " as varchar)"
		switch s.columns.entries[m.column].target {
		case phoneNumber:
			hint += ", or add -S to mlr: a number loses + and leading zeros"
		case zip:
			hint += ", or add -S to mlr: a number loses leading zeros"
		}
	case object:
		if inner := value[space(value, 1):]; bytes.HasPrefix(inner, []byte(`"S"`)) || bytes.HasPrefix(inner, []byte(`"N"`)) {
			hint = "; " + dynamoHint
		}
	}
	return wrongType(s.column(m), m.kind, "a string", hint)
}

// identifier returns a column's name as SQL writes it.
func identifier(name string) string {
	for i, c := range []byte(name) {
		if classes[c]&letter == 0 && c != '_' && (i == 0 || c-'0' > 9) {
			return `"` + strings.ReplaceAll(cutName(name), `"`, `""`) + `"`
		}
	}
	return cutName(name)
}

// twice is the fault of an object in which the name of m appears twice.
func (s *Scratch) twice(m *member) *Fault {
	column := s.column(m)
	return &Fault{DuplicateMember, cutName(column),
		"column " + quote(column) + " appears twice; rename one of them in the query"}
}

// collision is the fault of two members, at other and m, that both fill one target.
func (s *Scratch) collision(other place, m *member, target string) *Fault {
	one, two := s.column(s.member(other)), s.column(m)
	detail := fmt.Sprintf("columns %s and %s both fill %s; leave one out with --drop",
		quote(one), quote(two), quote(target))
	return &Fault{DuplicateMember, cutName(two), detail}
}

// reservedName is the fault of a custom property whose name Klaviyo does not allow.
func (s *Scratch) reservedName(m *member) *Fault {
	column := s.column(m)
	if m.name == m.nameEnd {
		return &Fault{NameReserved, cutName(column), "a column has no name; name it in the query"}
	}
	return &Fault{NameReserved, cutName(column),
		"column " + quote(column) + " begins with $, as Klaviyo's own names do; rename it or leave it out"}
}

// maxQuoted is the most characters of a row that a text quotes.
const maxQuoted = 60

func cutName(name string) string { return cutAt(name, maxQuoted) }

// cutAt returns the first n characters of s.
func cutAt(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// quote returns text in double quotes, with invisible characters escaped. Long text ends in an ellipsis.
func quote[T string | []byte](value T) string {
	if len(value) <= maxQuoted && plain(value) {
		return `"` + string(value) + `"` // what strconv.Quote returns, for fewer objects from the heap
	}
	s := string(value)
	if short := cutAt(s, maxQuoted); len(short) < len(s) {
		s = short + "…"
	}
	return strconv.Quote(s)
}

// quoteThen returns text as quote does, a space, and what is said of it.
func quoteThen[T string | []byte](value T, what string) string {
	if len(value) <= maxQuoted && plain(value) {
		return `"` + string(value) + `" ` + what
	}
	return quote(value) + " " + what
}

// plain reports whether a text is ASCII that strconv.Quote leaves as it is.
func plain[T string | []byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
