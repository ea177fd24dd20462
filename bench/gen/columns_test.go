package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The codes for reserved names and too large profiles, and the named columns, are as the text of the row says.
func TestColumns(t *testing.T) {
	m := generatePairs(t, "-n", "12000", "-bad", "20")
	columnCodes := strings.Fields("duplicate_member email_invalid email_missing name_reserved phone_invalid type_wrong")
	reserved := regexp.MustCompile(`"\$[a-z]*": ?[^n ]`)
	for i, want := range m.expectations {
		found, named := reserved.Match(m.lines[i]), want.Code == "name_reserved"
		if found && !named && want.Code != "json_invalid" || !found && named {
			t.Errorf("row %d has a reserved name: %t, the code is %q: %s", want.Row, found, want.Code, m.lines[i])
		}
		if size := len(m.lines[i]); size < 1<<20 && size > 100_000 != (want.Code == "profile_too_large") {
			t.Errorf("row %d has %d bytes, the code is %q", want.Row, size, want.Code)
		}
		if slices.Contains(columnCodes, want.Code) != (want.Column != "") {
			t.Errorf("row %d: the code is %q, the column is %q", want.Row, want.Code, want.Column)
		}
		column := want.Column[strings.LastIndexByte(want.Column, '.')+1:]
		if named && !bytes.Contains(m.lines[i], []byte(`"`+column+`":`)) {
			t.Errorf("row %d has no column %q", want.Row, want.Column)
		}
	}
}

// Most rows have letters outside ASCII, of many scripts and in both spellings.
func TestMostRowsAreNotASCII(t *testing.T) {
	rows, _ := generate(t, "-n", "5000", "-bad", "0")
	for _, want := range []string{"é", `\u00e9`, "佐", `\ud842\udfb7`, "ר", "م", "🎁"} {
		if !bytes.Contains(rows, []byte(want)) {
			t.Errorf("expected %s in 5000 rows", want)
		}
	}
	international := 0
	for line := range bytes.Lines(rows) {
		if bytes.ContainsFunc(line, func(r rune) bool { return r > 0x7f }) || bytes.Contains(line, []byte(`\u0`)) {
			international++
		}
	}
	if international < 3000 {
		t.Errorf("expected at least 3000 of 5000 rows with letters outside ASCII, got %d", international)
	}
}
