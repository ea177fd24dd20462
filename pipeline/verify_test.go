package pipeline

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

// readingBack returns options of a run that reads its rows back on a list of a simulated Klaviyo.
func readingBack(
	t *testing.T, by string, operation validate.Operation, retryFor time.Duration, s simulator.Options,
) *Options {
	t.Helper()
	url, _ := contract.Serve(t, s)
	o := checkOptions(t)
	checker, err := validate.New(validate.Options{Operation: operation, By: by})
	if err != nil {
		t.Fatal(err)
	}
	o.Operation, o.Checker = operation, checker
	o.Client = newClient(t, &sink.Options{BaseURL: url, Alone: true, Concurrency: 4, RetryFor: retryFor})
	o.List = sink.ListRef{Name: "News", Create: operation == validate.Add}
	o.Wait, o.WaitTimeout, o.MaxOpenJobs, o.Verify, o.Concurrency = operation == validate.Add, time.Minute, 8, true, 4
	return o
}

// ran returns the rows that a run wrote, each as its status, code and what reading back showed.
func ran(t *testing.T, o *Options, in string) (rows []string, rep *report.Report) {
	t.Helper()
	var out bytes.Buffer
	rep, _ = Run(t.Context(), o, strings.NewReader(in), &out)
	for line := range strings.Lines(out.String()) {
		switch {
		case !strings.HasPrefix(line, `{"type":"row"`):
			continue
		case strings.Contains(line, `"verified":false`):
			rows = append(rows, status(line)+" unverified")
		case strings.Contains(line, `"member_since":"`):
			rows = append(rows, status(line)+" since, new "+fmt.Sprint(strings.Contains(line, `"new":true`)))
		default:
			rows = append(rows, status(line))
		}
	}
	return rows, rep
}

// status returns the status of a line and its code.
func status(line string) string {
	member := func(name string) string {
		_, rest, ok := strings.Cut(line, `"`+name+`":"`)
		if !ok {
			return ""
		}
		value, _, _ := strings.Cut(rest, `"`)
		return " " + value
	}
	return strings.TrimSpace(member("status") + member("code"))
}

// Every applied row is read back and says what was seen. What is not as it should be is unknown, and the run fails.
func TestVerify(t *testing.T) {
	t.Parallel()
	const two = `{"email":"ann@example.com"}` + "\n" + `{"email":"bo@example.com"}` + "\n"
	profiles := []simulator.Profile{{Email: "ann@example.com", Lists: []string{"News"}, Joined: 48 * time.Hour}}
	also := []simulator.Profile{{
		Email: "ann@example.org", Also: []string{"ann@example.com"}, Lists: []string{"News"}, Joined: 48 * time.Hour,
	}}
	for _, c := range []struct {
		name      string
		by        string
		operation validate.Operation
		plan      simulator.Plan
		in        string
		rows      []string
		members   report.ReadBackCounts
		exit      int
	}{
		{"added", "email", validate.Add, simulator.Plan{Profiles: profiles}, two,
			[]string{"applied since, new false", "applied since, new true"}, report.ReadBackCounts{Verified: 2, New: 1}, 0},
		{"rejected and duplicate rows are not read back", "email", validate.Add, simulator.Plan{Profiles: profiles},
			two + "x\n" + two,
			[]string{"applied since, new false", "applied since, new true", "rejected json_invalid", "skipped duplicate",
				"skipped duplicate"}, report.ReadBackCounts{Verified: 2, New: 1}, 1},
		{"hidden in the list", "email", validate.Add, simulator.Plan{Profiles: profiles, Faults: []simulator.Fault{
			{On: "GET /api/lists/{id}/profiles", Do: "hide", Addresses: []string{"bo@*"}, Times: -1},
		}}, two, []string{"applied since, new false", "unknown not_on_list"},
			report.ReadBackCounts{Verified: 1, Missing: 1}, 1},
		{"under another address of the profile", "email", validate.Add,
			simulator.Plan{Profiles: also, AlsoFound: "equals"}, two,
			[]string{"applied since, new false", "applied since, new true"}, report.ReadBackCounts{Verified: 2, New: 1}, 0},
		{"by external id without email and number", "external_id", validate.Add, simulator.Plan{},
			`{"external_id":"a"}` + "\n" + `{"external_id":"b","email":"b@example.com"}`,
			[]string{"applied unverified", "applied since, new true"},
			report.ReadBackCounts{Verified: 1, New: 1, Unverified: 1}, 0},
		{"removed", "email", validate.Remove, simulator.Plan{Profiles: profiles}, two,
			[]string{"applied", "skipped not_on_list"}, report.ReadBackCounts{Verified: 1}, 0},
		{"removed, and joined again", "email", validate.Remove, simulator.Plan{Profiles: profiles,
			Faults: []simulator.Fault{{
				On: "GET /api/lists/{id}/relationships/profiles", Do: "join", Addresses: []string{"ann@example.com"},
			}}}, two,
			[]string{"unknown still_on_list", "skipped not_on_list"}, report.ReadBackCounts{Missing: 1}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plan := c.plan
			if c.operation == validate.Remove || len(plan.Profiles) == 0 {
				plan.Profiles = append(plan.Profiles, simulator.Profile{Email: "else@example.com", Lists: []string{"News"}})
			}
			o := readingBack(t, c.by, c.operation, time.Minute, simulator.Options{Plan: &plan})
			rows, rep := ran(t, o, c.in)
			if diff := cmp.Diff(c.rows, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if rep.Members == nil || *rep.Members.ReadBackCounts != c.members || rep.ExitCode != c.exit {
				t.Errorf("exit status %d, members %+v, want %d, %+v", rep.ExitCode, rep.Members.ReadBackCounts, c.exit, c.members)
			}
		})
	}
}

// Where Klaviyo fails for too long, rows stay applied, say that they were not verified, and the run ends as an outage.
func TestVerifyDuringAnOutage(t *testing.T) {
	t.Parallel()
	plan := &simulator.Plan{Faults: []simulator.Fault{
		{On: "GET /api/lists/{id}/profiles", Do: "status", Status: 503, Times: -1},
	}}
	o := readingBack(t, "", validate.Add, 0, simulator.Options{Plan: plan})
	rows, rep := ran(t, o, rowsFrom(0, 3))
	want := []string{"applied unverified", "applied unverified", "applied unverified"}
	if diff := cmp.Diff(want, rows); diff != "" || rep.ExitCode != 4 || rep.Members.Unverified != 3 {
		t.Errorf("exit status %d, %+v, rows (-want +got):\n%s", rep.ExitCode, rep.Members.ReadBackCounts, diff)
	}
}

// Rows are read back while other batches are sent: the last import is not before the first reading.
func TestVerifyBesideSending(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var order []string
	note := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			switch {
			case r.Method == http.MethodPost:
				order = append(order, "import")
			case strings.HasSuffix(r.URL.Path, "/profiles") && strings.HasPrefix(r.URL.Path, "/api/lists/"):
				order = append(order, "read")
			}
			mu.Unlock()
			next.ServeHTTP(w, r)
		})
	}
	o := readingBack(t, "", validate.Add, time.Minute, simulator.Options{Wrap: note})
	o.mostRows, o.MaxOpenJobs, o.Concurrency = 10, 2, 1
	rows, rep := ran(t, o, rowsFrom(0, 80))
	if rep.ExitCode != 0 || len(rows) != 80 || slices.ContainsFunc(rows, func(r string) bool { return r != rows[0] }) {
		t.Fatalf("exit status %d, rows %v", rep.ExitCode, rows)
	}
	mu.Lock()
	defer mu.Unlock()
	last := len(order) - 1
	for order[last] != "import" {
		last--
	}
	if first := slices.Index(order, "read"); first > last {
		t.Errorf("all imports come before the first reading: %v", order)
	}
}
