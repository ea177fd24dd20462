package validate

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Code names a reason to reject a row. The codes are part of the output.
type Code string

const (
	JSONInvalid      Code = "json_invalid"
	RowTooLong       Code = "row_too_long"
	RowTooDeep       Code = "row_too_deep"
	NotAnObject      Code = "not_an_object"
	DuplicateMember  Code = "duplicate_member"
	EmailMissing     Code = "email_missing"
	EmailInvalid     Code = "email_invalid"
	ProfileIDMissing Code = "profile_id_missing"
	ProfileIDInvalid Code = "profile_id_invalid"
	PhoneInvalid     Code = "phone_invalid"
	TypeWrong        Code = "type_wrong"
	NameReserved     Code = "name_reserved"
	ProfileTooLarge  Code = "profile_too_large"
)

// Fault is the first thing wrong with a row. Column is the column's name in the input, "" where none is concerned.
// Detail is a sentence for people, with what to do where something can be done; for a row whose required column is missing
// or of a wrong type it serves as the error of the whole job too.
type Fault struct {
	Code   Code
	Column string
	Detail string
}

func typeWrong(column string, is kind, want string) *Fault {
	return &Fault{TypeWrong, cutName(column), "column " + quoteString(column) + " holds " + is.String() + ", not " + want}
}

// twice says that the name of m stands twice in its object.
func (r *Rows) twice(m *member) *Fault {
	column := r.column(m)
	return &Fault{DuplicateMember, cutName(column), quoteString(column) + " is there twice"}
}

// collision says that the member at other and m both fill one target.
func (r *Rows) collision(other place, m *member, target string) *Fault {
	one, two := r.column(r.member(other)), r.column(m)
	return &Fault{DuplicateMember, cutName(two), fmt.Sprintf("%s and %s both fill %s: leave one out (--drop)",
		quoteString(one), quoteString(two), quoteString(target))}
}

// nameReserved says that the name of m is none for a custom property.
func (r *Rows) nameReserved(m *member) *Fault {
	column := r.column(m)
	if m.name == m.nameEnd {
		return &Fault{NameReserved, cutName(column), "a column has no name: give it one in the query"}
	}
	return &Fault{NameReserved, cutName(column), quoteString(column) + " begins with $, as Klaviyo's own names do: give it another name, or leave it out"}
}

// maxQuoted bounds what is quoted of a row, in characters.
const maxQuoted = 60

func cutName(name string) string { return cutAt(name, maxQuoted) }

// cutAt cuts s after n characters.
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

func quoteString(s string) string { return quote([]byte(s)) }

// quote returns a value of the row in backquotes, cut, with what can't be seen escaped, and then what comes behind it.
func quote(value []byte, then ...string) string {
	b := append(make([]byte, 0, 4*maxQuoted), '`')
	for n := 0; len(value) > 0; n++ {
		if n == maxQuoted {
			b = append(b, "…"...)
			break
		}
		r, size := utf8.DecodeRune(value)
		switch {
		case r == utf8.RuneError && size == 1:
			b = fmt.Appendf(b, `\x%02x`, value[0])
		case unicode.IsPrint(r):
			b = append(b, value[:size]...)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
		value = value[size:]
	}
	b = append(b, '`')
	for _, s := range then {
		b = append(b, s...)
	}
	return string(b)
}
