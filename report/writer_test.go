package report

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"
)

var allLines = []Line{
	{Row: 1, Status: Applied, Key: []byte(`"ann@example.com"`), Job: "01J"},
	{Row: 2, Status: Accepted, Key: []byte(`"bo@example.com"`), Job: "01J"},
	{Row: 3, Status: Skipped, Key: []byte(`"ANN@example.com"`), Code: "duplicate", Of: 1},
	{
		Row: 4, Status: Rejected, Key: []byte(`"bob@"`), Stage: "validate", Code: "email_invalid", Column: "email",
		Detail: "“bob@” <ends> after \"@\"\n& that's it",
	},
	{Row: 5, Status: Rejected, Stage: "validate", Code: "json_invalid", Detail: "not JSON"},
	{Row: 6, Status: Unknown, Key: []byte(`"cy@example.com"`), Code: "answer_lost", Detail: "no answer"},
	{Row: 7, Status: Unsent, Key: []byte(`"di@example.com"`), Code: "interrupted"},
	{Row: 8, Status: Valid, Key: []byte(`"ed@example.com"`)},
	{Row: 9, Status: Rejected, Stage: "validate", Code: "email_invalid", Column: "email", Detail: "empty"},
	{Row: 10, Status: Applied, Key: []byte(`"fay@example.com"`), Job: "01J", Dropped: []string{"phone_number"}},
	{Row: 11, Status: Unsent, Code: "interrupted", Dropped: []string{"phone_number", "<\xff>"}},
}

const allBytes = `{"type":"row","row":1,"status":"applied","key":"ann@example.com","job":"01J"}
{"type":"row","row":2,"status":"accepted","key":"bo@example.com","job":"01J"}
{"type":"row","row":3,"status":"skipped","key":"ANN@example.com","code":"duplicate","of":1}
{"type":"row","row":4,"status":"rejected","key":"bob@","stage":"validate","code":"email_invalid","column":"email",` +
	`"detail":"“bob@” <ends> after \"@\"\n& that's it"}
{"type":"row","row":5,"status":"rejected","stage":"validate","code":"json_invalid","detail":"not JSON"}
{"type":"row","row":6,"status":"unknown","key":"cy@example.com","code":"answer_lost","detail":"no answer"}
{"type":"row","row":7,"status":"unsent","key":"di@example.com","code":"interrupted"}
{"type":"row","row":8,"status":"valid","key":"ed@example.com"}
{"type":"row","row":9,"status":"rejected","stage":"validate","code":"email_invalid","column":"email","detail":"empty"}
{"type":"row","row":10,"status":"applied","key":"fay@example.com","job":"01J","dropped":["phone_number"]}
{"type":"row","row":11,"status":"unsent","code":"interrupted","dropped":["phone_number","<\ufffd>"]}
`

const reportBytes = `{"type":"report","status":"failed","exit_code":1,"operation":"add",` +
	`"list":{"id":"XyZ123","name":"A & B","created":true},` +
	`"rows":{"read":11,"applied":2,"accepted":1,"skipped":1,"rejected":3,"unknown":1,"unsent":2,"valid":1},` +
	`"reasons":[{"code":"email_invalid","stage":"validate","rows":2,"first_row":4,"first_key":"bob@",` +
	`"detail":"“bob@” <ends> after \"@\"\n& that's it"},` +
	`{"code":"interrupted","rows":2,"first_row":7,"first_key":"di@example.com"},` +
	`{"code":"duplicate","rows":1,"first_row":3,"first_key":"ANN@example.com"},` +
	`{"code":"json_invalid","stage":"validate","rows":1,"first_row":5,"detail":"not JSON"},` +
	`{"code":"answer_lost","rows":1,"first_row":6,"first_key":"cy@example.com","detail":"no answer"}],` +
	`"jobs":{"submitted":1,"complete":0,"cancelled":0,"open":["01J"]},` +
	`"requests":{"sent":3,"retried":1,"throttled":1,"bytes":512,"resent":1},` +
	`"account":{"id":"AbC123","name":"Tea & Co"},"base_url":"http://127.0.0.1:8080","simulated":true,` +
	`"columns":[{"column":"email","as":"email","rows":6},{"column":"town","as":"location.city","rows":5}],` +
	`"dropped":{"a":1,"phone_number":1,"z":1},` +
	`"started_at":"2026-11-23T09:30:00.000Z","finished_at":"2026-11-23T09:30:01.250Z","seconds":1.25,"version":"v1",` +
	`"timeline":[{"at":"2026-11-23T09:30:00Z","seconds":1,"rows":{"read":1,"applied":1,"accepted":0,"skipped":0,` +
	`"rejected":0,"unknown":0,"unsent":0},"requests":3,"throttled_seconds":0.5,"open_jobs":1}]}
`

// The output is a contract with the scripts of users: it stays the same byte for byte.
func TestOutputBytes(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	for i := range allLines {
		w.Line(&allLines[i])
	}
	r := &Report{
		Type: "report", Status: StatusOf(1), ExitCode: 1, Operation: "add",
		List: &List{ID: "XyZ123", Name: "A & B", Created: true},
		Rows: w.Rows(), Reasons: w.Reasons(), Jobs: Jobs{Submitted: 1, Open: []string{"01J"}},
		Requests: Requests{Sent: 3, Retried: 1, Throttled: 1, Bytes: 512, Resent: 1}, Version: "v1",
		Account: &Account{ID: "AbC123", Name: "Tea & Co"}, BaseURL: "http://127.0.0.1:8080", Simulated: true,
		Columns: []Column{{"email", "email", 6, 0}, {"town", "location.city", 5, 0}}, Dropped: w.Dropped(),
	}
	r.Dropped["z"], r.Dropped["a"] = 1, 1 // columns are in the order of their names
	at := time.Date(2026, 11, 23, 18, 30, 0, 0, time.FixedZone("", 9*3600))
	line := Timeline{Start: at}
	line.Add(0, Sample{
		Rows: Rows{Read: 1, Applied: 1}, Requests: 3, Throttled: 500 * time.Millisecond, OpenJobs: 1,
	})
	r.Timeline = line.Buckets()
	r.Span(at, at.Add(1250*time.Millisecond))
	if err := w.Report(r); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(allBytes+reportBytes, out.String()); diff != "" {
		t.Error(diff)
	}
}

// A list without elements is an empty array in the report, never null.
func TestEmptyReport(t *testing.T) {
	var out bytes.Buffer
	if err := NewWriter(&out).Report(&Report{Type: "report"}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "null") || strings.Contains(out.String(), `"list"`) {
		t.Errorf("got %s", out.String())
	}
	var again Report
	if err := json.Unmarshal(out.Bytes(), &again); err != nil {
		t.Error(err)
	}
}

// brokenAfter is an output that accepts a number of bytes and then fails.
type brokenAfter int

var errFull = errors.New("no space left")

func (b *brokenAfter) Write(p []byte) (int, error) {
	if len(p) <= int(*b) {
		*b -= brokenAfter(len(p))
		return len(p), nil
	}
	n := int(*b)
	*b = 0
	return n, errFull
}

// When the output breaks, Written says which row it holds in full last, and nothing is written after the error.
func TestBrokenOutput(t *testing.T) {
	firstTwo := strings.Index(allBytes, `{"type":"row","row":3`)
	for _, c := range []struct {
		name  string
		bytes int
		rows  int64
	}{
		{"at once", 0, 0},
		{"before the newline of row 2", firstTwo - 1, 1},
		{"after row 2", firstTwo, 2},
		{"in row 3", firstTwo + 10, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := brokenAfter(c.bytes)
			w := NewWriter(&out)
			for i := range allLines {
				w.Line(&allLines[i])
			}
			if err := w.Flush(); !errors.Is(err, errFull) {
				t.Errorf("Flush returned %v, expected %v", err, errFull)
			}
			w.Line(&allLines[0])
			if err := w.Report(&Report{}); !errors.Is(err, errFull) {
				t.Errorf("Report returned %v, expected %v", err, errFull)
			}
			if w.Written() != c.rows || w.Rows().Read != 12 {
				t.Errorf("results are written up to row %d of %d, expected row %d of 12", w.Written(), w.Rows().Read, c.rows)
			}
		})
	}
}

// Written names a row: lines of other rows may be elsewhere.
func TestWrittenNamesTheRow(t *testing.T) {
	whole := len(`{"type":"row","row":30485,"status":"applied"}` + "\n")
	for bytes, want := range map[int]int64{whole - 1: 0, whole: 30_485, 2*whole - 1: 30_485, 3 * whole: 30_489} {
		out := brokenAfter(bytes)
		w := NewWriter(&out)
		for _, row := range []int64{30_485, 30_487, 30_489} {
			w.Line(&Line{Row: row - 1, Status: Resumed})
			w.Line(&Line{Row: row, Status: Applied})
		}
		_ = w.Flush()
		if got := w.Written(); got != want {
			t.Errorf("%d bytes: written up to row %d, want %d", bytes, got, want)
		}
	}
}

// The output gets lines in pieces of 64 KiB, and the rest on Flush.
func TestWritesInPieces(t *testing.T) {
	var pieces []int
	w := NewWriter(writerFunc(func(p []byte) (int, error) {
		pieces = append(pieces, len(p))
		return len(p), nil
	}))
	for range 2000 {
		w.Line(&allLines[0])
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	line := strings.IndexByte(allBytes, '\n') + 1
	per := (flushAt + line - 1) / line
	if diff := cmp.Diff([]int{per * line, per * line, (2000 - 2*per) * line}, pieces); diff != "" {
		t.Error(diff)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// The result of a good row costs no allocation.
func TestLineAllocations(t *testing.T) {
	w := NewWriter(writerFunc(func(p []byte) (int, error) { return len(p), nil }))
	line := allLines[1]
	if n := testing.AllocsPerRun(10_000, func() { w.Line(&line) }); n > 0.01 {
		t.Errorf("%v allocations per line, expected 0", n)
	}
}

func BenchmarkLine(b *testing.B) {
	w := NewWriter(writerFunc(func(p []byte) (int, error) { return len(p), nil }))
	line := allLines[1]
	b.ReportAllocs()
	for b.Loop() {
		w.Line(&line)
	}
}
