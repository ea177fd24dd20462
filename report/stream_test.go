package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const oneRun = `{"type":"row","row":1,"status":"accepted","key":"a@b.example","job":"01J"}
{"type":"row","row":2,"status":"rejected","stage":"validate","code":"email_missing","column":"email",` +
	`"detail":"no \"email\" {"}
` + oneReport

const oneReport = `{"type":"report","status":"failed","exit_code":1,"operation":"add",` +
	`"list":{"id":"X","name":"News","created":false},` + oneRows + `,` +
	`"reasons":[{"code":"email_missing","stage":"validate","rows":1,"first_row":2}],` +
	`"jobs":{"submitted":1,"complete":0,"cancelled":0,"open":["01J"]},` +
	`"requests":{"sent":2,"retried":0,"throttled":0,"bytes":99,"resent":0},` +
	`"started_at":"2026-11-23T09:30:00.000Z","finished_at":"2026-11-23T09:30:01.250Z","seconds":1.25,"version":"v1",` +
	`"timeline":[{"at":"2026-11-23T09:30:00Z","seconds":1,` + oneRows + `,` +
	`"requests":2,"throttled_seconds":0,"open_jobs":1}]}
`

const oneRows = `"rows":{"read":2,"applied":0,"accepted":1,"skipped":0,"rejected":1,"unknown":0,"unsent":0}`

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

// ofKilled returns the report of a killed run that left these rows and no report.
func ofKilled(rows Rows, reasons ...Reason) *Report {
	return &Report{Type: "report", Status: "interrupted", ExitCode: 143, List: &List{}, Rows: rows, Reasons: reasons}
}

func ofKilledRows() *Report {
	return ofKilled(Rows{Read: 3, Applied: 1, Skipped: 2},
		Reason{Code: "duplicate", Rows: 2, FirstRow: 2, FirstKey: "a@b.example"})
}

// indent writes a report line as `jq .` does.
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

// A stream is read in every state that a crash, a merge or another tool leaves it in.
func TestReadStream(t *testing.T) {
	const (
		ends   = "s: there is no report at the end: the run did not finish"
		ends1  = "s: 1 row line at the end has no report: the run did not finish"
		ends3  = "s: 3 row lines at the end have no report: the run did not finish"
		cut4   = "s: line 4 is cut short and not counted; "
		astray = "s: the report on line %d does not match the row lines before it; the report counts"
	)
	lineOf := func(n int) string { return strings.SplitAfter(oneRun, "\n")[n-1] }
	resumed := strings.Replace(oneRun, oneRows,
		`"rows":{"read":4,"applied":0,"accepted":1,"skipped":0,"rejected":1,"unknown":0,"unsent":0,"resumed":2}`, 1)
	resumedReport := ofOneRun()
	resumedReport.Rows = Rows{Read: 4, Accepted: 1, Rejected: 1, Resumed: 2}
	// Of the rows that a killed run has a line for, one more has no later line.
	afterKill := ofOneRun()
	afterKill.Rows = Rows{Read: 4, Accepted: 1, Rejected: 1, Skipped: 1, Resumed: 1}
	afterKill.Reasons = []Reason{
		{Code: "email_missing", Stage: "validate", Rows: 1, FirstRow: 2, Detail: `no "email" {`},
		{Code: "duplicate", Rows: 1, FirstRow: 3, FirstKey: "a@b.example"},
	}
	// The first run finished two of four rows. The second run finished the other two. The third one had nothing to do.
	const stopped = `"rows":{"read":4,"applied":1,"accepted":0,"skipped":1,"rejected":0,"unknown":1,"unsent":1},` +
		`"reasons":[{"code":"answer_lost","rows":1,"first_row":3},{"code":"duplicate","rows":1,"first_row":2},` +
		`{"code":"interrupted","rows":1,"first_row":4}]`
	const nothing = `"rows":{"read":4,"applied":0,"accepted":0,"skipped":0,"rejected":0,"unknown":0,"unsent":0,` +
		`"resumed":4},"reasons":[]`
	counts := regexp.MustCompile(`"rows":.*?"rows":.*?\]`)
	interrupted := counts.ReplaceAllString(
		strings.Replace(oneReport, `"failed","exit_code":1`, `"interrupted","exit_code":130`, 1), stopped)
	again := counts.ReplaceAllString(oneReport, nothing)
	// The second run was killed after one row, of which the stream has no line. The third one finished the last row.
	const lastRow = `"rows":{"read":4,"applied":0,"accepted":0,"skipped":0,"rejected":1,"unknown":0,"unsent":0,` +
		`"resumed":3},"reasons":[{"code":"email_missing","stage":"validate","rows":1,"first_row":4}]`
	afterKilled := counts.ReplaceAllString(oneReport, lastRow)
	killedBetween := Merge(ofOneRun(), ofOneRun())
	killedBetween.Runs, killedBetween.Rows = 0, Rows{Read: 4, Applied: 1, Skipped: 1, Rejected: 1, Resumed: 1}
	killedBetween.Reasons = []Reason{
		{Code: "duplicate", Rows: 1, FirstRow: 2},
		{Code: "email_missing", Stage: "validate", Rows: 1, FirstRow: 4},
	}
	whole := func(runs ...*Report) (r *Report) {
		for _, run := range runs {
			r = Merge(r, run)
		}
		r.Runs, r.Rows = 0, Rows{Read: 4, Applied: 1, Skipped: 1, Accepted: 1, Rejected: 1}
		r.Reasons = []Reason{
			{Code: "duplicate", Rows: 1, FirstRow: 2},
			{Code: "email_missing", Stage: "validate", Rows: 1, FirstRow: 2},
		}
		return r
	}
	for _, test := range []struct {
		name, text string
		want       *Report
		notes      string
	}{
		{"one run", oneRun, ofOneRun(), ""},
		{"a report alone, without newline", strings.TrimSpace(oneReport), ofOneRun(), ""},
		{"an indented report", indent(oneReport), ofOneRun(), ""},
		{"indented results", indent(oneRun), ofOneRun(), ""},
		{"two runs", oneRun + oneRun, Merge(ofOneRun(), ofOneRun()), ""},
		{"CRLF, blank lines", "\r\n" + strings.ReplaceAll(oneRun, "\n", "\r\n\n"), ofOneRun(), ""},
		{"other order and space", `{"code":"c\u0031", "status":"rejected","row":5 ,"type":"row","stage":"import"}` + "\n",
			ofKilled(Rows{Read: 1, Rejected: 1}, Reason{Code: "c1", Stage: "import", Rows: 1, FirstRow: 5}), ends1},
		{"an escape in a code", `{"type":"row","row":5,"status":"rejected","code":"a\"b"}` + "\n",
			ofKilled(Rows{Read: 1, Rejected: 1}, Reason{Code: `a"b`, Rows: 1, FirstRow: 5}), ends1},
		{"a member twice",
			`{"type":"row","row":5,"status":"rejected","status":"unknown","row":6,"code":"a","code":"b"}` + "\n",
			ofKilled(Rows{Read: 1, Unknown: 1}, Reason{Code: "b", Rows: 1, FirstRow: 6}), ends1},
		{"nothing", "", ofKilled(Rows{}), ends},
		{"killed", killedRows, ofKilledRows(), ends3},
		{"killed twice", `{"type":"row","row":9,"status":"skipped","code":"duplicate","of":1}` + "\n" +
			strings.SplitAfter(killedRows, "\n")[1] + strings.SplitAfter(killedRows, "\n")[0], ofKilledRows(), ends3},
		{"killed before the newline", strings.TrimSpace(killedRows), ofKilledRows(), ends3},
		{"killed in a row", killedRows + `{"type":"row","row":4,"stat`, ofKilledRows(), cut4 + ends3},
		{"killed in the first row", oneRun + `{"t`, Merge(ofOneRun(), ofKilled(Rows{})), cut4 + ends},
		{"killed in the report", killedRows + oneReport[:300], ofKilledRows(), cut4 + ends3},
		{"killed by a power failure", killedRows + "\x00\x00\x00", ofKilledRows(), cut4 + ends3},
		{"killed, then appended", killedRows + `{"type":"row","row":4,"stat` + oneRun, ofOneRun(),
			cut4 + fmt.Sprintf(astray, 6)},
		{"killed in a row that was announced, then appended", killedRows + `{  "type":"row","row":4,"stat` + oneRun,
			ofOneRun(), cut4 + fmt.Sprintf(astray, 6)},
		{"killed, then joined by a newline", killedRows + "\n" + `{"type":"row","row":4,"stat` + "\n" + oneRun, ofOneRun(),
			"s: line 5 is cut short and not counted; " + fmt.Sprintf(astray, 8)},
		{"killed, then appended, twice", killedRows + `{"type":"row","row":4,"stat` + oneRun +
			killedRows + `{"type":"row","row":4,"status":"rejected","code":"a\` + oneRun, Merge(ofOneRun(), ofOneRun()),
			"s: 2 lines are cut short and not counted, the first is line 4; " +
				"s: 2 reports do not match the row lines before them; the reports count; the first is on line 6"},
		{"appended to a last line without newline", strings.TrimSpace(oneRun) + killedRows,
			Merge(ofOneRun(), ofKilledRows()), ends3},
		{"resumed, in one file", killedRows + resumed, afterKill, ""},
		{"interrupted, then resumed, in one file", interrupted + resumed, whole(ofOneRun(), ofOneRun()), ""},
		{"interrupted, then resumed twice", interrupted + resumed + again, whole(ofOneRun(), ofOneRun(), ofOneRun()), ""},
		{"resumed, in its own file", resumed, resumedReport, ""},
		{"interrupted, then killed in another file, then resumed", interrupted + afterKilled, killedBetween, ""},
		{"killed, then resumed, a row lost", killedRows + resumed[len(lineOf(1)):], resumedReport, fmt.Sprintf(astray, 5)},
		{"resumed, a row lost", resumed[len(lineOf(1)):], resumedReport, fmt.Sprintf(astray, 2)},
		{"a row lost", oneRun[len(lineOf(1)):], ofOneRun(), fmt.Sprintf(astray, 2)},
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

// A line that no run writes is an error that names the line and says why.
func TestNoStream(t *testing.T) {
	report := func(old, new string) string {
		if !strings.Contains(oneReport, old) {
			t.Fatal(old)
		}
		return strings.Replace(oneReport, old, new, 1)
	}
	for _, test := range []struct{ name, text, want string }{
		{"a line that is not JSON", oneRun + "hey\n", "line 4 is not a result: it is not JSON: `hey`"},
		{"an unfinished line that is not JSON", oneRun + "hey", "line 4 is not a result: it is not JSON: `hey`"},
		{"a row after other text", `hey{"type":"row","row":4,"status":"applied"}`,
			"line 1 is not a result: it is not JSON: `hey{\"type\":\"row\",\"row\":4,\"status\":\"applied\"}`"},
		{"an input row", `{"email":"a@b.example"}`, "line 1 is not a result: it has no type: `{email}`"},
		{"an array", `[` + strings.TrimSpace(oneRun[:strings.Index(oneRun, "\n")]) + `]`,
			"line 1 is not a result: one of its members has the wrong type: `[" + oneRun[:strings.Index(oneRun, "\n")] + "]`"},
		{"row 0", `{"type":"row","row":0,"status":"applied"}`,
			"line 1 is not a result: expected a row number from 1, got 0: " +
				"`{\"type\":\"row\",\"row\":0,\"status\":\"applied\"}`"},
		{"a status of reports only", `{"type":"row","row":1,"status":"resumed"}`,
			`line 1 is not a result: expected the status of a row, got "resumed": ` +
				"`{\"type\":\"row\",\"row\":1,\"status\":\"resumed\"}`"},
		{"a row number in quotes", `{"type":"row","row":"1","status":"applied"}`,
			"line 1 is not a result: one of its members has the wrong type: " +
				"`{\"type\":\"row\",\"row\":\"1\",\"status\":\"applied\"}`"},
		{"too deep", `{"type":"row","row":1,"status":"applied","of":` + strings.Repeat("[", 1<<20) + "\n",
			"line 1 is not a result: it has more than 100 nesting levels: " +
				"`{\"type\":\"row\",\"row\":1,\"status\":\"applied\",\"of\":" + strings.Repeat("[", 33) + "…`"},
		{"too long", `{"type":"row","row":1,"status":"applied","key":"` + strings.Repeat("x", 4<<20) + `"}` + "\n",
			"line 1 is longer than 4194304 bytes"},
		{"an indented object without end", "\n{\n" + strings.Repeat("\"xxx\",\n", 1<<20),
			"the object on line 2 is longer than 4194304 bytes"},
		{"a status of another exit status", report(`"exit_code":1`, `"exit_code":0`),
			`line 1 is not a result: expected status succeeded with exit_code 0, got "failed"`},
		{"an exit status of no run", report(`"exit_code":1`, `"exit_code":7`),
			"line 1 is not a result: expected an exit_code of 0, 1, 2, 3, 4, 130 or 143, got 7"},
		{"a sum that is wrong", report(`"read":2`, `"read":3`),
			"line 1 is not a result: rows.read is 3, but its other counts add up to 2"},
		{"a count below 0", report(`"retried":0`, `"retried":-1`),
			"line 1 is not a result: a count is negative or too large"},
		{"a count that is too large", report(`"retried":0`, `"retried":9000000000000000000`),
			"line 1 is not a result: a count is negative or too large"},
		{"seconds below 0", report(`"throttled_seconds":0`, `"throttled_seconds":-1e300`),
			"line 1 is not a result: a count is negative or too large"},
		{"no time", report(`"2026-11-23T09:30:00.000Z"`, `"yesterday"`),
			`line 1 is not a result: expected an RFC 3339 time, got "yesterday"`},
		{"an end before the start", report(`"2026-11-23T09:30:00.000Z"`, `"2026-11-23T09:31:00.000Z"`),
			"line 1 is not a result: finished_at is before started_at"},
		{"a bucket at a number", report(`"at":"2026-11-23T09:30:00Z"`, `"at":0`),
			"line 1 is not a result: one of its members has the wrong type"},
		{"a bucket of three seconds", report(`"seconds":1,`, `"seconds":3,`),
			"line 1 is not a result: its timeline is not in order"},
		{"a bucket off the grid",
			report(`"at":"2026-11-23T09:30:00Z","seconds":1,`, `"at":"2026-11-23T09:30:01Z","seconds":2,`),
			"line 1 is not a result: its timeline is not in order"},
		{"too many buckets", report(`"timeline":[`, `"timeline":[{"at":"2026-11-23T09:28:00Z","seconds":1},`),
			"line 1 is not a result: its timeline is not in order"},
		{"a bucket twice", report(`"timeline":[`, `"timeline":[{"at":"2026-11-23T09:30:00Z","seconds":1},`),
			"line 1 is not a result: its timeline is not in order"},
		{"a latency class of three seconds",
			report(`"open":["01J"]`, `"open":["01J"],"latency":[{"within_seconds":3,"jobs":1}]`),
			"line 1 is not a result: its latency classes are not in order"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, _, err := ReadStream("s", strings.NewReader(test.text))
			if err == nil || err.Error() != "read s: "+test.want {
				t.Errorf("got  %+v, %v\nwant read s: %s", r, err, test.want)
			}
		})
	}
	t.Run("a read error", func(t *testing.T) {
		_, _, err := ReadStream("s", io.MultiReader(strings.NewReader(oneRun), brokenReader{}))
		if err == nil || err.Error() != "read s: no space left" {
			t.Error(err)
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errFull }

// A report in another form becomes one in ours: other time zone, no fraction of seconds, reasons twice or unsorted.
func TestReadForeignReport(t *testing.T) {
	line := strings.NewReplacer(
		"2026-11-23T09:30:00.000Z", "2026-11-23T18:30:00+09:00",
		`"2026-11-23T09:30:00Z"`, `"2026-11-23T18:30:00+09:00"`, `"seconds":1.25`, `"seconds":7`,
		`"reasons":[`, `"reasons":[{"code":"a","rows":3,"first_row":9},{"code":"b","rows":3,"first_row":8},`+
			`{"code":"a","rows":1,"first_row":7},`,
	).Replace(oneReport)
	want := ofOneRun()
	want.Reasons = append([]Reason{{Code: "a", Rows: 4, FirstRow: 7}, {Code: "b", Rows: 3, FirstRow: 8}}, want.Reasons...)
	if diff := cmp.Diff(bytesOf(t, want), bytesOf(t, mustRead(line))); diff != "" {
		t.Error(diff)
	}
}

// The report of a stream of any runs is the sum of their reports.
func TestReadStreamSums(t *testing.T) {
	of := func(t *rapid.T, name string, values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
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
				l := Line{Row: row + 1, Key: []byte(`"a@\"b"`), Status: Status(rapid.IntRange(0, int(Valid)).Draw(t, "status"))}
				if rapid.Bool().Draw(t, "reason") {
					l.Code = of(t, "code", "duplicate", "a\"b", "é\u2028\n", `\`, "x{\"type\":\"row\"")
					l.Stage = of(t, "stage", "", "validate", "import")
					l.Detail = of(t, "detail", "", `ends in \`, `"`, `,"code":"no"`)
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

// A stream that is cut at any byte is read up to there. When another run is appended to it, that run counts.
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

// Any stream that can be read has a report that can be read and merged again, and rejects.
func FuzzReadStream(f *testing.F) {
	f.Add(inUTF16(mark+oneRun, littleUTF16))
	f.Add(strings.NewReplacer("?", "\xff", `"started_at"`, `"account":{"id":"?"},"base_url":"?","simulated":true,`+
		`"columns":[{"column":"?","as":"email","rows":2}],"dropped":{"?":1,"\ufffd":2},"started_at"`).Replace(oneReport))
	f.Add(strings.Replace(oneReport, `"first_row":2`, "\"first_row\":2,\"first_key\":\"\xff\",\"detail\":\"\xfe\"", 1))
	f.Add(`{"type":"row","row":1,"status":"applied","dropped":["phone_number"]}` + "\n" +
		"{\"type\":\"row\",\"row\":2,\"status\":\"valid\",\"dropped\":[\"\xff\",\"\ufffd\"]}\n")
	f.Add(oneRun)
	f.Add(indent(oneRun))
	f.Add(mirrorOf(false, nil, []string{"1 applied"}, "A removed", "B extra") +
		mirrorOf(true, &Mirrored{Read: 2, Extras: 1, Removed: 1}, []string{"2 applied"}, "B removed"))
	f.Add(killedRows + `{"type":"row","row":1,"status":"applied","key":"a@b.exam` +
		`{"type":"row","row":1,"status":"accepted"}`)
	f.Fuzz(func(t *testing.T, text string) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		r, _, err := ReadStream("s", strings.NewReader(text))
		if err != nil {
			return
		}
		line := bytesOf(t, r)
		results := io.NewSectionReader(strings.NewReader(text), 0, int64(len(text)))
		if _, err := Rejects("s", results, func(*Reject) error { return nil }); err != nil {
			t.Errorf("rejects: %v", err)
		}
		twice := Merge(r, again(t, line))
		if twice.Rows.Read != 2*r.Rows.Read {
			t.Errorf("%d rows merged with themselves make %d", r.Rows.Read, twice.Rows.Read)
		}
	})
}

func BenchmarkReadStream(b *testing.B) {
	var text strings.Builder
	for row := range 10_000 {
		if row%30 == 0 {
			fmt.Fprintf(&text, `{"type":"row","row":%d,"status":"rejected","key":"somebody%d@","stage":"validate",`+
				`"code":"email_invalid","column":"email","detail":"there is nothing after the @"}`+"\n", row+1, row)
			continue
		}
		fmt.Fprintf(&text, `{"type":"row","row":%d,"status":"accepted","key":"somebody%d@example.com",`+
			`"job":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}`+"\n", row+1, row)
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
