// Package validate checks single rows of the input and encodes the good ones as Klaviyo profiles. Start at
// Checker.Check.
package validate

import (
	"bytes"
	"maps"
	"slices"
	"unicode/utf8"
)

// MaxRow is the greatest length of a row in bytes.
const MaxRow = 1 << 20

const (
	maxDepth   = 100     // nesting levels in a row
	maxProfile = 100_000 // bytes of an encoded profile (klaviyo-api.md section 4.1)
)

// Operation says what a run does with the rows.
type Operation uint8

const (
	Add Operation = iota
	Remove
	Mirror // the rows are those of Add
	Subscribe
	Unsubscribe
)

// String returns the operation as the output spells it.
func (o Operation) String() string {
	return [...]string{"add", "remove", "mirror", "subscribe", "unsubscribe"}[o]
}

// narrow reports whether the operation reads only the columns that it needs.
func (o Operation) narrow() bool { return o == Remove || o.consents() }

// consents reports whether the operation sets or withdraws consent.
func (o Operation) consents() bool { return o == Subscribe || o == Unsubscribe }

// Checker checks rows. Many goroutines may use it at once, each with its own Scratch and Rows.
type Checker struct {
	operation Operation
	country   string           // the region of phone numbers without a country code, "" for none
	required  string           // the column that fills key
	key       target           // the identifier
	fields    map[string]field // the columns that are not custom properties
	renames   bool             // some column is mapped to properties.NAME

	channels    Channels // of Subscribe and Unsubscribe
	second      target   // the identifier that one of the channels needs beside the key, custom for none
	secondName  string   // its column
	consentedAt string   // the column with the time of consent, "" for none

	listColumn string // the column with the row's list, "" for none

	emptyIsNull bool
	clearNulls  bool
	dropPhones  bool
	counts      counts
}

// RequiredColumn returns the name of the column that the operation requires, as a Fault has it.
func (c *Checker) RequiredColumn() string { return cutName(c.required) }

// Unmet returns, in order, the columns that the options map or drop and that no checked row had.
func (c *Checker) Unmet() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(c.fields)) {
		if met := c.fields[name].met; met != nil && !met.Load() {
			names = append(names, name)
		}
	}
	return names
}

// Check appends one Row to out for each line that is not blank. lines are whole rows that end in LF or CRLF; the last
// one may lack it. A byte order mark before a row is skipped. last says that the input ends with lines. A bad row is
// a Row with a Fault, never an error.
func (c *Checker) Check(lines []byte, last bool, s *Scratch, out *Rows) {
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
			s.columns.begin(c, out)
			c.row(line, last && !ended, s, out)
		}
	}
	s.columns.flush(out)
}

// TooLong appends the rejected row of a line that is longer than MaxRow. head is the beginning of the line, cut
// anywhere.
func (c *Checker) TooLong(head []byte, out *Rows) {
	out.reject(tooLong(head), len(out.Data))
	out.Rows[len(out.Rows)-1].Several = several(head) || wraps(head, c.required)
}

var byteOrderMark = []byte("\ufeff")

// trimLine removes a byte order mark and the white space at the end of a line.
func trimLine(line []byte) []byte {
	if len(line) > 0 && line[0] == byteOrderMark[0] {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	n := len(line)
	for n > 0 && (line[n-1] == ' ' || line[n-1] == '\t' || line[n-1] == '\r') {
		n--
	}
	return line[:n]
}

// Blank reports whether Check finds no row in a line, which may end in LF.
func Blank(line []byte) bool { return len(trimLine(bytes.TrimSuffix(line, []byte{'\n'}))) == 0 }

// row appends the result of a line that has more than white space. unended says that it ends the input without a
// newline.
func (c *Checker) row(line []byte, unended bool, s *Scratch, out *Rows) {
	kind := s.scan.scan(line, &s.columns)
	if s.scan.problem != none || kind != object {
		c.notObject(line, kind, unended, s, out)
		return
	}
	if c.emptyIsNull {
		s.scan.dropEmpty()
	}
	s.droppedPhone = false
	fault := c.resolve(s)
	key, required := c.find(s)
	named := fault != nil && fault.Code != DuplicateMember && c.checkKey(key, required, s) == nil
	if fault == nil {
		fault = c.checkKey(key, required, s)
		named = fault == nil
	}
	var list *member
	inList := Present
	if c.listColumn != "" {
		list, inList = s.find(listed, c.listColumn)
	}
	if fault == nil && c.listColumn != "" {
		fault = c.checkList(list, inList, s)
	}
	if fault == nil {
		fault = c.encode(s, out)
	}
	if fault != nil {
		start := len(out.Data)
		out.Data = s.appendKey(out.Data, key)
		out.reject(fault, start)
		s.uncount()
	}
	row := &out.Rows[len(out.Rows)-1]
	if fault != nil && named && fault.Code != DuplicateMember {
		row.Identity = identity(c.identity(s))
	}
	dated := Present
	if c.consentedAt != "" {
		_, dated = s.find(consentedAt, c.consentedAt)
	}
	switch row.Required = required; {
	case required != Present:
	case inList != Present:
		row.Required, row.Unlisted = inList, true
	case dated != Present:
		row.Required, row.Undated = dated, true
	}
	row.DroppedPhone = s.droppedPhone && fault == nil
	if fault == nil && list != nil {
		out.enlist(s.scan.text(list), s)
	}
	row.Several = fault != nil && required == Missing && wraps(line, c.required)
}

// notObject rejects a line that is not an object, or not JSON.
func (c *Checker) notObject(line []byte, kind kind, unended bool, s *Scratch, out *Rows) {
	var f *Fault
	switch {
	case s.scan.problem == none:
		f = notAnObject(line, kind)
	case !utf8.Valid(line):
		f = notUTF8(line, unended)
	default:
		f = notJSON(&s.scan, unended)
	}
	out.reject(f, len(out.Data))
	out.Rows[len(out.Rows)-1].Several = several(line) || wraps(line, c.required)
}

// find returns the member that has the key, nil when no member has it, and how the row has it.
func (c *Checker) find(s *Scratch) (*member, Required) { return s.find(c.key, c.required) }

// find returns the member of the column that fills t, nil when no member has it, and how the row has it.
func (s *Scratch) find(t target, column string) (*member, Required) {
	for i := range s.scan.members {
		m := &s.scan.members[i]
		if e := &s.columns.entries[m.column]; e.target != t || string(s.columns.name(m.column)) != column {
			continue
		}
		if m.kind == text || m.kind == null {
			return m, Present
		}
		return m, WrongType
	}
	return nil, Missing
}

// trim removes Unicode's white space from both ends.
func trim(value []byte) []byte {
	if n := len(value); n > 0 && value[0]-'!' < utf8.RuneSelf-'!' && value[n-1]-'!' < utf8.RuneSelf-'!' {
		return value
	}
	return bytes.TrimSpace(value)
}
