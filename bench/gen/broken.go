package main

import (
	"bytes"
	"strings"
)

// brokenLines are rows that are not JSON.
var brokenLines = brokenKinds()

func brokenKinds() []kind {
	kinds := []kind{
		cut, cut, cut, unquoted,
		edit(func(line []byte) []byte { return append(line[:len(line)-1], ",}"...) }),
		edit(func(line []byte) []byte { return append(line, ',') }),
		edit(func(line []byte) []byte { return append(line, ";"...) }),
		edit(func(line []byte) []byte { return append(line, ` "page 2"`...) }),
		edit(func(line []byte) []byte { return append(line, '}') }),
		edit(func(line []byte) []byte { return append(line, " // imported"...) }),
		edit(func(line []byte) []byte { return bytes.ReplaceAll(line, []byte{'"'}, []byte{'\''}) }),
		edit(func(line []byte) []byte { return bytes.ReplaceAll(line, []byte{'"'}, []byte(`\"`)) }),
		edit(func(line []byte) []byte { return bytes.ReplaceAll(line, []byte{'"'}, []byte(`""`)) }),
		edit(func(line []byte) []byte { return bytes.Replace(line, []byte(`":`), []byte(`"`), 1) }),
		edit(func(line []byte) []byte { return bytes.Replace(line, []byte(`":`), []byte(`"=>`), 1) }),
		edit(func(line []byte) []byte { return bytes.Replace(line, []byte(`{"`), []byte(`{,"`), 1) }),
		line("(3 rows)"), line("Time: 12.345 ms"), line("+-------+-----------+"), line("email,first_name,last_name"),
		line("ERROR:  canceling statement due to user request"), line("<html><body>502 Bad Gateway</body></html>"),
		line("NaN"), line("{"), line("}"),
	}
	for value := range strings.FieldsSeq(`NaN Infinity -Infinity nan undefined None True 0x1F 01 -01 1. .5 +1 1e 1e+ --
		1_000 1,5 [1,] [,] {"a"} {"a":} {,} [1 TRUE`) {
		kinds = append(kinds, set("ltv", value).unnamed)
	}
	for _, value := range []string{
		`says \\"hello\\" on the phone`,           // psql's COPY, and mysql without -r, double backslashes
		`5" screen`, `C:\orders`, `it\'s`, `\x41`, // no escape where JSON needs one, or an escape that JSON lacks
		`\u12g4`, `\u12`, `\U0001f600`,
		"two\ttabs", "zero\x00byte", "\x1b[31mred\x1b[0m", "carriage\rreturn",
		"M\xfcnchen", "\xc0\xaf", "\xed\xa0\xbd\xed\xb8\x80", "\xe3\x81", "\xf4\x90\x80\x80", "\xff\xfe",
		`\ud83d`, `\ude00`, `\ud83d shop`, `\ude00\ud83d`, `\ud83d\u0041`, `\uD83D\uD83D`,
	} {
		kinds = append(kinds, set("note", `"`+value+`"`).unnamed)
	}
	return kinds
}

// cut ends the row in the middle.
func cut(g *generator, b []byte) ([]byte, string) {
	whole := g.draft.appendTo(nil)
	return append(b, whole[:1+g.dice.below(len(whole)-1)]...), ""
}

// unquoted writes the name of the required column without quotes.
func unquoted(g *generator, b []byte) ([]byte, string) {
	return append(b, bytes.Replace(g.draft.appendTo(nil), []byte(`"`+g.key()+`"`), []byte(g.key()), 1)...), ""
}

// otherValues are rows that are JSON but not objects.
var otherValues = []kind{
	line(`["ann@example.com","Ann","Smith"]`), line(`[1,"山田",null]`), line("[1]"), line(`[""]`),
	line(`"ann@example.com"`), line(`""`),
	line("42"), line("-1.5e3"), line("true"), line("null"), values,
}

// values is the row as an array of values without names.
func values(g *generator, b []byte) ([]byte, string) {
	return append(append(append(b, `["`...), g.address...), `","Ann",null,7]`...), ""
}

// deepRows are nested deeper than the limit of 100 levels, but not too deep for encoding/json.
var deepRows = []kind{
	deep("tree", `[`, `]`, 101), deep("tree", `{"child":`, `}`, 130), deep("tree", `[{"a":`, `}]`, 200),
	deep("tags", `[`, `]`, 2000), deep("reply", `{"to":`, `}`, 400),
}

// deep puts levels of nested values into a column.
func deep(column, open, close string, levels int) kind {
	return set(column, strings.Repeat(open, levels)+"1"+strings.Repeat(close, levels)).unnamed
}
