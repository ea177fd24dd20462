package simulator_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// Each endpoint has its own windows of exactly Klaviyo's size, and all keys share them.
func TestRateLimits(t *testing.T) {
	const id = "NOPE01"
	member := `{"data":[{"type":"profile","id":"x"}]}`
	for _, test := range []struct {
		method, path, body string
		burst, steady      int
		limit              string
	}{
		{"GET", "/api/accounts", "", 1, 15, "1, 1;w=1, 15;w=60"},
		{"GET", "/api/accounts/" + id, "", 1, 15, "1, 1;w=1, 15;w=60"},
		{"GET", "/api/lists", "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", "/api/lists/" + id, "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", "/api/lists/" + id + "?additional-fields[list]=profile_count", "", 1, 15, "1, 1;w=1, 15;w=60"},
		{"PATCH", "/api/lists/" + id, "{}", 10, 150, "10, 10;w=1, 150;w=60"},
		{"DELETE", "/api/lists/" + id, "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", "/api/lists/" + id + "/profiles", "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", "/api/lists/" + id + "/relationships/profiles", "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"POST", "/api/lists/" + id + "/relationships/profiles", member, 10, 150, "10, 10;w=1, 150;w=60"},
		{"DELETE", "/api/lists/" + id + "/relationships/profiles", member, 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", "/api/lists/" + id + "/profiles?additional-fields[profile]=subscriptions", "", 75, 750,
			"75, 75;w=1, 750;w=60"},
		{"GET", "/api/profiles", "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", "/api/profiles?additional-fields[profile]=subscriptions", "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", "/api/profiles/" + id + "/lists", "", 3, 60, "3, 3;w=1, 60;w=60"},
		{"GET", "/api/profiles/" + id + "/relationships/lists", "", 3, 60, "3, 3;w=1, 60;w=60"},
		{"GET", "/api/profiles/" + id, "", 75, 750, "75, 75;w=1, 750;w=60"},
		{"GET", jobsPath, "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"POST", jobsPath, importBody("", `{"email":"a@example.org"}`), 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id, "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id + "/import-errors", "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id + "/profiles", "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id + "/relationships/profiles", "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id + "/lists", "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"GET", jobsPath + "/" + id + "/relationships/lists", "", 10, 150, "10, 10;w=1, 150;w=60"},
		{"POST", "/api/lists", listBody, 10, 150, "10, 10;w=1, 150;w=60, 150;w=86400"},
	} {
		now := newClock()
		s := simulator.New(simulator.Options{RateLimits: true, Now: now.now})
		n := 0
		ask := func() *httptest.ResponseRecorder {
			n++
			r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
			r.Header.Set("Authorization", fmt.Sprintf("Klaviyo-API-Key key%d", n%3))
			r.Header.Set("revision", "2026-07-15")
			r.Header.Set("Content-Type", mediaType)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w
		}
		what := test.method + " " + test.path
		for served := 0; served < test.steady; {
			for i := range test.burst {
				w := ask()
				served++
				same(t, what, []any{w.Code != 429, w.Header().Get("Ratelimit-Limit"),
					w.Header().Get("Ratelimit-Remaining"), w.Header().Get("Ratelimit-Reset"),
					w.Header().Get("Retry-After")},
					[]any{true, test.limit, fmt.Sprint(test.burst - i - 1), "0", ""})
			}
			if served < test.steady {
				w := ask()
				same(t, what, []any{w.Code, w.Header().Get("Retry-After")}, []any{429, "1"})
				now.pass(877 * time.Millisecond) // to the next second
				now.pass(123 * time.Millisecond)
			}
		}
		// The clock started at 13:40:00.123456: the minute ends at 13:41.
		for range 3 {
			w := ask()
			left := 60 - now.now().Second()
			if strings.Contains(test.limit, "86400") {
				left += 24*3600 - 13*3600 - 41*60 // the day's 150 are used up too
			}
			same(t, what, []any{w.Code, w.Header().Get("Retry-After"), w.Header().Get("Ratelimit-Limit"),
				w.Header().Get("Ratelimit-Remaining"), w.Header().Get("Ratelimit-Reset")},
				[]any{429, fmt.Sprint(left), "", "", ""})
			if w.Result().Header.Get("Content-Type") != "" {
				t.Error(w.Result().Header)
			}
		}
		if strings.Contains(test.limit, "86400") {
			now.pass(10*time.Hour + 19*time.Minute + 59*time.Second - time.Duration(now.now().Second())*time.Second)
			same(t, "the last second of the day", ask().Header().Get("Retry-After"), "1")
			now.pass(time.Second)
			same(t, "a new day", ask().Code, 201)
		}
		now.pass(time.Minute)
		same(t, what+", a new minute", ask().Code != 429, true)
	}
}

// The answer 429 is the recorded one.
func TestThrottled(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{RateLimits: true, Now: now.now})
	c.want(200, "GET", "/api/accounts", "")
	r := c.do("GET", "/api/accounts", "")
	var d struct{ Errors []map[string]any }
	if err := json.Unmarshal([]byte(r.body), &d); err != nil || r.status != 429 {
		t.Fatal(err, r)
	}
	same(t, "headers", []string{r.header.Get("Content-Type"), r.header.Get("Retry-After")}, []string{"", "1"})
	same(t, "id", d.Errors[0]["id"], any(r.header.Get("X-Klaviyo-Req-Id")))
	delete(d.Errors[0], "id")
	same(t, "body", d.Errors, []map[string]any{{
		"status": 429.0, "code": "throttled", "title": "Request was throttled.",
		"detail": "Request was throttled. Expected available in 1 second.",
		"source": map[string]any{"pointer": "/data"},
		"links": map[string]any{
			"type": "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling#rate-limits"},
		"meta": map[string]any{},
	}})
	c.want(401, "GET", "/api/accounts", "", "Authorization", "")
	now.pass(time.Second)
	c.want(200, "GET", "/api/accounts", "")
	for range 13 {
		now.pass(time.Second)
		c.want(200, "GET", "/api/accounts", "")
	}
	now.pass(time.Second)
	same(t, "seconds", c.want(429, "GET", "/api/accounts", "").Errors[0].Detail,
		"Request was throttled. Expected available in 45 seconds.")
	same(t, "requests", c.Requests(), map[string]int{"GET /api/accounts 200": 15, "GET /api/accounts 429": 2,
		"GET /api/accounts 401": 1})
}

// The windows belong to the endpoint, whatever the id in the path.
func TestSharedWindow(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{RateLimits: true, Now: now.now})
	for i := range 10 {
		c.want(404, "GET", fmt.Sprintf("%s/job%d", jobsPath, i), "")
	}
	c.want(429, "GET", jobsPath+"/another", "")
	c.want(200, "GET", jobsPath, "")
}

// Without rate limits no request is throttled, and the headers are still there.
func TestNoRateLimits(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	for range 20 {
		r := c.do("GET", "/api/accounts", "")
		same(t, "answer", []any{r.status, r.header.Get("ratelimit-limit"), r.header.Get("ratelimit-remaining")},
			[]any{200, "1, 1;w=1, 15;w=60", "0"})
	}
}

// The windows start exactly where the phase puts them.
func TestRatePhase(t *testing.T) {
	for _, phase := range []time.Duration{0, 300 * time.Millisecond, 999 * time.Millisecond,
		17*time.Second + 250*time.Millisecond, -100 * time.Millisecond, 90 * time.Second} {
		now := newClock()
		now.pass(876544 * time.Microsecond) // to 13:40:01
		c := start(t, simulator.Options{Now: now.now, RateLimits: true, RatePhase: phase})
		c.want(200, "GET", "/api/accounts", "")
		var starts []time.Duration // of the windows of a second, by their first request
		for tick := range 30 {
			if c.do("GET", "/api/accounts", "").status == 200 {
				starts = append(starts, time.Duration(tick)*100*time.Millisecond)
			}
			now.pass(100 * time.Millisecond)
		}
		into := (phase%time.Second + time.Second) % time.Second // the start within a second
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

// Requests that find a window full are counted, whether or not the limits are enforced.
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
		same(t, fmt.Sprint("overruns, enforced: ", enforced), c.Overruns(), map[string]int{
			"GET /api/profile-bulk-import-jobs": 3, "GET /api/accounts": 1,
			"GET /api/lists/{id} profile_count": 1,
		})
		same(t, "429s", c.Requests()["GET /api/profile-bulk-import-jobs 429"], map[bool]int{true: 3}[enforced])
	}
}

// Requests of other clients use up the windows, evenly over each minute.
func TestOthers(t *testing.T) {
	// How many requests are free at the end of each of the first seconds of a minute.
	for others, free := range map[string][]int{
		"{second: 3}":              {7, 7, 7, 7},
		"{second: 10}":             {0, 0},
		"{second: 11}":             {0, 0},
		"{minute: 60}":             {9, 9, 9},
		"{minute: 30}":             {9, 10, 9, 10},
		"{minute: 7, second: 4}":   {6, 10, 10},
		"{minute: 150, second: 8}": {2, 10, 10, 2, 10, 10, 2}, // 19 bursts, slightly over 3 s apart
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
	now.pass(550 * time.Millisecond) // into the second, with six of the ten
	for remaining := 3; remaining >= 0; remaining-- {
		same(t, "remaining", c.do("POST", jobsPath, "{}").header.Get("Ratelimit-Remaining"), fmt.Sprint(remaining))
	}
	same(t, "the fifth", c.do("POST", jobsPath, "{}").status, 429)
	// Two requests in each second: how many pass in the minute, and the Retry-After of the first that does not.
	for others, want := range map[string][]any{
		"{minute: 60}":           {100, "10"}, // in 50 seconds, and 50 of the others
		"{minute: 7, second: 4}": {118, "1"},  // in all 59 seconds
		// in 39 seconds; 7 have a burst, and that of second 46 fills the minute
		"{minute: 90, second: 10}": {78, "14"},
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

// startWithOthers serves a simulator one microsecond before 13:41, with other clients on the endpoint of imports.
func startWithOthers(t *testing.T, others string) (*client, *clock) {
	t.Helper()
	now := newClock()
	now.pass(59*time.Second + 876543*time.Microsecond)
	plan := readPlan(t, "others: {POST /api/profile-bulk-import-jobs: "+others+"}")
	return startBare(t, simulator.Options{Now: now.now, RateLimits: true, Plan: plan}), now
}
