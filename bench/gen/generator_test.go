package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The sample rows in testdata are what the program prints today.
func TestSamplesAreWhatIsPrinted(t *testing.T) {
	for _, c := range []struct{ rows, expected, args string }{
		{"profiles.ndjson", "profiles.expected.ndjson", "-n 1000 -seed 1"},
		{"removals.ndjson", "removals.expected.ndjson", "-n 200 -seed 1 -operation remove"},
	} {
		rows, expected := generate(t, strings.Fields(c.args)...)
		for name, want := range map[string][]byte{c.rows: rows, c.expected: expected} {
			path := filepath.Join("..", "..", "testdata", name)
			if got, err := os.ReadFile(path); err != nil {
				t.Error(err)
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s differs from the output of gen %s", path, c.args)
			}
		}
		if len(rows) > 600_000 {
			t.Errorf("%s: expected at most 600,000 bytes, got %d", c.rows, len(rows))
		}
	}
}

// The same flags print the same bytes, more rows begin with the fewer ones, and another seed prints other rows.
func TestRowsFollowFromFlags(t *testing.T) {
	for _, operation := range []string{"add", "remove"} {
		rows, expected := generate(t, "-n", "3000", "-seed", "7", "-operation", operation)
		again, expectedAgain := generate(t, "-n", "3000", "-seed", "7", "-operation", operation)
		if !bytes.Equal(rows, again) || !bytes.Equal(expected, expectedAgain) {
			t.Errorf("%s: two runs differ", operation)
		}
		fewer, _ := generate(t, "-n", "1000", "-seed", "7", "-operation", operation)
		if !bytes.HasPrefix(rows, fewer) {
			t.Errorf("%s: 3000 rows do not begin with the 1000 rows of the same seed", operation)
		}
		other, _ := generate(t, "-n", "3000", "-seed", "8", "-operation", operation)
		if bytes.Equal(rows, other) {
			t.Errorf("%s: two seeds print the same rows", operation)
		}
		var alone bytes.Buffer
		code := run([]string{"-n", "3000", "-seed", "7", "-operation", operation}, &alone, os.Stderr)
		if code != 0 || !bytes.Equal(rows, alone.Bytes()) {
			t.Errorf("%s without -expect: expected exit status 0 and the same rows, got %d", operation, code)
		}
	}
}

// Every code that a row can be rejected with occurs, and a row has some 250 bytes on average.
func TestEveryCodeOccurs(t *testing.T) {
	common := "duplicate duplicate_member json_invalid not_an_object row_too_deep row_too_long type_wrong"
	for operation, codes := range map[string]string{
		"add":    common + " email_invalid email_missing name_reserved phone_invalid profile_too_large",
		"remove": common + " profile_id_invalid profile_id_missing",
	} {
		m := generatePairs(t, "-n", "100000", "-operation", operation)
		count := map[string]int{}
		size := 0
		for i, want := range m.expectations {
			count[want.Code]++
			if want.Code != "row_too_long" && want.Code != "profile_too_large" {
				size += len(m.lines[i])
			}
			if long := len(m.lines[i]) > 1<<20; long != (want.Code == "row_too_long") {
				t.Errorf("%s: row %d has %d bytes and the code %q", operation, want.Row, len(m.lines[i]), want.Code)
			}
		}
		delete(count, "")
		for code := range strings.FieldsSeq(codes) {
			if count[code] == 0 {
				t.Errorf("%s: expected a row with the code %s", operation, code)
			}
			delete(count, code)
		}
		if len(count) > 0 {
			t.Errorf("%s: unexpected codes: %v", operation, count)
		}
		if mean := size / len(m.lines); operation == "add" && (mean < 225 || mean > 275) {
			t.Errorf("expected 225 to 275 bytes per row on average, got %d", mean)
		}
	}
}

// -bad sets the percentage of rejected rows; duplicates are a sixth of it. The first row is always good.
func TestShareOfBadRows(t *testing.T) {
	for _, c := range []struct {
		bad                string
		rejected, repeated [2]int // least and most
	}{
		{"0", [2]int{0, 0}, [2]int{0, 0}},
		{"3", [2]int{297, 303}, [2]int{40, 52}},
		{"50", [2]int{4990, 5010}, [2]int{300, 833}},
		{"100", [2]int{9999, 9999}, [2]int{0, 0}},
	} {
		m := generatePairs(t, "-n", "10000", "-bad", c.bad)
		count := map[string]int{}
		for _, want := range m.expectations {
			count[want.Status]++
		}
		if n := count["rejected"]; n < c.rejected[0] || n > c.rejected[1] {
			t.Errorf("-bad %s: expected %v of 10,000 rows rejected, got %d", c.bad, c.rejected, n)
		}
		if n := count["skipped"]; n < c.repeated[0] || n > c.repeated[1] {
			t.Errorf("-bad %s: expected %v of 10,000 rows skipped, got %d", c.bad, c.repeated, n)
		}
		if want := m.expectations[0]; want.Status != "valid" {
			t.Errorf("-bad %s: expected a valid first row, got %s", c.bad, want.Status)
		}
	}
}

// A duplicate repeats a valid row at most reach rows before it, also far from the beginning.
func TestDuplicatesStayInReach(t *testing.T) {
	for _, remove := range []bool{false, true} {
		g := newGenerator(1_000_000, 1, 12, remove)
		nearest, farthest := reach, 0
		for row := 900_000; row < 905_000; row++ {
			_, want := g.appendRow(nil, row)
			if want.Status != "skipped" {
				continue
			}
			nearest, farthest = min(nearest, row-want.Of), max(farthest, row-want.Of)
			key := strings.ToLower(string(g.address))
			if _, of := g.appendRow(nil, want.Of); of.Status != "valid" || strings.ToLower(string(g.address)) != key {
				t.Errorf("remove %t: row %d, %s, repeats row %d, which is %s with the key %s",
					remove, row, key, want.Of, of.Status, g.address)
			}
		}
		if farthest > reach || farthest < reach/2 || nearest > reach/2 {
			t.Errorf("remove %t: duplicates lie %d to %d rows behind the first row", remove, nearest, farthest)
		}
	}
}

// Making a good row allocates nothing.
func TestGoodRowsNeedNoMemory(t *testing.T) {
	for _, remove := range []bool{false, true} {
		g := newGenerator(1_000_000, 1, 0, remove)
		var line []byte
		row := 0
		if n := testing.AllocsPerRun(5000, func() {
			row++
			line, _ = g.appendRow(line[:0], row)
		}); n != 0 {
			t.Errorf("remove %t: expected 0 allocations per row, got %v", remove, n)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	for operation, remove := range map[string]bool{"add": false, "remove": true} {
		b.Run(operation, func(b *testing.B) {
			g := newGenerator(b.N, 1, 3, remove)
			var line []byte
			for row := range b.N {
				line, _ = g.appendRow(line[:0], row+1)
				b.SetBytes(int64(len(line)))
			}
		})
	}
}
