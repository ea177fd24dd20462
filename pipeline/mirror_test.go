package pipeline

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

// mirrorWorld is a simulated Klaviyo, and the options of a mirror of its list News.
type mirrorWorld struct {
	*testing.T
	sim  *simulator.Simulator
	list string
	url  string
	o    *Options
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
	w.o.Client = newClient(w, &sink.Options{BaseURL: w.url, Alone: true, Concurrency: 4, RateShare: 100, RetryFor: time.Minute})
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

// A share of the members is one of those before the run: people whom the rows add make no room for removals. A wrong
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
