package simulator_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// TestLedger: every effect is there once, in order, with the job it comes from.
func TestLedger(t *testing.T) {
	now := newClock()
	began := now.now()
	c := start(t, simulator.Options{Now: now.now, JobTime: time.Second, Ledger: true, Plan: readPlan(t, "faults: [{do: fail, addresses: ['f*'], times: -1}, {do: cancel, skip: 2}]")})
	one, two := c.AddList("one", "single_opt_in"), c.AddList("two", "single_opt_in")
	z := c.AddProfile("z@example.org")
	first := c.submit(one, `{"email":"a@example.org"}`, `{"email":"f@example.org"}`, `{"external_id":"7"}`, `{"email":"A@example.org"}`)
	second := c.submit(two, `{"email":"a@example.org"}`, `{"email":"z@example.org","title":"x"}`)
	c.submit(two, `{"email":"never@example.org"}`)
	now.pass(5 * time.Second)
	again := c.submit(one, `{"email":"a@example.org","title":"y"}`)
	now.pass(5 * time.Second)
	member := `{"data":[{"type":"profile","id":"` + z + `"}]}`
	for _, method := range []string{"POST", "POST", "DELETE", "DELETE"} {
		c.want(204, method, "/api/lists/"+one+"/relationships/profiles", member)
	}
	bare := c.submit("", `{"email":"b@example.org"}`) // ends by the ledger's being read

	ids := map[string]string{}
	for _, e := range c.Ledger() {
		ids[e.Email] = e.Profile
	}
	const a, b, ze = "a@example.org", "b@example.org", "z@example.org"
	same(t, "z", ids[ze], z)
	end, later, last := began.Add(2*time.Second), began.Add(7*time.Second), began.Add(10*time.Second)
	want := []simulator.Entry{
		{end, "created", "", ids[a], a, first},
		{end, "joined", one, ids[a], a, first},
		{end, "created", "", ids[""], "", first},
		{end, "joined", one, ids[""], "", first},
		{end, "joined", two, ids[a], a, second},
		{end, "updated", "", z, ze, second},
		{end, "joined", two, z, ze, second},
		{later, "updated", "", ids[a], a, again},
		{later, "stayed", one, ids[a], a, again},
		{last, "joined", one, z, ze, ""},
		{last, "stayed", one, z, ze, ""},
		{last, "left", one, z, ze, ""},
		{last, "created", "", ids[b], b, bare},
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

func TestNoLedger(t *testing.T) {
	c := start(t, simulator.Options{})
	c.submit(c.AddList("x", "single_opt_in"), `{"email":"a@example.org"}`)
	same(t, "ledger", []any{len(c.Ledger()), c.do("GET", "/simulator/ledger", "").status}, []any{0, 404})
	c = start(t, simulator.Options{Ledger: true})
	same(t, "empty", c.do("GET", "/simulator/ledger", "").body, "[\n]\n")
}

// TestRatePhase: the windows begin when the phase says, and nowhere else.
func TestRatePhase(t *testing.T) {
	for _, phase := range []time.Duration{0, 300 * time.Millisecond, 999 * time.Millisecond, 17*time.Second + 250*time.Millisecond, -100 * time.Millisecond, 90 * time.Second} {
		now := newClock()
		now.pass(876544 * time.Microsecond) // to 13:40:01
		c := start(t, simulator.Options{Now: now.now, RateLimits: true, RatePhase: phase})
		c.want(200, "GET", "/api/accounts", "")
		var starts []time.Duration // of windows of a second, by their first request
		for tick := range 30 {
			if c.do("GET", "/api/accounts", "").status == 200 {
				starts = append(starts, time.Duration(tick)*100*time.Millisecond)
			}
			now.pass(100 * time.Millisecond)
		}
		into := (phase%time.Second + time.Second) % time.Second // of a second
		into = (into + 99*time.Millisecond) / (100 * time.Millisecond) * 100 * time.Millisecond
		if into == 0 {
			into = time.Second
		}
		var want []time.Duration
		for at := into; at < 3*time.Second; at += time.Second {
			want = append(want, at)
		}
		same(t, fmt.Sprint("seconds, phase ", phase), starts, want)
	}
	now := newClock() // 13:40:00.1
	c := start(t, simulator.Options{Now: now.now, RateLimits: true, RatePhase: 20 * time.Second})
	for range 15 {
		now.pass(time.Second)
		c.want(200, "GET", "/api/accounts", "")
	}
	now.pass(time.Second)
	same(t, "the minute", c.do("GET", "/api/accounts", "").header.Get("Retry-After"), "4")
	now.pass(4 * time.Second)
	c.want(200, "GET", "/api/accounts", "")
}

// TestOverruns: requests that find a window full are counted, enforced or not.
func TestOverruns(t *testing.T) {
	for _, enforced := range []bool{true, false} {
		now := newClock()
		c := start(t, simulator.Options{Now: now.now, RateLimits: enforced})
		same(t, "none", len(c.Overruns()), 0)
		for range 13 {
			c.do("GET", jobsPath, "")
		}
		c.do("GET", "/api/accounts", "")
		now.pass(time.Second)
		c.do("GET", "/api/accounts", "")
		c.do("GET", "/api/accounts", "")
		c.do("GET", "/api/lists/x?additional-fields[list]=profile_count", "")
		c.do("GET", "/api/lists/x?additional-fields[list]=profile_count", "")
		same(t, fmt.Sprint("overruns, enforced: ", enforced), c.Overruns(), map[string]int{"GET /api/profile-bulk-import-jobs": 3, "GET /api/accounts": 1, "GET /api/lists/{id} profile_count": 1})
		same(t, "429s", c.Requests()["GET /api/profile-bulk-import-jobs 429"], map[bool]int{true: 3}[enforced])
	}
}

// TestOthers: what other clients use of a window is not there for this one.
func TestOthers(t *testing.T) {
	for others, free := range map[string][]int{ // free at the end of each of the first seconds of a minute
		"{second: 3}":              {7, 7, 7, 7},
		"{second: 10}":             {0, 0},
		"{second: 11}":             {0, 0},
		"{minute: 60}":             {9, 9, 9},
		"{minute: 30}":             {9, 10, 9, 10},
		"{minute: 7, second: 4}":   {6, 10, 10},
		"{minute: 150, second: 8}": {2, 10, 10, 2, 10, 10, 2}, // 19 bursts, a little more than 3 s apart
	} {
		c, now := startWithOthers(t, others)
		var got []int
		for range free {
			now.pass(time.Second)
			n := 0
			for ; c.do("POST", jobsPath, "{}").status != 429; n++ {
			}
			got = append(got, n)
		}
		same(t, others, got, free)
		same(t, others, c.Overruns(), map[string]int{"POST /api/profile-bulk-import-jobs": len(free)})
		c.want(200, "GET", jobsPath, "")
	}
	c, now := startWithOthers(t, "{second: 10}")
	now.pass(550 * time.Millisecond) // of the second, with six of the ten
	for remaining := 3; remaining >= 0; remaining-- {
		same(t, "remaining", c.do("POST", jobsPath, "{}").header.Get("Ratelimit-Remaining"), fmt.Sprint(remaining))
	}
	same(t, "the fifth", c.do("POST", jobsPath, "{}").status, 429)
	for others, want := range map[string][]any{ // two requests in each second: how many in the minute, and the Retry-After then
		"{minute: 60}":             {100, "10"}, // one each in 50 seconds
		"{minute: 7, second: 4}":   {118, "1"},  // all of the 59 seconds
		"{minute: 90, second: 10}": {78, "14"},  // in 39 seconds; 7 had a burst, and that of second 46 fills the minute
	} {
		c, now := startWithOthers(t, others)
		got := []any{0, "1"}
		for range 59 {
			now.pass(time.Second)
			for range 2 {
				r := c.do("POST", jobsPath, "{}")
				if r.status == 429 {
					got[1] = r.header.Get("Retry-After")
					break
				}
				got[0] = got[0].(int) + 1
			}
			if got[1] != "1" {
				break
			}
		}
		same(t, others, got, want)
	}
}

// startWithOthers serves a simulator one microsecond before 13:41, where others use the endpoint of imports.
func startWithOthers(t *testing.T, others string) (*client, *clock) {
	t.Helper()
	now := newClock()
	now.pass(59*time.Second + 876543*time.Microsecond)
	plan := readPlan(t, "others: {POST /api/profile-bulk-import-jobs: "+others+"}")
	return startBare(t, simulator.Options{Now: now.now, RateLimits: true, Plan: plan}), now
}
