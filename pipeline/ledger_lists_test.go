package pipeline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

// Whatever lists the rows name, in which order, and whatever goes wrong: each row has one result, in input order, and
// everybody is on the lists of their rows and on no other, as far as the results say.
func TestLedgerLists(t *testing.T) {
	t.Parallel()
	const cases = 30
	checkRounds(t, 1, func(rt *rapid.T) {
		drawn := make([]*listsCase, cases)
		for i := range drawn {
			drawn[i] = drawListsCase(rt)
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
				rt.Fatalf("%s\nrows %q\nlists %q, %d created, first checked %v\n"+
					"%d a batch, %d at once, wait %v, later %v, read back %v, remove %v, retry for %v, faults %+v",
					w, c.kinds, c.lists,
					c.create, c.first, c.batch, c.senders, c.wait, c.later, c.read, c.remove, c.retry, c.plan.Faults)
			}
		}
	})
}

// listsCase is a run whose rows name their lists.
type listsCase struct {
	*ledgerCase
	lists  []string // of the rows, "" for none
	create int
	jobs   int  // that may be open
	first  bool // all rows are checked first
}

// The lists of the account have these names. Two have the last one.
var listNames = []string{"A", "B", "C", "Twice", "Twice"}

func drawListsCase(rt *rapid.T) *listsCase {
	c := &listsCase{ledgerCase: drawCase(rt)}
	c.kinds = c.kinds[:min(len(c.kinds), 20)]
	c.jobs = rapid.SampledFrom([]int{2, 6, 6, 6}).Draw(rt, "open jobs")
	c.create = rapid.IntRange(0, 2).Draw(rt, "create")
	c.first = rapid.IntRange(0, 4).Draw(rt, "check first") == 0
	some := rapid.SampledFrom([][]string{
		{"A"}, {"A", "B", "C"}, {"A", "A", "A", "A", "B"}, {"A", "B", "New", "Other", ""}, {"A", "Twice", "New"},
		{"New", "Twice"},
	}).Draw(rt, "names")
	for range c.kinds {
		c.lists = append(c.lists, rapid.SampledFrom(some).Draw(rt, "list"))
	}
	if c.remove {
		c.create = 0
	}
	slow := func(f simulator.Fault) bool { return f.Do == "stuck" || f.Do == "throttle" }
	c.plan.Faults, c.stuck = slices.DeleteFunc(c.plan.Faults, slow), false // TestLedger has them
	return c
}

// there reports whether the list of a row is there, or can be created.
func (c *listsCase) there(row int) bool {
	var made []string
	for i, name := range c.lists[:row+1] {
		absent := name == "New" || name == "Other"
		if absent && c.kinds[i] != "nope" && c.kinds[i] != "bad" && !(c.remove && c.kinds[i] == "failed") &&
			!slices.Contains(made, name) && len(made) < c.create {
			made = append(made, name)
		}
	}
	name := c.lists[row]
	return slices.Contains(listNames[:3], name) || slices.Contains(made, name)
}

// run runs the case and returns what its results claim wrongly, or "".
func (c *listsCase) run(t *testing.T) string {
	url, sim := contract.Serve(t, simulator.Options{Plan: c.plan, Ledger: true, JobTime: time.Millisecond})
	defer sim.Close()
	client, err := sink.New(sink.Options{
		BaseURL: url, Alone: true, Revision: sink.DefaultRevision, Key: "k",
		Concurrency: c.senders, RateShare: 100, RetryFor: c.retry,
	})
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	rules := validate.Options{ListColumn: "list"}
	if c.remove {
		rules.Operation, rules.By = validate.Remove, "email"
	}
	checker, err := validate.New(rules)
	if err != nil {
		return err.Error()
	}
	ids := map[string]string{}
	for _, name := range listNames {
		ids[name] = sim.AddList(name, "single_opt_in")
	}
	o := &Options{
		Operation: rules.Operation, Checker: checker, Client: client, Lists: &ListsOptions{Create: c.create},
		Window: 1000, Concurrency: c.senders, BatchDelay: time.Hour, Wait: c.wait && !c.remove, WaitTimeout: 25 * time.Second,
		MaxOpenJobs: c.jobs, mostRows: c.batch, Verify: c.wait && c.read, CheckFirst: c.first, MaxInvalid: Bound{rows: 1000},
	}
	in := c.input(sim, url, ids)
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
	if len(rows) == 0 && rep.ExitCode == 2 && c.later && c.retry == 0 {
		return "" // the lists to read back on could not be looked up
	}
	for _, l := range rep.Lists {
		ids[l.Name] = l.ID
	}
	if over := sim.Overruns(); len(over) > 0 {
		return fmt.Sprintf("rate windows are overrun: %v", over)
	}
	return c.verifyLists(rows, rep, ids, sim)
}

// input returns the rows as text. For a removal, all good ones are on their lists first.
func (c *listsCase) input(sim *simulator.Simulator, url string, ids map[string]string) string {
	var in strings.Builder
	members := map[string][]string{}
	for i, kind := range c.kinds {
		person := c.person(i)
		if id := ids[c.lists[i]]; c.remove && id != "" && (kind == "good" || kind == "twin") {
			members[id] = append(members[id], fmt.Sprintf(`{"type":"profile","id":%q}`, sim.AddProfile(person)))
		}
		switch {
		case kind == "nope":
			in.WriteString("nope\n")
			continue
		case kind == "bad" || c.remove && kind == "failed":
			person = "bad@"
		}
		list := "null"
		if c.lists[i] != "" {
			list = fmt.Sprintf("%q", c.lists[i])
		}
		fmt.Fprintf(&in, `{"email":%q,"list":%s}`+"\n", person, list)
	}
	for id, some := range members {
		join(url, id, some)
	}
	return in.String()
}

// verifyLists compares the results with who is on which list.
func (c *listsCase) verifyLists(
	rows []line, rep *report.Report, ids map[string]string, sim *simulator.Simulator,
) string {
	on := map[string]map[string]bool{} // by list and person
	for name, id := range ids {
		on[name] = map[string]bool{}
		for _, m := range sim.Members(id) {
			on[name][strings.ToLower(m)] = true
		}
	}
	some, found := false, false
	for i, kind := range c.kinds {
		good := kind != "nope" && kind != "bad" && !(c.remove && kind == "failed") && c.lists[i] != ""
		some, found = some || good, found || good && c.there(i)
	}
	if some && !found {
		if rep.ExitCode != 2 && rep.ExitCode != 4 || len(rows) > 0 && rep.ExitCode == 2 {
			return fmt.Sprintf("no list is there, exit %d, %d results", rep.ExitCode, len(rows))
		}
		return ""
	}
	if len(rows) != len(c.kinds) && rep.ExitCode != 4 && rep.ExitCode != 2 {
		return fmt.Sprintf("%d results of %d rows, exit %d", len(rows), len(c.kinds), rep.ExitCode)
	}
	named := map[string]bool{} // by list and person
	for i, r := range rows {
		named[c.lists[i]+" "+c.person(i)] = true
		if wrong := c.verifyRow(i, r, rep.ExitCode, on); wrong != "" {
			return fmt.Sprintf("row %d, %s for %q: %s: %+v", i+1, c.kinds[i], c.lists[i], wrong, r)
		}
	}
	for name, people := range on {
		for person := range people {
			if !c.remove && !named[name+" "+person] {
				return fmt.Sprintf("%s is on list %q, and no row says so; exit %d, %s", person, name, rep.ExitCode, rep.Error)
			}
		}
	}
	tolerated := slices.Clone(rows)
	for i := range tolerated {
		if tolerated[i].Status == "rejected" {
			tolerated[i].Status = "skipped" // as MaxInvalid allows
		}
	}
	return c.verifyExit(tolerated, rep.ExitCode)
}

// verifyRow says what is wrong with one result, "" for nothing.
func (c *listsCase) verifyRow(i int, r line, exit int, on map[string]map[string]bool) string {
	kind, code := c.kinds[i], map[string]string{"nope": "json_invalid", "bad": "email_invalid"}[c.kinds[i]]
	switch {
	case code != "":
	case c.remove && kind == "failed":
		code = "email_invalid"
	case c.lists[i] == "":
		code = "list_missing"
	case !c.there(i):
		code = "list_not_found"
	}
	if code != "" {
		if r.Status == "rejected" && r.Code == code {
			return ""
		}
		if (r.Status == "unsent" || r.Status == "skipped") && (exit == 2 || exit == 4) && code == "list_not_found" {
			return "" // its list was not looked up, or that of the row that it repeats
		}
		return "expected rejected " + code
	}
	twin := false
	for j := range i {
		twin = twin || c.person(j) == c.person(i) && c.lists[j] == c.lists[i] && c.kinds[j] != "nope" && c.kinds[j] != "bad"
	}
	is := on[c.lists[i]][c.person(i)]
	changed := is != c.remove
	if c.remove && kind == "refused" {
		changed = false
	}
	switch r.Status {
	case "applied", "accepted":
		switch {
		case twin, kind == "refused":
			return "it was not to be sent, or accepted"
		case r.Status == "applied" && !changed, r.Status == "applied" && kind == "failed":
			return "it is not so"
		case r.Status == "applied" && !c.wait && !c.remove:
			return "there is no proof"
		case r.Status == "accepted" && c.wait && !c.stuck && exit != 4 && exit != 2:
			return "its import job was waited for"
		}
	case "skipped":
		if !twin && !(c.remove && kind == "refused") {
			return "it is no duplicate"
		}
	case "rejected":
		if kind == "good" || kind == "twin" || changed {
			return "it was to be accepted"
		}
	case "unsent":
		if exit != 4 && exit != 2 || changed && !twin && !c.remove {
			return fmt.Sprintf("exit %d, changed %v", exit, changed)
		}
	case "unknown":
		if !c.proof[r.Code] {
			return "nothing was lost"
		}
	default:
		return "unexpected"
	}
	return ""
}
