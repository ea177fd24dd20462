package validate

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A row with very many members is checked in time proportional to its length, and Trim frees its memory. Quadratic
// work on any of these rows would take minutes.
func TestManyMembers(t *testing.T) {
	const n = 60_000
	var names strings.Builder
	for i := range n {
		fmt.Fprintf(&names, `,"%x":0`, i)
	}
	unique := names.String()
	half := unique[:len(unique)/2]
	for name, row := range map[string]string{
		"columns":                `{"email":"a@b.co"` + unique + `}`,
		"location":               `{"email":"a@b.co","location":{` + unique[1:] + `}}`,
		"properties":             `{"email":"a@b.co","properties":{` + unique[1:] + `}}`,
		"columns and properties": `{"email":"a@b.co"` + half + `,"properties":{` + half[1:] + `}}`,
		"one name":               `{"email":"a@b.co"` + strings.Repeat(`,"x":0`, n) + `}`,
	} {
		var scratch Scratch
		var out Rows
		c := checker(t, Options{})
		for range 3 {
			c.Check([]byte(row), true, &scratch, &out)
		}
		if len(out.Rows) != 3 || out.Rows[0].Fault == nil || *out.Rows[0].Fault != *out.Rows[2].Fault {
			t.Errorf("%s: %+v", name, out.Rows)
		}
		if len(scratch.columns.entries) > n+100 {
			t.Errorf("%s: %d columns are remembered", name, len(scratch.columns.entries))
		}
		scratch.Trim()
		out.Reset()
		c.Check([]byte(`{"email":"a@b.co"}`), true, &scratch, &out)
		kept := cap(scratch.columns.entries) + cap(scratch.scan.members)
		if kept += cap(scratch.scan.nested) + cap(scratch.customs); kept > 3*maxColumns {
			t.Errorf("%s: %d entries are kept for small rows", name, kept)
		}
	}
}

// A row that is not JSON is checked in time proportional to its length, whatever its long strings have in them.
// Quadratic work on these rows would take a minute.
func TestLongBrokenStrings(t *testing.T) {
	text, began := strings.Repeat("x", 1_000_000), time.Now()
	for _, row := range []string{
		`{"a":"` + text, `{"a":"` + text + `\n`, `[{"a":"` + text + `\n"},`, `{"a":"` + strings.Repeat(`\n`, 500_000) + `"},`,
	} {
		var scratch Scratch
		var out Rows
		checker(t, Options{}).Check([]byte(row), true, &scratch, &out)
		if len(out.Rows) != 1 || out.Rows[0].Fault == nil || out.Rows[0].Fault.Code != JSONInvalid {
			t.Errorf("%.20s: %+v", row, out.Rows)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it takes %v", took)
	}
}

// Rows whose names are always new do not fill the memory.
func TestLongNames(t *testing.T) {
	var scratch Scratch
	var out Rows
	c := checker(t, Options{})
	for i := range 20 {
		row := fmt.Sprintf(`{"email":"a@b.co","%s%d":null}`, strings.Repeat("x", 900_000), i)
		c.Check([]byte(row), false, &scratch, &out)
	}
	if len(out.Rows) != 20 || out.Rows[19].Fault != nil || cap(scratch.columns.names) > 2*MaxRow {
		t.Errorf("%d rows, %d bytes of names are kept", len(out.Rows), cap(scratch.columns.names))
	}
}

// A Scratch that remembers other rows and other checkers never changes a result.
func TestReuse(t *testing.T) {
	mapped := map[string]string{"x": "email", "y": "city", "z": "properties.a"}
	checkers := []*Checker{
		checker(t, Options{}),
		checker(t, Options{Operation: Remove}),
		checker(t, Options{Map: mapped, Drop: []string{"first_name"}}),
	}
	rows := []string{
		`{"email":"a@b.co","x":"x@b.co","y":"c","z":1}`,
		`{"x":"x@b.co","a":5,"z":1}`,
		`{"email":"a@b.co","x":1,"x":2}`,
		`{"profile_id":"p","email":"a@b.co","first_name":"A"}`,
		`{"email":"a@b.co","location":{"city":"c"},"y":"c"}`,
		`{"email":"a@b.co","properties":{"x":1,"email":2},"x":3}`,
		`{"email":"a@b.co","properties":{"x":1,"email":2}}`,
		`{"a":1,"z":2,"properties":{"a":3}}`,
		`[]`,
		`{"email`,
		`{}`,
		`{"\u0078":"x@b.co","email":"a@b.co"}`,
		`{"email":"a@b.co","first_name":5}`,
		`{"properties":{"email":1},"location":{"email":1},"email":"a@b.co"}`,
		// Zeros behind names of other rows, the longest that shortNames has among them.
		"{\"x\x00\":\"x@b.co\",\"email\":\"a@b.co\"}",
		"{\"email\":\"a@b.co\",\"a name of 23 characters\x00 and more\":1}",
		`{"email":"a@b.co","a name of 23 characters":1}`,
	}
	var scratch Scratch
	var out Rows
	// Every pair of rows by every checker, in an order that mixes them.
	steps := len(rows) * len(rows) * len(checkers)
	for i := range steps {
		n := i * 29 % steps
		c := checkers[n%len(checkers)]
		n /= len(checkers)
		lines := rows[n%len(rows)] + "\n" + rows[n/len(rows)]
		out.Reset()
		c.Check([]byte(lines), true, &scratch, &out)
		var want Rows
		for line := range strings.SplitAfterSeq(lines, "\n") {
			var newScratch Scratch
			c.Check([]byte(line), true, &newScratch, &want)
		}
		if got, want := results(&out), results(&want); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\ngot  %+v\nwant %+v", lines, got, want)
		}
	}
}

// The columns of earlier rows never change the result of a row: its names may end in zeros or behind the line, have
// escapes, be long, or appear in another object. A row is checked behind rows with like names, and alone.
func TestColumnsOfEarlierRows(t *testing.T) {
	const before = `{"email":"a@b.co","city":"x","plan":1,"a_name_of_23_characters":1,"a_name_of_24_characters_":1,` +
		`"location":{"city":"y"},"properties":{"zip":1},"café":1}` + "\n"
	for _, row := range []string{
		`{"email":"a@b.co","plan` + "\x00" + `":2}`,
		`{"email":"a@b.co","plan` + strings.Repeat("\x00", 20) + `1234567":2}`,
		`{"email":"a@b.co","pl\u0061n":2}`,
		`{"email":"a@b.co","plan":2,"plan":3}`,
		`{"email":"a@b.co","location":{"city":"z","plan":2}}`,
		`{"email":"a@b.co","properties":{"zip":2,"city":3}}`,
		`{"email":"a@b.co","a_name_of_23_characters":2,"a_name_of_24_characters_":3,"café":4}`,
		`{"email":"a@b.co","caf` + "\xc3" + `":2}`,
		`{"email":"a@b.co","plan`,
		`{"email":"a@b.co","plan"`,
		`{"email":"a@b.co","pla`,
	} {
		behind := []byte(before + before + row + "\n" + before)
		results := func(lines []byte) (row Row, profile string) {
			var scratch Scratch
			var out Rows
			checker(t, Options{}).Check(lines, true, &scratch, &out)
			row = out.Rows[len(out.Rows)-1]
			row.Start, row.End, row.KeyStart, row.KeyEnd = 0, 0, 0, 0
			return row, string(out.Data[out.Rows[len(out.Rows)-1].Start:out.Rows[len(out.Rows)-1].End])
		}
		gotRow, got := results(behind[:2*len(before)+len(row)]) // a line's end is in the middle of the memory
		wantRow, want := results([]byte(row))
		if !reflect.DeepEqual(gotRow, wantRow) || got != want {
			t.Errorf("%q: %+v %s, want %+v %s", row, gotRow, got, wantRow, want)
		}
	}
}
