package report

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// The beginnings of lines, byte for byte as Writer writes them.
var (
	begin       = []byte(`{"type":"`)
	beginRow    = []byte(`{"type":"row","row":`)
	beginReport = []byte(`{"type":"report"`)
	inStatus    = []byte(`,"status":"`)
	endDropped  = []byte(`,"dropped":["phone_number"]}`)
)

// droppedPhone is Entry.Dropped of a line that ends with endDropped.
var droppedPhone = []string{"phone_number"}

// parseOwn reads a row's line that Writer wrote. It is not ok with lines in another form, which may be valid rows
// too.
func parseOwn(text []byte) (e Entry, ok bool) {
	rest, ok := bytes.CutPrefix(text, beginRow)
	if !ok {
		return e, false
	}
	for len(rest) > 0 && '0' <= rest[0] && rest[0] <= '9' && e.Row < maxCount {
		e.Row = e.Row*10 + int64(rest[0]-'0')
		rest = rest[1:]
	}
	rest, ok = bytes.CutPrefix(rest, inStatus)
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 0 || e.Row < 1 {
		return e, false
	}
	if e.Status, ok = ParseStatus(string(rest[:end])); !ok {
		return e, false
	}
	e.Text = text
	for rest = rest[end+1:]; ; {
		if len(rest) <= 1 {
			return e, string(rest) == "}"
		}
		if len(rest) == len(endDropped) && bytes.Equal(rest, endDropped) {
			e.Dropped = droppedPhone
			return e, true
		}
		var name, value []byte
		if name, value, rest, ok = parseMember(rest); !ok || !e.set(name, value) {
			return e, false
		}
	}
}

// set stores a member of a row's line. It is not ok with a member that Writer does not write there, or with escapes
// in a value that needs decoding.
func (e *Entry) set(name, value []byte) (ok bool) {
	switch string(name) {
	case "type", "row", "status", "dropped":
		return false
	case "member_since", "verified":
		e.ReadBack = true
	case "key":
		e.Key = value
		return len(value) > 0
	case "column":
		e.Column = value
	case "detail":
		e.Detail = value
	case "code", "stage", "job", "list":
		if len(value) < 2 || bytes.IndexByte(value, '\\') >= 0 || !utf8.Valid(value) {
			return false
		}
		plain := string(value[1 : len(value)-1])
		switch name[0] {
		case 'c':
			e.Code = plain
		case 's':
			e.Stage = plain
		case 'l':
			e.List = plain
		default:
			e.Job = plain
		}
	}
	return true
}

// parseMember reads a comma and a member whose value is an integer, true, false or a string. It returns a string with
// its quotes.
func parseMember(text []byte) (name, value, rest []byte, ok bool) {
	if name, ok = bytes.CutPrefix(text, []byte(`,"`)); !ok {
		return
	}
	end := bytes.IndexByte(name, '"')
	if end < 0 || len(name) < end+3 || name[end+1] != ':' {
		return nil, nil, nil, false
	}
	name, rest = name[:end], name[end+2:]
	if rest[0] != '"' {
		end = bytes.IndexAny(rest, ",}")
		return name, nil, rest[max(end, 0):], end > 0 && literal(rest[:end])
	}
	if end = endOfString(rest[1:]); end < 0 {
		return nil, nil, nil, false
	}
	return name, rest[:end+2], rest[end+2:], true
}

// literal reports whether a value is an integer, true or false.
func literal(value []byte) bool {
	switch string(value) {
	case "true", "false":
		return true
	}
	return strings.Trim(string(value), "0123456789") == ""
}

// endOfString returns the index of the closing quote of a JSON string. The opening quote is before text.
func endOfString(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
