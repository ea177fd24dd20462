// Package validate checks single rows of the input and encodes the good ones as Klaviyo profiles.
package validate

import (
	"bytes"
	"maps"
	"slices"
	"unicode/utf8"
)

// MaxRow is the greatest length of a row in bytes, MaxDepth the greatest number of nesting levels in it, and MaxProfile
// the greatest length of an encoded profile (klaviyo-api.md section 4.1).
const (
	MaxRow     = 1 << 20
	MaxDepth   = 100
	MaxProfile = 100_000
)

// Operation is what becomes of the rows.
type Operation uint8

const (
	Add Operation = iota
	Remove
)

// String returns the operation as the output spells it.
func (o Operation) String() string {
	if o == Remove {
		return "remove"
	}
	return "add"
}

// Checker checks rows. It may be used by many goroutines at once.
type Checker struct {
	operation Operation
	country   string           // region of numbers without a country code, "" is none
	required  string           // the column that fills key
	key       target           // email or profileID
	fields    map[string]field // the columns that aren't custom properties
	renames   bool             // some column is mapped to properties.NAME
}

// Unmet returns the columns that the options map or drop and that no row had so far, in order.
func (c *Checker) Unmet() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(c.fields)) {
		if met := c.fields[name].met; met != nil && !met.Load() {
			names = append(names, name)
		}
	}
	return names
}

var byteOrderMark = []byte("\ufeff")

// Check appends one Row to out for each line that is not blank. lines are whole rows that end in LF or CRLF, which the last
// one may lack; a byte order mark before a row is skipped. last says that lines end the input.
func (c *Checker) Check(lines []byte, last bool, out *Rows) {
	for len(lines) > 0 {
		line, ended := lines, false
		if n := bytes.IndexByte(lines, '\n'); n >= 0 {
			line, ended = lines[:n], true
			lines = lines[n+1:]
		} else {
			lines = nil
		}
		line = trimLine(line)
		switch {
		case len(line) == 0:
		case len(line) > MaxRow:
			c.TooLong(line, out)
		default:
			out.columns.begin(c)
			c.row(line, last && !ended, out)
		}
	}
}

// trimLine takes a byte order mark and the white space at the end off a line.
func trimLine(line []byte) []byte {
	if len(line) > 0 && line[0] == byteOrderMark[0] {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	return trimSpace(line)
}

// Blank reports whether Check finds no row in a line, which may end in LF.
func Blank(line []byte) bool { return len(trimLine(bytes.TrimSuffix(line, []byte{'\n'}))) == 0 }

// trimSpace takes JSON's white space off the end of a line, and the whole line when there is nothing else.
func trimSpace(line []byte) []byte {
	n := len(line)
	for n > 0 && (line[n-1] == ' ' || line[n-1] == '\t' || line[n-1] == '\r') {
		n--
	}
	return line[:n]
}

// TooLong appends the rejected row of a line longer than MaxRow. head is the beginning of the line, cut anywhere.
func (c *Checker) TooLong(head []byte, out *Rows) {
	out.reject(tooLong(head), nil)
}

// row appends the verdict on a line that holds more than white space. unended says that it is the last one and has no newline.
func (c *Checker) row(line []byte, unended bool, out *Rows) {
	kind := out.scan.scan(line)
	if out.scan.problem != none {
		if !utf8.Valid(line) {
			out.reject(notUTF8(line, unended), nil)
			return
		}
		out.reject(notJSON(&out.scan, unended), nil)
		return
	}
	if kind != object {
		out.reject(notAnObject(line, kind), nil)
		return
	}
	fault := c.resolve(out)
	key, required := c.find(out)
	if fault == nil {
		fault = c.checkKey(key, required, out)
	}
	if fault == nil {
		fault = c.encode(out)
	}
	if fault != nil {
		out.reject(fault, key)
	}
	out.Rows[len(out.Rows)-1].Required = required
}

// find returns the member that holds the key, nil when there is none, and how the row holds it.
func (c *Checker) find(r *Rows) (*member, Required) {
	for i := range r.scan.members {
		m := &r.scan.members[i]
		if e := &r.columns.entries[m.column]; e.target != c.key || string(r.columns.name(m.column)) != c.required {
			continue
		}
		if m.kind == text || m.kind == null {
			return m, Present
		}
		return m, WrongType
	}
	return nil, Missing
}

// checkKey checks the required value and leaves it, trimmed, in r.key.
func (c *Checker) checkKey(m *member, required Required, r *Rows) *Fault {
	switch required {
	case Missing:
		return c.missing(r)
	case WrongType:
		return typeWrong(c.required, m.kind, "a string: cast it to text")
	}
	code, missing, reason := EmailInvalid, EmailMissing, emailReason
	valid := validEmail
	if c.operation == Remove {
		code, missing, reason = ProfileIDInvalid, ProfileIDMissing, profileIDReason
		valid = validProfileID
	}
	if m.kind == null {
		return &Fault{missing, cutName(c.required), "column " + quoteString(c.required) + " is null"}
	}
	value := trim(r.scan.text(m))
	if len(value) == 0 {
		return &Fault{missing, cutName(c.required), "column " + quoteString(c.required) + " is empty"}
	}
	if !valid(value) {
		return &Fault{code, cutName(c.required), quote(value, " ", reason(value))}
	}
	r.key = append(r.key[:0], value...)
	return nil
}

// trim takes Unicode's white space off both ends.
func trim(value []byte) []byte {
	if n := len(value); n > 0 && value[0]-'!' < utf8.RuneSelf-'!' && value[n-1]-'!' < utf8.RuneSelf-'!' {
		return value
	}
	return bytes.TrimSpace(value)
}
