package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const oneRun = `{"type":"row","row":1,"status":"accepted","key":"a@b.example","job":"01J"}
{"type":"row","row":2,"status":"rejected","stage":"validate","code":"email_missing","column":"email","detail":"no \"email\" {"}
{"type":"report","status":"failed","exit_code":1,"operation":"add","list":{"id":"X","name":"News","created":false},"rows":{"read":2,"applied":0,"accepted":1,"skipped":0,"rejected":1,"unknown":0,"unsent":0},"reasons":[{"code":"email_missing","stage":"validate","rows":1,"first_row":2}],"jobs":{"submitted":1,"complete":0,"cancelled":0,"open":["01J"]},"requests":{"sent":2,"retried":0,"throttled":0,"bytes":99,"resent":0},"started_at":"2026-11-23T09:30:00.000Z","finished_at":"2026-11-23T09:30:01.250Z","seconds":1.25,"version":"v1","timeline":[{"at":"2026-11-23T09:30:00Z","seconds":1,"rows":{"read":2,"applied":0,"accepted":1,"skipped":0,"rejected":1,"unknown":0,"unsent":0},"requests":2,"throttled_seconds":0,"open_jobs":1}]}
`

const killedRows = `{"type":"row","row":1,"status":"applied","key":"a@b.example","job":"01J"}
{"type":"row","row":2,"status":"skipped","key":"a@b.example","code":"duplicate","of":1}
{"type":"row","row":3,"status":"skipped","key":"a@b.example","code":"duplicate","of":1}
`

func ofOneRun() *Report { return Merge(nil, mustRead(oneRun)) }

func mustRead(text string) *Report {
	r, notes, err := ReadStream("test", strings.NewReader(text))
	if err != nil || notes != nil {
		panic(fmt.Sprint(err, notes))
	}
	return r
}

// ofKilled returns the report of a run that left those rows and no report.
func ofKilled(rows Rows, reasons ...Reason) *Report {
	return &Report{Type: "report", Status: "interrupted", ExitCode: 143, List: &List{}, Rows: rows, Reasons: reasons}
}

func ofKilledRows() *Report {
	return ofKilled(Rows{Read: 3, Applied: 1, Skipped: 2}, Reason{Code: "duplicate", Rows: 2, FirstRow: 2})
}

// indent brings a report line into the form that `jq .` gives it.
func indent(line string) string {
	var b strings.Builder
	depth := 0
	inString := false
	for i, c := range line {
		switch {
		case c == '"':
			inString = !inString
			b.WriteRune(c)
		case inString || c == '\n':
			b.WriteRune(c)
		case c == '{' || c == '[':
			depth++
			b.WriteString(string(c) + "\n" + strings.Repeat("  ", depth))
		case c == '}' || c == ']':
			depth--
			b.WriteString("\n" + strings.Repeat("  ", depth) + string(c))
		case c == ',':
			b.WriteString(",\n" + strings.Repeat("  ", depth))
		case c == ':':
			b.WriteString(": ")
		default:
			b.WriteString(line[i : i+len(string(c))])
		}
	}
	return b.String()
}

// Streams in every state that a crash, a merge or another tool leaves them in.
func TestReadStream(t *testing.T) {
	const (
		ends  = "s: it ends without a report: its run did not come to its end"
		ends3 = "s: it ends with 3 row lines and no report: their run did not come to its end"
	)
	lineOf := func(n int) string { return strings.SplitAfter(oneRun, "\n")[n-1] }
	resumed := strings.Replace(oneRun, `"rows":{"read":2,"applied":0,"accepted":1,"skipped":0,"rejected":1,"unknown":0,"unsent":0},"rea`,
		`"rows":{"read":4,"applied":0,"accepted":1,"skipped":0,"rejected":1,"unknown":0,"unsent":0,"resumed":2},"rea`, 1)
	resumedReport := ofOneRun()
	resumedReport.Rows = Rows{Read: 4, Accepted: 1, Rejected: 1, Resumed: 2}
	// Of four rows two got there and two did not; then these two did, one of them rejected; then there was nothing
	// left to do.
	const stopped = `"rows":{"read":4,"applied":1,"accepted":0,"skipped":1,"rejected":0,"unknown":1,"unsent":1},"reasons":[{"code":"answer_lost","rows":1,"first_row":3},{"code":"duplicate","rows":1,"first_row":2},{"code":"interrupted","rows":1,"first_row":4}]`
	interrupted := regexp.MustCompile(`"rows":.*?"rows":.*?\]`).ReplaceAllString(strings.Replace(lineOf(3), `"failed","exit_code":1`, `"interrupted","exit_code":130`, 1), stopped)
	again := regexp.MustCompile(`"rows":.*?"rows":.*?\]`).ReplaceAllString(lineOf(3), `"rows":{"read":4,"applied":0,"accepted":0,"skipped":0,"rejected":0,"unknown":0,"unsent":0,"resumed":4},"reasons":[]`)
	whole := func(runs ...*Report) (r *Report) {
		for _, run := range runs {
			r = Merge(r, run)
		}
		r.Runs, r.Rows = 0, Rows{Read: 4, Applied: 1, Skipped: 1, Accepted: 1, Rejected: 1}
		r.Reasons = []Reason{{"duplicate", "", 1, 2}, {"email_missing", "validate", 1, 2}}
		return r
	}
	for _, test := range []struct {
		name, text string
		want       *Report
		notes      string
	}{
		{"one run", oneRun, ofOneRun(), ""},
		{"a report alone, without newline", strings.TrimSpace(lineOf(3)), ofOneRun(), ""},
		{"an indented report", indent(lineOf(3)), ofOneRun(), ""},
		{"indented results", indent(oneRun), ofOneRun(), ""},
		{"two runs", oneRun + oneRun, Merge(ofOneRun(), ofOneRun()), ""},
		{"CRLF, blank lines", "\r\n" + strings.ReplaceAll(oneRun, "\n", "\r\n\n"), ofOneRun(), ""},
		{"other order and space", `{"code":"c\u0031", "status":"rejected","row":5 ,"type":"row","stage":"import"}` + "\n",
			ofKilled(Rows{Read: 1, Rejected: 1}, Reason{"c1", "import", 1, 5}), "s: it ends with 1 row line and no report: their run did not come to its end"},
		{"an escape in a code", `{"type":"row","row":5,"status":"rejected","code":"a\"b"}` + "\n",
			ofKilled(Rows{Read: 1, Rejected: 1}, Reason{`a"b`, "", 1, 5}), "s: it ends with 1 row line and no report: their run did not come to its end"},
		{"a member twice", `{"type":"row","row":5,"status":"rejected","status":"unknown","row":6,"code":"a","code":"b"}` + "\n",
			ofKilled(Rows{Read: 1, Unknown: 1}, Reason{"b", "", 1, 6}), "s: it ends with 1 row line and no report: their run did not come to its end"},
		{"nothing", "", ofKilled(Rows{}), ends},
		{"killed", killedRows, ofKilledRows(), ends3},
		{"killed twice", `{"type":"row","row":9,"status":"skipped","code":"duplicate","of":1}` + "\n" + strings.SplitAfter(killedRows, "\n")[1] + strings.SplitAfter(killedRows, "\n")[0], ofKilledRows(), ends3},
		{"killed before the newline", strings.TrimSpace(killedRows), ofKilledRows(), ends3},
		{"killed in a row", killedRows + `{"type":"row","row":4,"stat`, ofKilledRows(), "s: line 4 is cut short and not counted; " + ends3},
		{"killed in the first row", oneRun + `{"t`, Merge(ofOneRun(), ofKilled(Rows{})), "s: line 4 is cut short and not counted; " + ends},
		{"killed in the report", killedRows + lineOf(3)[:300], ofKilledRows(), "s: line 4 is cut short and not counted; " + ends3},
		{"killed by a power failure", killedRows + "\x00\x00\x00", ofKilledRows(), "s: line 4 is cut short and not counted; " + ends3},
		{"killed, then appended", killedRows + `{"type":"row","row":4,"stat` + oneRun, ofOneRun(),
			"s: line 4 is cut short and not counted; s: the report in line 6 is at odds with the row lines before it, and believed"},
		{"killed, then joined by a newline", killedRows + "\n" + `{"type":"row","row":4,"stat` + "\n" + oneRun, ofOneRun(),
			"s: line 5 is cut short and not counted; s: the report in line 8 is at odds with the row lines before it, and believed"},
		{"twice", killedRows + `{"type":"row","row":4,"stat` + oneRun + killedRows + `{"type":"row","row":4,"status":"rejected","code":"a\` + oneRun, Merge(ofOneRun(), ofOneRun()),
			"s: 2 lines are cut short and not counted, the first is line 4; s: 2 reports are at odds with the row lines before them, and believed; the first is in line 6"},
		{"appended to a last line without newline", strings.TrimSpace(oneRun) + killedRows, Merge(ofOneRun(), ofKilledRows()), ends3},
		{"resumed, in one file", killedRows + resumed, resumedReport, ""},
		{"interrupted, then resumed, in one file", interrupted + resumed, whole(ofOneRun(), ofOneRun()), ""},
		{"interrupted, then resumed twice", interrupted + resumed + again, whole(ofOneRun(), ofOneRun(), ofOneRun()), ""},
		{"resumed, in its own file", resumed, resumedReport, ""},
		{"resumed, a row lost", resumed[len(lineOf(1)):], resumedReport, "s: the report in line 2 is at odds with the row lines before it, and believed"},
		{"a row lost", oneRun[len(lineOf(1)):], ofOneRun(), "s: the report in line 2 is at odds with the row lines before it, and believed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, notes, err := ReadStream("s", strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(bytesOf(t, test.want), bytesOf(t, got)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.notes, strings.Join(notes, "; ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What no run writes is refused, with the line's number.
func TestNoStream(t *testing.T) {
	report := func(old, new string) string {
		line := strings.SplitAfter(oneRun, "\n")[2]
		if !strings.Contains(line, old) {
			t.Fatal(old)
		}
		return strings.Replace(line, old, new, 1)
	}
	for _, test := range []struct{ text, want string }{
		{oneRun + "hey\n", "read s: line 4 is not a result: it is not JSON"},
		{oneRun + "hey", "read s: line 4 is not a result: it is not JSON"},
		{`hey{"type":"row","row":4,"status":"applied"}`, "read s: line 1 is not a result: it is not JSON"},
		{`{"email":"a@b.example"}`, `read s: line 1 is not a result: its type is neither "row" nor "report"`},
		{`[` + strings.TrimSpace(oneRun[:strings.Index(oneRun, "\n")]) + `]`, "read s: line 1 is not a result: one of its members has the wrong type"},
		{`{"type":"row","row":0,"status":"applied"}`, `read s: line 1 is not a result: its type is neither "row" nor "report"`},
		{`{"type":"row","row":1,"status":"resumed"}`, "read s: line 1 is not a result: its status is unknown"},
		{`{"type":"row","row":"1","status":"applied"}`, "read s: line 1 is not a result: one of its members has the wrong type"},
		{`{"type":"row","row":1,"status":"applied","of":` + strings.Repeat("[", 1<<20) + "\n", "read s: line 1 is not a result: it has more than 100 nesting levels"},
		{`{"type":"row","row":1,"status":"applied","key":"` + strings.Repeat("x", 4<<20) + `"}` + "\n", "read s: line 1 is longer than 4194304 bytes"},
		{"\n{\n" + strings.Repeat("\"xxx\",\n", 1<<20), "read s: the object in line 2 is longer than 4194304 bytes"},
		{report(`"exit_code":1`, `"exit_code":0`), "read s: line 1 is not a result: its status does not go with its exit_code"},
		{report(`"exit_code":1`, `"exit_code":7`), "read s: line 1 is not a result: its status does not go with its exit_code"},
		{report(`"read":2`, `"read":3`), "read s: line 1 is not a result: its rows do not add up to those read"},
		{report(`"retried":0`, `"retried":-1`), "read s: line 1 is not a result: a count is negative or too large"},
		{report(`"retried":0`, `"retried":9000000000000000000`), "read s: line 1 is not a result: a count is negative or too large"},
		{report(`"throttled_seconds":0`, `"throttled_seconds":-1e300`), "read s: line 1 is not a result: a count is negative or too large"},
		{report(`"2026-11-23T09:30:00.000Z"`, `"yesterday"`), `read s: line 1 is not a result: "yesterday" is no time of RFC 3339`},
		{report(`"2026-11-23T09:30:00.000Z"`, `"2026-11-23T09:31:00.000Z"`), "read s: line 1 is not a result: it finished before it started"},
		{report(`"at":"2026-11-23T09:30:00Z"`, `"at":0`), "read s: line 1 is not a result: one of its members has the wrong type"},
		{report(`"seconds":1,`, `"seconds":3,`), "read s: line 1 is not a result: its timeline is not in order"},
		{report(`"at":"2026-11-23T09:30:00Z","seconds":1,`, `"at":"2026-11-23T09:30:01Z","seconds":2,`), "read s: line 1 is not a result: its timeline is not in order"},
		{report(`"timeline":[`, `"timeline":[{"at":"2026-11-23T09:28:00Z","seconds":1},`), "read s: line 1 is not a result: its timeline is not in order"},
		{report(`"timeline":[`, `"timeline":[{"at":"2026-11-23T09:30:00Z","seconds":1},`), "read s: line 1 is not a result: its timeline is not in order"},
		{report(`"open":["01J"]`, `"open":["01J"],"latency":[{"within_seconds":3,"jobs":1}]`), "read s: line 1 is not a result: its latency classes are not in order"},
	} {
		r, _, err := ReadStream("s", strings.NewReader(test.text))
		if err == nil || err.Error() != test.want {
			t.Errorf("%.60q…: %+v, %v, want %s", test.text, r, err, test.want)
		}
	}
	if _, _, err := ReadStream("s", io.MultiReader(strings.NewReader(oneRun), brokenReader{})); err == nil || err.Error() != "read s: no space left" {
		t.Error(err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errFull }

// A report written otherwise, with another zone and without its time's fraction, reasons twice or in no order, is
// brought into form.
func TestReadForeignReport(t *testing.T) {
	line := strings.NewReplacer(
		"2026-11-23T09:30:00.000Z", "2026-11-23T18:30:00+09:00", `"2026-11-23T09:30:00Z"`, `"2026-11-23T18:30:00+09:00"`, `"seconds":1.25`, `"seconds":7`,
		`"reasons":[`, `"reasons":[{"code":"a","rows":3,"first_row":9},{"code":"b","rows":3,"first_row":8},{"code":"a","rows":1,"first_row":7},`,
	).Replace(strings.SplitAfter(oneRun, "\n")[2])
	want := ofOneRun()
	want.Reasons = append([]Reason{{"a", "", 4, 7}, {"b", "", 3, 8}}, want.Reasons...)
	if diff := cmp.Diff(bytesOf(t, want), bytesOf(t, mustRead(line))); diff != "" {
		t.Error(diff)
	}
}

// The results of any runs, killed anywhere, give what their rows and reports say.
func TestReadStreamSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text bytes.Buffer
		var want *Report
		for range rapid.IntRange(1, 4).Draw(t, "runs") {
			r := drawReport(t)
			var out bytes.Buffer
			w := NewWriter(&out)
			n := rapid.IntRange(0, 20).Draw(t, "rows")
			counted := newTally()
			for row := range int64(n) {
				l := Line{Row: row + 1, Status: rapid.SampledFrom([]Status{Applied, Accepted, Skipped, Rejected, Unknown, Unsent, Valid}).Draw(t, "status"), Key: []byte(`"a@\"b"`)}
				if rapid.Bool().Draw(t, "reason") {
					l.Code = rapid.SampledFrom([]string{"duplicate", "a\"b", "é\u2028\n", `\`, "x{\"type\":\"row\""}).Draw(t, "code")
					l.Stage = rapid.SampledFrom([]string{"", "validate", "import"}).Draw(t, "stage")
					l.Detail = rapid.SampledFrom([]string{"", `ends in \`, `"`, `,"code":"no"`}).Draw(t, "detail")
				}
				w.Line(&l)
				counted.add(l.Row, l.Status, l.Code, l.Stage)
			}
			r.Rows, r.Reasons = w.Rows(), w.Reasons()
			if err := w.Report(r); err != nil {
				t.Fatal(err)
			}
			want = Merge(want, r)
			text.Write(out.Bytes())
		}
		got, notes, err := ReadStream("s", &text)
		if err != nil || notes != nil {
			t.Fatal(err, notes)
		}
		if diff := cmp.Diff(bytesOf(t, want), bytesOf(t, got)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Cut at any byte, a stream is read as far as it goes; with another run appended that one counts.
func TestReadCutStream(t *testing.T) {
	lines := 0
	for n := range len(oneRun) {
		if n > 0 && (oneRun[n-1] == '}' && oneRun[n] == '\n') {
			lines++
		}
		got, _, err := ReadStream("s", strings.NewReader(oneRun[:n]))
		if err != nil {
			t.Fatal(n, err)
		}
		if lines == 3 && got.Runs == 0 {
			continue
		}
		if got.Rows.Read != int64(lines) || got.ExitCode != 143 {
			t.Fatalf("%d bytes: %+v", n, got)
		}
		got, _, err = ReadStream("s", strings.NewReader(oneRun[:n]+oneRun))
		if err != nil {
			t.Fatal(n, err)
		}
		if diff := cmp.Diff(bytesOf(t, ofOneRun()), bytesOf(t, got)); diff != "" {
			t.Fatal(n, diff)
		}
	}
}

func FuzzReadStream(f *testing.F) {
	f.Add(oneRun)
	f.Add(indent(oneRun))
	f.Add(killedRows + `{"type":"row","row":1,"status":"applied","key":"a@b.exam{"type":"row","row":1,"status":"accepted"}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, _, err := ReadStream("s", strings.NewReader(text))
		if err != nil {
			return
		}
		line := bytesOf(t, r)
		twice := Merge(r, again(t, line))
		if twice.Rows.Read != 2*r.Rows.Read {
			t.Errorf("%d rows twice are %d", r.Rows.Read, twice.Rows.Read)
		}
	})
}

func BenchmarkReadStream(b *testing.B) {
	var text strings.Builder
	for row := range 10_000 {
		if row%30 == 0 {
			fmt.Fprintf(&text, `{"type":"row","row":%d,"status":"rejected","key":"somebody%d@","stage":"validate","code":"email_invalid","column":"email","detail":"there is nothing after the @"}`+"\n", row+1, row)
			continue
		}
		fmt.Fprintf(&text, `{"type":"row","row":%d,"status":"accepted","key":"somebody%d@example.com","job":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}`+"\n", row+1, row)
	}
	in := strings.NewReader(text.String())
	b.SetBytes(in.Size())
	b.ReportAllocs()
	for b.Loop() {
		in.Seek(0, io.SeekStart)
		if r, _, err := ReadStream("s", in); err != nil || r.Rows.Read != 10_000 {
			b.Fatal(r, err)
		}
	}
}
