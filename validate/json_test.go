package validate

import (
	stdjson "encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// allowed are values that RFC 8259 allows.
var allowed = []string{
	// Numbers of any size and form, which keep their text.
	`0`, `-0`, `1`, `-1`, `10`, `0.5`, `-0.0`, `0e0`, `0E+1`, `-0e-1`, `1e1`, `1E1`, `1e+01`, `1e-00`, `1.25E-007`,
	`123456789012345678901234567890`, `-9223372036854775809`,
	`18446744073709551616`, `0.1000000000000000055511151231257827021181583404541015625`, `1E400`, `-1e-400`,
	`1.7976931348623159e308`, `4.9E-324`, `1e9999999999999999999999`,
	strings.Repeat("9", 2000), `0.` + strings.Repeat("0", 2000) + `1`, `1e` + strings.Repeat("0", 500) + `1`,
	// Strings.
	`""`, `" "`, `"a"`, `"\"\\\/\b\f\n\r\t"`, `"\u0000\u001F\u007f\u00e9\uFFFD\uffff\uFDD0"`, `"\u2028\u2029\ufeff"`,
	"\"\x7f\u00a0\u2028\u2029\ufeff\uffff\U0010ffff\"", `"\\u0000"`, `"\\"`, `"\\\""`, `"\\\\"`,
	`"日本語 é e\u0301 👩‍👩‍👧"`, `"\ud83d\ude39"`, `"\uD800\uDC00"`, `"\udbff\udfff"`, `"\ud834\uDD1e\ud834\udd1e"`,
	`"\uD7FF\uE000"`, `"/* no comment */"`, `"'"`, `"\\ud800"`, `"[{,:"`,
	// Arrays and objects, with every kind of white space. Any string is a name, and a deep name may appear twice.
	`[]`, `[ ]`, "[\t\r]", `[[]]`, `[[],{},[[]]]`, `[1,"a",true,false,null,{}]`, "[ 1\t,\r2 ]", `[1 ]`, `{}`, "{\t}",
	`{"":0}`, `{"":{"":[""]}}`, `{"a":1,"b":2}`, "{ \"a\"\t:\r1 , \"b\" :2}", `{"a":1,"a":2,"a":1}`,
	`{"\u0000":0}`, `{"\ud83d\ude39":0,"😹":1}`, `{"$a":0}`, `{"a.b":0}`, `{"email":1}`,
	`[` + strings.Repeat(`0,`, 5000) + `0]`, `{"` + strings.Repeat("n", 5000) + `":0}`,
	`true`, `false`,
}

// forbidden are texts that RFC 8259 forbids, by a part of their reason.
const (
	halfPair   = "expected both halves of a surrogate pair"
	notUTF8Row = "the row is not UTF-8"
)

var forbidden = map[string][]string{
	"": {
		`01`, `-01`, `00`, `-00`, `012`, `+1`, `++1`, `--1`, `-`, `+`, `.`, `.5`, `-.5`, `1.`, `-2.`, `1.e1`, `0.e1`,
		`2.e+3`, `.2e-3`, `1e`, `1e+`, `1E-`, `1eE2`, `0e`, `0E+`, `1e1.5`, `0.1.2`, `1_000`, `1 000`, `0x1`, `0x`,
		`0b1`, `0o7`, `1a`,
		`1.2a`, `1ea`, `-foo`, `1+2`, `1-`, `１`, `∞`, `NaN`, `-NaN`, `nan`, `Inf`, `-Infinity`, `Infinity`, `infinity`,
		`1f`, `1L`, `1n`, `- 1`, `1 e1`, `1e 1`, `0 .5`,
		`"`, `"a`, `"\"`, `"\`, `"\u`, `"\u"`, `"\u0"`, `"\u00"`, `"\u000"`, `"\u000g"`, `"\u 000"`, `"\u+000"`,
		`"\U0001F600"`, `"\a"`, `"\0"`, `"\x41"`, `"\v"`, `"\'"`, `"\é"`, `"\ "`, "\"\\\t\"", "\"\t\"", "\"\x00\"",
		"\"a\x1fb\"", "\"\r\"",
		`'a'`, "`a`", `"a"b`, `"a""b"`, `"a" "b"`, `""a`, `a`, `"""`, `"a'`, "“a”",
		`[1,]`, `[,1]`, `[,]`, `[1,,2]`, `[1 2]`, `["a" "b"]`, `[1:2]`, `[1;2]`, `[`, `]`, `[]]`, `[[]`, `[}`, `[1}`,
		`[1`, `[1,`, `["a`, `[[1,2]`, `[-]`, `[][]`, `[1]x`, `(1)`, `[*]`, `[a]`, `[...]`,
		`{`, `}`, `{]`, `{}}`, `{}{}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,"a":1}`, `{,}`, `{"a"::1}`, `{"a" 1}`,
		`{"a",1}`, `{"a"=1}`, `{"a":1 "b":2}`, `{"a":1;"b":2}`, `{"a":1,,"b":2}`, `{a:1}`, `{1:1}`, `{null:1}`,
		`{[]:1}`, `{{}:1}`, `{'a':1}`,
		`{"a":1`, `{"a":1,`, `{"a":`, `{"a"`, `{"a`, `{"a":1]`, `{"a":1}x`, `{"a":1:2}`, `{:1}`, `{"a":'1'}`,
		`{"a":[}`, `{"\u0":1}`, "{\"\t\":1}",
		`tru`, `truee`, `true1`, `True`, `TRUE`, `t`, `fals`, `False`, `nul`, `nulll`, `NULL`, `Null`, `none`,
		`undefined`, `truefalse`, `true false`, `"a"true`, `1true`,
		`1//c`, `1/*c*/`, `/*c*/1`, `#c`, `<null>`, `[1/**/]`, `{"a"/**/:1}`, "\u00a01", "1\u00a0", "\u20601",
		"\ufeff1", "1\ufeff", "[\ufeff]", "1\x0b", "\x0c1", "[\x0c]", "[\u0085]", "1\x00", "\x001", "[\x00]",
		"\\u0031", `\n1`, "\u20281",
	},
	halfPair: {
		`"\ud800"`, `"\uDBFF"`, `"\udc00"`, `"\uDFFF"`, `"\ud800a"`, `"\ud800\n"`, `"\ud800\ud800"`, `"\udc00\ud800"`,
		`"\udc00\udc00"`, `"\ud83d\u0041"`, `"\ud83d\ue000"`, `"\ude39\ude39"`, `"a\ud83d\ude39\ud83d"`,
		`"\ud83d\ude39\ude39"`, `"\ud83d\\ude39"`, `"\ud83d ude39"`,
		`["\ud800"]`, `{"\ud800":1}`, `{"a":{"\udfff":[]}}`, `"\\\ud800"`,
	},
	notUTF8Row: {
		"\"\xff\"", "\"\xfe\"", "\"\x80\"", "\"\xbf\"", "\"\xc3\"", "\"a\xc3\x28\"", "\"\xc0\x80\"", "\"\xc0\xaf\"",
		"\"\xc1\xbf\"", "\"\xe0\x80\xaf\"", "\"\xe0\x9f\xbf\"", "\"\xed\xa0\x80\"", "\"\xed\xbf\xbf\"",
		"\"\xed\xa0\xbd\xed\xb8\xb9\"", "\"\xe2\x82\"",
		"\"\xf0\x80\x80\x80\"", "\"\xf0\x8f\xbf\xbf\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\x80\x80\x80\"",
		"\"\xf8\x88\x80\x80\x80\"", "\"\xf0\x9f\x98\"", "\"caf\xe9\"", "[\xff]", "{\"\xff\":1}", "\xff", "1\xa0",
		"\"\x93a\x94\"",
	},
}

// frames put a value V in all places that the scanner reads in different ways: as a custom property, inside other
// values, and as a member of properties. rest is what the profile has after the email.
var frames = []struct{ row, rest string }{
	{`{"email":"a@b.co","x":V}`, `"properties":{"x":V}`},
	{"{ \"email\":\"a@b.co\"\t,\"x\":\r V \t} ", `"properties":{"x":V}`},
	{`{"x":V,"email":"a@b.co"}`, `"properties":{"x":V}`},
	{`{"email":"a@b.co","x":[V]}`, `"properties":{"x":[V]}`},
	{`{"email":"a@b.co","x":[0,V,"y"]}`, `"properties":{"x":[0,V,"y"]}`},
	{`{"email":"a@b.co","x":{"y":V}}`, `"properties":{"x":{"y":V}}`},
	{`{"email":"a@b.co","x":{"y":[{"z":V}],"w":1}}`, `"properties":{"x":{"y":[{"z":V}],"w":1}}`},
	{`{"email":"a@b.co","properties":{"x":V}}`, `"properties":{"x":V}`},
	{`{"email":"a@b.co","properties":{"w":[],"x": V}}`, `"properties":{"w":[],"x":V}`},
}

// A value that RFC 8259 allows is accepted in every place and sent byte for byte.
func TestAllowedJSON(t *testing.T) {
	for _, value := range allowed {
		if !stdjson.Valid([]byte(value)) {
			t.Fatalf("%s is not JSON", value)
		}
		for _, f := range frames {
			row, rest := strings.Replace(f.row, "V", value, 1), strings.Replace(f.rest, "V", value, 1)
			want := `{"type":"profile","attributes":{"email":"a@b.co",` + rest + `}}`
			if got := check(t, Options{}, row); got.Profile != want {
				t.Errorf("%.200s\ngot  %.300s %+v\nwant %.300s", row, got.Profile, got.Fault, want)
			}
		}
		got := check(t, Options{}, value).Fault.Code
		if isObject := strings.HasPrefix(value, "{"); got == JSONInvalid || isObject != (got != NotAnObject) {
			t.Errorf("%.200s as a row: %s", value, got)
		}
	}
	// Null is JSON too. It is left out.
	for _, f := range frames[:3] {
		got := check(t, Options{}, strings.Replace(f.row, "V", "null", 1))
		if got.Profile != `{"type":"profile","attributes":{"email":"a@b.co"}}` {
			t.Errorf("%s with null: %+v", f.row, got)
		}
	}
}

// A row that RFC 8259 forbids is rejected with its reason, without a column, and nothing of it is sent.
func TestForbiddenJSON(t *testing.T) {
	for reason, values := range forbidden {
		for _, value := range values {
			if stdjson.Valid([]byte(value)) && utf8.ValidString(value) && !loneSurrogates(value) {
				t.Fatalf("%q is JSON", value)
			}
			rows := []string{value}
			for _, f := range frames {
				rows = append(rows, strings.Replace(f.row, "V", value, 1))
			}
			for i, row := range rows {
				if i == 0 && value[0] == '\xef' { // a byte order mark before a row
					continue
				}
				if stdjson.Valid([]byte(row)) && utf8.ValidString(row) && !loneSurrogates(row) {
					continue // the frame makes JSON of it
				}
				got := check(t, Options{}, row)
				detail := got.Fault.Detail
				if want := (result{Fault: Fault{Code: JSONInvalid, Detail: detail}}); got != want {
					t.Errorf("%q: %+v", row, got)
				}
				opening, _, _ := strings.Cut(detail, ": ")
				if opening != "the row is not JSON" && opening != notUTF8Row || !strings.Contains(detail, reason) ||
					reason != halfPair && strings.Contains(detail, halfPair) ||
					reason != notUTF8Row && strings.Contains(detail, notUTF8Row) {
					t.Errorf("%q: %s", row, detail)
				}
			}
		}
	}
}

// Every kind of nesting ends at the same depth, and a million brackets need no stack.
func TestDeepJSON(t *testing.T) {
	for _, level := range []struct {
		open, close string
		levels      int
	}{{"[", "]", 1}, {`{"a":`, "}", 1}, {`[{"":[0,`, `]}]`, 3}, {"[0,", ",1]", 1}, {" [\t", "\r]", 1}} {
		most := 99 / level.levels
		for _, n := range []int{1, 33, most, most + 1, 1000, 100_000} {
			value := strings.Repeat(level.open, n) + "0" + strings.Repeat(level.close, n)
			row := `{"email":"a@b.co","x":` + value + `}`
			if len(row) > MaxRow {
				row = row[:MaxRow]
			}
			want := Code("")
			if n > most {
				want = RowTooDeep
			}
			if got := check(t, Options{}, row).Fault.Code; got != want {
				t.Errorf("%q %d times: got %q, want %q", level.open, n, got, want)
			}
		}
	}
	for _, open := range []string{"[", `{"a":`, `[{"":`} {
		if got := check(t, Options{}, strings.Repeat(open, MaxRow/len(open))); got.Fault.Code != RowTooDeep {
			t.Errorf("%q without an end: %+v", open, got.Fault)
		}
	}
}

// A byte order mark is skipped only before a row, and names that JSON allows and Klaviyo does not are rejected as
// names.
func TestRowsOfJSON(t *testing.T) {
	for row, code := range map[string]Code{
		"\ufeff" + `{"email":"a@b.co"}`:                      "",
		"\ufeff\ufeff" + `{"email":"a@b.co"}`:                JSONInvalid,
		`{"email":"a@b.co"}` + "\ufeff":                      JSONInvalid,
		" \ufeff" + `{"email":"a@b.co"}`:                     JSONInvalid,
		`{"email":"a@b.co","":0}`:                            NameReserved,
		`{"email":"a@b.co","":null}`:                         "",
		`{"email":"a@b.co","properties":{"":0}}`:             NameReserved,
		`{"email":"a@b.co","a":1,"\u0061":1}`:                DuplicateMember,
		`{"email":"a@b.co","properties":{"a":1,"\u0061":1}}`: DuplicateMember,
		`{"email":"a@b.co","x":{"a":1,"\u0061":1}}`:          "",
		`{"email":"a@b.co","\ud83d\ude39":1,"😹":1}`:          DuplicateMember,
	} {
		if got := check(t, Options{}, row); got.Fault.Code != code {
			t.Errorf("%s: %+v", row, got.Fault)
		}
	}
}
