package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sample returns the rows of testdata and their expectations.
func sample(t *testing.T) *rowSet {
	t.Helper()
	set := &rowSet{
		count: 1000, mixed: "../testdata/profiles.ndjson", expected: "../testdata/profiles.expected.ndjson",
	}
	if err := errors.Join(set.describe(), set.expect()); err != nil {
		t.Fatal(err)
	}
	return set
}

// put writes a file.
func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The figures about the rows, which the README's tables show, are those of the files.
func TestRowsAreDescribed(t *testing.T) {
	set := sample(t)
	text, err := os.ReadFile(set.mixed)
	if err != nil {
		t.Fatal(err)
	}
	if set.bytes != int64(len(text)) || set.bad != 30 || set.valid != 965 {
		t.Errorf("expected %d bytes, 30 bad and 965 valid rows, got %+v", len(text), set)
	}
	var nonASCII int64
	for line := range bytes.Lines(text) {
		if bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x80 }) {
			nonASCII++
		}
	}
	if set.nonASCII != nonASCII {
		t.Errorf("expected %d rows with characters outside ASCII, got %d", nonASCII, set.nonASCII)
	}
}

// A row that is longer than a buffer counts once.
func TestLongRowsAreOneRow(t *testing.T) {
	set := &rowSet{mixed: filepath.Join(t.TempDir(), "rows")}
	put(t, set.mixed, "é"+strings.Repeat("x", 200_000)+"\nplain\né")
	if err := set.describe(); err != nil || set.nonASCII != 2 || set.bytes != 200_011 {
		t.Errorf("expected 2 rows with characters outside ASCII and 200,011 bytes, got %+v, %v", set, err)
	}
}

// A good row that is not accepted counts as lost, and a bad row that is accepted as leaked. More results than rows
// are an error.
func TestResultsAreScored(t *testing.T) {
	expected, results := filepath.Join(t.TempDir(), "expected"), filepath.Join(t.TempDir(), "results")
	var wanted, head strings.Builder
	for i, row := range []struct{ want, got string }{
		{"valid", "accepted"}, {"rejected", "accepted"}, {"skipped", "skipped"}, {"valid", "rejected"},
		{"rejected", "rejected"},
	} {
		fmt.Fprintf(&wanted, `{"row":%d,"status":"%s"}`+"\n", i+1, row.want)
		fmt.Fprintf(&head, `{"type":"row","row":%d,"status":"%s"}`+"\n", i+1, row.got)
	}
	put(t, expected, wanted.String())
	put(t, results, head.String()+`{"type":"report","status":"failed"}`+"\n")
	got, err := score(results, expected)
	if want := (accuracy{lines: 5, accepted: 2, lost: 1, leaked: 1}); err != nil || got != want {
		t.Errorf("expected %+v, got %+v, %v", want, got, err)
	}
	put(t, results, head.String()+head.String())
	if _, err := score(results, expected); err == nil {
		t.Error("10 results for 5 rows: expected an error")
	}
}
