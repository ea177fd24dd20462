package report

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/segmentio/encoding/json"
)

// Entry is a line of results as it was read. A report's has Report set and nothing else but Text.
type Entry struct {
	Row         int64
	Status      Status
	Key         []byte // a JSON string with its quotes, or empty
	Stage, Code string
	Job         string
	Report      bool
	Text        []byte // the line
}

// maxNesting bounds the levels of a line, which is decoded recursively.
const maxNesting = 100

var (
	begin       = []byte(`{"type":"`)
	beginRow    = []byte(`{"type":"row","row":`)
	beginReport = []byte(`{"type":"report"`)
	inStatus    = []byte(`,"status":"`)
)

var (
	errNotJSON = errors.New("it is not JSON")
	errMember  = errors.New("one of its members has the wrong type")
	errType    = errors.New(`its type is neither "row" nor "report"`)
	errStatus  = errors.New("its status is unknown")
)

// parse reads a line in whatever form. What the entry holds is valid as long as the text.
func parse(text []byte) (Entry, error) {
	if e, ok := parseOwn(text); ok {
		return e, nil
	}
	if tooDeep(text) {
		return Entry{}, fmt.Errorf("it has more than %d nesting levels", maxNesting)
	}
	if !json.Valid(text) {
		return Entry{}, errNotJSON
	}
	var line struct {
		Type   string          `json:"type"`
		Row    int64           `json:"row"`
		Status string          `json:"status"`
		Key    json.RawMessage `json:"key"`
		Stage  string          `json:"stage"`
		Code   string          `json:"code"`
		Job    string          `json:"job"`
	}
	if _, err := json.Parse(text, &line, json.DontMatchCaseInsensitiveStructFields); err != nil {
		return Entry{}, errMember
	}
	if line.Type == "report" {
		return Entry{Report: true, Text: text}, nil
	}
	status, known := ParseStatus(line.Status)
	switch {
	case line.Type != "row" || line.Row < 1:
		return Entry{}, errType
	case !known:
		return Entry{}, errStatus
	}
	valid := func(text string) string { return strings.ToValidUTF8(text, "\ufffd") } // as it will be read again from a report
	return Entry{Row: line.Row, Status: status, Key: line.Key, Stage: valid(line.Stage), Code: valid(line.Code), Job: valid(line.Job), Text: text}, nil
}

// parseOwn reads a row's line as Writer writes it, to its last byte. It is not ok with others, which may be rows all the same.
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
		var name, value []byte
		if name, value, rest, ok = parseMember(rest); !ok || !e.set(name, value) {
			return e, false
		}
	}
}

// set takes a member of a row's line. It is not ok with one that should not come there, or whose escapes matter.
func (e *Entry) set(name, value []byte) (ok bool) {
	switch string(name) {
	case "type", "row", "status":
		return false
	case "key":
		e.Key = value
		return len(value) > 0
	case "code", "stage", "job":
		if len(value) < 2 || bytes.IndexByte(value, '\\') >= 0 || !utf8.Valid(value) {
			return false
		}
		plain := string(value[1 : len(value)-1])
		switch name[0] {
		case 'c':
			e.Code = plain
		case 's':
			e.Stage = plain
		default:
			e.Job = plain
		}
	}
	return true
}

// parseMember reads a comma and a member whose value is an integer or a string, which is returned with its quotes.
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
		return name, nil, rest[max(end, 0):], end > 0 && strings.Trim(string(rest[:end]), "0123456789") == ""
	}
	if end = endOfString(rest[1:]); end < 0 {
		return nil, nil, nil, false
	}
	return name, rest[:end+2], rest[end+2:], true
}

// endOfString returns where the quote stands that ends a JSON string, whose first quote is before text.
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

// tooDeep reports whether brackets outside of strings go deeper than maxNesting.
func tooDeep(text []byte) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := endOfString(text[i+1:])
			if end < 0 {
				return false
			}
			i += end + 1
		case '{', '[':
			if depth++; depth > maxNesting {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}
