package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink"
)

// waitOptions is a job that adds and waits, with requests of at most so many rows.
func waitOptions(t testing.TB, wrap func(http.Handler) http.Handler) *Options {
	t.Helper()
	o, _ := addOptions(t, wrap)
	o.Wait, o.WaitTimeout, o.MaxOpenJobs = true, time.Minute, 256
	return o
}

// clash lets the n-th job of Klaviyo fail for the rows that bad matches: their people are another's already.
type clash struct {
	mu   sync.Mutex
	bad  func(address string) bool
	full map[string][]string // addresses of each job's bad rows
	lie  int                 // by so many failed_count exceeds the errors
}

func (c *clash) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, isErrors := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/api/profile-bulk-import-jobs/"), "/import-errors")
		switch {
		case r.Method == http.MethodPost && r.URL.Path == "/api/profile-bulk-import-jobs":
			c.post(next, w, r)
		case r.Method == http.MethodGet && isErrors:
			c.errors(w, id)
		case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/profile-bulk-import-jobs"):
			c.status(w, id)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (c *clash) post(next http.Handler, w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(text))
	kept := &kept{header: w.Header()}
	next.ServeHTTP(kept, r)
	var doc struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	_ = json.Unmarshal(kept.body.Bytes(), &doc)
	var bad []string
	for _, part := range strings.Split(string(text), `"email":"`)[1:] {
		if address, _, _ := strings.Cut(part, `"`); c.bad(address) {
			bad = append(bad, address)
		}
	}
	c.mu.Lock()
	c.full[doc.Data.ID] = bad
	c.mu.Unlock()
	w.WriteHeader(kept.status)
	_, _ = w.Write(kept.body.Bytes())
}

func (c *clash) resource(id string) string {
	return fmt.Sprintf(`{"type":"profile-bulk-import-job","id":%q,"attributes":{"status":"complete","failed_count":%d}}`, id, len(c.full[id])+c.lie)
}

func (c *clash) status(w http.ResponseWriter, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full[id] != nil || !strings.Contains(id, "/") {
		fmt.Fprintf(w, `{"data":%s}`, c.resource(id))
		return
	}
	var all []string
	for id := range c.full {
		all = append(all, c.resource(id))
	}
	fmt.Fprintf(w, `{"data":[%s],"links":{"next":null}}`, strings.Join(all, ","))
}

func (c *clash) errors(w http.ResponseWriter, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, address := range c.full[id] {
		all = append(all, fmt.Sprintf(`{"type":"import-error","id":"e","attributes":{"code":"duplicate_profile","title":"T","detail":"taken by another","source":{"pointer":"/data"},"original_payload":{"email":%q}}}`, address))
	}
	fmt.Fprintf(w, `{"data":[%s],"links":{"next":null}}`, strings.Join(all, ","))
}

// kept holds an answer back.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) WriteHeader(status int)      { k.status = status }
func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }

// rowsOnly drops the report's line.
func rowsOnly(out []byte) string {
	lines := strings.SplitAfter(string(out), "\n")
	return strings.Join(lines[:len(lines)-2], "")
}

// Waiting later comes to the same as waiting at once, line for line: applied is only what is proved, and each failed row is
// rejected with Klaviyo's reason.
func TestWaitLaterIsWaitAtOnce(t *testing.T) {
	t.Parallel()
	in := rowsFrom(0, 12_000) + "nope\n" + rowsFrom(11_999, 1) + rowsFrom(12_000, 500)
	for _, lie := range []int{0, 1} {
		c := &clash{bad: func(address string) bool { return strings.HasSuffix(address, "77@example.com") }, full: map[string][]string{}, lie: lie}
		o := waitOptions(t, c.wrap)
		var once, sent, later bytes.Buffer
		if rep, _ := Run(t.Context(), o, strings.NewReader(in), &once); rep.ExitCode != 1 {
			t.Errorf("at once: exit %d", rep.ExitCode)
		}
		rows, rep := parse(t, once.Bytes())
		for i, r := range rows {
			want := "applied "
			switch {
			case i == 12_000:
				want = "rejected json_invalid"
			case i == 12_001:
				want = "skipped duplicate"
			case strings.HasSuffix(r.Key, "77@example.com"):
				want = "rejected duplicate_profile"
			case lie > 0:
				want = "unknown errors_incomplete"
			}
			if got := r.Status + " " + r.Code; got != want {
				t.Fatalf("row %d is %s, want %s", r.Row, got, want)
			}
		}
		if rep.Jobs.Submitted != 2 || rep.Jobs.Complete != 2 || len(rep.Jobs.Open) != 0 {
			t.Errorf("jobs %+v", rep.Jobs)
		}

		o.Wait = false
		if rep, _ := Run(t.Context(), o, strings.NewReader(in), &sent); rep.Rows.Accepted != 12_500 || len(rep.Jobs.Open) != 2 {
			t.Errorf("sent: %+v, %+v", rep.Rows, rep.Jobs)
		}
		ofKilledRun := rowsOnly(sent.Bytes())
		if _, err := Wait(t.Context(), o, iotest.HalfReader(&sent), &later); err == nil {
			t.Error("no error for rejected rows")
		}
		// The jobs' ids are those of another run.
		if diff := cmp.Diff(withoutJobs(rowsOnly(once.Bytes())), withoutJobs(rowsOnly(later.Bytes()))); diff != "" {
			t.Errorf("at once and later differ: %.2000s", diff)
		}
		_, laterReport := parse(t, later.Bytes())
		if diff := cmp.Diff(rep.Rows, laterReport.Rows); diff != "" || laterReport.Jobs.Submitted != 2+2 || laterReport.Jobs.Complete != 2 || laterReport.List.Name != "News" {
			t.Errorf("report: %s, jobs %+v", diff, laterReport.Jobs)
		}
		if rep, _ := Wait(t.Context(), o, strings.NewReader(ofKilledRun), io.Discard); rep.Jobs.Submitted != 2 || rep.Jobs.Complete != 2 {
			t.Errorf("without a report: jobs %+v", rep.Jobs)
		}
	}
}

func withoutJobs(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		before, _, _ := strings.Cut(line, `,"job":"`)
		b.WriteString(before + "\n")
	}
	return b.String()
}

// Jobs that are not done in time leave their rows accepted, and the report holds their ids.
func TestWaitTimeIsOver(t *testing.T) {
	t.Parallel()
	stuck := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id := strings.TrimPrefix(r.URL.Path, "/api/profile-bulk-import-jobs/"); id != r.URL.Path {
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q,"attributes":{"status":"processing","failed_count":0}}}`, id)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	o := waitOptions(t, stuck)
	o.WaitTimeout = 1200 * time.Millisecond
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 2)+"x\n"), &out)
	rows, _ := parse(t, out.Bytes())
	if got := brief(rows); got != "1 accepted, 2 accepted, 3 rejected json_invalid" || rep.ExitCode != 3 || rep.Status != "timed_out" || len(rep.Jobs.Open) != 1 || rep.Error == "" || err == nil {
		t.Errorf("%s; exit %d, %+v, error %v", got, rep.ExitCode, rep.Jobs, err)
	}
	var again bytes.Buffer
	rep, _ = Wait(t.Context(), o, &out, &again)
	if rep.ExitCode != 3 || len(rep.Jobs.Open) != 1 || rep.Rows.Accepted != 2 {
		t.Errorf("again: exit %d, %+v, %+v", rep.ExitCode, rep.Rows, rep.Jobs)
	}
}

// A signal ends waiting at once; what is not known to be done stays accepted.
func TestWaitIsInterrupted(t *testing.T) {
	t.Parallel()
	polled := make(chan struct{}, 100)
	o := waitOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/profile-bulk-import-jobs/") {
				polled <- struct{}{}
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { // ends with the first poll
		<-polled
		cancel(&Interrupted{Signal: "SIGTERM", ExitCode: 143})
	}()
	var out bytes.Buffer
	rep, _ := Run(ctx, o, strings.NewReader(rowsFrom(0, 2)), &out)
	rows, _ := parse(t, out.Bytes())
	if got := brief(rows); got != "1 accepted, 2 accepted" || rep.ExitCode != 143 || len(rep.Jobs.Open) != 1 {
		t.Errorf("%s; exit %d, %+v", got, rep.ExitCode, rep.Jobs)
	}
}

// No more jobs are open at once than was asked for, and all of them come to their end.
func TestOpenJobsAreBounded(t *testing.T) {
	t.Parallel()
	openAtOnce(t, 2, 0, rowsFrom(0, 55_000), 6)
}

// Batches with many bad rows count as several open jobs: of 3,000 as four.
func TestBadRowsCountAsOpenJobs(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	for i := range 8 {
		in.WriteString(strings.Repeat("x\n", 3000) + rowsFrom(100*i, 100))
	}
	openAtOnce(t, 8, 100, in.String(), 8)
}

// openAtOnce runs a job with a bound on open jobs over rows that become so many batches, and fails when more than two jobs are open at once.
func openAtOnce(t *testing.T, bound, mostRows int, in string, batches int) {
	t.Helper()
	var mu sync.Mutex
	open, most := map[string]bool{}, 0
	o := waitOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if r.Method == http.MethodPost && r.URL.Path == "/api/profile-bulk-import-jobs" {
				_, _ = io.Copy(io.Discard, r.Body)
				id := fmt.Sprint("J", len(open)+1)
				open[id] = true
				n := 0
				for _, is := range open {
					if is {
						n++
					}
				}
				most = max(most, n)
				w.WriteHeader(http.StatusAccepted)
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q}}`, id)
				return
			}
			if id := strings.TrimPrefix(r.URL.Path, "/api/profile-bulk-import-jobs/"); id != r.URL.Path {
				open[id] = false
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q,"attributes":{"status":"complete","failed_count":0}}}`, id)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	o.MaxOpenJobs, o.mostRows, o.MaxInvalid = bound, mostRows, Bound{rows: 1_000_000}
	var out bytes.Buffer
	if _, err := Run(t.Context(), o, strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	if _, rep := parse(t, out.Bytes()); rep.Rows.Applied != int64(strings.Count(in, "@")) || rep.Jobs.Complete != int64(batches) || most > 2 {
		t.Errorf("%+v, %+v, %d jobs open at once", rep.Rows, rep.Jobs, most)
	}
}

// A signal is heeded while the input pauses.
func TestWaitOnQuietInput(t *testing.T) {
	in, feed := io.Pipe()
	defer feed.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() { // ends with the second write, which is not read to its end
		fmt.Fprintln(feed, `{"type":"row","row":1,"status":"skipped","code":"duplicate","of":1}`)
		fmt.Fprint(feed, `{"type":"row"`)
		cancel(&Interrupted{Signal: "SIGINT", ExitCode: 130})
	}()
	o := checkOptions(t)
	o.Client, _ = sink.New(sink.Options{BaseURL: "http://127.0.0.1:1", Revision: sink.DefaultRevision})
	o.MaxOpenJobs = 1
	var out bytes.Buffer
	if rep, _ := Wait(ctx, o, in, &out); rep.ExitCode != 130 || rep.Rows.Skipped != 1 {
		t.Errorf("exit %d, %+v", rep.ExitCode, rep.Rows)
	}
}

// What is not the output of a run is refused by line, before anything is done; a line that a crash cut is told of. The last line of a row counts.
func TestWaitOnOtherInput(t *testing.T) {
	const row = `{"type":"row","row":7,"status":"rejected","stage":"validate","code":"email_invalid"}` + "\n"
	for _, c := range []struct {
		in   string
		exit int
		want string
	}{
		{"", 0, ""},
		{row, 1, row},
		{strings.TrimSpace(row), 1, row},
		{row + `{"type":"row","row":8,"sta`, 1, row},
		{row + row, 1, row},
		{`{"type":"row","row":7,"status":"unsent","code":"interrupted"}` + "\n" + `{"type":"row","row":8,"sta` + row, 1, row},
		{row + "{}\n", 2, ""},
		{row + "nope\n" + row, 2, ""},
		{`{"type":"row","row":1,"status":"lost"}`, 2, ""},
		{row + strings.Repeat("x", 4<<20), 2, ""},
	} {
		var out bytes.Buffer
		o := checkOptions(t)
		o.Client, _ = sink.New(sink.Options{BaseURL: "http://127.0.0.1:1", Revision: sink.DefaultRevision})
		o.MaxOpenJobs = 1
		rep, err := Wait(t.Context(), o, strings.NewReader(c.in), &out)
		if got := rowsOnly(out.Bytes()); got != c.want || rep.ExitCode != c.exit || (err == nil) != (c.exit == 0) {
			t.Errorf("%q: exit %d, %v, output %q", c.in, rep.ExitCode, err, got)
		}
	}
}
