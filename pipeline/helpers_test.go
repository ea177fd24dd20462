package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

var (
	long  = flag.Bool("long", false, "run the long tests too")
	whole = flag.Bool("whole", false, "measure bounds on memory with inputs of the whole size")
)

// TestMain runs more tests at once than there are processors: most parallel ones wait for import jobs and retries.
func TestMain(m *testing.M) {
	atOnce := flag.Lookup("test.parallel")
	flag.Parse()
	if atOnce.Value.String() == atOnce.DefValue {
		if err := atOnce.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

var setChecks sync.Mutex // guards the flag of package rapid

// checkRounds checks a property so many times. Package rapid reads the number from a flag of the whole binary, before
// the first check: tests that run at once take turns until then.
func checkRounds(t *testing.T, rounds int, property func(*rapid.T)) {
	t.Helper()
	setChecks.Lock()
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	if err := checks.Set(fmt.Sprint(rounds)); err != nil {
		panic(err)
	}
	free := sync.OnceFunc(func() {
		_ = checks.Set(before)
		setChecks.Unlock()
	})
	defer free()
	rapid.Check(t, func(rt *rapid.T) {
		free()
		property(rt)
	})
}

// line is one line of the output: a row's result or the report.
type line struct {
	Type   string
	Row    int64
	Status string
	Stage  string
	Code   string
	Key    string
	Of     int64
	Job    string

	Verified *bool // not nil: false
}

// parse returns the results and the report in out. It fails unless there is one line for each row, in input order,
// and the report is last and counts as many rows.
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
		t.Fatalf("the report counts %d rows, the output has lines for %d", rep.Rows.Read, len(rows))
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

// ownKeys fails unless each result has the key of its row in an input made by rowsFrom(0, …).
func ownKeys(t testing.TB, rows []line) {
	t.Helper()
	for _, r := range rows {
		if want := fmt.Sprintf("p%d@example.com", r.Row-1); r.Key != want {
			t.Fatalf("row %d has the key %q, want %q", r.Row, r.Key, want)
		}
	}
}

// withoutReport returns the output without its last line.
func withoutReport(out []byte) string {
	lines := strings.SplitAfter(string(out), "\n")
	return strings.Join(lines[:len(lines)-2], "")
}

// checkOptions are the options of a run that only checks rows.
func checkOptions(t testing.TB) *Options {
	t.Helper()
	checker, err := validate.New(validate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &Options{Checker: checker, Window: 1000, Concurrency: 1, BatchDelay: time.Hour}
}

// addOptions are the options of a run that adds to a list of a simulated Klaviyo. wrap may change what its server
// does.
func addOptions(t testing.TB, wrap func(http.Handler) http.Handler) (*Options, *simulator.Simulator) {
	t.Helper()
	url, sim := contract.Serve(t, simulator.Options{Wrap: wrap})
	o := checkOptions(t)
	o.Client = newClient(t, &sink.Options{BaseURL: url, Alone: true, Concurrency: 4, RetryFor: time.Minute})
	o.List, o.Concurrency = sink.ListRef{Name: "News", Create: true}, 4
	return o, sim
}

// waitOptions are those of addOptions with Wait.
func waitOptions(t testing.TB, wrap func(http.Handler) http.Handler) *Options {
	t.Helper()
	o, _ := addOptions(t, wrap)
	o.Wait, o.WaitTimeout, o.MaxOpenJobs = true, time.Minute, 256
	return o
}

// newClient returns a client with any key and the default revision, until the test ends.
func newClient(t testing.TB, o *sink.Options) *sink.Client {
	t.Helper()
	o.Revision, o.Key = sink.DefaultRevision, cmp.Or(o.Key, "k")
	client, err := sink.New(*o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// rowsFrom returns n good rows; the first has the given number in its address.
func rowsFrom(first, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"email":"p%d@example.com"}`+"\n", first+i)
	}
	return b.String()
}

const importPath = "/api/profile-bulk-import-jobs"

// isImport reports whether a request is a bulk import.
func isImport(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Path == importPath }

// jobID returns the id of the import job that a request asks about, "" if it asks about none.
func jobID(r *http.Request) string {
	if id, ok := strings.CutPrefix(r.URL.Path, importPath+"/"); ok {
		return id
	}
	return ""
}

// imports passes bulk imports through gate, numbered from 1, and everything else at once.
func imports(gate func(number int64, next func())) func(http.Handler) http.Handler {
	var seen atomic.Int64
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !isImport(r) {
				next.ServeHTTP(w, r)
				return
			}
			gate(seen.Add(1), func() { next.ServeHTTP(w, r) })
		})
	}
}

// started begins a run. The channel gives its report when it has ended; the test receives it, so the goroutine ends
// before the test.
func started(ctx context.Context, o *Options, in io.Reader, out io.Writer) <-chan *report.Report {
	done := make(chan *report.Report)
	go func() {
		rep, _ := Run(ctx, o, in, out)
		done <- rep
	}()
	return done
}

// mustEnd ends the test binary with the stacks of all goroutines when the test takes over a minute: it hangs.
func mustEnd(t testing.TB) {
	t.Helper()
	late := time.AfterFunc(time.Minute, func() { panic(t.Name() + " does not end") })
	t.Cleanup(func() { late.Stop() })
}

var ready = regexp.MustCompile(`(?m)^goroutine \d+ \[(running|runnable)`)

// standing reports whether every goroutine but the caller's waits: for another one, for time or for the operating
// system. It says nothing while other tests run in parallel.
func standing() bool {
	runtime.Gosched()
	buf := make([]byte, 1<<20)
	return len(ready.FindAllIndex(buf[:runtime.Stack(buf, true)], 2)) == 1
}
