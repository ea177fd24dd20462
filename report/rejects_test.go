package report

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var long = flag.Bool("long", false, "run the long tests too")

// rowsOf writes result lines: "1 applied" is row 1 with that status. A word after it is its code. A line that begins
// with a bracket stays as it is, "ended" is the report of a run, and "resumed N" that of a run that
// resumed so many rows.
func rowsOf(lines ...string) string {
	var b strings.Builder
	for _, line := range lines {
		var row, status, code string
		var resumed int
		if n, _ := fmt.Sscanf(line, "resumed %d", &resumed); n == 1 {
			fmt.Fprintf(&b, `{"type":"report","rows":{"resumed":%d}}`+"\n", resumed)
			continue
		}
		if line == "ended" {
			line = `{"type":"report","rows":{}}`
		}
		if strings.HasPrefix(line, "{") {
			b.WriteString(line + "\n")
			continue
		}
		fmt.Sscan(line, &row, &status, &code)
		fmt.Fprintf(&b, `{"type":"row","row":%s,"status":"%s","code":"%s"}`+"\n", row, status, code)
	}
	return b.String()
}

// Each row that did not get there is listed once, with its last result, whatever runs, resumed runs and killed runs the
// results hold.
func TestRejects(t *testing.T) {
	const open = "s: there is no report at the end: the run did not finish, and rows without a result are not listed"
	bare := "s: the report on line %d has no row lines before it: its rows are not listed"
	for _, c := range []struct{ name, text, want, notes string }{
		{"nothing", "", "", open},
		{"every status", rowsOf("1 applied", "2 accepted", "3 skipped d", "4 rejected e", "5 unknown a", "6 unsent i",
			"7 valid", "ended"), "4 e, 5 a, 6 i", ""},
		{"two independent runs", rowsOf("1 rejected a", "2 unsent b", "ended", "1 applied", "2 rejected c",
			"3 unsent d", "ended"), "1 a, 2 b, 2 c, 3 d", ""},
		{"a run that was resumed", rowsOf("1 rejected a", "2 unsent b", "3 unknown c", "ended",
			"2 applied", "3 rejected d", "4 unknown e", "resumed 1"), "1 a, 3 d, 4 e", ""},
		{"a run that was resumed twice, then another one", rowsOf("1 unsent a", "2 unsent b", "3 unsent c", "ended",
			"1 applied", "2 unsent d", "3 unsent e", "ended", "2 applied", "3 unsent f", "resumed 1",
			"3 rejected g", "resumed 2", "1 unsent h", "ended"), "1 a, 2 b, 3 c, 3 g, 1 h", ""},
		{"a killed run that was resumed", rowsOf("1 unsent a", "2 applied", "1 applied", "3 unsent b", "resumed 1"),
			"3 b", ""},
		{"a run whose resumption was killed", rowsOf("1 applied", "2 unsent a", "3 unknown b", "4 unsent c", "ended",
			"2 applied", "3 rejected d"), "3 d, 4 c", open},
		{"a run whose cut last row was resumed", rowsOf("1 applied", "2 rejected json_invalid", "ended", "2 applied",
			"3 unsent a"), "3 a", open},
		{"a run and one that was killed", rowsOf("1 applied", "2 unsent a", "ended", "1 rejected b", "2 unknown c"),
			"2 a, 1 b, 2 c", open},
		{"a killed run", rowsOf("1 rejected a", "2 unsent b"), "1 a, 2 b", open},
		{"a line that is cut short", rowsOf("1 rejected a", "2 unsent b", "ended") + `{"type":"row","row":1,"sta`,
			"1 a, 2 b", "s: line 4 is cut short and not counted"},
		{"a resumed run in its own file", rowsOf("7 rejected a", "resumed 6"), "7 a", ""},
		{"a resumed run that had nothing to do", rowsOf("1 rejected a", "ended", "resumed 1"), "1 a", ""},
		{"reports without rows", oneReport + oneReport, "",
			"s: 2 reports have no row lines before them: their rows are not listed; the first is on line 1"},
		{"a report without rows", rowsOf("1 rejected a", "ended") + oneReport, "1 a", fmt.Sprintf(bare, 3)},
		{"UTF-16", inUTF16(mark+rowsOf("1 rejected é", "2 unsent b", "ended", "1 unsent 𝄞"), littleUTF16),
			"1 é, 2 b, 1 𝄞", open},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, in := range readers(t, c.text) {
				var got []string
				notes, err := Rejects("s", in, func(r *Reject) error {
					got = append(got, fmt.Sprint(r.Row, " ", r.Code))
					return nil
				})
				if err != nil {
					t.Fatal(name, err)
				}
				if diff := cmp.Diff([]string{c.want, c.notes},
					[]string{strings.Join(got, ", "), strings.Join(notes, "; ")}); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		})
	}
}

// readers returns a pipe, a file that was read up to the text, and a part of something larger.
func readers(t *testing.T, text string) map[string]io.Reader {
	path := filepath.Join(t.TempDir(), "results")
	if err := os.WriteFile(path, []byte("head"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if _, err := f.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	return map[string]io.Reader{
		"pipe": io.MultiReader(strings.NewReader(text)), "file": f,
		"part": io.NewSectionReader(strings.NewReader("head"+text+"tail"), 4, int64(len(text))),
	}
}

// A reject has the texts of its row, whatever form they have in the line.
func TestReject(t *testing.T) {
	var got []Reject
	_, err := Rejects("s", strings.NewReader(
		`{"type":"row","row":1,"status":"rejected","key":"b\u00f6b@","stage":"validate","code":"c","column":"email",`+
			`"detail":"a \"b\"\n"}`+"\n"+
			`{"detail":7,"column":{"a":"b"},"key":null,"row":2,"type":"row","status":"unknown","job":"01J"}`+"\n",
	), func(r *Reject) error { got = append(got, *r); return nil })
	if diff := cmp.Diff([]Reject{
		{Row: 1, Key: "böb@", Column: "email", Code: "c", Detail: "a \"b\"\n"}, {Row: 2},
	}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// An error names the results and the line. An error of add stays as it is and ends the reading.
func TestRejectsErrors(t *testing.T) {
	var backwards strings.Builder
	for row := range maxRuns + 1 {
		fmt.Fprintf(&backwards, "%s", rowsOf(fmt.Sprint(maxRuns+1-row, " unsent a")))
	}
	for _, c := range []struct{ name, text, want string }{
		{"a line that is no result", rowsOf("1 rejected a") + "hey\n",
			"read s: line 2 is not a result: it is not JSON: `hey`"},
		{"a report of another form", `{"type":"report","rows":7}` + "\n",
			"read s: line 1 is not a result: one of its members has the wrong type"},
		{"in descending order", backwards.String(),
			"read s: the rows are not in order: their numbers start over more than 1000 times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Rejects("s", strings.NewReader(c.text), nil); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	_, err := Rejects("s", io.MultiReader(strings.NewReader(oneRun), brokenReader{}), nil)
	if err == nil || err.Error() != "read s: keep a copy of the results: no space left" {
		t.Error(err)
	}
	added := 0
	_, err = Rejects("s", strings.NewReader(rowsOf("1 unsent a", "2 unsent b")), func(*Reject) error {
		added++
		return errFull
	})
	if err != errFull || added != 1 {
		t.Errorf("got %v after %d rows, expected %v after one", err, added, errFull)
	}
}

// manyRows is results of equally long lines, with row numbers from 1. Every second row is rejected.
type manyRows struct{}

const manyLine = 136

func (manyRows) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	for n < len(p) {
		row := (at+int64(n))/manyLine + 1
		form := `{"type":"row","row":%d,"status":"rejected","key":"somebody%09d@example.com","stage":"import",` +
			`"code":"invalid","detail":"`
		if row%2 == 0 {
			form = `{"type":"row","row":%d,"status":"applied","key":"somebody%09d@example.com","job":"`
		}
		line := fmt.Appendf(nil, form, row, row)
		line = append(append(line, bytes.Repeat([]byte{'x'}, manyLine-len(line)-3)...), "\"}\n"...)
		n += copy(p[n:], line[(at+int64(n))%manyLine:])
	}
	return n, nil
}

// The memory for listing rows does not grow with their number. With -long there are 10 million.
func TestRejectsMemory(t *testing.T) {
	rows := int64(300_000)
	if *long {
		rows = 10_000_000
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before, most, n := heap(), int64(0), int64(0)
	_, err := Rejects("s", io.NewSectionReader(manyRows{}, 0, rows*manyLine), func(r *Reject) error {
		if n++; n%(rows/20) == 0 {
			most = max(most, heap()-before)
		}
		if r.Row != 2*n-1 {
			return errors.New("a row is missing or out of order")
		}
		return nil
	})
	if err != nil || n != rows/2 {
		t.Fatal(n, err)
	}
	if most > 1<<20 {
		t.Errorf("the heap grew by %d bytes, expected at most 1 MiB", most)
	}
}
