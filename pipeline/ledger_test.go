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

	"github.com/segmentio/encoding/json"
	"pgregory.net/rapid"

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

var ledgerRounds = flag.Int("ledger.rounds", 0, "rounds of TestLedger, each of 100 cases (0 = 1, with -long 3)")

// Whatever the rows and the faults, no result claims what the simulated Klaviyo does not confirm: who is on the
// list. A longer run is go test ./pipeline -run TestLedger -ledger.rounds 100 -timeout 1h.
func TestLedger(t *testing.T) {
	t.Parallel()
	const cases = 100
	rounds := *ledgerRounds
	switch {
	case rounds == 0 && *long:
		rounds = 3
	case rounds == 0:
		rounds = 1
	}
	checkRounds(t, rounds, func(rt *rapid.T) {
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
				c := drawn[i]
				rt.Fatalf("%s\nrows %q\n%d a batch, %d at once, wait %v, read back %v, remove %v, retry for %v, faults %+v",
					w, c.kinds, c.batch, c.senders, c.wait, c.read, c.remove, c.retry, c.plan.Faults)
			}
		}
	})
}

// ledgerCase is a run: rows by kind, how they are sent, and what goes wrong.
type ledgerCase struct {
	kinds          []string
	batch, senders int
	wait, remove   bool
	clear          bool // each row clears a property that its profile has
	later          bool // the results are waited for by Wait
	read           bool // what was waited for is read back on the list
	retry          time.Duration
	plan           *simulator.Plan
	proof          map[string]bool // codes of unknown rows that the faults explain
	stuck          bool
}

// run runs the case and returns what its results claim wrongly, or "".
func (c *ledgerCase) run(t *testing.T) string {
	url, sim := contract.Serve(t, simulator.Options{Plan: c.plan, Ledger: true, JobTime: time.Millisecond, MaxPage: 1})
	defer sim.Close()
	client, err := sink.New(sink.Options{
		BaseURL: url, Alone: true, Revision: sink.DefaultRevision, Key: "k",
		Concurrency: c.senders, RateShare: 100, RetryFor: c.retry,
	})
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	options := validate.Options{Nulls: validate.Clear}
	if c.remove {
		options.Operation = validate.Remove
	}
	checker, err := validate.New(options)
	if err != nil {
		return err.Error()
	}
	list := sim.AddList("Old", "single_opt_in")
	o := &Options{
		Operation: options.Operation, Checker: checker, Client: client, List: sink.ListRef{Name: "News", Create: !c.remove},
		Window: 1000, Concurrency: c.senders, BatchDelay: time.Hour, Wait: c.wait, WaitTimeout: 25 * time.Second,
		MaxOpenJobs: 6, mostRows: c.batch, Verify: c.wait && c.read && !c.remove,
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
		o.Verify = c.read && !c.remove
		rep, _ = Wait(t.Context(), o, sent, &out)
		c.wait = true
	}
	rows, _ := parse(t, out.Bytes())
	if !c.remove {
		list = rep.List.ID
	}
	if over := sim.Overruns(); len(over) > 0 {
		return fmt.Sprintf("rate windows are overrun: %v", over)
	}
	if wrong := c.verify(rows, rep.ExitCode, sim.Members(list)); wrong != "" || !o.Verify || c.later {
		return wrong
	}
	return c.verifyCleared(rows, url)
}

// input returns the rows as text. For a removal, all good ones are on the list first.
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
		case c.clear:
			fmt.Fprintf(&in, `{"email":%q,"plan":null}`+"\n", value)
		default:
			fmt.Fprintf(&in, `{"email":%q}`+"\n", value)
		}
	}
	if len(members) > 0 {
		join(url, list, members)
	}
	return in.String()
}

// join puts profiles on a list.
func join(url, list string, members []string) {
	body := strings.NewReader(`{"data":[` + strings.Join(members, ",") + `]}`)
	req, _ := http.NewRequest(http.MethodPost, url+"/api/lists/"+list+"/relationships/profiles", body)
	req.Header.Set("Authorization", "Klaviyo-API-Key k")
	req.Header.Set("Revision", sink.DefaultRevision)
	req.Header.Set("Content-Type", "application/vnd.api+json")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusNoContent {
		panic(fmt.Sprint("the list could not be filled: ", err, res))
	}
	res.Body.Close()
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
	sent := map[string]bool{} // people that an earlier row may have changed
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
			if r.Status == "applied" && (!changed || c.kinds[i] == "failed") ||
				c.kinds[i] == "refused" || c.kinds[i] == "bad" || c.kinds[i] == "nope" {
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

// verifyCleared compares the results with who still has the property. An applied row that was read back has lost it.
func (c *ledgerCase) verifyCleared(rows []line, url string) string {
	res, err := http.Get(url + "/simulator/profiles")
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	var profiles []struct {
		Email      string
		Properties struct{ Plan string }
	}
	if err := json.NewDecoder(res.Body).Decode(&profiles); err != nil {
		return err.Error()
	}
	has := map[string]bool{}
	for _, p := range profiles {
		has[p.Email] = p.Properties.Plan != ""
	}
	for i, r := range rows {
		switch kept := has[c.person(i)]; {
		case c.clear && r.Status == "applied" && r.Verified == nil && kept,
			r.Code == "not_cleared" && !(c.clear && kept):
			return fmt.Sprintf("row %d is %s %s, has the property: %v", r.Row, r.Status, r.Code, kept)
		}
	}
	return ""
}

// verifyExit compares the exit status with the rows.
func (c *ledgerCase) verifyExit(rows []line, exit int) string {
	worst, through, alone := 0, false, 0
	for i, r := range rows {
		through = through || r.Status == "applied" || r.Status == "accepted"
		if r.Status == "unsent" && c.kinds[i] == "refused" {
			alone++
		}
		switch r.Status {
		case "rejected", "unknown", "unsent":
			worst = max(worst, 1)
		case "accepted":
			if c.wait {
				worst = max(worst, 3)
			}
		}
	}
	if exit == 2 && !through && alone > 1 {
		return "" // Klaviyo refused every request, without a name: the requests themselves count as wrong
	}
	if exit != worst && !(exit == 4 && c.retry == 0) {
		return fmt.Sprintf("exit %d, the rows say %d", exit, worst)
	}
	return ""
}
