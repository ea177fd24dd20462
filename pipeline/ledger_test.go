package pipeline

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

var ledgerRounds = flag.Int("ledger.rounds", 3, "rounds of TestLedger, each of 100 cases")

// TestLedger runs random rows against random faults, and compares what the results claim with what a Klaviyo without
// secrets knows: who is on the list. A longer run is go test ./pipeline -run TestLedger -ledger.rounds 100 -timeout 1h.
func TestLedger(t *testing.T) {
	t.Parallel()
	const cases = 100
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	if err := checks.Set(fmt.Sprint(*ledgerRounds)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = checks.Set(before) }()
	rapid.Check(t, func(rt *rapid.T) {
		drawn := make([]*ledgerCase, cases)
		for i := range drawn {
			drawn[i] = drawCase(rt)
		}
		wrong := make([]string, cases)
		var wait sync.WaitGroup
		for i, c := range drawn {
			wait.Go(func() { wrong[i] = c.run(t) })
		}
		wait.Wait()
		for i, w := range wrong {
			if w != "" {
				rt.Fatalf("%s\nrows %q\n%d a batch, %d at once, wait %v, remove %v, retry for %v, faults %+v", w, drawn[i].kinds, drawn[i].batch, drawn[i].senders, drawn[i].wait, drawn[i].remove, drawn[i].retry, drawn[i].plan.Faults)
			}
		}
	})
}

// ledgerCase is a job: rows by kind, how they are sent, and what goes wrong.
type ledgerCase struct {
	kinds          []string
	batch, senders int
	wait, remove   bool
	later          bool // not waited for at once, but by Wait
	retry          time.Duration
	plan           *simulator.Plan
	proof          map[string]bool // codes of unknown rows that the plan allows
	stuck          bool
}

// The kinds of rows. A twin repeats the person of the first good row.
var rowKinds = []string{"good", "good", "good", "good", "refused", "failed", "failed", "bad", "twin", "nope"}

const (
	importing = "POST /api/profile-bulk-import-jobs"
	watching  = "GET /api/profile-bulk-import-jobs/{id}"
	listing   = "GET /api/profile-bulk-import-jobs"
	reading   = "GET /api/profile-bulk-import-jobs/{id}/import-errors"
	removing  = "DELETE /api/lists/{id}/relationships/profiles"
)

func drawCase(rt *rapid.T) *ledgerCase {
	c := &ledgerCase{
		kinds:   rapid.SliceOfN(rapid.SampledFrom(rowKinds), 0, 40).Draw(rt, "rows"),
		batch:   rapid.IntRange(3, 15).Draw(rt, "batch"),
		senders: rapid.IntRange(1, 5).Draw(rt, "senders"),
		wait:    rapid.Bool().Draw(rt, "wait"),
		later:   rapid.Bool().Draw(rt, "later"),
		remove:  rapid.IntRange(0, 3).Draw(rt, "remove") == 0,
		retry:   time.Minute,
		proof:   map[string]bool{},
	}
	c.plan = &simulator.Plan{Seed: 1, Faults: c.drawFaults(rt)}
	return c
}

// drawFaults draws what goes wrong with answers, and for imports what is wrong with rows and jobs.
func (c *ledgerCase) drawFaults(rt *rapid.T) []simulator.Fault {
	ons := []string{importing, importing, watching, listing, reading, "GET /api/lists", "POST /api/lists"}
	if c.remove {
		ons = []string{removing, "GET /api/lists"}
	}
	var faults []simulator.Fault
	for range rapid.IntRange(0, 2).Draw(rt, "faults") {
		f := rapid.SampledFrom([]simulator.Fault{
			{Do: "status", Status: 500}, {Do: "status", Status: 502, As: "page"}, {Do: "status", Status: 503}, {Do: "status", Status: 524, As: "page"},
			{Do: "challenge"}, {Do: "throttle"}, {Do: "reset"}, {Do: "reset", Processed: true},
			{Do: "lose", Status: 504}, {Do: "lose", Status: 200, As: "empty"}, {Do: "lose", As: "no_id", Status: 202}, {Do: "truncate"},
			{Do: "delay", Before: 300 * time.Millisecond}, {Do: "delay", After: 300 * time.Millisecond}, {Do: "relink", To: "http://127.0.0.1:9"},
		}).Draw(rt, "fault")
		f.On = rapid.SampledFrom(ons).Draw(rt, "on")
		f.Skip = rapid.IntRange(0, 4).Draw(rt, "skip")
		f.Times = rapid.IntRange(1, 2).Draw(rt, "times")
		faults = append(faults, f)
	}
	if rapid.IntRange(0, 2).Draw(rt, "impatient") == 0 {
		c.retry = 0
		c.proof["answer_lost"] = true
	}
	if c.remove {
		return faults
	}
	if n := rapid.IntRange(1, 30).Draw(rt, "too large from"); n <= 12 {
		faults = append(faults, simulator.Fault{Do: "too_large", Times: -1, Profiles: n})
	}
	refuse := simulator.Fault{Do: "refuse", Times: -1, Addresses: []string{"refused*"}, Code: "invalid", Detail: "Invalid."}
	refuse.Naming = rapid.SampledFrom([]string{"all", "rounds", "unnamed"}).Draw(rt, "naming")
	return append(append(faults, refuse), c.drawJobFaults(rt)...)
}

func (c *ledgerCase) drawJobFaults(rt *rapid.T) []simulator.Fault {
	fail := simulator.Fault{
		Do: "fail", Times: -1, Addresses: []string{"failed*"}, Code: "duplicate_profile", Detail: "Taken.",
		Payload:   rapid.SampledFrom([]string{"full", "none", "attributes"}).Draw(rt, "payload"),
		Pointer:   rapid.SampledFrom([]string{"index", "data"}).Draw(rt, "pointer"),
		Uppercase: rapid.Bool().Draw(rt, "uppercase"),
	}
	if rapid.IntRange(0, 3).Draw(rt, "few") == 0 {
		n := rapid.IntRange(0, 3).Draw(rt, "report")
		fail.Report = &n
		c.proof["errors_incomplete"] = true
	}
	if fail.Payload == "none" && fail.Pointer == "data" {
		c.proof["error_unmatched"], c.proof["errors_incomplete"] = true, true
	}
	faults := []simulator.Fault{fail}
	switch rapid.IntRange(0, 8).Draw(rt, "job") {
	case 0:
		faults = append(faults, simulator.Fault{Do: "cancel", Skip: 1})
		c.proof["job_cancelled"] = true
	case 1:
		faults = append(faults, simulator.Fault{Do: "stuck"})
		c.stuck = true
	}
	return faults
}

// run does the job and returns what it claims wrongly, or "".
func (c *ledgerCase) run(t *testing.T) string {
	url, sim := contract.Serve(t, simulator.Options{Plan: c.plan, Ledger: true, JobTime: time.Millisecond, MaxPage: 1})
	defer sim.Close()
	client, err := sink.New(sink.Options{BaseURL: url, Alone: true, Revision: sink.DefaultRevision, Key: "pk_ledger", Concurrency: c.senders, RateShare: 100, RetryFor: c.retry})
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	options := validate.Options{}
	if c.remove {
		options.Operation = validate.Remove
	}
	checker, err := validate.New(options)
	if err != nil {
		return err.Error()
	}
	list := sim.AddList("Old", "single_opt_in")
	o := &Options{
		Operation: options.Operation, Checker: checker, Client: client, List: sink.ListRef{Name: "News", Create: !c.remove}, Window: 1000,
		Concurrency: c.senders, BatchDelay: time.Hour, Wait: c.wait, WaitTimeout: 25 * time.Second, MaxOpenJobs: 6, mostRows: c.batch,
	}
	if c.stuck {
		o.WaitTimeout = 8 * time.Second
	}
	if c.remove {
		o.List.Name = "Old"
	}
	in := c.input(sim, url, list)
	var out bytes.Buffer
	rep, _ := Run(t.Context(), o, strings.NewReader(in), &out)
	if !c.wait && c.later && rep.ExitCode <= 1 {
		sent := bytes.NewReader(bytes.Clone(out.Bytes()))
		out.Reset()
		rep, _ = Wait(t.Context(), o, sent, &out)
		c.wait = true
	}
	rows, _ := parse(t, out.Bytes())
	if !c.remove {
		list = rep.List.ID
	}
	if over := sim.Overruns(); len(over) > 0 {
		return fmt.Sprintf("windows are overrun: %v", over)
	}
	return c.verify(rows, rep.ExitCode, sim.Members(list))
}

// input writes the rows; for a removal all good ones are on the list at first.
func (c *ledgerCase) input(sim *simulator.Simulator, url, list string) string {
	var in strings.Builder
	var members []string
	for i, kind := range c.kinds {
		value := c.person(i)
		if c.remove && (kind == "good" || kind == "twin") {
			value = sim.AddProfile(value)
			members = append(members, fmt.Sprintf(`{"type":"profile","id":%q}`, value))
		}
		switch {
		case kind == "nope":
			in.WriteString("nope\n")
		case c.remove && kind == "refused":
			in.WriteString(`{"profile_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}` + "\n")
		case c.remove && (kind == "bad" || kind == "failed"):
			in.WriteString(`{"profile_id":"a b"}` + "\n")
		case c.remove:
			fmt.Fprintf(&in, `{"profile_id":%q}`+"\n", value)
		case kind == "bad":
			in.WriteString(`{"email":"bad@"}` + "\n")
		default:
			fmt.Fprintf(&in, `{"email":%q}`+"\n", value)
		}
	}
	if len(members) > 0 {
		body := strings.NewReader(`{"data":[` + strings.Join(members, ",") + `]}`)
		req, _ := http.NewRequest(http.MethodPost, url+"/api/lists/"+list+"/relationships/profiles", body)
		for name, value := range map[string]string{"Authorization": "Klaviyo-API-Key k", "Revision": sink.DefaultRevision, "Content-Type": "application/vnd.api+json"} {
			req.Header.Set(name, value)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil || res.StatusCode != http.StatusNoContent {
			panic(fmt.Sprint("the list could not be filled: ", err, res))
		}
		res.Body.Close()
	}
	return in.String()
}

// person is the address of the n-th row.
func (c *ledgerCase) person(n int) string {
	kind := c.kinds[n]
	if kind == "twin" {
		for i, k := range c.kinds {
			if k == "good" || k == "twin" {
				return fmt.Sprintf("good%d@example.com", i)
			}
		}
	}
	return fmt.Sprintf("%s%d@example.com", kind, n)
}

// verify compares the results with who is on the list.
func (c *ledgerCase) verify(rows []line, exit int, members []string) string {
	on := map[string]bool{}
	for _, m := range members {
		on[strings.ToLower(m)] = true
	}
	if len(rows) != len(c.kinds) && (len(rows) > len(c.kinds) || exit != 2 && exit != 4) {
		return fmt.Sprintf("%d results of %d rows, exit %d", len(rows), len(c.kinds), exit)
	}
	sent := map[string]bool{} // whom another row than a twin may have changed
	for i, r := range rows {
		person := c.person(i)
		changed := on[person] != c.remove
		if c.remove && c.kinds[i] != "good" && c.kinds[i] != "twin" {
			changed = false // they were never on the list
		}
		switch r.Status {
		case "applied", "accepted":
			if r.Status == "applied" && !c.wait && !c.remove {
				return fmt.Sprintf("row %d is applied without a proof", r.Row)
			}
			if r.Status == "accepted" && c.wait && !c.stuck && exit != 4 && exit != 2 {
				return fmt.Sprintf("row %d is accepted although its import job was waited for; exit %d", r.Row, exit)
			}
			if r.Status == "applied" && !changed || c.kinds[i] == "refused" || c.kinds[i] == "bad" || c.kinds[i] == "nope" || r.Status == "applied" && c.kinds[i] == "failed" {
				return fmt.Sprintf("row %d, %s, is %s; changed: %v", r.Row, c.kinds[i], r.Status, changed)
			}
			sent[person] = true
		case "skipped":
			if c.kinds[i] != "twin" && !(c.remove && c.kinds[i] == "refused") {
				return fmt.Sprintf("row %d, %s, is skipped", r.Row, c.kinds[i])
			}
		case "rejected":
			if c.kinds[i] == "good" || c.kinds[i] == "twin" || changed {
				return fmt.Sprintf("row %d, %s, is rejected (%s %s); changed: %v", r.Row, c.kinds[i], r.Stage, r.Code, changed)
			}
		case "unsent":
			if exit != 4 && exit != 2 || changed && !sent[person] {
				return fmt.Sprintf("row %d, %s, is unsent; exit %d, changed: %v", r.Row, c.kinds[i], exit, changed)
			}
		case "unknown":
			if !c.proof[r.Code] {
				return fmt.Sprintf("row %d, %s, is unknown by %s although nothing was lost", r.Row, c.kinds[i], r.Code)
			}
			sent[person] = true
		default:
			return fmt.Sprintf("row %d is %s", r.Row, r.Status)
		}
	}
	return c.verifyExit(rows, exit)
}

// verifyExit compares the exit status with the rows.
func (c *ledgerCase) verifyExit(rows []line, exit int) string {
	worst := 0
	for _, r := range rows {
		switch r.Status {
		case "rejected", "unknown", "unsent":
			worst = max(worst, 1)
		case "accepted":
			if c.wait {
				worst = max(worst, 3)
			}
		}
	}
	if exit != worst && !(exit == 4 && c.retry == 0) {
		return fmt.Sprintf("exit %d, the rows say %d", exit, worst)
	}
	return ""
}
