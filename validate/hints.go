package validate

import (
	"bytes"
	"unicode/utf8"
)

// The hints name what td-semantics.md section 5 knows about the clients that print such rows.
const (
	arrayHint = "each row is an array: add -c to td query, or name the columns with jq -c '{email: .[0]}'"
	lateHint  = lateArray + ": put each array on a line of its own (td query: use -o FILE), " +
		"or pipe the rows through jq -c '.[]'"
	lateArray = "this array is inside another value or behind text on its line"

	nestedHint = lateArray + ": run a single statement (snow prints an array for each), " +
		"or pipe the rows through jq -c 'flatten(1)[]'"
	backslashHint = `backslashes are doubled: use psql -c "select row_to_json(…)" instead of COPY, or add -r to mysql`
	numberHint    = "JSON has no such number: cast it to text or null in the query"
	digitsHint    = "JSON has no such number: add -S to mlr, or cast it to text in the query"
	cutHint       = "the last row is incomplete: the command before the pipe may have failed"
	nestingHint   = "trino cuts a row at an ARRAY, MAP or ROW: use json_format(cast(x as json))"
	linesHint     = "each row must be on one line: pipe the rows through jq -c ."
	brokenHint    = "the line ends inside a string: " + breakHint
	breakHint     = "add -y 0 to sqlcmd, or make the client escape line breaks"
	utf16Hint     = "this looks like UTF-16: add -f 65001 to sqlcmd, or convert it with iconv"
	bytesHint     = "set the client's encoding to UTF-8, convert the file with iconv, or leave binary columns out"
	objectHint    = "expected one JSON object per line: turn headers off (psql -t, mysql -N), " +
		"or convert CSV with mlr -S --icsv --ojsonl cat"
	quotedHint = "this is quoted CSV: use trino --output-format JSON, or convert it with mlr -S --icsv --ojsonl cat"
	tabsHint   = "this is tab-separated: use json_object with mysql -N -B -r, FORMAT JSONEachRow with clickhouse, " +
		"or convert it with mlr -S --itsv --ojsonl cat"
	tableHint = "this is a table, not JSON: use row_to_json with psql -AtXq, json_object with mysql -N -B -r, " +
		"td -f json -c, bq --format=json, snow --format JSON_EXT, trino --output-format JSON, sqlite3 -json " +
		"or duckdb -jsonlines"
	severalHint = "each row must be on a line of its own: pipe the rows through jq -c ."
	commaHint   = "rows are lines without commas between them: pipe an array through jq -c '.[]'"
	colorHint   = "this has a terminal's colours: leave -C out of jq, or add -M"
	seqHint     = "a record separator begins the row: leave --seq out of jq"
	logHint     = "this is a line of a log, not a row: keep it out of the rows, as with 2> client.log"
	pythonHint  = "JSON uses double quotes: print rows with json.dumps"
	dynamoHint  = "these are DynamoDB's types: pipe the rows through jq -c 'map_values(.[])'"
	messageHint = "this is a message of the client, not a row: "
)

// notices are the beginnings of the messages that clients print next to rows, with a text that the line also has.
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

// wrappers are the beginnings, after the bracket and without blanks, of the objects in which clients wrap rows. The
// longer one of two that begin alike comes first.
var wrappers = []struct{ begins, hint string }{
	{`"rows":[`, "this is mysqlsh's whole answer, not a row: pipe it through jq -c '.rows[]'"},
	{`"hasData"`, "this is mysqlsh's whole answer, not a row: pipe it through jq -c '.rows[]'"},
	{`"ResultSet"`, "this is athena's whole answer, not a row: " +
		"use UNLOAD (…) TO … WITH (format='JSON') and read its files"},
	{`"meta"`, "this is clickhouse's whole answer, not a row: use FORMAT JSONEachRow"},
	{`"results":[{"columns":`, sqlclHint},
	{`"result":[{"results":`, "this is D1's whole answer, not a row: pipe it through jq -c '.result[].results[]'"},
	{`"results":[`, d1Hint},
	{`"Items":[`, "this is DynamoDB's whole answer, not a row: pipe it through jq -c '.Items[] | map_values(.[])'"},
	{`"Item":{`, "this is a DynamoDB export, not a row: pipe it through jq -c '.Item | map_values(.[])'"},
	{`"type":"RECORD","record":{"stream":`, "this is an Airbyte message, not a row: " +
		`pipe it through jq -c 'select(.type == "RECORD").record.data'`},
	{`"type":"RECORD"`, singerHint}, {`"type":"SCHEMA"`, singerHint}, {`"type":"STATE"`, singerHint},
	{`"type":"ACTIVATE_VERSION"`, singerHint},
}

const (
	sqlclHint  = "this is SQLcl's whole answer, not a row: pipe it through jq -c '.results[].items[]'"
	d1Hint     = "this is D1's whole answer, not a row: pipe it through jq -c '.[].results[]'"
	singerHint = `this is a Singer message, not a row: pipe it through jq -c 'select(.type == "RECORD").record'`
)

// lineHint returns the hint for a line that never was a row.
func lineHint(line []byte) string {
	switch {
	case bytes.IndexByte(line[:min(len(line), 4)], 0) >= 0:
		return utf16Hint
	case bytes.HasPrefix(bytes.TrimLeft(line, "{["), []byte("\x1b[")):
		return colorHint
	case len(line) == 0 || line[0] == '{':
		return ""
	case line[0] == '\x1e':
		return seqHint
	case isLog(line):
		return logHint
	case line[0] == '[':
		return bracketHint(line)
	case string(line) == "SET" || string(line) == "BEGIN" || string(line) == "COMMIT":
		return messageHint + "use psql -AtXq"
	}
	for _, n := range notices {
		if bytes.HasPrefix(line, []byte(n.begins)) && bytes.Contains(line, []byte(n.has)) {
			return messageHint + n.hint
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

// levels are those of a line of a log.
var levels = [...]string{"TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "FATAL"}

// isLog reports whether a line begins as one of a log does: with a time or a level, perhaps in brackets.
func isLog(line []byte) bool {
	inside, bracket := bytes.CutPrefix(line, []byte("["))
	for _, level := range levels {
		rest, ok := bytes.CutPrefix(inside, []byte(level))
		if ok && len(rest) > 0 && bytes.IndexByte([]byte("]: "), rest[0]) >= 0 {
			return true
		}
	}
	dated := matches(inside, "0000-00-00") || matches(inside, "0000/00/00") || matches(inside, "00:00:00")
	if bracket || !dated {
		return dated
	}
	for _, level := range levels { // a row of CSV may begin with a time too
		if bytes.Contains(inside, []byte(" "+level)) {
			return true
		}
	}
	return false
}

// matches reports whether line begins as form does, where a 0 stands for any digit.
func matches(line []byte, form string) bool {
	for i := range len(form) {
		if i == len(line) {
			return false
		}
		if c := line[i]; form[i] == '0' && c-'0' > 9 || form[i] != '0' && c != form[i] {
			return false
		}
	}
	return true
}

// bracketHint returns the hint for a line that begins with [.
func bracketHint(line []byte) string {
	switch i := space(line, 1); {
	case i == len(line):
		return nestedHint
	case line[i] == '{':
		return lateHint
	}
	return arrayHint
}

// wrapperHint returns the hint for an object that begins as a client's whole answer does. head may lack the bracket.
func wrapperHint(head []byte) string {
	const far = 100
	var buffer [far]byte
	begin := buffer[:0]
	for _, c := range head[:min(len(head), far)] {
		if c > ' ' {
			begin = append(begin, c)
		}
	}
	begin = bytes.TrimPrefix(begin, []byte("{"))
	for _, w := range wrappers {
		if bytes.HasPrefix(begin, []byte(w.begins)) {
			return w.hint
		}
	}
	return ""
}
