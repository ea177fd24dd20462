package simulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// A fault acts on exactly the requests that skip, times, every and percent select.
func TestTurns(t *testing.T) {
	for _, test := range []struct{ name, rule, want string }{
		{"once by default", "", "x........."},
		{"three times", "times: 3", "xxx......."},
		{"without end", "times: -1", "xxxxxxxxxx"},
		{"after two", "skip: 2", "..x......."},
		{"three times after two", "skip: 2, times: 3", "..xxx....."},
		{"on the third", "every: 3", "..x......."},
		{"on every third", "every: 3, times: -1", "..x..x..x."},
		{"twice on every fourth after one", "skip: 1, every: 4, times: 2", "....x...x."},
		{"surely", "percent: 100, times: 2", "xx........"},
		{"almost never", "percent: 0.0000001, times: -1", ".........."},
	} {
		c := startPlan(t, "faults: [{on: GET /api/accounts, do: challenge, "+test.rule+"}]")
		same(t, test.name, c.turns(10), test.want)
	}
}

// turns sends n requests and marks those that a fault answers with x.
func (c *client) turns(n int) (marks string) {
	c.t.Helper()
	for range n {
		mark := "."
		if c.do("GET", "/api/accounts", "").status != 200 {
			mark = "x"
		}
		marks += mark
	}
	return marks
}

// The seed alone decides where percent acts, and each fault draws for itself.
func TestPercent(t *testing.T) {
	run := func(seed int) (statuses [2]string) {
		c := startPlan(t, fmt.Sprintf(`seed: %d
faults:
- {on: GET /api/lists, do: challenge, percent: 30, times: -1}
- {on: GET /api/accounts, do: challenge, percent: 30, times: -1}
`, seed))
		for range 300 {
			statuses[0] += fmt.Sprint(c.do("GET", "/api/lists", "").status, " ")
			statuses[1] += fmt.Sprint(c.do("GET", "/api/accounts", "").status, " ")
		}
		return statuses
	}
	first := run(1)
	same(t, "again", run(1), first)
	if run(2) == first || first[0] == first[1] {
		t.Error("another seed, or another fault, makes no difference")
	}
	for _, statuses := range first {
		if n := strings.Count(statuses, "403"); n < 60 || n > 120 {
			t.Errorf("%d of 300 at 30 percent", n)
		}
	}
}

// The first fault that answers is the last to act. Later faults count the request and keep their turn.
func TestFaultsTogether(t *testing.T) {
	c := startPlan(t, `faults:
- {on: GET /api/accounts, do: relink, to: http://x}
- {on: GET /api/accounts, do: truncate, bytes: 3}
- {on: '*', do: status, status: 500, times: 2}
- {on: GET /api/accounts, do: status, status: 501, times: 1}
- {on: GET /api/accounts, do: status, status: 502, skip: 3}
`)
	cut, err := c.try("GET", "/api/accounts", "")
	if err == nil || cut.status != 500 || cut.body != `{"e` {
		t.Errorf("%v %v, want a 500 that is cut", cut, err)
	}
	var statuses []int
	for _, path := range []string{"/api/nope", "/api/accounts", "/api/accounts", "/api/accounts", "/api/accounts"} {
		statuses = append(statuses, c.do("GET", path, "").status)
	}
	same(t, "statuses", statuses, []int{500, 501, 200, 502, 200})
}

// "*" is every request except those below /simulator/, whatever the key.
func TestEveryRequest(t *testing.T) {
	c := startPlan(t, "faults: [{on: '*', do: challenge, times: -1}]")
	same(t, "statuses", []int{
		c.do("GET", "/api/nope", "").status, c.do("PUT", "/api/lists", "{}").status,
		c.do("GET", "/api/lists", "", "Authorization", "").status, c.do("GET", "/simulator/lists", "").status,
	}, []int{403, 403, 403, 200})
	same(t, "requests", c.Requests(), map[string]int{"other": 2, "GET /api/lists 403": 1})
}

// The layer of Options.Wrap sees what the account answers, and not what faults answer.
func TestOutsideOfWrap(t *testing.T) {
	var seen atomic.Int32
	s := simulator.New(simulator.Options{
		Plan: readPlan(t, "faults: [{on: '*', do: challenge}, {on: '*', do: lose}]"),
		Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen.Add(1); next.ServeHTTP(w, r) })
		},
	})
	var statuses []int
	for range 3 {
		statuses = append(statuses, post(s, "/api/lists", []byte(listBody)).Code)
	}
	same(t, "statuses", statuses, []int{403, 502, 201})
	same(t, "seen by the layer", seen.Load(), int32(2))
}

// A client that sends everything before it reads meets the fault, not a broken pipe.
func TestReadBeforeFault(t *testing.T) {
	c := startBare(t, simulator.Options{Plan: readPlan(t,
		"faults: [{on: '*', do: status, status: 503, times: 2}, {on: '*', do: lose, times: 2}]")})
	for i, size := range []int{4_900_000, 30_000_000, 4_900_000, 30_000_000} {
		same(t, fmt.Sprint("request ", i), c.sendFirst(size), []int{503, 503, 502, 502}[i])
	}
	same(t, "requests", c.Requests(), map[string]int{"POST /api/profile-bulk-import-jobs 503": 2,
		"POST /api/profile-bulk-import-jobs 400": 1, "POST /api/profile-bulk-import-jobs 413": 1})
}

// Many clients at once meet a fault as often as the plan says.
func TestFaultsAtOnce(t *testing.T) {
	c := startBare(t, simulator.Options{JobTime: time.Nanosecond, Plan: readPlan(t, `faults:
- {on: POST /api/profile-bulk-import-jobs, do: status, status: 503, every: 3, times: 10}
- {on: POST /api/profile-bulk-import-jobs, do: lose, skip: 50, times: 7}
- {do: fail, times: 20}
`)})
	list := c.AddList("x", "single_opt_in")
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 10 {
				c.do("POST", jobsPath, importBody(list, fmt.Sprintf(`{"email":"p%d-%d@example.org"}`, worker, i)))
			}
		})
	}
	wait.Wait()
	same(t, "requests", c.Requests(), map[string]int{"POST /api/profile-bulk-import-jobs 503": 10,
		"POST /api/profile-bulk-import-jobs 202": 70})
	same(t, "members", len(c.Members(list)), 50)
}
