package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
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

	"github.com/segmentio/encoding/json"
	"pgregory.net/rapid"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

// TestLedgerConsent draws runs that set or withdraw consent: people are known or not, on the list or not, dropped or
// late, rows are bad, answers are lost, runs are killed and continued, and people confirm before wait reads them back.
// Whatever happens, a row is applied only where the account shows its consent, nobody is unsubscribed everywhere who
// was only to leave a list, and no run asks twice for a person within 30 minutes.
func TestLedgerConsent(t *testing.T) {
	t.Parallel()
	rounds := max(*ledgerRounds, 1)
	checkRounds(t, rounds, func(rt *rapid.T) {
		const cases = 60
		drawn := make([]*consentCase, cases)
		for i := range drawn {
			drawn[i] = drawConsent(rt)
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

// edge stands before the account: it sees every request as it is sent, and what the client gets for it.
type edge struct {
	http.Handler
	now func() time.Time

	mu     sync.Mutex
	sent   []*edgeRequest
	over   string         // a run that was killed: what it sent and has not arrived never does
	active sync.WaitGroup // requests that have arrived
}

// end returns when the requests of a run that was killed have had their effect, or never will.
func (e *edge) end(run string) {
	e.mu.Lock()
	e.over = run
	e.mu.Unlock()
	e.active.Wait()
}

// edgeRequest is a request that sets or withdraws consent.
type edgeRequest struct {
	run    string
	named  []string // the emails and phone numbers in it
	status int      // 0: there was no answer
	cut    bool     // the answer was not sent whole
}

// refused reports whether the answer proves that the request had no effect.
func (r *edgeRequest) refused() bool { return r.status >= 400 && r.status < 500 && !r.cut }

// lost reports whether the answer leaves open what the request did.
func (r *edgeRequest) lost() bool { return r.status != http.StatusAccepted && !r.refused() }

func (e *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/api/profile-subscription-bulk-") {
		e.Handler.ServeHTTP(w, r)
		return
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	var body struct {
		Data struct {
			Attributes struct {
				Profiles struct {
					Data []struct {
						Attributes struct {
							Email string `json:"email"`
							Phone string `json:"phone_number"`
						} `json:"attributes"`
					} `json:"data"`
				} `json:"profiles"`
			} `json:"attributes"`
		} `json:"data"`
	}
	_ = json.Unmarshal(text, &body)
	one := &edgeRequest{run: r.UserAgent()}
	for _, p := range body.Data.Attributes.Profiles.Data {
		for _, name := range []string{p.Attributes.Email, p.Attributes.Phone} {
			if name != "" {
				one.named = append(one.named, strings.ToLower(name))
			}
		}
	}
	e.mu.Lock()
	if one.run == e.over {
		e.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	e.active.Add(1)
	defer e.active.Done()
	e.sent = append(e.sent, one)
	e.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(text))
	defer func() {
		if p := recover(); p != nil {
			e.mu.Lock()
			one.cut = true
			e.mu.Unlock()
			panic(p)
		}
	}()
	e.Handler.ServeHTTP(&statusWriter{w, func(status int) {
		e.mu.Lock()
		defer e.mu.Unlock()
		one.status = status
	}}, r)
}

// statusWriter tells the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	tell func(status int)
}

func (w *statusWriter) WriteHeader(status int) {
	w.tell(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// consentRun is a case that runs.
type consentRun struct {
	*consentCase
	edge      *edge
	url       string
	sim       *simulator.Simulator
	list      string
	file      string // of results
	ids       map[string]int
	ahead     atomic.Int64 // of the clock
	waited    bool         // the results were read back
	resumed   bool
	exit      int
	confirmed map[int]bool // by person
	ended     time.Time    // of the last run
	notices   bytes.Buffer
	noticeMu  sync.Mutex
}

const consentKey = "pk_0f1e2d3c4b5a69788796a5b4c3d2e1f0"

// run runs the case and returns what is wrong, or "".
func (c *consentCase) run(t *testing.T) string {
	f := &consentRun{consentCase: c, ids: map[string]int{}, waited: c.wait, confirmed: map[int]bool{}}
	now := func() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }
	f.sim = simulator.New(simulator.Options{
		Plan: &simulator.Plan{Seed: 1, Faults: c.faults}, Ledger: true, Now: now, JobTime: time.Millisecond,
		Consent: c.account(), Wrap: func(next http.Handler) http.Handler {
			checked, err := contract.Layer(next, func(breach error) { t.Errorf("breach of the API description: %v", breach) })
			if err != nil {
				t.Error(err)
			}
			return checked
		},
	})
	f.edge = &edge{Handler: f.sim, now: now}
	server := httptest.NewServer(f.edge)
	defer server.Close()
	f.url = server.URL
	f.list = f.sim.AddList("News", c.optIn)
	f.sim.AddList("Other", "single_opt_in")
	for i := range c.people {
		p := &c.people[i]
		if !p.known {
			continue
		}
		lists := []string{"Other"}
		if p.member {
			lists = append(lists, "News")
		}
		f.ids[f.sim.Add(simulator.Profile{
			Email: p.email(), Phone: p.phone(), External: p.external(), Consent: p.consent, Suppression: p.suppression,
			Lists: lists,
		})] = i
	}
	f.ahead.Add(int64(time.Hour)) // what was before the run is older
	folder, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		return err.Error()
	}
	f.file = filepath.Join(folder, "results")
	return f.runAll(t)
}

// runAll runs the case once, continues it if it was killed, and waits later.
func (f *consentRun) runAll(t *testing.T) string {
	out, rep, died, wrong := f.do(t, 0, nil)
	if wrong != "" {
		return wrong
	}
	all := out
	if died {
		f.edge.end("run0")
		if f.resume == "" {
			return f.judgeSent()
		}
		if f.resume == "late" {
			f.ahead.Add(int64(31 * time.Minute))
		}
		if err := os.WriteFile(f.file, out, 0o600); err != nil {
			return err.Error()
		}
		before := time.Now()
		if f.resume == "late" {
			before = before.Add(-31 * time.Minute)
		}
		if err := os.Chtimes(f.file, before, before); err != nil {
			return err.Error()
		}
		earlier, err := OpenEarlier(t.Context(), f.file)
		if err != nil {
			return err.Error()
		}
		defer earlier.Close()
		if earlier.Rows == 0 && earlier.Report == nil {
			return f.judgeSent()
		}
		if out, rep, _, wrong = f.do(t, 1, earlier); wrong != "" {
			return wrong
		}
		if f.resume == "soon" {
			again := slices.ContainsFunc(f.edge.sent, func(r *edgeRequest) bool { return r.run == "run1" })
			if again && !(f.withdraw && f.listless) {
				return "people were asked for again within 30 minutes of a run that was killed"
			}
			if rep.ExitCode == 2 {
				return f.judgeSent()
			}
		}
		whole, cut := bytes.LastIndexByte(all, '\n')+1, []byte(nil)
		if json.Valid(all[whole:]) { // it lacks its newline alone
			cut = append(all[whole:], '\n')
		}
		all, f.resumed = slices.Concat(all[:whole], cut, out), true
	}
	if f.later && rep.ExitCode != 2 && rep.ExitCode != 4 {
		for i := range f.people {
			if p := &f.people[i]; p.confirms {
				n := f.sim.Confirm(p.email())
				if p.phone() != "" {
					n += f.sim.Confirm(p.phone())
				}
				f.confirmed[p.n] = n > 0
			}
		}
		time.Sleep(2 * time.Millisecond)
		var again bytes.Buffer
		o, client, err := f.options("wait")
		if err != nil {
			return err.Error()
		}
		rep, err = Wait(t.Context(), o, bytes.NewReader(all), &again)
		client.Close()
		if wrong := f.secret(again.Bytes(), err); wrong != "" {
			return wrong
		}
		all, f.waited = again.Bytes(), true
	}
	f.ended, f.exit = f.edge.now(), rep.ExitCode
	if wrong := f.judgeSent(); wrong != "" {
		return wrong
	}
	if wrong := f.judgeLines(all, rep); wrong != "" {
		return fmt.Sprintf("%s\n%s", wrong, all)
	}
	return ""
}

// options are those of a run, with a client of its own.
func (f *consentRun) options(run string) (*Options, *sink.Client, error) {
	retry := time.Minute
	if f.impatient {
		retry = 0
	}
	client, err := sink.New(sink.Options{
		BaseURL: f.url, Alone: true, Revision: sink.DefaultRevision, Key: consentKey, UserAgent: run,
		Concurrency: f.senders,
		RateShare:   100, RetryFor: retry, Notice: func(text string) {
			f.noticeMu.Lock()
			defer f.noticeMu.Unlock()
			f.notices.WriteString(text)
		},
	})
	if err != nil {
		return nil, nil, err
	}
	operation, at := validate.Subscribe, ""
	if f.withdraw {
		operation = validate.Unsubscribe
	}
	if f.historical {
		at = "at"
	}
	checker, err := validate.New(validate.Options{
		Operation: operation, By: f.by, Channels: f.channels, ConsentedAt: at,
	})
	if err != nil {
		return nil, nil, err
	}
	o := &Options{
		Operation: operation, Checker: checker, Client: client, Window: f.window, Concurrency: f.senders,
		BatchDelay: time.Hour, mostRows: f.batch, Wait: f.wait, WaitTimeout: 800 * time.Millisecond, MaxOpenJobs: 8,
		Consent: &ConsentOptions{
			Channels: sink.Channels(f.channels), Listless: f.listless, Historical: f.historical, Source: "Shop",
		},
	}
	if !f.listless {
		o.List = sink.ListRef{ID: f.list}
	}
	return o, client, nil
}

// do is one run. died says that it was killed: nothing after that counts.
func (f *consentRun) do(
	t *testing.T, run int, earlier *Earlier,
) (out []byte, rep *report.Report, died bool, wrong string) {
	o, client, err := f.options(fmt.Sprint("run", run))
	if err != nil {
		return nil, nil, false, err.Error()
	}
	defer client.Close()
	o.Resume = earlier
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	k := &killed{left: 1 << 40, end: func() {
		stop(&Interrupted{Signal: "SIGKILL", ExitCode: 137})
		client.Abort()
	}}
	if f.killAt > 0 && run == 0 {
		k.left = f.killAt
	}
	rep, err = Run(ctx, o, strings.NewReader(f.input()), k)
	out = bytes.Clone(k.Bytes())
	return out, rep, k.left < 0, f.secret(out, err)
}

// secret looks for the key in what a run says.
func (f *consentRun) secret(out []byte, err error) string {
	f.noticeMu.Lock()
	defer f.noticeMu.Unlock()
	if text := fmt.Sprint(err) + string(out) + f.notices.String(); strings.Contains(text, consentKey) {
		return "the key is in " + text
	}
	return ""
}

// judgeSent judges what was sent, whatever the results say.
func (f *consentRun) judgeSent() string {
	if over := f.sim.Overruns(); len(over) > 0 {
		return fmt.Sprintf("rate windows are overrun: %v", over)
	}
	times := map[string]int{} // requests that may have had an effect, by run and name
	for _, r := range f.edge.sent {
		if r.refused() {
			continue
		}
		for _, name := range r.named {
			times[fmt.Sprint(r.run, " ", name)]++
		}
	}
	for at, n := range times {
		_, name, _ := strings.Cut(at, " ")
		if rows := f.rowsOf(name); n > rows {
			return fmt.Sprintf("%s: %d requests, %d rows", at, n, rows)
		}
	}
	members := map[string]bool{} // who left the list, by call and row
	for _, e := range f.sim.Ledger() {
		if e.Change == "left" {
			members[fmt.Sprint(e.Call, " ", e.Row)] = true
		}
	}
	for _, e := range f.sim.Ledger() {
		if strings.HasPrefix(e.Change, "unsubscribed") && e.List != "" && !members[fmt.Sprint(e.Call, " ", e.Row)] {
			return fmt.Sprintf("%s was only to leave the list, and is unsubscribed everywhere by call %d", e.Email, e.Call)
		}
	}
	return ""
}
