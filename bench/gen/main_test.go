package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// made is the output of a run, line by line.
type made struct {
	lines        [][]byte
	expectations []expectation
}

// generate runs the program with args and -expect.
func generate(t *testing.T, args ...string) (rows, expected []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "expected.ndjson")
	var out, errs bytes.Buffer
	if code := run(append(args, "-expect", file), &out, &errs); code != 0 || errs.Len() > 0 {
		t.Fatalf("gen %v: exit status %d, %s", args, code, errs.Bytes())
	}
	expected, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), expected
}

// generatePairs runs the program and pairs each line with its expectation.
func generatePairs(t *testing.T, args ...string) made {
	t.Helper()
	rows, expected := generate(t, args...)
	if !bytes.HasSuffix(rows, []byte("\n")) {
		t.Fatal("expected a newline behind the last row")
	}
	m := made{lines: bytes.Split(rows[:len(rows)-1], []byte{'\n'})}
	decoder := json.NewDecoder(bytes.NewReader(expected))
	decoder.DisallowUnknownFields()
	for decoder.More() {
		var want expectation
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if m.expectations = append(m.expectations, want); want.Row != len(m.expectations) {
			t.Fatalf("expectation %d: expected row %d, got %d", len(m.expectations), len(m.expectations), want.Row)
		}
	}
	if len(m.lines) != len(m.expectations) {
		t.Fatalf("expected an expectation for each row, got %d rows and %d expectations", len(m.lines), len(m.expectations))
	}
	return m
}

// A wrong command line ends with exit status 2 and an error that says what was expected, before anything is printed.
func TestUsage(t *testing.T) {
	for _, c := range []struct{ name, args, want string }{
		{"rows below 0", "-n -1", "gen: -n: expected 0 or more, got -1\n"},
		{"share above 100", "-bad 101", "gen: -bad: expected 0 to 100, got 101\n"},
		{"share that is no number", "-bad NaN", "gen: -bad: expected 0 to 100, got NaN\n"},
		{"unknown operation", "-operation merge", "gen: -operation: expected add or remove, got \"merge\"\n"},
		{"argument", "rows", "gen: unexpected argument \"rows\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(strings.Fields(c.args), &out, &errs); code != 2 || out.Len() > 0 || errs.String() != c.want {
				t.Errorf("expected exit status 2 and %q, got %d, %q and the output %q", c.want, code, &errs, &out)
			}
		})
	}
}

// A file that cannot be created, and a closed output, end with exit status 1.
func TestBrokenOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "none", "file")
	if code := run([]string{"-expect", file}, new(bytes.Buffer), new(bytes.Buffer)); code != 1 {
		t.Errorf("-expect in a folder that does not exist: expected exit status 1, got %d", code)
	}
	if code := run(nil, closed{}, new(bytes.Buffer)); code != 1 {
		t.Errorf("closed output: expected exit status 1, got %d", code)
	}
}

// closed is a stream that cannot be written to.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }
