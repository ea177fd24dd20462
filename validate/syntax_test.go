package validate

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// A line that is not JSON is rejected with what was expected where, and with the remedy for the client that printed
// it. The operation makes no difference.
func TestJSONFaults(t *testing.T) {
	const not = "the row is not JSON: "
	half := func(at int) string {
		return fmt.Sprintf("expected both halves of a surrogate pair, got one at byte %d: "+
			"the text was cut inside a character", at)
	}
	tests := []struct{ row, detail string }{
		{`{"a":NaN}`, not + "expected a value, got 'N' at byte 6; " + numberHint},
		{`{"a":-Infinity}`,
			not + "expected a number such as 0, -1.5 or 2e9, got \"-Infinity\" at byte 6; " + numberHint},
		{`{"a":0xff}`, not + "expected a comma or a closing bracket, got 'x' at byte 7; " + digitsHint},
		{`{"a":0b11}`, not + "expected a comma or a closing bracket, got 'b' at byte 7; " + digitsHint},
		{`{"a":"0"x}`, not + "expected a comma or a closing bracket, got 'x' at byte 9"},
		{`{"a":10"b":1}`, not + "expected a comma or a closing bracket, got '\"' at byte 8"},
		{`{"a":[1,inf]}`, not + "expected a value, got 'i' at byte 9; " + numberHint},
		{`{"a":01}`, not + "expected a number such as 0, -1.5 or 2e9, got \"01\" at byte 6; " + digitsHint},
		{`{"a":1.}`, not + "expected a number such as 0, -1.5 or 2e9, got \"1.\" at byte 6; " + digitsHint},
		{`{"a":.5}`, not + "expected a value, got '.' at byte 6; " + digitsHint},
		{`{"a":+1}`, not + "expected a value, got '+' at byte 6; " + digitsHint},
		{`{"a":1e}`, not + "expected a number such as 0, -1.5 or 2e9, got \"1e\" at byte 6; " + digitsHint},
		{`{"a":-}`, not + "expected a number such as 0, -1.5 or 2e9, got \"-\" at byte 6; " + digitsHint},
		{`{"a":True}`, not + "expected a value, got 'T' at byte 6"},
		{`{"a":nul}`, not + "expected a value, got 'n' at byte 6"},
		{"{\"a\":\"x\ty\"}", not + "expected an escaped control character, got '\\t' at byte 8"},
		{`{"a":"\x"}`, not + "expected an escape such as \\n or \\\\, got 'x' after the backslash at byte 7"},
		{`{"a":"\u12g4"}`, not + "expected four hexadecimal digits after \\u at byte 7"},
		{`{"a":"\u12G4"}`, not + "expected four hexadecimal digits after \\u at byte 7"},
		{`{"a":"\ud83d"}`, not + half(7)},
		{`{"a":"\ud83d\u0041"}`, not + half(7)},
		{`{"a":"\udc00"}`, not + half(7)},
		{`{"a":"\udfff"}`, not + half(7)},
		{`{"a":"\udbff\udbff"}`, not + half(7)},
		{`{"a":"\ud800\ue000"}`, not + half(7)},
		{`{"a":"\ude00x"}`, not + half(7)},
		{`{"x":{"\ud83dab":1}}`, not + half(8)},
		{`{"a":1,}`, not + "expected a name after the comma, got '}' at byte 8"},
		{`{"a":[1,]}`, not + "expected a value after the comma, got ']' at byte 9"},
		{`{"a":{"b":1,}}`, not + "expected a name after the comma, got '}' at byte 13"},
		{`{"a" 1}`, not + "expected a colon after a name, got '1' at byte 6"},
		{`{"a":1,"b"}`, not + "expected a colon after a name, got '}' at byte 11; " + nestingHint},
		{`{"x":{"a" 1}}`, not + "expected a colon after a name, got '1' at byte 11"},
		{`{"a":1 "b":2}`, not + "expected a comma or a closing bracket, got '\"' at byte 8"},
		{`{"a":[1}`, not + "expected a comma or a closing bracket, got '}' at byte 8"},
		{`{a:1}`, not + "expected a name in double quotes, got 'a' at byte 2"},
		{`{'a':1}`, not + "expected a name in double quotes, got '\\'' at byte 2; " + pythonHint},
		{`{"x":[{,}]}`, not + "expected a name in double quotes, got ',' at byte 8"},
		{`{"a":1},`, not + "expected the end of the line, got ',' at byte 8; " + commaHint},
		{`{"a":1}]`, not + "expected the end of the line, got ']' at byte 8; " + commaHint},
		{`{"a":1}{"a":2}`, not + "expected the end of the line, got '{' at byte 8; " + severalHint},
		{`{"email":"a@b.co"} x`, not + "expected the end of the line, got 'x' at byte 20"},
		{`{"a":"say \\"hi\\""}`, not + "expected a comma or a closing bracket, got 'h' at byte 14; " + backslashHint},
		{`{"a":"é` + "\x00" + `"}`, not + "expected an escaped control character, got '\\x00' at byte 9"},
		{"{\"a\":\"caf\xe9\"}", "the row is not UTF-8: byte 10 is 0xe9; " + bytesHint},
		{"{\"a\":\"\xed\xa0\xbd\"}", "the row is not UTF-8: byte 7 is 0xed; " + bytesHint},
		{"\xff\xfe{\x00\"\x00", "the row is not UTF-8: byte 1 is 0xff; " + utf16Hint},
		{"{\x00\"\x00a\x00", not + "expected a name in double quotes, got '\\x00' at byte 2; " + utf16Hint},
		{"[\x00{\x00\"\x00a", not + "expected a value, got '\\x00' at byte 2; " + utf16Hint},
		{"\x00{\x00\"\x00a", not + "expected a value, got '\\x00' at byte 1; " + utf16Hint},
		{`["a@b.co",1`, not + "the line ends in the middle of a value; " + arrayHint},
		{`[["a@b.co",1],`, not + "the line ends in the middle of a value; " + arrayHint},
		{`[{"email":"a@b.co"},`, not + "the line ends in the middle of a value; " + lateHint},
		{`[{"email":"a@b.co"}`, not + "the line ends in the middle of a value; " + lateHint},
		{`  [`, not + "the line ends in the middle of a value; " + nestedHint},
		{`(12 rows)`, not + "expected a value, got '(' at byte 1; " + messageHint + "use psql -AtXq"},
		{`(1 row)`, not + "expected a value, got '(' at byte 1; " + messageHint + "use psql -AtXq"},
		{`SET`, not + "expected a value, got 'S' at byte 1; " + messageHint + "use psql -AtXq"},
		{`Timing is on.`, not + "expected a value, got 'T' at byte 1; " + messageHint + "use psql -AtXq"},
		{`Time: 0.123 ms`, not + "expected a value, got 'T' at byte 1; " + messageHint + "use psql -AtXq"},
		{`(12 rows affected)`,
			not + "expected a value, got '(' at byte 1; " + messageHint + "put SET NOCOUNT ON before the query"},
		{`(1 row affected)`,
			not + "expected a value, got '(' at byte 1; " + messageHint + "put SET NOCOUNT ON before the query"},
		{`JSON_F52E2B61-18A1-11d1-B105-00805F49916B`,
			not + "expected a value, got 'J' at byte 1; " + messageHint + "use sqlcmd -h -1 -y 0"},
		{`Job 123 is queued.`,
			not + "expected a value, got 'J' at byte 1; " + messageHint + "use td query -o FILE and read that file"},
		{`Use 'td job:show 123' to show the status.`,
			not + "expected a value, got 'U' at byte 1; " + messageHint + "use td query -o FILE and read that file"},
		{`Status      : success`,
			not + "expected a value, got 'S' at byte 1; " + messageHint + "use td query -o FILE and read that file"},
		{`Result      :`,
			not + "expected a value, got 'R' at byte 1; " + messageHint + "use td query -o FILE and read that file"},
		{`-------------`,
			not + "expected a number such as 0, -1.5 or 2e9, got \"-------------\" at byte 1; " +
				messageHint + "use psql -AtXq, or sqlcmd -h -1"},
		{"\rWaiting on bqjob_r1 ... (0s) Current status: DONE",
			not + "expected a value, got 'W' at byte 2; " + messageHint + "use bq query --quiet"},
		{`3 Row(s) produced. Time Elapsed: 0.1s`,
			not + "expected the end of the line, got 'R' at byte 3; " +
				messageHint + "use snowsql -o friendly=false -o timing=false"},
		{`+-----+-----+`, not + "expected a value, got '+' at byte 1; " + tableHint},
		{`| email |`, not + "expected a value, got '|' at byte 1; " + tableHint},
		{`┌───────┐`, not + "expected a value, got '┌' at byte 1; " + tableHint},
		{` email | name`, not + "expected a value, got 'e' at byte 2; " + tableHint},
		{"email\tname", not + "expected a value, got 'e' at byte 1; " + tabsHint},
		{`  "email": "a@b.co",`, not + "expected the end of the line, got ':' at byte 10; " + linesHint},
		{`  "rows": 1,`, not + "expected the end of the line, got ':' at byte 9; " + linesHint},
		{`  "meta":`,
			not + "expected the end of the line, got ':' at byte 9; " +
				"this is clickhouse's whole answer, not a row: use FORMAT JSONEachRow"},
		{`}`, not + "expected a value, got '}' at byte 1; " + linesHint},
		{`email,name`, not + "expected a value, got 'e' at byte 1; " + objectHint},
		{`a@b.co|Ann`, not + "expected a value, got 'a' at byte 1; " + tableHint},
		{`-5,"x"`, not + "expected the end of the line, got ',' at byte 3; " + objectHint},
		{`"a@b.co","Ann"`, not + "expected the end of the line, got ',' at byte 9; " + quotedHint},
	}
	for _, test := range tests {
		want := result{Fault: Fault{JSONInvalid, "", test.detail}}
		if got := check(t, Options{}, test.row); got != want {
			t.Errorf("%s\ngot  %+v\nwant %+v", test.row, got, want)
		}
		if got := check(t, Options{Operation: Remove}, test.row); got != want {
			t.Errorf("remove: %s\ngot  %+v\nwant %+v", test.row, got, want)
		}
	}
}

// A row that is cut anywhere is incomplete when it ends the input, and otherwise JSON that is broken.
func TestCut(t *testing.T) {
	const row = `{"email":"a\u0040b.co","a":[1.5e+7,true,{"x":-2,"y":"\ud83d\ude00太"},[]],"b":null}`
	c := checker(t, Options{})
	const mid = "the row is not JSON: the line ends in the middle of a value"
	for n := 1; n < len(row); n++ {
		mid := mid
		plain := mid
		switch quotes := strings.Count(row[:n], `"`); {
		case n == 1:
			plain += "; " + linesHint
		case quotes%2 == 1:
			plain += "; " + brokenHint
		}
		if whole := len(strings.ToValidUTF8(row[:n], "")); whole < n {
			mid = fmt.Sprintf("the row is not UTF-8: byte %d is 0xe5", whole+1)
			plain = mid + "; " + bytesHint
		}
		for _, test := range []struct {
			lines, detail string
			last          bool
		}{
			{row[:n], mid + "; " + cutHint, true},
			{row[:n], plain, false},
			{row[:n] + "\n", plain, true},
			{row[:n] + "\r\n", plain, true},
		} {
			var scratch Scratch
			var out Rows
			c.Check([]byte(test.lines), test.last, &scratch, &out)
			want := []result{{Fault: Fault{JSONInvalid, "", test.detail}}}
			if got := results(&out); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q, last %t:\ngot  %+v\nwant %+v", test.lines, test.last, got, want)
			}
		}
	}
}

// A line that ends inside a string gets another hint than a line that ends elsewhere.
func TestBrokenString(t *testing.T) {
	const mid = "the row is not JSON: the line ends in the middle of a value"
	for line, detail := range map[string]string{
		`{"a":"b`:              mid + "; " + brokenHint,
		`{"a":"say \"hi\" and`: mid + "; " + brokenHint,
		`{"a":"b\\`:            mid + "; " + brokenHint,
		`{"a":"b\\",`:          mid,
		`{"a":"\"b\"",`:        mid,
	} {
		if got := check(t, Options{}, line+"\n"); got.Fault.Detail != detail {
			t.Errorf("%s\ngot  %s\nwant %s", line, got.Fault.Detail, detail)
		}
	}
}

// A line that is no row because of how it was printed gets the remedy for the program that printed it.
func TestHints(t *testing.T) {
	for _, test := range []struct{ name, line, hint string }{
		{"jq -C", "\x1b[1;39m{\x1b[0m\x1b[34;1m\"email\"\x1b[0m", colorHint},
		{"colours inside the bracket", "{\x1b[94m\"email\"\x1b[39;49;00m:", colorHint},
		{"jq --seq", "\x1e{\"email\":\"a@b.co\"}", seqHint},
		{"a time and a level in brackets", "[2024-05-01 10:00:00] INFO fetched 100 rows", logHint},
		{"a time in brackets", "[10:00:00] fetched 100 rows", logHint},
		{"a date with slashes", "[2024/05/01 10:00:00]", logHint},
		{"a level in brackets", "[INFO] fetched 100 rows", logHint},
		{"a time and a level", "2024-05-01 10:00:00,123 INFO fetched 100 rows", logHint},
		{"a time of RFC 3339 and a level", "2024-05-01T10:00:00Z WARN slow", logHint},
		{"a level", "ERROR: relation \"x\" does not exist", logHint},
		{"a level and a colon", "WARNING: x", logHint},
		{"CSV that begins with a time", "2024-05-01 10:00:00,a@b.co,Ann", objectHint},
		{"CSV that begins with a word", "INFORMATION,a@b.co", objectHint},
		{"an array that is broken", "[2024,", arrayHint},
		{"SQLcl, its first line", `{"results":[{"columns":[{"name":"EMAIL","type":"VARCHAR2"}],"items":`, sqlclHint},
		{"SQLcl, a later row", `,{"email":"a@b.co"}`, commaHint},
		{"D1, cut", `{ "results": [ { "email": "a@b.co" },`, d1Hint},
		{"DynamoDB, cut", `{"Items":[{"email":{"S":"a@b.co"}},`, "this is DynamoDB's whole answer, not a row: " +
			"pipe it through jq -c '.Items[] | map_values(.[])'"},
	} {
		got := check(t, Options{}, test.line+"\n")
		if !strings.HasSuffix(got.Fault.Detail, "; "+test.hint) || got.Fault.Code != JSONInvalid {
			t.Errorf("%s: got %+v\nwant %s", test.name, got.Fault, test.hint)
		}
	}
}

// An object in which a client wraps all rows gets the jq filter that takes them out.
func TestWrappers(t *testing.T) {
	const missing = `column "email" is missing; `
	for _, test := range []struct{ name, row, detail string }{
		{"SQLcl", `{"results":[{"columns":[{"name":"EMAIL"}],"items":[{"email":"a@b.co"}]}]}`, missing + sqlclHint},
		{"D1", `{"results":[{"email":"a@b.co"}],"success":true,"meta":{"duration":0.1}}`, missing + d1Hint},
		{"D1, indented", `{ "results" : [ { "email": "a@b.co" } ], "success": true }`, missing + d1Hint},
		{"D1's REST API", `{"result":[{"results":[{"email":"a@b.co"}],"success":true}],"errors":[]}`, missing +
			"this is D1's whole answer, not a row: pipe it through jq -c '.result[].results[]'"},
		{"DynamoDB scan", `{"Items":[{"email":{"S":"a@b.co"}}],"Count":1}`, missing +
			"this is DynamoDB's whole answer, not a row: pipe it through jq -c '.Items[] | map_values(.[])'"},
		{"DynamoDB export", `{"Item":{"email":{"S":"a@b.co"}}}`, missing +
			"this is a DynamoDB export, not a row: pipe it through jq -c '.Item | map_values(.[])'"},
		{"DynamoDB's types", `{"email":{"S":"a@b.co"},"n":{"N":"1"}}`,
			`column "email": expected a string, got an object; ` + dynamoHint},
		{"DynamoDB's types in an attribute", `{"email":"a@b.co","zip":{ "N" : "1" }}`,
			`column "zip": expected a string, got an object; ` + dynamoHint},
		{"Singer's record", `{"type": "RECORD", "stream": "users", "record": {"email": "a@b.co"}}`, missing + singerHint},
		{"Singer's schema", `{"type":"SCHEMA","stream":"users","schema":{}}`, missing + singerHint},
		{"Singer's state", `{"type":"STATE","value":{}}`, missing + singerHint},
		{"Airbyte's record", `{"type":"RECORD","record":{"stream":"users","data":{"email":"a@b.co"}}}`, missing +
			`this is an Airbyte message, not a row: pipe it through jq -c 'select(.type == "RECORD").record.data'`},
		{"a row of its own", `{"type":"customer","results":1}`, missing + `the row has "type", "results"`},
	} {
		if got := check(t, Options{}, test.row); got.Fault.Detail != test.detail {
			t.Errorf("%s: %s\ngot  %s\nwant %s", test.name, test.row, got.Fault.Detail, test.detail)
		}
	}
}
