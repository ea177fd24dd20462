package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

// mirrorWorld is a simulated Klaviyo, and the options of a mirror of its list News.
type mirrorWorld struct {
	*testing.T
	sim *simulator.Simulator
	url string
	o   *Options
}

// newMirror returns a world whose list has these members.
func newMirror(t *testing.T, plan *simulator.Plan, wrap func(http.Handler) http.Handler) *mirrorWorld {
	t.Helper()
	if plan == nil {
		plan = &simulator.Plan{}
	}
	url, sim := contract.Serve(t, simulator.Options{Plan: plan, Ledger: true, JobTime: time.Millisecond, Wrap: wrap})
	checker, err := validate.New(validate.Options{Operation: validate.Mirror})
	if err != nil {
		t.Fatal(err)
	}
	all := Bound{share: 100 * percent, isPercent: true}
	w := &mirrorWorld{T: t, sim: sim, url: url, o: &Options{
		Operation: validate.Mirror, Checker: checker, List: sink.ListRef{Name: "News", Create: true}, Window: 1000,
		Concurrency: 4, BatchDelay: time.Hour, Wait: true, WaitTimeout: time.Minute, MaxOpenJobs: 16,
		Mirror: &MirrorOptions{MaxRemovals: &all},
	}}
	w.fresh()
	return w
}

// fresh gives the options the client of another process.
func (w *mirrorWorld) fresh() {
	w.o.Client = newClient(w, &sink.Options{
		BaseURL: w.url, Alone: true, Concurrency: 4, RateShare: 100, RetryFor: time.Minute,
	})
}

// run mirrors rows. It returns the report, the lines and the error's text.
func (w *mirrorWorld) run(in string) (*report.Report, string, string) {
	w.Helper()
	var out bytes.Buffer
	rep, err := Run(w.Context(), w.o, strings.NewReader(in), &out)
	text := ""
	if err != nil {
		text = err.Error()
	}
	return rep, out.String(), text
}

// members are the addresses on the list.
func (w *mirrorWorld) members(rep *report.Report) string {
	return strings.Join(w.sim.Members(rep.List.ID), " ")
}

func counts(rep *report.Report) report.Mirrored {
	if rep.Members == nil || rep.Members.Mirrored == nil {
		return report.Mirrored{}
	}
	return *rep.Members.Mirrored
}

// old are profiles with these addresses that joined the list an hour ago.
func old(emails ...string) (all []simulator.Profile) {
	for _, email := range emails {
		all = append(all, simulator.Profile{Email: email, Lists: []string{"News"}, Joined: time.Hour})
	}
	return all
}

// A share of the members is one of those before the run: people that the rows add make no room for removals. A wrong
// query with many strangers would remove everybody else.
func TestMirrorShareOfMembers(t *testing.T) {
	t.Parallel()
	w := newMirror(t, &simulator.Plan{Profiles: old("a@example.com", "b@example.com")}, nil)
	w.o.Mirror.MaxRemovals = &Bound{share: 10 * percent, isPercent: true}
	rep, _, text := w.run(rowsFrom(0, 30))
	want := "nobody was removed: 2 of 2 members match no row, --max-removals is 10%; 30 rows: 30 applied"
	if text != want {
		t.Errorf("got %q, want %q", text, want)
	}
	if n := len(w.sim.Members(rep.List.ID)); n != 32 {
		t.Errorf("%d members are left", n)
	}
}

// Extras who leave or join again before they are removed are no extras any more: no line names them, and the counts say
// who is on the list.
func TestMirrorCountsLateChanges(t *testing.T) {
	t.Parallel()
	w := newMirror(t, &simulator.Plan{
		Profiles: old("away@example.com", "back@example.com", "old@example.com"),
		Faults: []simulator.Fault{
			{On: "GET /api/lists/{id}/profiles", Skip: 1, Do: "leave", Addresses: []string{"away@example.com"}},
			{On: "GET /api/lists/{id}/profiles", Skip: 1, Do: "rejoin", Addresses: []string{"back@example.com"}},
		},
	}, nil)
	rep, text, failed := w.run(rowsFrom(0, 1))
	want := report.Mirrored{Read: 3, Matched: 1, Added: 1, JoinedLater: 1, Extras: 1, Removed: 1}
	if diff := cmp.Diff(want, counts(rep)); diff != "" || failed != "" {
		t.Errorf("counts (-want +got):\n%s%s", diff, failed)
	}
	if n := strings.Count(text, `"type":"member"`); n != 1 || !strings.Contains(text, `"key":"old@example.com"`) {
		t.Errorf("%d lines of members:\n%s", n, text)
	}
}

// A person in a rejected row stays on the list, whatever address the member shows and whichever look-up finds them. So
// does the person of a rejected row and a good one.
func TestMirrorProtectsRejected(t *testing.T) {
	t.Parallel()
	for _, found := range []string{"any", "equals"} {
		for _, also := range []string{`{"email":"x@example.com"}`, `{"email":"y@example.com"}`} {
			w := newMirror(t, &simulator.Plan{AlsoFound: found, Profiles: append(old("b@example.com", "y@example.com"),
				simulator.Profile{
					Email: "shown@example.com", Also: []string{"x@example.com"}, Lists: []string{"News"}, Joined: time.Hour,
				},
			)}, nil)
			w.o.MaxInvalid = Bound{rows: 1}
			rep, _, text := w.run(strings.Join([]string{
				`{"email":"x@example.com","first_name":1}`, also, `{"email":"y@example.com"}`, "",
			}, "\n"))
			if got := w.members(rep); text != "" || !strings.Contains(got, "shown@example.com") || strings.Contains(got, "b@") {
				t.Errorf("%s, with %s: error %q, members %s", found, also, text, got)
			}
		}
	}
}

// A row that Klaviyo refuses, and that --max-invalid allows, is accounted for: those who match no row are removed.
func TestMirrorAllowsRefused(t *testing.T) {
	t.Parallel()
	w := newMirror(t, &simulator.Plan{Profiles: old("b@example.com"), Faults: []simulator.Fault{{
		Do: "fail", Times: -1, Addresses: []string{"p0@*"}, Code: "invalid", Detail: "Invalid.", Payload: "full",
		Pointer: "index",
	}}}, nil)
	w.o.MaxInvalid = Bound{rows: 1}
	rep, _, text := w.run(rowsFrom(0, 2))
	want := report.Mirrored{Read: 2, Matched: 1, Added: 1, Extras: 1, Removed: 1}
	if diff := cmp.Diff(want, counts(rep)); diff != "" || w.members(rep) != "p1@example.com" {
		t.Errorf("error %q, members %s\n%s", text, w.members(rep), diff)
	}
}

// A plan looks up a hundred people together, also where Klaviyo knows nobody of them.
func TestPlanLooksUpTogether(t *testing.T) {
	t.Parallel()
	w := newMirror(t, &simulator.Plan{Profiles: old("b@example.com")}, nil)
	w.o.Mirror.Plan, w.o.DryRun, w.o.Wait = true, true, false
	rep, _, text := w.run(rowsFrom(0, 100))
	want := report.Mirrored{Read: 1, Added: 100, Extras: 1}
	if diff := cmp.Diff(want, counts(rep)); diff != "" || rep.Requests.Sent != 4 {
		t.Errorf("error %q, %d requests %v\n%s", text, rep.Requests.Sent, w.sim.Requests(), diff)
	}
}

// A plan counts people who would be added, not those of rejected rows. A run without a valid row is refused, however
// high the ceilings are.
func TestMirrorAddsValidRows(t *testing.T) {
	t.Parallel()
	const bad, good = `{"email":"x@example.com","first_name":1}` + "\n", `{"email":"y@example.com"}` + "\n"
	for _, c := range []struct {
		plan    bool
		members []simulator.Profile
		in      string
		want    report.Mirrored
	}{
		{true, old("b@example.com"), bad + good, report.Mirrored{Read: 1, Added: 1, Extras: 1}},
		{true, nil, bad + good, report.Mirrored{Added: 1}},
	} {
		w := newMirror(t, &simulator.Plan{Profiles: c.members}, nil)
		w.o.MaxInvalid = Bound{rows: 1}
		w.o.Mirror.Plan, w.o.DryRun, w.o.Wait = c.plan, c.plan, !c.plan
		rep, _, text := w.run(c.in)
		if diff := cmp.Diff(c.want, counts(rep)); diff != "" || text != "" {
			t.Errorf("plan %v, rows %s: error %q\n%s", c.plan, c.in, text, diff)
		}
	}
	w := newMirror(t, &simulator.Plan{Profiles: old("b@example.com")}, nil)
	w.o.MaxInvalid = Bound{rows: 1}
	if rep, _, text := w.run(bad); rep.ExitCode != 1 || !strings.Contains(text, "no row is valid") {
		t.Errorf("no valid row: exit %d, %q", rep.ExitCode, text)
	}
}

// earlier are the results in text.
func earlier(t *testing.T, text string) *Earlier {
	t.Helper()
	name := t.TempDir() + "/results"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := OpenEarlier(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// slow gives its text, and its end after a while in which do is called.
type slow struct {
	io.Reader
	do func()
}

func (s *slow) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err == io.EOF && s.do != nil {
		s.do()
		s.do = nil
	}
	return n, err
}

// A resumed run removes nobody who joined since the first run began, also while that one read its rows, and also if no
// row had an import job. Results that do not say when their run began remove nobody.
func TestMirrorResumeProtects(t *testing.T) {
	t.Parallel()
	join := func(w *mirrorWorld) {
		w.sim.Add(simulator.Profile{Email: "form@example.com", Lists: []string{"News"}})
	}
	for _, c := range []string{"while rows are read", "between the runs", "without a report"} {
		t.Run(c, func(t *testing.T) {
			t.Parallel()
			w := newMirror(t, &simulator.Plan{Profiles: old("b@example.com")}, nil)
			w.o.Mirror.MaxRemovals = new(Bound)
			var in io.Reader = strings.NewReader(rowsFrom(0, 2))
			if c == "while rows are read" {
				in = &slow{in, func() {
					time.Sleep(3 * time.Second)
					join(w)
					time.Sleep(3500 * time.Millisecond) // more than clockSlack
				}}
			} else {
				w.o.State = &StateOptions{File: t.TempDir() + "/state"}
				w.run(rowsFrom(0, 2))
				w.fresh()
			}
			var out bytes.Buffer
			_, _ = Run(t.Context(), w.o, in, &out)
			if c != "while rows are read" {
				join(w)
				time.Sleep(3500 * time.Millisecond)
			}
			want := "p0@example.com p1@example.com"
			if c == "without a report" {
				lines := strings.SplitAfter(out.String(), "\n")
				out.Reset()
				out.WriteString(lines[0] + lines[1])
				want = "b@example.com " + want
			}
			w.fresh()
			w.o.Mirror.MaxRemovals, w.o.Resume = &Bound{rows: 5}, earlier(t, out.String())
			rep, _, text := w.run(rowsFrom(0, 2))
			got := strings.Fields(w.members(rep))
			slices.Sort(got)
			all := append(strings.Fields(want), "form@example.com")
			slices.Sort(all)
			if !slices.Equal(got, all) || (text == "") != (c != "without a report") {
				t.Errorf("error %q, members %v, want %v", text, got, all)
			}
		})
	}
}

// guarded is a buffer that may be read while a run writes to it.
type guarded struct {
	mu sync.Mutex
	bytes.Buffer
}

func (g *guarded) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.Buffer.Write(p)
}

// Before each removal, the output has a line for everybody in it: a run that is killed then has named all that it
// removed. Afterwards each of them has one line with the result.
func TestMirrorNamesBeforeItRemoves(t *testing.T) {
	t.Parallel()
	const members = 2_500
	var out guarded
	var unnamed, asked atomic.Int64
	watch := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				body, _ := io.ReadAll(r.Body)
				var doc struct{ Data []struct{ ID string } }
				_ = json.Unmarshal(body, &doc)
				out.mu.Lock()
				for _, one := range doc.Data {
					asked.Add(1)
					if !bytes.Contains(out.Bytes(), []byte(`"type":"removing","key":"`)) ||
						!bytes.Contains(out.Bytes(), []byte(`","profile_id":"`+one.ID+`"}`)) {
						unnamed.Add(1)
					}
				}
				out.mu.Unlock()
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
			next.ServeHTTP(w, r)
		})
	}
	var all []string
	for i := range members {
		all = append(all, fmt.Sprintf("old%d@example.com", i))
	}
	w := newMirror(t, &simulator.Plan{Profiles: old(all...)}, watch)
	rep, err := Run(t.Context(), w.o, strings.NewReader(rowsFrom(0, 1)), &out)
	text := out.String()
	if err != nil || unnamed.Load() != 0 || asked.Load() != members || counts(rep).Removed != members ||
		strings.Count(text, `"type":"removing"`) != members || strings.Count(text, `"status":"removed"`) != members {
		t.Errorf("%v: %d of %d not named, %+v", err, unnamed.Load(), asked.Load(), counts(rep))
	}
}

// A mirror that continues a killed one writes a line for everybody whose removal that one announced: for those who are
// not on the list, those who are, and those who cannot be looked up. The report of both counts the first as removed.
func TestMirrorEndsAnnounced(t *testing.T) {
	t.Parallel()
	members := append(old("a@example.com", "b@example.com"),
		simulator.Profile{External: "X-1", Lists: []string{"News"}, Joined: time.Hour})
	w := newMirror(t, &simulator.Plan{Profiles: members}, nil)
	rep, text, failed := w.run(rowsFrom(0, 1))
	if failed != "" || counts(rep).Removed != 3 {
		t.Fatalf("%s, %+v", failed, counts(rep))
	}
	killed := text[:strings.Index(text, `{"type":"member"`)]
	w.fresh()
	back := checkOptions(t)
	back.Client, back.List, back.Wait, back.WaitTimeout, back.MaxOpenJobs = w.o.Client, w.o.List, true, time.Minute, 1
	one := strings.NewReader(`{"email":"b@example.com"}`)
	if rep, err := Run(t.Context(), back, one, io.Discard); rep.Rows.Applied != 1 {
		t.Fatal(err)
	}
	w.fresh()
	w.o.Resume = earlier(t, killed)
	rep, text, failed = w.run(rowsFrom(0, 1))
	var told []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, `{"type":"member"`) {
			told = append(told, status(line))
		}
	}
	slices.Sort(told)
	if got := strings.Join(told, ", "); got != "extra, removed, unknown answer_lost" ||
		!strings.HasPrefix(failed, "1 of 1 members who match no row may still be on the list") {
		t.Errorf("%s, %s", failed, got)
	}
	both, _, err := report.ReadStream("both", strings.NewReader(killed+text))
	if err != nil || counts(both).Removed != 1 || counts(rep).Removed != 0 {
		t.Errorf("%v, %+v, %+v", err, both.Members, rep.Members)
	}
	w.fresh()
	w.o.Resume = earlier(t, killed+text)
	if _, text, _ = w.run(rowsFrom(0, 1)); strings.Count(text, `"type":"member"`) != 1 {
		t.Errorf("those whose end is known have another line: %s", text)
	}
}

// A mirror that a signal stops while it removes people is continued by a mirror: there is nothing to wait for.
func TestMirrorInterrupted(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	w := newMirror(t, &simulator.Plan{Profiles: old("a@example.com")}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				stop(&Interrupted{Signal: "SIGTERM", ExitCode: 143})
			}
			next.ServeHTTP(w, r)
		})
	})
	var out bytes.Buffer
	rep, err := Run(ctx, w.o, strings.NewReader(rowsFrom(0, 1)), &out)
	if rep.ExitCode != 143 || !strings.HasPrefix(Hint(err), "run it again with --resume RESULTS and the same input") {
		t.Errorf("exit status %d, %v, hint %q", rep.ExitCode, err, Hint(err))
	}
}

// TestMirrorKeepsWhoeverABadRowMayName: a rejected text with something like an address in it holds back all removals,
// and one without holds back none.
func TestMirrorKeepsWhoeverABadRowMayName(t *testing.T) {
	t.Parallel()
	plan := &simulator.Plan{Profiles: []simulator.Profile{
		{Email: "ann@example.com", Lists: []string{"News"}, Joined: time.Hour},
		{Email: "old@xn--mller-kva.de", Lists: []string{"News"}, Joined: time.Hour},
	}}
	for text, removed := range map[string]int64{
		"Ann <ann@example.com>": 0, "mailto:ann@example.com": 0, "'ann@example.com": 0, "ann@example.com.": 0,
		"ann@example,com": 0, "ann @example.com": 0, "bo@example.com;ann@example.com": 0, "old@müller.de": 0,
		"ann＠example.com": 0, "ann@example.com\\u200b": 0, "ann@example。com": 0, "a..b@example.com": 0,
		"bob@": 2, "n/a": 2, "@example.com": 2, "bob@example": 2, "bob at example.com": 2, "": 0,
	} {
		w := newMirror(t, plan, nil)
		w.o.MaxInvalid = Bound{rows: 1}
		rep, _, _ := w.run(`{"email":"` + text + `"}` + "\n" + `{"email":"new@example.com"}` + "\n")
		if got := counts(rep); got.Removed != removed || (got.Unmatched == 0) != (removed > 0) || rep.Rows.Rejected != 1 {
			t.Errorf("%q: %+v, %+v", text, got, rep.Rows)
		}
	}
}
