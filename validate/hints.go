package validate

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The hints name what td-semantics.md section 5 knows of the clients that print such rows.
const (
	arrayHint   = "each row is an array: add -c to td query, or name the columns: jq -c '{email: .[0]}'"
	lateHint    = "an array is taken apart only where the input begins with it: keep away what comes before it (td query: -o FILE), or put jq -c '.[]' before"
	nestedHint  = "an array is taken apart only where the input begins with it: run one statement (snow prints an array for each), or put jq -c 'flatten(1)[]' before"
	backslashes = `backslashes are doubled: use psql -c "select row_to_json(…)" instead of COPY, or add -r to mysql`
	numbersHint = "JSON has no such number: cast it to text or null in the query"
	digitsHint  = "JSON has no such number: add -S to mlr, or cast it to text in the query"
	cutHint     = "the last row is cut: the command before the pipe may have failed"
	nestingHint = "the row is cut where trino finds an ARRAY, MAP or ROW: use json_format(cast(x as json))"
	linesHint   = "a row must be on one line: add jq -c"
	brokenHint  = "a string is broken off at the end of the line: add -y 0 to sqlcmd, or have the client escape line breaks"
	utf16Hint   = "this looks like UTF-16: add -f 65001 to sqlcmd, or convert it with iconv"
	bytesHint   = "set the client's encoding to UTF-8, convert the file with iconv, or leave binary columns out"
	objectsHint = "rows are JSON objects, one a line: switch headers off (psql -t, mysql -N), or turn CSV into rows: mlr -S --icsv --ojsonl cat"
	quotedHint  = "this is quoted CSV: use trino --output-format JSON, or turn it into rows: mlr -S --icsv --ojsonl cat"
	tabsHint    = "this is tab-separated: use json_object and mysql -N -B -r, FORMAT JSONEachRow, or turn it into rows: mlr -S --itsv --ojsonl cat"
	tableHint   = "this is a table, not JSON: use row_to_json and psql -AtXq, json_object and mysql -N -B -r, td -f json -c, " +
		"bq --format=json, snow --format JSON_EXT, trino --output-format JSON, sqlite3 -json or duckdb -jsonlines"
	severalHint  = "each row has a line of its own: add jq -c ."
	notRowPrefix = "this is a line of the client, not a row: "
)

// notices are beginnings of what clients print beside rows, and what further stands in such a line.
var notices = []struct{ begins, has, hint string }{
	{"(", " affected)", "put SET NOCOUNT ON before the query"},
	{"(", "", "use psql -AtXq"},
	{"Timing is ", "", "use psql -AtXq"},
	{"Time: ", " ms", "use psql -AtXq"},
	{"Job ", " is queued.", "use td query -o FILE and read that file"},
	{"Use 'td ", "", "use td query -o FILE and read that file"},
	{"Status      :", "", "use td query -o FILE and read that file"},
	{"Result      :", "", "use td query -o FILE and read that file"},
	{"---", "", "use psql -AtXq, or sqlcmd -h -1"},
	{"JSON_F52E2B61", "", "use sqlcmd -h -1 -y 0"},
	{"Waiting on ", "Current status:", "use bq query --quiet"},
	{"", " Row(s) produced", "use snowsql -o friendly=false -o timing=false"},
}

// wrappers are beginnings, behind the bracket, of the objects in which clients wrap all rows.
var wrappers = []struct{ begins, hint string }{
	{`"rows":[`, "this is mysqlsh's answer, not a row: put jq -c '.rows[]' before"},
	{`"hasData"`, "this is mysqlsh's answer, not a row: put jq -c '.rows[]' before"},
	{`"ResultSet"`, "this is athena's answer, not a row: use UNLOAD (…) TO … WITH (format='JSON') and read its files"},
	{`"meta"`, "this is clickhouse's answer, not a row: use FORMAT JSONEachRow"},
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
	case s.problem == noColon && string(rest) == "}":
		return nestingHint
	case s.problem == cut && string(line) == "{", s.problem == badValue && (line[0] == '}' || line[0] == ']'):
		return linesHint
	case s.problem == cut && broken(line):
		return brokenHint
	case s.problem == afterEnd && line[0] == '"' && rest[0] == ':':
		return cmp.Or(wrapperHint(line), linesHint)
	case s.problem == badValue && isNumberWord(rest), s.problem == badNumber && isNumberWord(rest[1:]):
		return numbersHint
	case s.problem == noComma && strings.IndexByte("xXbo", rest[0]) >= 0 && s.line[s.at-1] == '0',
		s.problem == badNumber && line[0] == '{', s.problem == badValue && line[0] == '{' && (rest[0] == '.' || rest[0] == '+'):
		return digitsHint
	case s.problem != cut && bytes.Contains(s.line[:s.at], []byte(`\\"`)):
		return backslashes
	case s.problem == noName && rest[0] == '\'':
		return "strings and names take double quotes: print rows with json.dumps"
	case s.problem == afterEnd && line[0] == '"' && rest[0] == ',':
		return quotedHint
	case s.problem == badValue && len(rest) == len(line), s.problem == afterEnd && line[0] != '{':
		return objectsHint
	case s.problem == afterEnd && rest[0] == '{':
		return severalHint
	case s.problem == afterEnd && (rest[0] == ',' || rest[0] == ']'):
		return "rows stand on lines of their own without commas between them: add jq -c '.[]' for an array"
	}
	return ""
}

// lineHint says what to do about a line that has never been a row.
func lineHint(line []byte) string {
	switch {
	case bytes.IndexByte(line[:min(len(line), 4)], 0) >= 0:
		return utf16Hint
	case len(line) == 0 || line[0] == '{':
		return ""
	case line[0] == '[':
		return bracketHint(line)
	case string(line) == "SET" || string(line) == "BEGIN" || string(line) == "COMMIT":
		return notRowPrefix + "use psql -AtXq"
	}
	for _, n := range notices {
		if bytes.HasPrefix(line, []byte(n.begins)) && bytes.Contains(line, []byte(n.has)) {
			return notRowPrefix + n.hint
		}
	}
	switch r, _ := utf8.DecodeRune(line); {
	case r >= '─' && r <= '╿', bytes.HasPrefix(line, []byte("+-")), bytes.IndexByte(line, '|') >= 0:
		return tableHint
	case bytes.IndexByte(line, '\t') > 0:
		return tabsHint
	}
	return ""
}

// bracketHint says what to do about a line that begins with [.
func bracketHint(line []byte) string {
	switch i := space(line, 1); {
	case i == len(line):
		return nestedHint
	case line[i] == '{':
		return lateHint
	}
	return arrayHint
}

// broken says whether a line ends inside a string.
func broken(line []byte) bool {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == '\\' && quoted:
			i++
		}
	}
	return quoted
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
		detail += "; " + bytesHint
	}
	return &Fault{Code: JSONInvalid, Detail: detail}
}

func notAnObject(line []byte, k kind) *Fault {
	detail := fmt.Sprintf("the row is %s, not an object", k)
	if k == array {
		detail += "; " + bracketHint(line[space(line, 0):])
	}
	return &Fault{Code: NotAnObject, Detail: detail}
}

// tooLong says that a line is longer than a row may be. head is its beginning.
func tooLong(head []byte) *Fault {
	detail := fmt.Sprintf("the row is longer than %d bytes", MaxRow)
	head = head[space(head, 0):]
	if bytes.HasPrefix(head, []byte("[")) {
		detail += "; " + bracketHint(head)
	} else if hint := wrapperHint(head); hint != "" {
		detail += "; " + hint
	}
	return &Fault{Code: RowTooLong, Detail: detail}
}

// wrapperHint says what to do about an object that begins as a client's whole answer does. head may be without the bracket.
func wrapperHint(head []byte) string {
	if len(head) > 0 && head[0] == '{' {
		head = head[space(head, 1):]
	}
	for _, w := range wrappers {
		if bytes.HasPrefix(head, []byte(w.begins)) {
			return w.hint
		}
	}
	return ""
}

// missing says that the required column is not in the row, and what is there instead.
func (c *Checker) missing(r *Rows) *Fault {
	code := EmailMissing
	if c.operation == Remove {
		code = ProfileIDMissing
	}
	detail := "column " + quoteString(c.required) + " is missing"
	if near := c.near(r); near != "" {
		detail = fmt.Sprintf(`%s is there, %s is not: names are case-sensitive, use AS "%s"`, quoteString(near), quoteString(c.required), cutName(c.required))
		if strings.EqualFold(near, c.required) { // without white space, which a shell and a line would need written in another way
			detail += fmt.Sprintf(` or --map '%s=%s'`, near, c.key.name())
		}
	} else if hint := cmp.Or(wrapperHint(r.scan.line[space(r.scan.line, 0):]), separatorHint(r)); hint != "" {
		detail += "; " + hint
	}
	return &Fault{code, cutName(c.required), detail}
}

// separatorHint says what to do about a row whose only name holds a separator of CSV.
func separatorHint(r *Rows) string {
	if len(r.scan.members) != 1 {
		return ""
	}
	name := r.columns.name(r.scan.members[0].column)
	if i := bytes.IndexAny(name, ";\t|"); i >= 0 {
		return fmt.Sprintf("%s is one column: add --ifs %q to mlr", quoteString(string(name)), name[i:i+1])
	}
	return ""
}

// near returns a column whose name is the required one's but for case and white space.
func (c *Checker) near(r *Rows) string {
	for i := range r.scan.members {
		name := r.columns.name(r.scan.members[i].column)
		if bytes.EqualFold(bytes.TrimSpace(name), []byte(c.required)) {
			return string(name)
		}
	}
	return ""
}
