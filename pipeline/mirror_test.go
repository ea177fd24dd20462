package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

// mirrorOf runs mirror on a list and returns its lines of rows, as status and code, and its report.
func mirrorOf(t *testing.T, url, list, state string, in io.Reader) (rows []string, rep *report.Report, err error) {
	t.Helper()
	client, err := sink.New(sink.Options{
		BaseURL: url, Alone: true, Revision: sink.DefaultRevision, Key: "k", Concurrency: 2, RateShare: 100,
		RetryFor: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	checker, err := validate.New(validate.Options{Operation: validate.Mirror})
	if err != nil {
		t.Fatal(err)
	}
	o := &Options{
		Operation: validate.Mirror, Checker: checker, Client: client, List: sink.ListRef{ID: list}, Window: 1,
		Concurrency: 2, BatchDelay: time.Hour, Wait: true, WaitTimeout: time.Minute, MaxOpenJobs: 8,
		Mirror: &MirrorOptions{MaxRemovals: &Bound{rows: 100}},
	}
	if state != "" {
		o.State = &StateOptions{File: state}
	}
	var out bytes.Buffer
	rep, err = Run(t.Context(), o, in, &out)
	for text := range bytes.Lines(out.Bytes()) {
		if e, parseErr := report.NewLines(bytes.NewReader(text)).Next(); parseErr == nil && e.Row > 0 {
			rows = append(rows, strings.TrimSpace(e.Status.String()+" "+e.Code))
		}
	}
	return rows, rep, err
}

// served is a simulated account whose list News has so many old members, p0@example.com and so on.
func served(t *testing.T, members int, o simulator.Options) (url, list string, sim *simulator.Simulator) {
	t.Helper()
	o.JobTime = time.Millisecond
	url, sim = contract.Serve(t, o)
	list = sim.AddList("News", "single_opt_in")
	for i := range members {
		sim.Add(simulator.Profile{Email: fmt.Sprintf("p%d@example.com", i), Lists: []string{"News"}, Joined: time.Hour})
	}
	return url, list, sim
}

func rowsOf(people ...int) string {
	var in strings.Builder
	for _, p := range people {
		fmt.Fprintf(&in, `{"email":"p%d@example.com"}`+"\n", p)
	}
	return in.String()
}

// A file that is written again while it is read may show a person in neither reading: nobody is removed, even if the
// number of rows is the same.
func TestMirrorInputChanged(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rows")
	if err := os.WriteFile(name, []byte(rowsOf(0, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	rewrite := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				_ = os.WriteFile(name, []byte(rowsOf(2, 3)), 0o600)
			}
			next.ServeHTTP(w, r)
		})
	}
	url, list, sim := served(t, 4, simulator.Options{Wrap: rewrite})
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, rep, err := mirrorOf(t, url, list, "", f)
	if rep.ExitCode != 1 || err == nil || !strings.Contains(err.Error(), "nobody was removed: the input changed") {
		t.Errorf("exit %d, %v", rep.ExitCode, err)
	}
	if n := len(sim.Members(list)); n != 4 {
		t.Errorf("%d members are left, want 4", n)
	}
}

// A mirror finds a row that repeats an earlier one however many rows are between: the window does not matter.
func TestMirrorFindsAllDuplicates(t *testing.T) {
	url, list, sim := served(t, 0, simulator.Options{})
	in := rowsOf(0, 1, 2, 3) + `{"email":"P0@Example.com"}` + "\n" + rowsOf(2)
	rows, rep, err := mirrorOf(t, url, list, "", strings.NewReader(in))
	want := []string{"applied", "applied", "applied", "applied", "skipped duplicate", "skipped duplicate"}
	if !slices.Equal(rows, want) || rep.ExitCode != 0 || len(sim.Members(list)) != 4 {
		t.Errorf("rows %q, want %q; exit %d, %d members; %v", rows, want, rep.ExitCode, len(sim.Members(list)), err)
	}
}

// A row is unchanged in a mirror only if its person is on the list. When the list could not be read, such rows were not
// sent, and may have to be: they are unsent, so that a resumed run sends them.
func TestMirrorUnchangedNeedsTheList(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	fails := false
	refuse := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if fails && strings.HasSuffix(r.URL.Path, "/profiles") {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	url, list, _ := served(t, 0, simulator.Options{Wrap: refuse})
	for _, c := range []struct {
		fails bool
		want  []string
		exit  int
	}{
		{false, []string{"applied", "applied"}, 0},
		{true, []string{"unsent stopped", "unsent stopped"}, 2},
		{false, []string{"skipped unchanged", "skipped unchanged"}, 0},
	} {
		fails = c.fails
		rows, rep, err := mirrorOf(t, url, list, state, strings.NewReader(rowsOf(0, 1)))
		if !slices.Equal(rows, c.want) || rep.ExitCode != c.exit {
			t.Errorf("list unreadable %v: rows %q, want %q; exit %d, want %d; %v",
				c.fails, rows, c.want, rep.ExitCode, c.exit, err)
		}
	}
}

// Somebody who left the list, and whose row is as the state remembers it, is sent again: the row is applied, and its
// neighbours stay unchanged.
func TestMirrorSendsAgain(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	url, list, sim := served(t, 0, simulator.Options{})
	if rows, _, err := mirrorOf(t, url, list, state, strings.NewReader(rowsOf(0, 1, 2))); err != nil {
		t.Fatal(rows, err)
	}
	for _, m := range sim.Memberships(list) {
		if m.Email == "p1@example.com" {
			leave(t, url, list, m.Profile)
		}
	}
	rows, rep, err := mirrorOf(t, url, list, state, strings.NewReader(rowsOf(0, 1, 2)))
	want := []string{"skipped unchanged", "applied", "skipped unchanged"}
	if !slices.Equal(rows, want) || rep.ExitCode != 0 || rep.Jobs.Submitted != 1 {
		t.Errorf("rows %q, want %q; exit %d, %d jobs; %v", rows, want, rep.ExitCode, rep.Jobs.Submitted, err)
	}
	if n := len(sim.Members(list)); n != 3 {
		t.Errorf("%d members, want 3", n)
	}
}

// leave takes a profile off a list, as another client does.
func leave(t *testing.T, url, list, profile string) {
	t.Helper()
	body := strings.NewReader(fmt.Sprintf(`{"data":[{"type":"profile","id":%q}]}`, profile))
	req, _ := http.NewRequest(http.MethodDelete, url+"/api/lists/"+list+"/relationships/profiles", body)
	req.Header.Set("Authorization", "Klaviyo-API-Key k")
	req.Header.Set("Revision", sink.DefaultRevision)
	req.Header.Set("Content-Type", "application/vnd.api+json")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatal(err, res)
	}
	res.Body.Close()
}

// What Klaviyo has is not known after a run was killed between sending a changed row and its result. So the state has
// forgotten the row by then: when it changes back, it is sent.
func TestStateForgetsBeforeItSends(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	url, list, _ := served(t, 0, simulator.Options{})
	row := func(version string) io.Reader {
		return strings.NewReader(`{"email":"p0@example.com","first_name":"` + version + `"}` + "\n")
	}
	if rows, _, err := mirrorOf(t, url, list, file, row("v1")); err != nil {
		t.Fatal(rows, err)
	}
	var atSending []byte
	keep := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				atSending, _ = os.ReadFile(file)
			}
			next.ServeHTTP(w, r)
		})
	}
	front := httptest.NewServer(keep(forward(url)))
	defer front.Close()
	if rows, _, err := mirrorOf(t, front.URL, list, file, row("v2")); err != nil {
		t.Fatal(rows, err)
	}
	if err := os.WriteFile(file, atSending, 0o600); err != nil { // as a kill right then leaves it
		t.Fatal(err)
	}
	rows, _, err := mirrorOf(t, url, list, file, row("v1"))
	if !slices.Equal(rows, []string{"applied"}) {
		t.Errorf("rows %q, want one applied; %v", rows, err)
	}
}

// forward passes requests on to a server.
func forward(to string) http.Handler {
	target, _ := url.Parse(to)
	return httputil.NewSingleHostReverseProxy(target)
}

// A row is remembered only if it was applied: one that fails in its import job is sent again by the next run.
func TestStateRemembersAppliedRows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	url, list, _ := served(t, 0, simulator.Options{Plan: &simulator.Plan{Faults: []simulator.Fault{
		{Do: "fail", Times: -1, Addresses: []string{"p0@*"}, Code: "invalid", Detail: "Invalid.", Payload: "full",
			Pointer: "index"},
	}}})
	for _, want := range [][]string{{"rejected invalid", "applied"}, {"rejected invalid", "skipped unchanged"}} {
		if rows, _, err := mirrorOf(t, url, list, file, strings.NewReader(rowsOf(0, 1))); !slices.Equal(rows, want) {
			t.Errorf("rows %q, want %q; %v", rows, want, err)
		}
	}
}
