package report

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Results hold the last result of every row, from any writer and in any state that a crash left them in.
func TestResults(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "---"},
		{"one run", `{"type":"row","row":1,"status":"applied","key":"a@b.example","job":"J"}
{"type":"row","row":2,"status":"unknown","key":"c \"d\"@b.example","code":"answer_lost"}
{"type":"report","status":"failed"}
`, `applied "a@b.example", unknown "c \"d\"@b.example", -`},
		{"blank lines and CRLF", "\n" + `{"type":"row","row":1,"status":"unsent"}` + "\r\n\r\n" +
			`{"type":"row","row":3,"status":"skipped","of":1}` + "\r\n", "unsent , -, skipped "},
		{"a later run", `{"type":"row","row":1,"status":"applied"}
{"type":"row","row":2,"status":"unsent"}
{"type":"row","row":2,"status":"accepted"}
{"type":"row","row":3,"status":"rejected"}
{"type":"row","row":2,"status":"unknown"}
`, "applied , unknown , rejected "},
		{"cut in a row", `{"type":"row","row":1,"status":"applied"}
{"type":"row","row":2,"status":"applied","ke`, "applied , -, -"},
		{"cut after a brace", `{"type":"row","row":1,"status":"applied"}
{"type":"row","row":2,"status":"rejected","detail":"{}`, "applied , -, -"},
		{"cut before the newline", `{"type":"row","row":1,"status":"applied"}`, "applied , -, -"},
		{"appended to a cut line", `{"type":"row","row":1,"status":"applied","key":"a@b.exam` +
			`{"type":"row","row":1,"status":"accepted"}
{"type":"row","row":2,"status":"accepted"}
`, "accepted , accepted , -"},
		{"appended to a line without newline", `{"type":"row","row":1,"status":"applied"}` +
			`{"type":"row","row":2,"status":"accepted"}
`, "applied , accepted , -"},
		{"cut after the first brace, then resumed on a new line", `{"type":"row","row":1,"status":"applied"}
{
{"type":"row","row":2,"status":"accepted"}
{"type":"row","row":3,"status":"valid"}
{"type":"row","row":1,"status":"accepted"}
`, "accepted , accepted , valid "},
		{"cut after the first brace twice", "{\n{\n" + `{"type":"row","row":2,"status":"accepted"}
`, "-, accepted , -"},
		{"a detail that looks like a line", `{"type":"row","row":1,"status":"rejected",` +
			`"detail":"{\"type\":\"row\",\"row\":2"}
`, "rejected , -, -"},
		{"passed through other tools", `{ "status" : "applied", "row": 1, "key":"a@b.example" , "type":"row" }
{"row":3,"status":"valid","type":"row"}
`, `applied "a@b.example", -, valid `},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := OpenResults(strings.NewReader(test.text), int64(len(test.text)))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			all := 0
			for row := int64(1); row <= 3; row++ {
				e, ok, err := r.Of(row)
				if err != nil {
					t.Fatal(err)
				}
				if got = append(got, "-"); ok {
					all++
					got[row-1] = fmt.Sprintf("%v %s", e.Status, e.Key)
				}
			}
			if r, err = OpenResults(strings.NewReader(test.text), int64(len(test.text))); err != nil {
				t.Fatal(err)
			}
			for e, err := r.Next(); err != io.EOF; e, err = r.Next() {
				if err != nil || got[e.Row-1] != fmt.Sprintf("%v %s", e.Status, e.Key) {
					t.Errorf("Next returned row %d as %v %s, %v", e.Row, e.Status, e.Key, err)
				}
				all--
			}
			if all != 0 {
				t.Errorf("Next returned %d rows too few", all)
			}
			if got, want := strings.Join(got, ", "), strings.Replace(test.want, "---", "-, -, -", 1); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// A line that is not a result is an error that names the line and says why.
func TestNoResults(t *testing.T) {
	var backwards strings.Builder
	for row := range maxRuns + 1 {
		fmt.Fprintf(&backwards, `{"type":"row","row":%d,"status":"unsent"}`+"\n", maxRuns+1-row)
	}
	for _, c := range []struct{ name, text, want string }{
		{"an input row", `{"email":"a@b.example"}` + "\n",
			"line 1 is not a result: it has no type: `{email}`"},
		{"not JSON", `{"type":"row","row":1,"status":"applied"}` + "\nhey\n",
			"line 2 is not a result: it is not JSON: `hey`"},
		{"another type", `{"type":"simulator","url":"http://[::1]/"}` + "\n",
			`line 1 is not a result: expected type row, member, removing, campaign or report, got "simulator": ` +
				"`{\"type\":\"simulator\",\"url\":\"http://[::1]/\"}`"},
		{"a status of reports only", `{"type":"row","row":1,"status":"resumed"}` + "\n",
			`line 1 is not a result: expected the status of a row, got "resumed": ` +
				"`{\"type\":\"row\",\"row\":1,\"status\":\"resumed\"}`"},
		{"row 0", `{"type":"row","row":0,"status":"applied"}` + "\n",
			"line 1 is not a result: expected a row number from 1, got 0: " +
				"`{\"type\":\"row\",\"row\":0,\"status\":\"applied\"}`"},
		{"too deep", "[" + strings.Repeat("[", maxLine/2) + "\n",
			"line 1 is not a result: it has more than 100 nesting levels: `" + strings.Repeat("[", 79) + "…`"},
		{"too long", `{"type":"row",` + strings.Repeat(" ", maxLine) + "\n", "line 1 is longer than 4194304 bytes"},
		{"in descending order", backwards.String(),
			"the rows are not in order: their numbers start over more than 1000 times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenResults(strings.NewReader(c.text), int64(len(c.text)))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// Rows with lines longer than any buffer are found.
func TestLongResults(t *testing.T) {
	long := func(row int) string {
		return fmt.Sprintf(`{"type":"row","row":%d,"status":"rejected","detail":"%s"}`+"\n",
			row, strings.Repeat("x", 1<<20))
	}
	text := long(1) + long(2) + `{"type":"row","row":3,"status":"applied"}` + "\n" + long(2)
	r, err := OpenResults(strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	for row, want := range []Status{Rejected, Rejected, Applied} {
		if e, ok, err := r.Of(int64(row + 1)); e.Status != want || !ok || err != nil {
			t.Errorf("row %d is %v, %v, %v", row+1, e.Status, ok, err)
		}
	}
}

// Results of many runs with long lines take no memory for each run, and a long line is returned in full.
func TestLongLinesOfManyRuns(t *testing.T) {
	const runs = 100
	line := `{"type":"row","row":1,"status":"rejected","code":"x","detail":"` + strings.Repeat("x", 200_000) + `"}`
	in := strings.NewReader(strings.Repeat(line+"\n"+`{"type":"row","row":2,"status":"applied"}`+"\n", runs))
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	r, err := OpenResults(in, in.Size())
	if err != nil {
		t.Fatal(err)
	}
	grown := heap() - before
	if grown > 5<<20 { // 16 KiB a run, not 200 KB
		t.Errorf("%d runs take %d bytes", runs, grown)
	}
	again, err := r.Again()
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []*Results{r, again} {
		one, err := from.Next()
		if err != nil || string(one.Text) != line || one.Code != "x" {
			t.Fatalf("%v, %.100s", err, one.Text)
		}
		if two, err := from.Next(); err != nil || two.Row != 2 || two.Status != Applied {
			t.Errorf("%v, %+v", err, two)
		}
		if _, err := from.Next(); err != io.EOF {
			t.Errorf("%v at the end", err)
		}
	}
}

// Short lines behind a long one that a crash cut short stay what they are, while other runs read long lines.
func TestShortEntriesInLongLines(t *testing.T) {
	var text strings.Builder
	for run := range 3 {
		long := strings.Repeat(string(rune('a'+run)), 40_000)
		text.WriteString(`{"type":"row","row":1,"status":"unsent"}` + "\n" + `{"type":"row","row":2,"detail":"` + long)
		for row := run + 2; row < 6; row++ {
			fmt.Fprintf(&text, `{"type":"row","row":%d,"status":"applied","key":"row %[1]d of run %d"}`, row, run)
		}
		fmt.Fprintf(&text, "\n"+`{"type":"row","row":%d,"status":"rejected","key":"%s"}`+"\n", 6+run, long)
	}
	r, err := OpenResults(strings.NewReader(text.String()), int64(text.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"", `"row 2 of run 0"`, `"row 3 of run 1"`, `"row 4 of run 2"`, `"row 5 of run 2"`,
	} {
		if e, err := r.Next(); err != nil || string(e.Key) != want || e.Row != int64(i+1) {
			t.Errorf("row %d: %v, %.100s", i+1, err, e.Key)
		}
	}
	for run := range 3 {
		want := strings.Repeat(string(rune('a'+run)), 40_000)
		if e, err := r.Next(); err != nil || !strings.Contains(string(e.Key), want) || e.Row != int64(6+run) {
			t.Errorf("row %d: %v, %.100s", 6+run, err, e.Key)
		}
	}
}

// Results that open can be read to the end.
func FuzzResults(f *testing.F) {
	f.Add(`{"type":"row","row":1,"status":"applied","key":"a@b.exam{"type":"row","row":1,"status":"accepted"}` + "\n{}")
	f.Add(`{"type":"row","row":1,"status":"applied","key":"\`)
	f.Add(mirrorOf(false, nil, []string{"1 applied"}, "A removed", "B extra") +
		mirrorOf(true, &Mirrored{Read: 2, Extras: 1, Removed: 1}, []string{"2 applied"}, "B removed"))
	f.Add(sentLine + `{"type":"member","status":"removed"}` + "\n" + `{"type":"campaign","id":{}}` + "\n" + killedRows +
		sentLine)
	f.Fuzz(func(t *testing.T, text string) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		r, err := OpenResults(strings.NewReader(text), int64(len(text)))
		if err != nil {
			return
		}
		for row := int64(1); row <= min(r.Last, 100); row++ {
			if _, _, err := r.Of(row); err != nil {
				t.Fatal(err)
			}
		}
		for {
			if e, err := r.NextMember(); err == io.EOF {
				break
			} else if err != nil || e.Member == nil {
				t.Fatal(e, err)
			}
		}
	})
}

func BenchmarkResults(b *testing.B) {
	var text strings.Builder
	for row := range 10_000 {
		fmt.Fprintf(&text, `{"type":"row","row":%d,"status":"accepted","key":"somebody%d@example.com",`+
			`"job":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}`+"\n", row+1, row)
	}
	in := strings.NewReader(text.String())
	b.SetBytes(in.Size())
	b.ReportAllocs()
	for b.Loop() {
		r, err := OpenResults(in, in.Size())
		if err != nil {
			b.Fatal(err)
		}
		for row := range int64(10_000) {
			if _, ok, _ := r.Of(row + 1); !ok {
				b.Fatal(row)
			}
		}
	}
}
