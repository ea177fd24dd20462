package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

// A row that a read error cut is not refused for good: --resume sends it when it comes whole. The lines of members
// after the rows make no difference.
func TestRowCutByReadErrorIsResumed(t *testing.T) {
	whole := rowsFrom(1, 3)
	o, sim := addOptions(t, nil)
	in := io.MultiReader(strings.NewReader(whole[:len(whole)-8]), iotest.ErrReader(errors.New("input/output error")))
	var out bytes.Buffer
	rep, _ := Run(t.Context(), o, in, &out)
	if rep.ExitCode != 2 {
		t.Fatalf("exit %d", rep.ExitCode)
	}
	out.WriteString(`{"type":"member","status":"removed","key":"p2@example.com","profile_id":"01H"}` + "\n")
	o.Resume = earlierResults(t, out.Bytes())
	out.Reset()
	rep, err := Run(t.Context(), o, strings.NewReader(whole), &out)
	if got := len(sim.Members(rep.List.ID)); got != 3 || rep.ExitCode != 0 {
		t.Errorf("%d of 3 on the list, exit %d, %v: %s", got, rep.ExitCode, err, out.Bytes())
	}
}

// A resumed run skips a row whose person an earlier result names, as the earlier run would have: a person is sent once,
// whichever run meets them first.
func TestResumedRowsAreRemembered(t *testing.T) {
	const rows = `{"email":"ann@example.com"}
{"email":"bo@example.com"}
{"email":"ANN@example.com","first_name":"Later"}
{"email":"cy@example.com"}
`
	first, rest := rows[:strings.Index(rows, `{"email":"bo`)], rows
	o, _ := addOptions(t, nil)
	var out bytes.Buffer
	if rep, err := Run(t.Context(), o, strings.NewReader(first), &out); rep.ExitCode != 0 {
		t.Fatal(err)
	}
	o.Resume = earlierResults(t, out.Bytes())
	out.Reset()
	rep, err := Run(t.Context(), o, strings.NewReader(rest), &out)
	written := linesInOrder(t, out.Bytes())
	const want = "2 accepted, 3 skipped duplicate, 4 accepted"
	if got := brief(written); got != want || rep.ExitCode != 0 {
		t.Errorf("exit %d, %v, got %s, want %s", rep.ExitCode, err, got, want)
	}
}

// A signal that comes before a run has opened its earlier results does not keep it from reading them: the run appends
// a report that says what stopped it.
func TestStoppedBeforeTheEarlierResults(t *testing.T) {
	o, _ := addOptions(t, nil)
	var out bytes.Buffer
	if rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 3)), &out); rep.ExitCode != 0 {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "results")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	stop(&Interrupted{Signal: "SIGTERM", ExitCode: 143})
	earlier, err := OpenEarlier(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	defer earlier.Close()
	o.Resume = earlier
	out.Reset()
	rep, _ := Run(ctx, o, strings.NewReader(rowsFrom(0, 3)), &out)
	if _, written := parse(t, out.Bytes()); earlier.Rows != 3 || rep.ExitCode != 143 || written.ExitCode != 143 {
		t.Errorf("%d earlier rows, exit %d, the report says %d", earlier.Rows, rep.ExitCode, written.ExitCode)
	}
}

// A resumed run with Wait settles the rows that an earlier run left accepted, also those of lists that rows name: their
// import jobs are waited for, their lines are written in their place, and nothing of them is sent again. With Verify
// they are read back, as members who joined since their import job was created. The reports of both runs, with or
// without the lines of rows, count each row once.
func TestResumedRowsAreWaitedFor(t *testing.T) {
	t.Parallel()
	for name, column := range map[string]string{"one list": "", "lists of rows": "list"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, ahead := time.Now(), new(atomic.Int64) // of Klaviyo's clock, which runs ten times as fast
			url, sim := contract.Serve(t, simulator.Options{
				Now: func() time.Time { return began.Add(10*time.Since(began) + time.Duration(ahead.Load())) },
				Plan: &simulator.Plan{Faults: []simulator.Fault{
					{Do: "fail", Times: -1, Addresses: []string{"p7@*"}, Code: "duplicate_profile", Detail: "Taken"},
				}},
			})
			o := checkOptions(t)
			o.Client, o.List = newClient(t, &sink.Options{BaseURL: url}), sink.ListRef{Name: "L0"}
			o.Concurrency, o.mostRows = 1, 4
			sim.AddList("L0", "single_opt_in")
			sim.AddList("L1", "single_opt_in")
			if column != "" {
				o.Checker, _ = validate.New(validate.Options{ListColumn: column})
				o.List, o.Lists = sink.ListRef{}, new(ListsOptions)
			}
			rows := strings.SplitAfter(listRows(14, func(i int) string { return named(i % 2) }), "\n")
			rows[4], rows[8] = "nope\n", rows[6]
			var first, second bytes.Buffer
			sent, err := Run(t.Context(), o, strings.NewReader(strings.Join(rows[:11], "")), &first)
			if sent.Rows.Accepted != 9 {
				t.Fatalf("%+v, %v", sent.Rows, err)
			}
			ahead.Store(int64(time.Hour))
			o.Client, o.Resume = newClient(t, &sink.Options{BaseURL: url}), earlierResults(t, first.Bytes())
			o.Wait, o.WaitTimeout, o.MaxOpenJobs, o.Verify = true, time.Minute, 8, true
			rep, _ := Run(t.Context(), o, strings.NewReader(strings.Join(rows, "")), &second)
			const want = "1 applied, 2 applied, 3 applied, 4 applied, 6 applied, 7 applied, 8 rejected duplicate_profile, " +
				"10 applied, 11 applied, 12 applied, 13 applied, 14 applied"
			if got := brief(linesInOrder(t, second.Bytes())); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if rep.Rows != (report.Rows{Read: 14, Applied: 11, Rejected: 1, Resumed: 2, Continues: true}) || rep.Settled != 9 ||
				rep.Jobs.Complete != sent.Jobs.Submitted+rep.Jobs.Submitted || len(rep.Jobs.Open) != 0 {
				t.Errorf("%+v, %d settled, %+v", rep.Rows, rep.Settled, rep.Jobs)
			}
			if n := strings.Count(second.String(), `"new":true`); n != 11 {
				t.Errorf("%d of 11 rows are of new members", n)
			}
			bare := bytes.TrimPrefix(first.Bytes(), []byte(withoutReport(first.Bytes())))
			bare = append(bare, bytes.TrimPrefix(second.Bytes(), []byte(withoutReport(second.Bytes())))...)
			for _, text := range []string{
				first.String() + second.String(), string(bare), withoutReport(first.Bytes()) + second.String(),
			} {
				m, _, err := report.ReadStream("both", strings.NewReader(text))
				if err != nil || m.Rows != (report.Rows{Read: 14, Applied: 11, Skipped: 1, Rejected: 2}) || len(m.Jobs.Open) != 0 {
					t.Errorf("%v: %+v, %+v", err, m.Rows, m.Jobs)
				}
			}
			m, _, err := report.ReadStream("killed", strings.NewReader(first.String()+withoutReport(second.Bytes())))
			if err != nil || m.Rows != (report.Rows{Read: 14, Applied: 11, Skipped: 1, Rejected: 2}) {
				t.Errorf("the second was killed: %v, %+v", err, m.Rows)
			}
		})
	}
}

// A resumed run that is stopped before it has looked up the lists leaves the rows of import jobs alone: their results
// stand, whatever other rows stand between them.
func TestStoppedBeforeTheListsOfResumedRows(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	var resumed atomic.Bool
	o := listOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if resumed.Load() && r.URL.Path == "/api/lists" {
				stop(&Interrupted{Signal: "SIGINT", ExitCode: 130})
				<-r.Context().Done() // until the run gives up the request
				return
			}
			next.ServeHTTP(w, r)
		})
	}, "L0", "L1")
	o.mostRows = 2
	rows := strings.SplitAfter(listRows(20, func(i int) string { return named(i % 2) }), "\n")
	rows[3], rows[7], rows[10] = rows[1], "nope\n", rows[2]
	var first, second bytes.Buffer
	if rep, err := Run(t.Context(), o, strings.NewReader(strings.Join(rows[:15], "")), &first); rep.Rows.Accepted != 12 {
		t.Fatal(rep.Rows, err)
	}
	o.Resume, o.Wait, o.WaitTimeout, o.MaxOpenJobs = earlierResults(t, first.Bytes()), true, time.Minute, 8
	resumed.Store(true)
	rep, _ := Run(ctx, o, strings.NewReader(strings.Join(rows, "")), &second)
	const want = "16 unsent interrupted, 17 unsent interrupted, 18 unsent interrupted, 19 unsent interrupted, " +
		"20 unsent interrupted"
	if got := brief(linesInOrder(t, second.Bytes())); got != want || rep.Rows.Resumed != 15 {
		t.Errorf("%+v\ngot  %s\nwant %s", rep.Rows, got, want)
	}
}

// TestResumeKnowsTheListOfAKilledRun: results without a report still say by their import jobs or channels of which list
// or operation they are. Where nobody can say it, the run goes on.
func TestResumeKnowsTheListOfAKilledRun(t *testing.T) {
	t.Parallel()
	var fails atomic.Bool
	o, sim := addOptions(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if fails.Load() && strings.HasSuffix(r.URL.Path, "/relationships/lists") {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	sim.AddList("Other", "single_opt_in")
	rows := rowsFrom(0, 3)
	var out bytes.Buffer
	if rep, err := Run(t.Context(), o, strings.NewReader(rows), &out); rep.ExitCode != 0 {
		t.Fatal(err)
	}
	killed := strings.Join(strings.SplitAfter(withoutReport(out.Bytes()), "\n")[:2], "")
	const consent = `{"type":"row","row":1,"status":"accepted","key":"p0@example.com","channels":["email"]}` + "\n"
	const named = `{"type":"row","row":1,"status":"accepted","key":"p0@example.com","list":"Ab12Cd","job":"01J"}` + "\n"
	const old = `{"type":"row","row":1,"status":"accepted","key":"p0@example.com","job":"01J"}` + "\n"
	for _, c := range []struct {
		name, results, list string
		operation           validate.Operation
		fails               bool
		want                string // in the error, "" for none
	}{
		{"the same list", killed, "News", validate.Add, false, ""},
		{"another list", killed, "Other", validate.Add, false, "resume: the earlier results are of list "},
		{"a list that would be created", killed, "New", validate.Add, false, "resume: the earlier results are of list "},
		{"another list, no answer", killed, "Other", validate.Add, true, ""},
		{"an import job that Klaviyo has forgotten", old, "Other", validate.Add, false, ""},
		{"removal", killed, "News", validate.Remove, false, `are of add or mirror, this run is "remove"`},
		{"consent", consent, "News", validate.Add, false, `are of subscribe or unsubscribe, this run is "add"`},
		{"lists of a column", named, "News", validate.Add, false, "are of the lists that their rows name"},
	} {
		again := *o
		again.List.Name, again.Operation, again.Resume = c.list, c.operation, earlierResults(t, []byte(c.results))
		fails.Store(c.fails)
		rep, err := Run(t.Context(), &again, strings.NewReader(rows), io.Discard)
		switch {
		case c.want == "" && (err != nil || rep.Rows.Resumed == 0):
			t.Errorf("%s: %v, %+v", c.name, err, rep.Rows)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || rep.ExitCode != 2 || Hint(err) == ""):
			t.Errorf("%s: exit %d, %v", c.name, rep.ExitCode, err)
		}
	}
}
