package pipeline

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
	"klaviyo-export/validate"
)

// The endpoints of look-ups and of reading back.
const (
	lookingUp     = "GET /api/lists/{id}/profiles"
	ofProfiles    = "GET /api/profiles"
	relationships = "GET /api/lists/{id}/relationships/profiles"
	memberships   = "GET /api/profiles/{id}/lists"
)

// TestLedgerBy is TestLedger for people who are named by email, phone number or external id: whatever the people, the
// rows and the faults, a removal takes off exactly the people who are named, and claims nothing that the simulated
// Klaviyo does not confirm.
func TestLedgerBy(t *testing.T) {
	t.Parallel()
	rounds := max(*ledgerRounds, 1)
	checkRounds(t, rounds, func(rt *rapid.T) {
		const cases = 100
		drawn := make([]*byCase, cases)
		for i := range drawn {
			drawn[i] = drawBy(rt)
		}
		wrong := make([]string, cases)
		var wait sync.WaitGroup
		for i, c := range drawn {
			wait.Go(func() { wrong[i] = c.run(t) })
		}
		wait.Wait()
		for i, w := range wrong {
			if w != "" {
				rt.Fatalf("%s\n%+v\nfaults %+v", w, *drawn[i], drawn[i].faults)
			}
		}
	})
}

// byCase is a removal. Every person has an email, the number of number[i] unless that is 0, and the external id xi.
// Persons below members are on the list, those from known on are not even in the account.
type byCase struct {
	by                string
	number            []int
	members, known    int
	rows              []int // the person of each row
	batch, senders    int
	verify, impatient bool
	faults            []simulator.Fault

	names []string // of the persons in the account, as the simulator names members
}

func drawBy(rt *rapid.T) *byCase {
	c := &byCase{
		by:     rapid.SampledFrom([]string{"email", "phone_number", "external_id"}).Draw(rt, "by"),
		number: rapid.SliceOfN(rapid.IntRange(0, 6), 1, 30).Draw(rt, "numbers"),
		batch:  rapid.IntRange(2, 12).Draw(rt, "batch"), senders: rapid.IntRange(1, 4).Draw(rt, "senders"),
		verify: rapid.Bool().Draw(rt, "verify"), impatient: rapid.IntRange(0, 3).Draw(rt, "impatient") == 0,
	}
	c.members = rapid.IntRange(0, len(c.number)).Draw(rt, "members")
	c.known = rapid.IntRange(c.members, len(c.number)).Draw(rt, "known")
	c.rows = rapid.SliceOfN(rapid.IntRange(0, len(c.number)-1), 1, 30).Draw(rt, "rows")
	for range rapid.IntRange(0, 3).Draw(rt, "faults") {
		f := rapid.SampledFrom(append(answerFaults, simulator.Fault{Do: "unname"})).Draw(rt, "fault")
		ons := []string{lookingUp, ofProfiles, relationships, memberships, removing, "GET /api/lists"}
		if f.Do == "unname" {
			ons = []string{lookingUp, ofProfiles}
		}
		f.On, f.Skip = rapid.SampledFrom(ons).Draw(rt, "on"), rapid.IntRange(0, 4).Draw(rt, "skip")
		if f.Times = rapid.IntRange(1, 2).Draw(rt, "times"); f.Do == "unname" {
			f.Times = 1 // where the single answers have no names either, a shared number is rejected
		}
		c.faults = append(c.faults, f)
	}
	return c
}

func (c *byCase) email(person int) string { return fmt.Sprintf("p%d@example.com", person) }

func (c *byCase) phone(person int) string {
	if c.number[person] == 0 {
		return ""
	}
	return fmt.Sprintf("+493090182%d", c.number[person])
}

// value is the identifier of a person, "" for none.
func (c *byCase) value(person int) string {
	switch c.by {
	case "email":
		return c.email(person)
	case "phone_number":
		return c.phone(person)
	}
	return fmt.Sprintf("x%d", person)
}

// fill puts the people into the account and onto the list, and returns the list's id.
func (c *byCase) fill(sim *simulator.Simulator) (list string) {
	list = sim.AddList("Old", "single_opt_in")
	for person := range c.known {
		p := simulator.Profile{Email: c.email(person), Phone: c.phone(person), External: fmt.Sprintf("x%d", person)}
		if person < c.members {
			p.Lists = []string{"Old"}
		}
		switch {
		case c.by == "email" || person%3 > 0:
		case p.Phone != "":
			p.Email = "" // looked up by the number
		case c.by == "external_id":
			p.Email = "" // looked up singly
		}
		c.names = append(c.names, p.Email)
		if id := sim.Add(p); p.Email == "" {
			c.names[person] = id
		}
	}
	sim.Add(simulator.Profile{Email: "else@example.com", Lists: []string{"Old"}})
	return list
}

// run runs the case and returns what is wrong with it, or "".
func (c *byCase) run(t *testing.T) string {
	plan := &simulator.Plan{Seed: 1, Faults: c.faults}
	url, sim := contract.Serve(t, simulator.Options{Plan: plan, MaxPage: 2})
	defer sim.Close()
	list := c.fill(sim)
	before := members(sim, list)
	retry := time.Minute
	if c.impatient {
		retry = 0
	}
	client, err := sink.New(sink.Options{
		BaseURL: url, Alone: true, Revision: sink.DefaultRevision, Key: "k", Concurrency: c.senders, RateShare: 100,
		RetryFor: retry,
	})
	if err != nil {
		return err.Error()
	}
	defer client.Close()
	checker, err := validate.New(validate.Options{Operation: validate.Remove, By: c.by})
	if err != nil {
		return err.Error()
	}
	o := &Options{
		Operation: validate.Remove, Checker: checker, Client: client, List: sink.ListRef{Name: "Old"}, Window: 1000,
		Concurrency: c.senders, BatchDelay: time.Hour, Verify: c.verify, mostRows: c.batch,
	}
	var in, out bytes.Buffer
	for _, person := range c.rows {
		fmt.Fprintf(&in, `{%q:%q}`+"\n", c.by, c.value(person))
	}
	rep, _ := Run(t.Context(), o, bytes.NewReader(in.Bytes()), &out)
	rows, _ := parse(t, out.Bytes())
	if len(rows) != len(c.rows) && rep.ExitCode != 2 && rep.ExitCode != 4 {
		return fmt.Sprintf("%d results of %d rows, exit %d", len(rows), len(c.rows), rep.ExitCode)
	}
	if over := sim.Overruns(); len(over) > 0 {
		return fmt.Sprintf("rate windows are overrun: %v", over)
	}
	return c.judge(rows, rep.ExitCode, before, members(sim, list))
}

// members are the names of those who are on a list.
func members(sim *simulator.Simulator, list string) map[string]bool {
	on := map[string]bool{}
	for _, m := range sim.Members(list) {
		on[m] = true
	}
	return on
}

// named returns the people who have the identifier of a row.
func (c *byCase) named(row int) (people []int) {
	value := c.value(c.rows[row])
	for person := range c.number {
		if value != "" && c.value(person) == value {
			people = append(people, person)
		}
	}
	return people
}

// judge compares the results with who was on the list before, and who is on it after.
func (c *byCase) judge(rows []line, exit int, before, after map[string]bool) string {
	may := map[int]bool{} // who may be off the list
	for i, r := range rows {
		was, is := 0, 0
		for _, person := range c.named(i) {
			if person >= c.members {
				continue
			}
			was++
			if after[c.names[person]] {
				is++
			}
			if r.Status == "applied" || r.Status == "unknown" {
				may[person] = true
			}
		}
		switch r.Status {
		case "applied":
			if was == 0 || is > 0 {
				return fmt.Sprintf("row %d is applied: %d were on the list, %d are", i+1, was, is)
			}
		case "skipped":
			if r.Code != "duplicate" && was > 0 {
				return fmt.Sprintf("row %d is skipped (%s): %d were on the list", i+1, r.Code, was)
			}
		case "rejected":
			if c.value(c.rows[i]) != "" {
				return fmt.Sprintf("row %d is rejected (%s)", i+1, r.Code)
			}
		case "unknown":
			if r.Code != "answer_lost" || !c.impatient {
				return fmt.Sprintf("row %d is unknown by %s", i+1, r.Code)
			}
		case "unsent":
			if exit != 4 {
				return fmt.Sprintf("row %d is unsent, exit %d", i+1, exit)
			}
		default:
			return fmt.Sprintf("row %d is %s", i+1, r.Status)
		}
	}
	for person := range c.members {
		if !after[c.names[person]] && !may[person] {
			return fmt.Sprintf("person %d is off the list, and no row says so", person)
		}
	}
	if !after["else@example.com"] || len(before) != c.members+1 {
		return fmt.Sprintf("somebody else was removed: before %v, after %v", before, after)
	}
	worst := 0
	if slices.ContainsFunc(rows, func(r line) bool { return r.Status != "applied" && r.Status != "skipped" }) {
		worst = 1
	}
	if exit != worst && !(exit == 4 && c.impatient) {
		return fmt.Sprintf("exit %d, the rows say %d", exit, worst)
	}
	return ""
}
