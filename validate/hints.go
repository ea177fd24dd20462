package validate

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The hints name what td-semantics.md section 5 knows of the clients that print such rows.
const (
	arrayHint    = "each row is an array: add -c to td query, so that columns have names"
	wrapperHint  = "this is a client's whole answer, not a row: pass its rows on one by one"
	backslashes  = `backslashes are doubled: use psql -c "select row_to_json(…)" instead of COPY, or add -r to mysql`
	numbersHint  = "JSON has no such number: cast it to text or null in the query"
	cutHint      = "the last row is cut: the command before the pipe may have failed"
	linesHint    = "a row must be on one line: add jq -c"
	utf16Hint    = "this looks like UTF-16: add -f 65001 to sqlcmd, or convert it with iconv"
	objectsHint  = "rows are JSON objects, one a line: CSV is turned into them by mlr --icsv --ojsonl cat"
	severalHint  = "each row has a line of its own: add jq -c ."
	notRowPrefix = "this is a line of the client, not a row: "
)

// notices are beginnings and endings of what clients print beside rows.
var notices = []struct{ begins, ends, hint string }{
	{"(", "rows affected)", "put SET NOCOUNT ON before the query"},
	{"(", "row affected)", "put SET NOCOUNT ON before the query"},
	{"(", "rows)", "use psql -AtXq"},
	{"(", "row)", "use psql -AtXq"},
	{"(", "", "use psql -AtXq"},
	{"Job ", "", "use td query -o FILE and read that file"},
	{"+--", "", "use mysql -N -B -r, or td query -f json -c"},
	{"---", "", "use psql -AtXq, or sqlcmd -h -1"},
	{"Current status:", "", "use bq query --quiet"},
	{"", "(s) produced", "use snowsql -o friendly=false -o timing=false"},
	{"", " rows", "switch its row count off"},
}

// notJSON says why a line is no JSON. unended says that it is the last one and has no newline.
func notJSON(s *scanner, unended bool) *Fault {
	if s.problem == tooDeep {
		return &Fault{Code: RowTooDeep, Detail: fmt.Sprintf("the row has more than %d nesting levels", MaxDepth)}
	}
	detail := "the row is not JSON: " + s.describe()
	if hint := s.hint(unended); hint != "" {
		detail += "; " + hint
	}
	return &Fault{Code: JSONInvalid, Detail: detail}
}

// describe says in words what the problem is and where.
func (s *scanner) describe() string {
	if s.problem == cut {
		return "it ends in the middle of a value"
	}
	_, n := utf8.DecodeRune(s.line[s.at:])
	found := quote(s.line[s.at : s.at+n])
	at := fmt.Sprintf(" at byte %d", s.at+1)
	switch s.problem {
	case badNumber:
		return "a number is not written as in 0, -1.5 or 2e9" + at
	case badEscape:
		return "an escape is none of JSON's" + at
	case loneSurrogate:
		return "an escape is half of a surrogate pair" + at + ", the text was cut inside a character"
	case rawControl:
		return "a control character in a string is not escaped, " + found + at
	case noName:
		return "instead of a name in double quotes comes " + found + at
	case noColon:
		return "instead of a colon after a name comes " + found + at
	case noComma:
		return "instead of a comma or a closing bracket comes " + found + at
	case trailingComma:
		return "nothing comes after a comma" + at
	case afterEnd:
		return "after its end comes " + found + at
	default:
		return found + " begins no value" + at
	}
}

// hint says what to do about the problem, or nothing.
func (s *scanner) hint(unended bool) string {
	line := s.line[space(s.line, 0):]
	if hint := lineHint(line); hint != "" {
		return hint
	}
	switch rest := s.line[s.at:]; {
	case s.problem == cut && unended:
		return cutHint
	case s.problem == cut && string(line) == "{", s.problem == badValue && (line[0] == '}' || line[0] == ']'),
		s.problem == afterEnd && line[0] == '"' && rest[0] == ':':
		return linesHint
	case s.problem == badValue && isNumberWord(rest), s.problem == badNumber && isNumberWord(rest[1:]),
		s.problem == noComma && (rest[0] == 'x' || rest[0] == 'X') && s.line[s.at-1] == '0':
		return numbersHint
	case bytes.Contains(s.line[:s.at], []byte(`\\"`)):
		return backslashes
	case s.problem == noName && rest[0] == '\'':
		return "strings and names take double quotes: print rows with json.dumps"
	case s.problem == badValue && len(rest) == len(line), s.problem == afterEnd && line[0] != '{':
		return objectsHint
	case s.problem == afterEnd && rest[0] == '{':
		return severalHint
	case s.problem == afterEnd && rest[0] == ',':
		return "rows stand on lines of their own without commas between them: add jq -c '.[]' for an array"
	}
	return ""
}

// lineHint says what to do about a line that has never been a row.
func lineHint(line []byte) string {
	switch {
	case len(line) == 0 || line[0] == '{':
		return ""
	case line[0] == '[':
		return arrayHint
	case bytes.IndexByte(line[:min(len(line), 4)], 0) >= 0:
		return utf16Hint
	}
	for _, n := range notices {
		if bytes.HasPrefix(line, []byte(n.begins)) && bytes.HasSuffix(line, []byte(n.ends)) {
			return notRowPrefix + n.hint
		}
	}
	return ""
}

// isNumberWord says whether p begins as clients print numbers that JSON has not.
func isNumberWord(p []byte) bool {
	for _, word := range [...]string{"nan", "inf"} {
		if len(p) >= len(word) && strings.EqualFold(string(p[:len(word)]), word) {
			return true
		}
	}
	return false
}

// notUTF8 says where a line stops being UTF-8. unended says that it is the last one and has no newline.
func notUTF8(line []byte, unended bool) *Fault {
	at := 0
	for {
		r, n := utf8.DecodeRune(line[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	detail := fmt.Sprintf("the row is not UTF-8: byte %d is 0x%02x", at+1, line[at])
	switch {
	case unended && !utf8.FullRune(line[at:]):
		detail += "; " + cutHint
	case bytes.HasPrefix(line, []byte("\xff\xfe")), bytes.HasPrefix(line, []byte("\xfe\xff")), bytes.IndexByte(line, 0) >= 0:
		detail += "; " + utf16Hint
	default:
		detail += "; set the client's encoding to UTF-8, or leave binary columns out"
	}
	return &Fault{Code: JSONInvalid, Detail: detail}
}

func notAnObject(line []byte, k kind) *Fault {
	detail := fmt.Sprintf("the row is %s, not an object", k)
	if k == array {
		detail += "; " + arrayHint
	}
	return &Fault{Code: NotAnObject, Detail: detail}
}

// tooLong says that a line is longer than a row may be. head is its beginning.
func tooLong(head []byte) *Fault {
	detail := fmt.Sprintf("the row is longer than %d bytes", MaxRow)
	head = head[space(head, 0):]
	switch {
	case bytes.HasPrefix(head, []byte("[")):
		detail += "; " + arrayHint
	case isWrapper(head):
		detail += "; " + wrapperHint
	}
	return &Fault{Code: RowTooLong, Detail: detail}
}

// wrappers are the first names of the objects in which clients wrap all rows: mysqlsh, td and mysqlsh, athena, clickhouse.
var wrappers = []string{"rows", "hasData", "ResultSet", "meta"}

// isWrapper says whether an object begins as a client's whole answer does.
func isWrapper(head []byte) bool {
	if len(head) == 0 || head[0] != '{' {
		return false
	}
	head = head[space(head, 1):]
	for _, name := range wrappers {
		if bytes.HasPrefix(head, []byte(`"`+name+`"`)) {
			return true
		}
	}
	return false
}

// missing says that the required column is not in the row, and what is there instead.
func (c *Checker) missing(r *Rows) *Fault {
	code := EmailMissing
	if c.operation == Remove {
		code = ProfileIDMissing
	}
	detail := "column " + quoteString(c.required) + " is missing"
	switch near := c.near(r); {
	case near != "":
		detail = fmt.Sprintf(`%s is there, %s is not: names are case-sensitive, use AS "%s"`, quoteString(near), quoteString(c.required), cutName(c.required))
	case isWrapper(r.scan.line[space(r.scan.line, 0):]):
		detail += "; " + wrapperHint
	}
	return &Fault{code, cutName(c.required), detail}
}

// near returns a column whose name is the required one's but for case and white space.
func (c *Checker) near(r *Rows) string {
	for i := range r.scan.members {
		name := string(r.columns.name(r.scan.members[i].column))
		if strings.EqualFold(strings.TrimSpace(name), c.required) {
			return name
		}
	}
	return ""
}
