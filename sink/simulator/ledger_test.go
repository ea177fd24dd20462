package simulator_test

import (
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// The ledger has every effect once, in order, with the import job that it comes from.
func TestLedger(t *testing.T) {
	now := newClock()
	began := now.now()
	c := start(t, simulator.Options{Now: now.now, JobTime: time.Second, Ledger: true,
		Plan: readPlan(t, "faults: [{do: fail, addresses: ['f*'], times: -1}, {do: cancel, skip: 2}]")})
	one, two := c.AddList("one", "single_opt_in"), c.AddList("two", "single_opt_in")
	z := c.AddProfile("z@example.org")
	first := c.submit(one, `{"email":"a@example.org"}`, `{"email":"f@example.org"}`, `{"external_id":"7"}`,
		`{"email":"A@example.org"}`)
	second := c.submit(two, `{"email":"a@example.org"}`, `{"email":"z@example.org","title":"x"}`)
	c.submit(two, `{"email":"never@example.org"}`)
	now.pass(5 * time.Second)
	again := c.submit(one, `{"email":"a@example.org","title":"y"}`)
	now.pass(5 * time.Second)
	member := `{"data":[{"type":"profile","id":"` + z + `"}]}`
	for _, method := range []string{"POST", "POST", "DELETE", "DELETE"} {
		c.want(204, method, "/api/lists/"+one+"/relationships/profiles", member)
	}
	bare := c.submit("", `{"email":"b@example.org"}`) // reading the ledger completes it

	ids := map[string]string{}
	for _, e := range c.Ledger() {
		ids[e.Email] = e.Profile
	}
	const a, b, ze = "a@example.org", "b@example.org", "z@example.org"
	same(t, "z", ids[ze], z)
	end, later, last := began.Add(2*time.Second), began.Add(7*time.Second), began.Add(10*time.Second)
	want := []simulator.Entry{
		{end, "created", "", ids[a], a, first, 0, 0, false, nil},
		{end, "joined", one, ids[a], a, first, 0, 0, false, nil},
		{end, "created", "", ids[""], "", first, 0, 0, false, nil},
		{end, "joined", one, ids[""], "", first, 0, 0, false, nil},
		{end, "joined", two, ids[a], a, second, 0, 0, false, nil},
		{end, "updated", "", z, ze, second, 0, 0, false, nil},
		{end, "joined", two, z, ze, second, 0, 0, false, nil},
		{later, "updated", "", ids[a], a, again, 0, 0, false, nil},
		{later, "stayed", one, ids[a], a, again, 0, 0, false, nil},
		{last, "joined", one, z, ze, "", 1, 0, false, nil},
		{last, "stayed", one, z, ze, "", 2, 0, false, nil},
		{last, "left", one, z, ze, "", 3, 0, false, nil},
		{last, "created", "", ids[b], b, bare, 0, 0, false, nil},
	}
	same(t, "ledger", c.Ledger(), want)
	var served []simulator.Entry
	r := c.do("GET", "/simulator/ledger", "", "Authorization", "")
	if err := json.Unmarshal([]byte(r.body), &served); err != nil {
		t.Fatal(err, r.body)
	}
	same(t, "served", []any{r.status, r.header.Get("Content-Type"), served}, []any{200, "application/json", want})
	same(t, "members of one", c.Members(one), []string{a, ids[""]})
	same(t, "members of two", c.Members(two), []string{a, ze})
	same(t, "members of none", c.Members("NOPE01"), []string(nil))
}

// Without Options.Ledger there is no ledger, and a new one is empty.
func TestNoLedger(t *testing.T) {
	c := start(t, simulator.Options{})
	c.submit(c.AddList("x", "single_opt_in"), `{"email":"a@example.org"}`)
	same(t, "ledger", []any{len(c.Ledger()), c.do("GET", "/simulator/ledger", "").status}, []any{0, 404})
	c = start(t, simulator.Options{Ledger: true})
	same(t, "empty", c.do("GET", "/simulator/ledger", "").body, "[\n]\n")
}
