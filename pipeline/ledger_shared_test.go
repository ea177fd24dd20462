package pipeline

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

// TestLedgerShared draws what TestLedgerConsent does not: people share phone numbers and have several addresses,
// Klaviyo refuses rows with a name or without, runs are cancelled, and the account is judged at each moment of a run.
// No row is applied that the account never showed, nobody loses all consent who was only to leave a list, no request is
// repeated after a lost answer, the report counts what the lines say, and the key is nowhere.
func TestLedgerShared(t *testing.T) {
	t.Parallel()
	rounds := max(*ledgerRounds, 1)
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	if err := checks.Set(fmt.Sprint(rounds)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = checks.Set(before) }()
	rapid.Check(t, func(rt *rapid.T) {
		const cases = 60
		drawn := make([]*sharedCase, cases)
		for i := range drawn {
			drawn[i] = drawShared(rt)
		}
		wrong := make([]string, cases)
		var wait sync.WaitGroup
		for i, c := range drawn {
			wait.Go(func() { wrong[i] = c.run(t) })
		}
		wait.Wait()
		for i, w := range wrong {
			if w != "" {
				rt.Fatalf("%s\n%+v", w, *drawn[i])
			}
		}
	})
}

// run runs the case and returns what is wrong, or "".
func (c *sharedCase) run(t *testing.T) string {
	f := &sharedRun{c: c}
	options := simulator.Options{
		Plan: &simulator.Plan{Seed: 1, Faults: c.faults, AlsoFound: c.alsoFound, Consent: &c.account}, Ledger: true,
		JobTime: time.Millisecond, MaxPage: 2, Now: f.now,
	}
	options.Wrap = func(next http.Handler) http.Handler {
		checked, err := contract.Layer(next, func(breach error) { t.Errorf("breach of the API description: %v", breach) })
		if err != nil {
			t.Error(err)
		}
		return checked
	}
	f.sim = simulator.New(options)
	f.edge = &edge{Handler: c.refusing(f.sim), now: f.now}
	server := httptest.NewServer(f.edge)
	defer server.Close()
	f.url = server.URL
	folder, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		return err.Error()
	}
	f.fill()
	f.file = filepath.Join(folder, "results")
	w := f.run(t, nil)
	if w == "" && c.then != "" {
		for person := range c.people {
			if person%2 == 0 {
				f.sim.Confirm(c.address(person, false))
			}
		}
		if !c.soon {
			f.ahead.Add(int64(time.Hour))
		}
		earlier := f.last().out
		if w = f.write(earlier); w == "" && c.then == "wait" {
			w = f.waitLater(t, earlier)
		} else if w == "" {
			w = f.run(t, earlier)
		}
	}
	if w == "" {
		w = f.judge()
	}
	if w != "" {
		for i, r := range f.runs {
			w += fmt.Sprintf("\nrun %d, %v to %v:\n%s", i+1, r.began, r.ended, r.out)
		}
		for _, e := range f.sim.Ledger() {
			w += fmt.Sprintf("%+v\n", e)
		}
		for _, r := range f.edge.sent {
			w += fmt.Sprintf("%+v\n", *r)
		}
		return w
	}
	return ""
}

// sharedRun is a case while it runs.
type sharedRun struct {
	c     *sharedCase
	ahead atomic.Int64 // of the account's clock
	sim   *simulator.Simulator
	edge  *edge
	url   string
	file  string // of results
	list  string
	ids   []string            // of the people's profiles, "" for a stranger
	names map[string][]string // the identifiers of all profiles, by id
	runs  []sharedResult
}

// sharedResult is what one run wrote.
type sharedResult struct {
	began, ended time.Time // by the account's clock
	out          []byte
	rep          *report.Report
	died         bool // and it wrote no report
	resumed      bool // it has no lines of some rows
	waited       bool
}

func (f *sharedRun) now() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }

func (f *sharedRun) last() *sharedResult { return &f.runs[len(f.runs)-1] }

// fill adds the lists and the people.
func (f *sharedRun) fill() {
	optIn := "single_opt_in"
	if f.c.double {
		optIn = "double_opt_in"
	}
	f.list = f.sim.AddList("News", optIn)
	f.sim.AddList("Other", "single_opt_in")
	for i := range f.c.people {
		p := &f.c.people[i]
		if p.kind == "stranger" {
			f.ids = append(f.ids, "")
			continue
		}
		profile := simulator.Profile{
			Email: f.c.address(i, false), Phone: p.number(), External: fmt.Sprintf("x%d", i), Consent: p.consent,
		}
		if p.alias {
			profile.Also = []string{f.c.address(i, true)}
		}
		if p.member {
			profile.Lists = append(profile.Lists, "News")
		}
		if p.elsewhere {
			profile.Lists = append(profile.Lists, "Other")
		}
		f.ids = append(f.ids, f.sim.Add(profile))
	}
	f.ahead.Add(int64(time.Hour)) // all of that was before the run
}

// write writes earlier results as they were when the run after them begins.
func (f *sharedRun) write(results []byte) string {
	if err := os.WriteFile(f.file, results, 0o600); err != nil {
		return err.Error()
	}
	if !f.c.soon {
		ago := time.Now().Add(-time.Hour)
		if err := os.Chtimes(f.file, ago, ago); err != nil {
			return err.Error()
		}
	}
	return ""
}

// options are those of a run. Nothing is waited for long where some people never show.
func (f *sharedRun) options() (*Options, func(), error) {
	c := f.c
	retry := time.Minute
	if c.impatient {
		retry = 0
	}
	client, err := sink.New(sink.Options{
		BaseURL: f.url, Alone: true, Revision: sink.DefaultRevision, Key: consentKey, Concurrency: c.senders,
		RateShare: 100, RetryFor: retry, UserAgent: fmt.Sprint("run", len(f.runs)+1),
	})
	if err != nil {
		return nil, nil, err
	}
	checks := validate.Options{Operation: validate.Subscribe, By: c.by, Channels: validate.Channels(c.channels)}
	if c.withdraw {
		checks.Operation = validate.Unsubscribe
	}
	if c.history {
		checks.ConsentedAt = "at"
	}
	checker, err := validate.New(checks)
	if err != nil {
		return nil, nil, err
	}
	o := &Options{
		Operation: checks.Operation, Checker: checker, Client: client, List: sink.ListRef{ID: f.list}, Window: 1000,
		Concurrency: c.senders, BatchDelay: time.Hour, mostRows: c.batch, Wait: c.wait, WaitTimeout: 20 * time.Second,
		Consent: &ConsentOptions{Channels: c.channels, Listless: c.listless, Historical: c.history},
	}
	if !c.allShow() {
		o.WaitTimeout = 1200 * time.Millisecond
	}
	if c.listless {
		o.List = sink.ListRef{}
	}
	return o, client.Close, nil
}

// allShow reports whether the account comes to show every row that it accepts.
func (c *sharedCase) allShow() bool {
	if len(c.faults) > 0 || c.alsoFound == "never" || c.by != "email" || c.channels != sink.EmailMarketing ||
		c.listless && !c.withdraw && !c.history && !c.account.SingleOptIn {
		return false
	}
	return !slices.ContainsFunc(c.people, func(p sharedPerson) bool { return p.kind == "drop" || p.alias })
}

// run is the first run, or one that continues earlier results. It returns what is wrong, or "".
func (f *sharedRun) run(t *testing.T, earlier []byte) string {
	o, end, err := f.options()
	if err != nil {
		return err.Error()
	}
	defer end()
	if earlier != nil {
		if o.Resume, err = OpenEarlier(t.Context(), f.file); err != nil {
			return err.Error()
		}
		defer o.Resume.Close()
		if o.Resume.Rows == 0 && o.Resume.Report == nil {
			if o.Resume = nil; f.c.soon {
				return "" // nothing says that there was a run
			}
		}
	}
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	k := &killed{left: 1 << 40, end: func() {
		stop(&Interrupted{Signal: "SIGKILL", ExitCode: 137})
		o.Client.Abort()
	}}
	if earlier == nil && f.c.killAt > 0 {
		k.left = f.c.killAt
	}
	if earlier == nil && f.c.cancelAfter > 0 {
		time.AfterFunc(time.Duration(f.c.cancelAfter)*time.Millisecond, func() {
			stop(&Interrupted{Signal: "SIGINT", ExitCode: 130})
		})
	}
	r := sharedResult{began: f.now(), resumed: earlier != nil, waited: f.c.wait}
	r.rep, err = Run(ctx, o, strings.NewReader(f.c.input()), k)
	r.ended, r.out, r.died = f.now(), bytes.Clone(k.Bytes()), k.left < 0
	f.runs = append(f.runs, r)
	if err != nil && strings.Contains(err.Error(), consentKey) {
		return "the error has the key: " + err.Error()
	}
	return f.repeated()
}

// waitLater waits for the results of the first run.
func (f *sharedRun) waitLater(t *testing.T, earlier []byte) string {
	o, end, err := f.options()
	if err != nil {
		return err.Error()
	}
	defer end()
	var out bytes.Buffer
	first := &f.runs[0]
	r := sharedResult{began: first.began, waited: true}
	r.resumed = first.died || !slices.Contains([]int{0, 1, 3}, first.rep.ExitCode)
	r.rep, _ = Wait(t.Context(), o, bytes.NewReader(earlier), &out)
	r.ended, r.out = f.now(), out.Bytes()
	f.runs = append(f.runs, r)
	if slices.ContainsFunc(f.edge.sent, func(r *edgeRequest) bool { return r.run == "run2" }) {
		return "wait asked for consent"
	}
	return ""
}

// repeated looks for people in requests of the last run that follow one that named them too, and may have had its
// effect. Rows that repeat a person are skipped.
func (f *sharedRun) repeated() string {
	f.edge.mu.Lock()
	defer f.edge.mu.Unlock()
	named := map[string]bool{}
	for _, r := range f.edge.sent {
		if r.run != fmt.Sprint("run", len(f.runs)) {
			continue
		}
		for _, name := range r.named {
			if named[name] && strings.HasPrefix(name, "+") == (f.c.by == "phone_number") && f.c.by != "external_id" {
				return name + " was named again after a request that may have had its effect"
			}
		}
		if !r.refused() {
			for _, name := range r.named {
				named[name] = true
			}
		}
	}
	return ""
}
