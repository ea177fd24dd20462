package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// line is one line of the output, a row's or the report.
type line struct {
	Type   string
	Row    int64
	Status string
	Stage  string
	Code   string
	Key    string
	Of     int64
	Job    string
}

func parse(t testing.TB, out []byte) (rows []line, rep report.Report) {
	t.Helper()
	lines := bytes.SplitAfter(out, []byte{'\n'})
	for i, text := range lines[:len(lines)-1] {
		var r line
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("line %d is not JSON: %q", i+1, text)
		}
		if r.Type == "report" {
			if err := json.Unmarshal(text, &rep); err != nil {
				t.Fatal(err)
			}
			if i != len(lines)-2 {
				t.Fatalf("the report is line %d of %d", i+1, len(lines)-1)
			}
			continue
		}
		if r.Row != int64(i+1) {
			t.Fatalf("line %d is of row %d", i+1, r.Row)
		}
		rows = append(rows, r)
	}
	if rep.Rows.Read != int64(len(rows)) {
		t.Fatalf("the report counts %d rows, %d have lines", rep.Rows.Read, len(rows))
	}
	return rows, rep
}

// brief writes results as row numbers with statuses and codes: "1 valid, 2 rejected json_invalid".
func brief(rows []line) string {
	var b strings.Builder
	for i, r := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strings.TrimSpace(fmt.Sprintf("%d %s %s", r.Row, r.Status, r.Code)))
	}
	return b.String()
}

func checkOptions(t testing.TB) *Options {
	t.Helper()
	checker, err := validate.New(validate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &Options{Checker: checker, Window: 1000, Concurrency: 1, BatchDelay: time.Hour}
}

// addOptions is a job that adds to a list of a simulated Klaviyo, whose requests pass through wrap.
func addOptions(t testing.TB, wrap func(http.Handler) http.Handler) (*Options, *simulator.Simulator) {
	t.Helper()
	url, sim := contract.Serve(t, simulator.Options{Wrap: wrap})
	client, err := sink.New(sink.Options{BaseURL: url, Alone: true, Revision: sink.DefaultRevision, Key: "k", Concurrency: 4, RetryFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	o := checkOptions(t)
	o.Client, o.List, o.Concurrency = client, sink.ListRef{Name: "News", Create: true}, 4
	return o, sim
}

// rowsFrom returns so many good rows, beginning with the given number.
func rowsFrom(first, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"email":"p%d@example.com"}`+"\n", first+i)
	}
	return b.String()
}

// imports passes bulk imports through gate and everything else at once.
func imports(gate func(number int64, next func())) func(http.Handler) http.Handler {
	var seen atomic.Int64
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.URL.Path != "/api/profile-bulk-import-jobs" {
				next.ServeHTTP(w, r)
				return
			}
			gate(seen.Add(1), func() { next.ServeHTTP(w, r) })
		})
	}
}

func TestInputForms(t *testing.T) {
	const good, alsoGood = `{"email":"a@example.com"}`, `{"email":"b@example.com"}`
	for _, c := range []struct {
		name, in, want string
		exit           int
		problem        string
	}{
		{name: "empty", in: ""},
		{name: "blank lines", in: "\n \r\n\t\n"},
		{name: "byte order mark alone", in: "\ufeff"},
		{name: "lines", in: good + "\n" + alsoGood + "\n", want: "1 valid, 2 valid"},
		{name: "no last newline", in: good + "\n" + alsoGood, want: "1 valid, 2 valid"},
		{name: "CRLF, blank lines, byte order mark", in: "\ufeff\r\n" + good + "\r\n\r\n  \n" + alsoGood + "\r\n", want: "1 valid, 2 valid"},
		{name: "an empty array", in: " [ ] \n"},
		{name: "an array on one line", in: "[" + good + "," + alsoGood + "]", want: "1 valid, 2 valid"},
		{name: "an array as sqlite3 prints it", in: "[" + good + ",\n" + alsoGood + "]\n", want: "1 valid, 2 valid"},
		{name: "an indented array", in: "\ufeff\n[\r\n  {\r\n    \"email\": \"a@example.com\",\r\n    \"tags\": [\r\n      {\r\n        \"x\": [1, 2]\r\n      }\r\n    ]\r\n  },\r\n  " + alsoGood + "\r\n]\r\n", want: "1 valid, 2 valid"},
		{name: "brackets, commas and quotes in strings", in: `[{"email":"a@example.com","x":"]},\"{[\\"},` + alsoGood + `]`, want: "1 valid, 2 valid"},
		{name: "elements of other types", in: "[" + good + `, 5, "x,y]", null, [1,{"a":2}], ` + alsoGood + "]",
			want: "1 valid, 2 rejected not_an_object, 3 rejected not_an_object, 4 rejected not_an_object, 5 rejected not_an_object, 6 valid", exit: 1},
		{name: "a broken string costs one element", in: "[" + good + ",\n" + `{"email":"x"y"},` + "\n" + alsoGood + "]\n", want: "1 valid, 2 rejected json_invalid, 3 valid", exit: 1},
		{name: "a broken string in an indented array", in: "[\n  {\n    \"email\": \"x\"y\",\n    \"n\": [\n      1\n    ]\n  },\n  {\n    \"email\": \"b@example.com\"\n  }\n]\n", want: "1 rejected json_invalid, 2 valid", exit: 1},
		{name: "a broken string in the last element", in: "[\n  {\n    \"email\": \"x\"y\",\n    \"n\": 1\n  }\n]\n", want: "1 rejected json_invalid", exit: 1},
		{name: "a newline in a string", in: "[{\"email\":\"a@example.com\",\"x\":\"1\n2\"},\n" + alsoGood + "]", want: "1 rejected json_invalid, 2 valid", exit: 1},
		{name: "rows behind an array", in: "[" + good + "]\n" + alsoGood + "\n[" + good + "]\n", want: "1 valid, 2 valid, 3 valid"},
		{name: "an array that never ends", in: "[" + good + ",\n" + alsoGood, want: "1 valid, 2 valid", exit: 1, problem: "never ends"},
		{name: "an array cut in a row", in: "[" + good + ",\n" + alsoGood[:9], want: "1 valid, 2 rejected json_invalid", exit: 1, problem: "never ends"},
		{name: "nothing but the array's bracket", in: " [\n", exit: 1, problem: "never ends"},
		{name: "a comma too many", in: "[" + good + "," + alsoGood + ",]", want: "1 valid, 2 valid", exit: 1, problem: "no element"},
		{name: "two commas", in: "[" + good + ",," + alsoGood + "]", want: "1 valid, 2 valid", exit: 1, problem: "no element"},
		{name: "array rows", in: "[\"a@example.com\",1]\n[\"b@example.com\",2]\n", want: "1 rejected not_an_object, 2 rejected not_an_object", exit: 1},
		{name: "an array of array rows", in: "[[\"a@example.com\",1],\n[\"b@example.com\",2]]\n", want: "1 rejected json_invalid, 2 rejected json_invalid", exit: 1},
		{name: "UTF-16", in: "\xff\xfe{\x00}\x00", exit: 2, problem: "UTF-16"},
	} {
		for _, read := range []struct {
			how string
			by  func(io.Reader) io.Reader
		}{{"at once", func(r io.Reader) io.Reader { return r }}, {"byte by byte", iotest.OneByteReader}, {"with the error", iotest.DataErrReader}} {
			t.Run(c.name+"/"+read.how, func(t *testing.T) {
				var out bytes.Buffer
				o := checkOptions(t)
				o.Window = 0
				rep, err := Run(t.Context(), o, read.by(strings.NewReader(c.in)), &out)
				rows, _ := parse(t, out.Bytes())
				if got := brief(rows); got != c.want || rep.ExitCode != c.exit {
					t.Errorf("got %s; exit %d, want %s; exit %d", got, rep.ExitCode, c.want, c.exit)
				}
				if c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem) || c.exit != 1 && !strings.Contains(rep.Error, c.problem)) {
					t.Errorf("error %v, in the report %q: no word of %q", err, rep.Error, c.problem)
				}
			})
		}
	}
}

// However rows are laid out and however they arrive, each has its result.
func TestEveryRowHasAResult(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var in strings.Builder
		var want []string
		for i := range rapid.IntRange(0, 40).Draw(rt, "rows") {
			pad := strings.Repeat("x", rapid.SampledFrom([]int{0, 10, 4000, 70_000, chunkSize, validate.MaxRow}).Draw(rt, "pad"))
			row, status := fmt.Sprintf(`{"email":"p%d@example.com"}`, i), "valid"
			if rapid.Bool().Draw(rt, "padded") {
				row = fmt.Sprintf(`{"email":"p%d@example.com","pad":"%s"}`, i, pad)
			}
			switch rapid.IntRange(0, 5).Draw(rt, "kind") {
			case 0:
				row, status = `{"email":`+pad, "rejected json_invalid"
			case 1:
				row = "\n\r\n" + row + "\r"
			}
			if len(strings.TrimSpace(row)) > validate.MaxRow {
				status = "rejected row_too_long"
			}
			in.WriteString(row + "\n")
			want = append(want, fmt.Sprintf("%d %s", i+1, status))
		}
		checker, err := validate.New(validate.Options{Drop: []string{"pad"}})
		if err != nil {
			rt.Fatal(err)
		}
		o := &Options{Checker: checker, Concurrency: 1, BatchDelay: time.Hour}
		least := 1 + in.Len()/1000
		sizes := rapid.SliceOfN(rapid.IntRange(least, 300_000), 1, 10).Draw(rt, "reads")
		var out bytes.Buffer
		if _, err := Run(context.Background(), o, &pieces{in: in.String(), sizes: sizes}, &out); err != nil && strings.HasPrefix(err.Error(), "row ") {
			rt.Fatal(err)
		}
		rows, _ := parse(t, out.Bytes())
		if diff := cmp.Diff(strings.Join(want, ", "), brief(rows)); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// pieces gives its input in reads of the given sizes, over and over.
type pieces struct {
	in    string
	sizes []int
	n     int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.in == "" {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.sizes[p.n%len(p.sizes)])], p.in)
	p.in, p.n = p.in[n:], p.n+1
	return n, nil
}

// A tiny row must not cost the memory of a large one: chunks are bounded in rows too.
func TestChunksAreBoundedInRows(t *testing.T) {
	most, rows := 0, 0
	err := read(t.Context(), strings.NewReader(strings.Repeat("1\n", 50_000)), time.Hour, new(pools), func(c *chunk) {
		n := bytes.Count(c.text, []byte{'\n'})
		most, rows = max(most, n), rows+n
	})
	if err != nil || most != chunkRows || rows != 50_000 {
		t.Errorf("%v; %d rows in all, %d in one chunk", err, rows, most)
	}
}

// The results keep the input's order when a later request is answered first, and requests are filled up.
func TestOrderAndBatches(t *testing.T) {
	second := make(chan struct{})
	o, sim := addOptions(t, imports(func(number int64, next func()) {
		switch number {
		case 1:
			<-second
			next()
		case 2:
			next()
			close(second)
		default:
			next()
		}
	}))
	in := rowsFrom(0, 12_000) + "nope\n" + rowsFrom(5, 1) + rowsFrom(12_000, 13_000)
	var out bytes.Buffer
	rep, _ := Run(t.Context(), o, strings.NewReader(in), &out)
	rows, _ := parse(t, out.Bytes())
	jobs := map[string]int{}
	for _, r := range rows {
		if r.Status == "accepted" {
			jobs[r.Job]++
		}
	}
	if got := brief(rows[12_000:12_002]); rep.ExitCode != 1 || got != "12001 rejected json_invalid, 12002 accepted" {
		t.Errorf("exit %d, rows %s", rep.ExitCode, got) // the window of 1,000 rows has forgotten row 6
	}
	sizes := []int{jobs[rep.Jobs.Open[0]], jobs[rep.Jobs.Open[1]], jobs[rep.Jobs.Open[2]]}
	if diff := cmp.Diff([]int{10_000, 10_000, 5_001}, sizes); diff != "" {
		t.Errorf("rows a request: %s", diff)
	}
	if got := sim.Requests()["POST /api/profile-bulk-import-jobs 202"]; got != 3 {
		t.Errorf("%d imports", got)
	}
}

// A batch is cut before its bytes are more than a request takes.
func TestBatchesAreBoundedInBytes(t *testing.T) {
	var mu sync.Mutex
	var sizes []int64
	o, _ := addOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "import-jobs") {
				mu.Lock()
				sizes = append(sizes, r.ContentLength)
				mu.Unlock()
			}
			next.ServeHTTP(w, r)
		})
	})
	var in strings.Builder
	for i := range 150 {
		fmt.Fprintf(&in, `{"email":"p%d@example.com","note":"%s"}`+"\n", i, strings.Repeat("n", 90_000))
	}
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(in.String()), &out)
	if err != nil || rep.Rows.Accepted != 150 || len(sizes) != 3 {
		t.Errorf("%v, %+v, requests of %v bytes", err, rep.Rows, sizes)
	}
	total := int64(len(`{"data":{"type":"list","attributes":{"name":"News"}}}`))
	slices.Sort(sizes)
	for i, n := range sizes {
		total += n
		if n > 4_900_000 || i > 0 && n < 4_800_000 {
			t.Errorf("a request of %d bytes", n)
		}
	}
	if rep.Requests.Bytes != total {
		t.Errorf("%d bytes reported, %d sent", rep.Requests.Bytes, total)
	}
}

// Klaviyo gone for good: rows that were sent are unknown, all others unsent, and the exit status says to come again.
func TestOutage(t *testing.T) {
	o := checkOptions(t)
	url, _ := contract.Serve(t, simulator.Options{Wrap: imports(func(number int64, next func()) {
		if number > 1 {
			panic(http.ErrAbortHandler)
		}
		next()
	})})
	client, err := sink.New(sink.Options{BaseURL: url, Alone: true, Revision: sink.DefaultRevision, Key: "k", Concurrency: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	o.Client, o.List = client, sink.ListRef{Name: "News", Create: true}
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 45_000)), &out)
	rows, _ := parse(t, out.Bytes())
	got := map[string]int{}
	for _, r := range rows {
		got[strings.TrimSpace(r.Status+" "+r.Code)]++
	}
	if got["accepted"] != 10_000 || got["unknown answer_lost"] != 10_000 || got["unsent outage"] != len(rows)-20_000 || rep.ExitCode != 4 || rep.Status != "outage" || rep.Error == "" || err == nil {
		t.Errorf("%v; exit %d, %v", got, rep.ExitCode, err)
	}
}

// Of rows of the same person the first within the window goes, compared without regard to case.
func TestDuplicates(t *testing.T) {
	in := `{"email":"a@example.com"}
{"email":"bad"}
{"email":"A@Example.com"}
{"email":" a@example.com "}
{"email":"b@example.com"}
{"email":"c@example.com"}
{"email":"d@example.com"}
{"email":"a@example.com"}
`
	for _, c := range []struct {
		window int
		want   string
	}{
		{0, "1 valid, 2 rejected email_invalid, 3 valid, 4 valid, 5 valid, 6 valid, 7 valid, 8 valid"},
		{3, "1 valid, 2 rejected email_invalid, 3 skipped duplicate, 4 skipped duplicate, 5 valid, 6 valid, 7 valid, 8 valid"},
		{4, "1 valid, 2 rejected email_invalid, 3 skipped duplicate, 4 skipped duplicate, 5 valid, 6 valid, 7 valid, 8 skipped duplicate"},
	} {
		var out bytes.Buffer
		o := checkOptions(t)
		o.Window = c.window
		if _, err := Run(t.Context(), o, strings.NewReader(in), &out); err == nil {
			t.Error("no error for a rejected row")
		}
		rows, _ := parse(t, out.Bytes())
		if got := brief(rows); got != c.want {
			t.Errorf("window %d: got %s, want %s", c.window, got, c.want)
		}
		for _, r := range rows {
			if r.Status == "skipped" && r.Of != 1 {
				t.Errorf("row %d repeats row %d", r.Row, r.Of)
			}
		}
	}
}

// The job stops before anything is sent or created when the first object lacks the required column.
func TestMissingColumn(t *testing.T) {
	for _, c := range []struct{ name, in string }{
		{"missing", `{"EMAIL":"a@example.com"}`},
		{"number", `{"email":5}`},
		{"behind rows that are no objects", "nope\n[1]\n{\"mail\":\"a@example.com\"}"},
		{"and good rows after it", `{"mail":"a@example.com"}` + "\n" + rowsFrom(0, 50_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, sim := addOptions(t, nil)
			var out bytes.Buffer
			rep, err := Run(t.Context(), o, strings.NewReader(c.in), &out)
			rows, _ := parse(t, out.Bytes())
			if rep.ExitCode != 2 || len(rows) != 0 || err == nil || rep.Error != err.Error() || Hint(err) == "" {
				t.Errorf("exit %d, %d rows, error %v", rep.ExitCode, len(rows), err)
			}
			if diff := cmp.Diff(map[string]int{"GET /api/lists 200": 1}, sim.Requests()); diff != "" {
				t.Errorf("requests: %s", diff)
			}
		})
	}
}

// Where results of rows that are no objects are written already, those that follow have one too.
func TestMissingColumnAfterManyThatAreNoObjects(t *testing.T) {
	o, _ := addOptions(t, nil)
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(strings.Repeat("x\n", 5000)+`{"EMAIL":"a@example.com"}`+"\n"+rowsFrom(1, 5)), &out)
	rows, _ := parse(t, out.Bytes())
	if rep.ExitCode != 2 || rep.Rows.Read != 5000 || rep.Rows.Rejected != 5000 || len(rows) != 5000 || rep.List.Created || !strings.Contains(fmt.Sprint(err), "row 5001: `EMAIL` is there") {
		t.Errorf("exit %d, %d rows, %+v: %v", rep.ExitCode, len(rows), rep.Rows, err)
	}
}

// That holds for a run that is taken up again too: rows with a final result are left to it.
func TestMissingColumnInAResumedRun(t *testing.T) {
	in := strings.Repeat("x\n", 5000) + `{"EMAIL":"a@example.com"}` + "\n"
	o, _ := addOptions(t, nil)
	file := filepath.Join(t.TempDir(), "results")
	var first, second bytes.Buffer
	_, _ = Run(t.Context(), o, strings.NewReader(in), &first)
	if err := os.WriteFile(file, first.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.Resume, err = OpenEarlier(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	defer o.Resume.Close()
	o.Resume.Report = nil // its list was not there
	rep, _ := Run(t.Context(), o, strings.NewReader(in), &second)
	// The last row, which is no JSON, may have been cut, and is checked again.
	if lines := bytes.Count(second.Bytes(), []byte("\n")); rep.ExitCode != 2 || rep.Rows.Resumed != 4999 || rep.Rows.Rejected != 1 || lines != 2 {
		t.Errorf("exit %d, %+v, %d lines", rep.ExitCode, rep.Rows, lines)
	}
}

// Batches with so many bad rows that they count as more than all open jobs are sent all the same, one after the other.
func TestMoreBadRowsThanOpenJobs(t *testing.T) {
	o, _ := addOptions(t, nil)
	o.Wait, o.WaitTimeout, o.MaxOpenJobs, o.MaxInvalid = true, time.Minute, 2, Bound{rows: 1_000_000}
	var in strings.Builder
	for i := range 3 {
		in.WriteString(strings.Repeat("x\n", 15_000) + rowsFrom(1+100*i, 100))
	}
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(in.String()), &out)
	if err != nil || rep.Rows.Applied != 300 || rep.Rows.Rejected != 45_000 {
		t.Errorf("%+v: %v", rep.Rows, err)
	}
}

// A null in the first row is a column that is there; later rows without the column cost themselves alone.
func TestColumnMissingLater(t *testing.T) {
	var out bytes.Buffer
	in := "{\"email\":null}\n{\"email\":\"a@example.com\"}\n{\"mail\":1}\n{\"email\":true}\n{\"email\":\" \"}\n"
	_, _ = Run(t.Context(), checkOptions(t), strings.NewReader(in), &out)
	rows, _ := parse(t, out.Bytes())
	want := "1 rejected email_missing, 2 valid, 3 rejected email_missing, 4 rejected type_wrong, 5 rejected email_missing"
	if got := brief(rows); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// endless gives good rows without end and counts them.
type endless struct {
	mu   sync.Mutex
	rest []byte
	rows int
	read int64
}

func (e *endless) Read(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.rest) == 0 {
		e.rest = []byte(rowsFrom(e.rows, 1000))
		e.rows += 1000
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	e.read += int64(n)
	return n, nil
}

func (e *endless) total() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.read
}

// A Klaviyo that does not answer stops the reader; when the run is interrupted then, what is under way ends and
// every row that was read is reported.
func TestBackpressureAndInterrupt(t *testing.T) {
	t.Parallel()
	release, arrived := make(chan struct{}), make(chan struct{}, 100)
	o, _ := addOptions(t, imports(func(_ int64, next func()) {
		arrived <- struct{}{}
		<-release
		next()
	}))
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var in endless
	var out bytes.Buffer
	done := make(chan *report.Report)
	go func() { // ends with the run, which is waited for below
		rep, _ := Run(ctx, o, &in, &out)
		done <- rep
	}()
	for range o.Concurrency {
		<-arrived
	}
	stood := in.total()
	for still := 0; still < 5; still++ {
		time.Sleep(40 * time.Millisecond)
		if now := in.total(); now != stood {
			stood, still = now, -1
		}
	}
	const row = len(`{"email":"p100000@example.com"}` + "\n")
	// Batches under way and in the queue, one that waits and one that is gathered; chunks in check; blocks being read.
	bound := int64((2*o.Concurrency+3)*10_000*row + 12*chunkSize)
	if stood > bound {
		t.Errorf("%d bytes were read with the sender blocked, more than %d", stood, bound)
	}
	cancel(&Interrupted{Signal: "SIGINT", ExitCode: 130})
	close(release)
	rep := <-done
	rows, _ := parse(t, out.Bytes())
	accepted := 0
	for i, r := range rows {
		switch {
		case r.Status == "accepted" && accepted == i:
			accepted++
		case r.Status != "unsent" || r.Code != "interrupted":
			t.Fatalf("row %d is %s %s after %d accepted ones", r.Row, r.Status, r.Code, accepted)
		}
	}
	if accepted != 10_000*o.Concurrency || rep.ExitCode != 130 || rep.Status != "interrupted" {
		t.Errorf("%d rows accepted, exit %d, status %s", accepted, rep.ExitCode, rep.Status)
	}
	if lines := bytes.Count([]byte(rowsFrom(0, int(rep.Rows.Read))), []byte{'\n'}); int64(lines) != rep.Rows.Read || rep.Rows.Read < stood/int64(row) {
		t.Errorf("%d rows reported, %d bytes were read", rep.Rows.Read, stood)
	}
}

// Rows that had come in whole when the signal came have results, however few they are; half a row has none.
func TestInterruptBeforeAChunkIsFull(t *testing.T) {
	o, _ := addOptions(t, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	in, feed := io.Pipe()
	defer feed.Close()
	var out bytes.Buffer
	done := make(chan *report.Report)
	go func() { // ends with the run, which is waited for below
		rep, _ := Run(ctx, o, in, &out)
		done <- rep
	}()
	fmt.Fprint(feed, rowsFrom(0, 3)+`{"em`)
	fmt.Fprint(feed, `ail`) // is read only after the first piece was taken
	cancel(&Interrupted{Signal: "SIGTERM", ExitCode: 143})
	rep := <-done
	rows, _ := parse(t, out.Bytes())
	if got := brief(rows); got != "1 unsent interrupted, 2 unsent interrupted, 3 unsent interrupted" || rep.ExitCode != 143 {
		t.Errorf("%s; exit %d", got, rep.ExitCode)
	}
}

// One good row followed by very many bad ones must not be held back for a batch that never fills.
func TestBadRowsDoNotHoldResultsBack(t *testing.T) {
	arrived := make(chan struct{})
	o, _ := addOptions(t, imports(func(_ int64, next func()) {
		close(arrived)
		next()
	}))
	in, feed := io.Pipe()
	var out bytes.Buffer
	done := make(chan *report.Report)
	go func() { // ends with the run, which is waited for below
		rep, _ := Run(t.Context(), o, in, &out)
		done <- rep
	}()
	fmt.Fprint(feed, rowsFrom(0, 1))
	bad := []byte(strings.Repeat("x\n", 100_000))
	sent := 1
	for going := true; going; {
		select {
		case <-arrived:
			going = false
		default:
			if sent > 30_000_000 {
				t.Fatal("60 MB of bad rows are held back")
			}
			_, _ = feed.Write(bad)
			sent += 100_000
		}
	}
	feed.Close()
	rep := <-done
	if rep.Rows.Read != int64(sent) || rep.Rows.Accepted != 1 || rep.Rows.Rejected != int64(sent-1) {
		t.Errorf("of %d rows: %+v", sent, rep.Rows)
	}
}

// Klaviyo counts requests: bad rows and duplicates leave no gaps in them. Only the last is not full.
func TestRequestsAreFull(t *testing.T) {
	t.Parallel()
	const rows = 200_000
	var mu sync.Mutex
	var sizes []int
	o, _ := addOptions(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if n := bytes.Count(body, []byte(`{"type":"profile","attributes":`)); n > 0 {
				mu.Lock()
				sizes = append(sizes, n)
				mu.Unlock()
			}
			takeAll(w, r)
		})
	})
	o.List, o.Window = sink.ListRef{ID: "L1"}, 1_000_000
	var in bytes.Buffer
	for i := range rows {
		switch {
		case i%33 == 1:
			fmt.Fprintf(&in, `{"email":"p%d"}`, i)
		case i%50 == 1:
			fmt.Fprintf(&in, `{"email":"p%d@example.com"}`, i-1)
		default:
			fmt.Fprintf(&in, `{"email":"p%d@example.com","first_name":"太郎","note":"%0*d"}`, i, i%200, i)
		}
		in.WriteByte('\n')
	}
	rep, err := Run(t.Context(), o, &in, io.Discard)
	if rep.ExitCode != 1 { // for the bad rows
		t.Fatal(err)
	}
	slices.Sort(sizes)
	full := (len(sizes) - 1) * 10_000
	if sent := int64(full + sizes[0]); sent != rep.Rows.Accepted || len(sizes) < 19 || sizes[1] != 10_000 {
		t.Errorf("%d rows were accepted in requests of %v", rep.Rows.Accepted, sizes)
	}
}

// A Klaviyo that is slower than the batches' delay still gets full requests: rows that wait for it are not in a hurry.
func TestRequestsStayFullUnderBackpressure(t *testing.T) {
	t.Parallel()
	o, _ := addOptions(t, imports(func(_ int64, next func()) {
		time.Sleep(600 * time.Millisecond)
		next()
	}))
	o.Concurrency, o.BatchDelay, o.mostRows = 1, 400*time.Millisecond, 4_000
	var out bytes.Buffer
	in := strings.ReplaceAll(rowsFrom(0, 16_000), "}", `,"note":"`+strings.Repeat("n", 300)+`"}`)
	rep, err := Run(t.Context(), o, strings.NewReader(in), &out)
	if err != nil || rep.Jobs.Submitted != 4 {
		t.Errorf("%v; %d requests for 16,000 rows", err, rep.Jobs.Submitted)
	}
}

// A slow producer's rows go when their time has come, before the input ends.
func TestBatchDelay(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 2)
	o, _ := addOptions(t, imports(func(_ int64, next func()) {
		next()
		arrived <- struct{}{}
	}))
	o.BatchDelay = 300 * time.Millisecond
	in, feed := io.Pipe()
	var out bytes.Buffer
	done := make(chan *report.Report)
	go func() { // ends with the run, which is waited for below
		rep, _ := Run(t.Context(), o, in, &out)
		done <- rep
	}()
	began := time.Now()
	fmt.Fprint(feed, rowsFrom(0, 3)+`{"email":"half`)
	<-arrived
	if took := time.Since(began); took < o.BatchDelay/2 || took > 10*o.BatchDelay {
		t.Errorf("sent after %v", took)
	}
	fmt.Fprint(feed, `@example.com"}`+"\n")
	<-arrived
	feed.Close()
	rep := <-done
	rows, _ := parse(t, out.Bytes())
	if got := brief(rows); got != "1 accepted, 2 accepted, 3 accepted, 4 accepted" || rep.Jobs.Submitted != 2 {
		t.Errorf("%s with %d requests", got, rep.Requests.Sent)
	}
}

// full fails after so many bytes.
type full struct{ left int }

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	n := min(f.left, len(p))
	f.left -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// When results cannot be written sending stops, and people learn up to where the results reach.
func TestBrokenOutput(t *testing.T) {
	o, sim := addOptions(t, nil)
	o.Concurrency = 1
	one := len(`{"type":"row","row":1,"status":"accepted","key":"p0@example.com","job":"`)
	rep, err := Run(t.Context(), o, &endless{}, &full{left: 3*one + 400})
	if rep.ExitCode != 2 || !errors.Is(err, errFull) {
		t.Fatalf("exit %d, error %v", rep.ExitCode, err)
	}
	if !strings.Contains(err.Error(), "results were written up to row ") || !strings.Contains(err.Error(), "may have been sent without a result") {
		t.Errorf("error: %v", err)
	}
	if n := sim.Requests()["POST /api/profile-bulk-import-jobs 202"]; n > 4 {
		t.Errorf("%d requests although the first result could not be written", n)
	}
}

// An input that cannot be read is not the end of the input.
func TestUnreadableInput(t *testing.T) {
	broken := errors.New("is a directory")
	var out bytes.Buffer
	rep, err := Run(t.Context(), checkOptions(t), io.MultiReader(strings.NewReader(rowsFrom(0, 2)+`{"email`), iotest.ErrReader(broken)), &out)
	rows, _ := parse(t, out.Bytes())
	if got := brief(rows); got != "1 valid, 2 valid, 3 rejected json_invalid" || rep.ExitCode != 2 || !errors.Is(err, broken) {
		t.Errorf("%s; exit %d, error %v", got, rep.ExitCode, err)
	}
}

// A run that cannot begin sends nothing and writes a report that says why.
func TestRefuse(t *testing.T) {
	o, sim := addOptions(t, nil)
	why := errors.New("no API key")
	var out bytes.Buffer
	rep, err := Refuse(t.Context(), o, why, &out)
	if _, written := parse(t, out.Bytes()); !errors.Is(err, why) || rep.ExitCode != 2 || written.Error != "no API key" ||
		written.List.Name != "News" {
		t.Errorf("error %v, report %+v", err, written)
	}
	if n := len(sim.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// An empty input is a success that touches nothing.
func TestNoRows(t *testing.T) {
	o, sim := addOptions(t, nil)
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader("\n"), &out)
	if err != nil || rep.ExitCode != 0 || rep.List.ID != "" || rep.List.Created {
		t.Errorf("error %v, exit %d, list %+v", err, rep.ExitCode, rep.List)
	}
	if diff := cmp.Diff(map[string]int{"GET /api/lists 200": 1}, sim.Requests()); diff != "" {
		t.Error(diff)
	}
}

// A dry run looks the list up and sends nothing.
func TestDryRun(t *testing.T) {
	o, sim := addOptions(t, nil)
	o.DryRun = true
	var out bytes.Buffer
	if _, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 2)), &out); err != nil {
		t.Fatal(err)
	}
	rows, _ := parse(t, out.Bytes())
	if got := brief(rows); got != "1 valid, 2 valid" {
		t.Error(got)
	}
	if diff := cmp.Diff(map[string]int{"GET /api/lists 200": 1}, sim.Requests()); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkCheck is the flow without Klaviyo, over the sample rows.
func BenchmarkCheck(b *testing.B) {
	sample, err := os.ReadFile("../testdata/profiles.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	in := bytes.Repeat(sample, 50)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		o := checkOptions(b)
		if rep, _ := Run(b.Context(), o, bytes.NewReader(in), io.Discard); rep.Rows.Read != 50_000 {
			b.Fatalf("%+v", rep.Rows)
		}
	}
}
