package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink"
)

// Waiting later gives the same results as waiting at once, line for line. Only what is proved is applied, and each
// failed row is rejected with Klaviyo's reason.
func TestWaitLaterIsWaitAtOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		hidden int // failures of which Klaviyo shows no error
		others string
	}{
		{"every failure has an error", 0, "applied "},
		{"a failure has no error", 1, "unknown errors_incomplete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k := &clash{
				bad:   func(address string) bool { return strings.HasSuffix(address, "7@example.com") },
				known: map[string][]string{}, hidden: c.hidden,
			}
			o := waitOptions(t, k.wrap)
			o.mostRows = 100
			waitBothWays(t, o, c.others)
		})
	}
}

// waitBothWays waits at once and later for two import jobs that fail for each tenth row. others is the result of
// other good rows.
func waitBothWays(t *testing.T, o *Options, others string) {
	t.Helper()
	in := rowsFrom(0, 120) + "nope\n" + rowsFrom(119, 1) + rowsFrom(120, 5)
	var once, sent, later bytes.Buffer
	if rep, _ := Run(t.Context(), o, strings.NewReader(in), &once); rep.ExitCode != 1 {
		t.Errorf("at once: exit %d", rep.ExitCode)
	}
	rows, rep := parse(t, once.Bytes())
	for i, r := range rows {
		want := others
		switch {
		case i == 120:
			want = "rejected json_invalid"
		case i == 121:
			want = "skipped duplicate"
		case strings.HasSuffix(r.Key, "7@example.com"):
			want = "rejected duplicate_profile"
		}
		if got := r.Status + " " + r.Code; got != want {
			t.Fatalf("row %d is %s, want %s", r.Row, got, want)
		}
	}
	if rep.Jobs.Submitted != 2 || rep.Jobs.Complete != 2 || len(rep.Jobs.Open) != 0 {
		t.Errorf("jobs %+v", rep.Jobs)
	}

	o.Wait = false
	if rep, _ := Run(t.Context(), o, strings.NewReader(in), &sent); rep.Rows.Accepted != 125 || len(rep.Jobs.Open) != 2 {
		t.Errorf("sent: %+v, %+v", rep.Rows, rep.Jobs)
	}
	ofKilledRun := withoutReport(sent.Bytes())
	if _, err := Wait(t.Context(), o, iotest.HalfReader(&sent), &later); err == nil {
		t.Error("no error for rejected rows")
	}
	// The ids of the import jobs are those of another run.
	diff := cmp.Diff(withoutJobs(withoutReport(once.Bytes())), withoutJobs(withoutReport(later.Bytes())))
	if diff != "" {
		t.Errorf("at once and later differ: %.2000s", diff)
	}
	_, laterReport := parse(t, later.Bytes())
	if diff := cmp.Diff(rep.Rows, laterReport.Rows); diff != "" || laterReport.List.Name != "News" {
		t.Errorf("report of %s: %s", laterReport.List.Name, diff)
	}
	if jobs := laterReport.Jobs; jobs.Submitted != 2+2 || jobs.Complete != 2 {
		t.Errorf("later: jobs %+v", jobs)
	}
	if again, _ := Wait(t.Context(), o, &later, io.Discard); again.Jobs.Complete != 2 {
		t.Errorf("waited for twice: jobs %+v", again.Jobs)
	}
	rep2, _ := Wait(t.Context(), o, strings.NewReader(ofKilledRun), io.Discard)
	if rep2.Jobs.Submitted != 2 || rep2.Jobs.Complete != 2 {
		t.Errorf("without a report: jobs %+v", rep2.Jobs)
	}
}

// withoutJobs cuts the ids of import jobs off.
func withoutJobs(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		before, _, _ := strings.Cut(line, `,"job":"`)
		b.WriteString(before + "\n")
	}
	return b.String()
}

// Import jobs that do not end in time leave their rows accepted, and the report has their ids.
func TestWaitTimeIsOver(t *testing.T) {
	t.Parallel()
	stuck := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id := jobID(r); id != "" {
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q,`+
					`"attributes":{"status":"processing","failed_count":0}}}`, id)
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
	if got := brief(rows); got != "1 accepted, 2 accepted, 3 rejected json_invalid" || len(rep.Jobs.Open) != 1 {
		t.Errorf("%s; %+v", got, rep.Jobs)
	}
	if rep.ExitCode != 3 || rep.Status != "timed_out" || rep.Error == "" || err == nil {
		t.Errorf("exit %d, status %s, error %v", rep.ExitCode, rep.Status, err)
	}
	var again bytes.Buffer
	rep, _ = Wait(t.Context(), o, &out, &again)
	if rep.ExitCode != 3 || len(rep.Jobs.Open) != 1 || rep.Rows.Accepted != 2 {
		t.Errorf("again: exit %d, %+v, %+v", rep.ExitCode, rep.Rows, rep.Jobs)
	}
}

// A signal ends waiting at once. Rows whose import job is not known to have ended stay accepted.
func TestWaitIsInterrupted(t *testing.T) {
	t.Parallel()
	polled := make(chan struct{}, 100)
	o := waitOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if jobID(r) != "" {
				polled <- struct{}{}
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() { // ends with the first poll; the run does not end before
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

// A signal ends the command wait while its input pauses.
func TestWaitOnQuietInput(t *testing.T) {
	in, feed := io.Pipe()
	defer feed.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() { // ends with the second write, of which Wait reads only the beginning
		fmt.Fprintln(feed, `{"type":"row","row":1,"status":"skipped","code":"duplicate","of":1}`)
		fmt.Fprint(feed, `{"type":"row"`)
		cancel(&Interrupted{Signal: "SIGINT", ExitCode: 130})
	}()
	o := offlineOptions(t)
	var out bytes.Buffer
	if rep, _ := Wait(ctx, o, in, &out); rep.ExitCode != 130 || rep.Rows.Skipped != 1 {
		t.Errorf("exit %d, %+v", rep.ExitCode, rep.Rows)
	}
}

// offlineOptions are the options of a run that must not reach Klaviyo: no server listens there.
func offlineOptions(t *testing.T) *Options {
	t.Helper()
	o := checkOptions(t)
	o.Client, o.MaxOpenJobs = newClient(t, &sink.Options{BaseURL: "http://127.0.0.1:1"}), 1
	return o
}

// An input that is no output of a run is refused before anything is done. A cut line is an error. The last line of
// a row counts.
func TestWaitOnOtherInput(t *testing.T) {
	const row = `{"type":"row","row":7,"status":"rejected","stage":"validate","code":"email_invalid"}` + "\n"
	const unsent = `{"type":"row","row":7,"status":"unsent","code":"interrupted"}` + "\n"
	const cut = `{"type":"row","row":8,"sta`
	for _, c := range []struct {
		name, in string
		exit     int
		want     string
	}{
		{"empty", "", 0, ""},
		{"a row", row, 1, row},
		{"no last newline", strings.TrimSpace(row), 1, row},
		{"the last line is cut", row + cut, 1, row},
		{"a row twice", row + row, 1, row},
		{"a cut line before the last line", unsent + cut + row, 1, row},
		{"an object that is no result", row + "{}\n", 2, ""},
		{"a line that is no JSON", row + "nope\n" + row, 2, ""},
		{"an unknown status", `{"type":"row","row":1,"status":"lost"}`, 2, ""},
		{"a line of 4 MB", row + strings.Repeat("x", 4<<20), 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			rep, err := Wait(t.Context(), offlineOptions(t), strings.NewReader(c.in), &out)
			if got := withoutReport(out.Bytes()); got != c.want || rep.ExitCode != c.exit || (err == nil) != (c.exit == 0) {
				t.Errorf("exit %d, %v, output %q", rep.ExitCode, err, got)
			}
		})
	}
}

// Results that cannot be read back, as their list cannot be looked up, are passed on as they are.
func TestWaitPassesAllOn(t *testing.T) {
	const one = `{"type":"row","row":1,"status":"accepted","key":"a@b","channels":["email"]}` + "\n"
	const other = `{"type":"row","row":2,"status":"unknown","key":"b@b","code":"answer_lost","channels":["email"]}` + "\n"
	const done = `{"type":"row","row":3,"status":"applied","key":"c@b.example","job":"J1"}` + "\n"
	const left = `{"type":"row","row":4,"status":"accepted","key":"d@b.example","job":"J1"}` + "\n"
	const listed = `{"type":"row","row":1,"status":"accepted","key":"a@b","channels":["email"],"list":"L"}` + "\n"
	const list, consent = `"list":{"id":"L","name":"News","created":false}`, `"consent":{"channels":["email"]}`
	interrupted := &Interrupted{Signal: "SIGINT", ExitCode: 130}
	for _, c := range []struct {
		name, rows, report string
		verify             bool
		signal             error
		exit               int
	}{
		{"of consent", one + other, list + "," + consent, false, nil, 4},
		{"of consent, interrupted", one + other, list + "," + consent, false, interrupted, 130},
		{"of consent on several lists", listed, `"lists":[{"id":"L"}],` + consent, false, nil, 4},
		{"with --verify", done + left, list, true, nil, 4},
		{"of a run that names no list", done + left, `"operation":"add"`, true, nil, 2},
		{"of another address", done + left, list + `,"base_url":"http://127.0.0.1:2"`, true, nil, 2},
		{"of consent, killed", one + other, list, false, nil, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			o := offlineOptions(t)
			if c.signal != nil { // comes with the first request
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					cancel(c.signal)
					w.WriteHeader(http.StatusServiceUnavailable)
				}))
				defer server.Close()
				o.Client = newClient(t, &sink.Options{BaseURL: server.URL, RetryFor: time.Minute})
			}
			o.Verify, o.BaseURL = c.verify, "http://127.0.0.1:1"
			in := strings.NewReader(c.rows + `{"type":"report","status":"succeeded",` + c.report + "}\n")
			var out bytes.Buffer
			if rep, err := Wait(ctx, o, in, &out); withoutReport(out.Bytes()) != c.rows || rep.ExitCode != c.exit {
				t.Errorf("exit status %d, %v: %s", rep.ExitCode, err, out.Bytes())
			}
		})
	}
}

// wait refuses results whose import jobs are not at the address that it asks: a simulator inside an ended process, or
// another server.
func TestWaitElsewhere(t *testing.T) {
	const row = `{"type":"row","row":1,"status":"accepted","key":"a@b.example","job":"J1"}` + "\n"
	const done = `{"type":"row","row":1,"status":"applied","key":"a@b.example","job":"J1"}` + "\n"
	for _, c := range []struct {
		name, in, problem string
		exit              int
	}{
		{"simulated", row + `{"type":"report","status":"succeeded","simulated":true}` + "\n", "--simulate", 2},
		{
			"another address", row + `{"type":"report","status":"succeeded","base_url":"http://127.0.0.1:2"}` + "\n",
			"http://127.0.0.1:2", 2,
		},
		{"nothing to wait for", done + `{"type":"report","status":"succeeded","simulated":true}` + "\n", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := waitOptions(t, nil)
			o.BaseURL = "http://127.0.0.1:1"
			var out bytes.Buffer
			rep, err := Wait(t.Context(), o, strings.NewReader(c.in), &out)
			if rep.ExitCode != c.exit || c.problem != "" && !strings.Contains(fmt.Sprint(err), c.problem) {
				t.Errorf("exit %d, %v", rep.ExitCode, err)
			}
		})
	}
}

// The rows of a mirror that did not finish can be waited for, but that does not make it a success: nobody was removed.
func TestWaitFinishesNoMirror(t *testing.T) {
	const rows = `{"type":"row","row":1,"status":"accepted","key":"a@b.example","job":"J1"}` + "\n"
	for _, c := range []struct {
		name, report string
		exit         int
	}{
		{"a mirror whose time was over", `"status":"timed_out","exit_code":3,"operation":"mirror"`, 1},
		{"a mirror that ended well", `"status":"succeeded","exit_code":0,"operation":"mirror"`, 0},
		{"a mirror that was killed", "", 1},
		{"an add whose time was over", `"status":"timed_out","exit_code":3,"operation":"add"`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			members := `"members":{"read":7,"matched":1,"added":0,"joined_later":0,"extras":6,"removed":0,"unmatched":0}`
			in := rows + `{"type":"report",` + c.report + `,"rows":{"read":1,"accepted":1},` + members + "}\n"
			if c.report == "" {
				members = `{"type":"member","status":"removed","profile_id":"01H"}`
				in = rows + members + "\n"
			}
			var out bytes.Buffer
			rep, err := Wait(t.Context(), waitOptions(t, jobsEnd(func() {})), strings.NewReader(in), &out)
			if rep.ExitCode != c.exit || (err != nil) != (c.exit == 1) || rep.Rows.Applied != 1 ||
				c.exit == 1 && Hint(err) != "continue it with mirror --resume RESULTS" {
				t.Errorf("exit status %d, %v, %+v", rep.ExitCode, err, rep.Rows)
			}
			if !strings.Contains(out.String(), members) {
				t.Errorf("the members are not passed on: %s", out.String())
			}
		})
	}
}
