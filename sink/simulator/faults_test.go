package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// startPlan serves a simulator that meets the faults of a plan, whose jobs take no time.
func startPlan(t *testing.T, plan string) *client {
	t.Helper()
	return start(t, simulator.Options{JobTime: time.Nanosecond, Ledger: true, Plan: readPlan(t, plan)})
}

// TestAnswersWithoutEffect: the fault's answer comes, nothing has happened, and the next request is served.
func TestAnswersWithoutEffect(t *testing.T) {
	const page = "text/html; charset=UTF-8"
	for _, test := range []struct {
		do     string
		status int
		kind   string // Content-Type
		body   string // its beginning, without ids
		header string // "Name: value" that must be there
	}{
		{"status, status: 503", 503, mediaType, `{"errors":[{"id":"ID","status":503,"code":"service_unavailable","title":"Service Unavailable.","detail":"Service Unavailable.","source":{"pointer":"/data/"}`, ""},
		{"status, status: 500, as: page", 500, page, "<!DOCTYPE html>\n<html><head><title>500: Internal Server Error</title>", "Server: cloudflare"},
		{"status, status: 524, as: page", 524, page, "<!DOCTYPE html>\n<html><head><title>524: A timeout occurred</title>", ""},
		{"status, status: 524", 524, mediaType, `{"errors":[{"id":"ID","status":524,"code":"error",`, ""},
		{"status, status: 200, as: empty", 200, mediaType, "", "Content-Length: 0"},
		{"status, status: 502, as: text", 502, mediaType, "upstream connect error", ""},
		{"status, status: 403, code: permission_denied, detail: No scope., headers: {X-One: two}", 403, mediaType,
			`{"errors":[{"id":"ID","status":403,"code":"permission_denied","title":"Forbidden.","detail":"No scope.",`, "X-One: two"},
		{"status, status: 202, body: 'null'", 202, mediaType, "null", ""},
		{"status, status: 200, body: ok, type: text/plain", 200, "text/plain", "ok", ""},
		{"challenge", 403, page, "<!DOCTYPE html>\n<html><head><title>Just a moment...</title>", "Cf-Mitigated: challenge"},
		{"throttle", 429, mediaType, `{"errors":[{"id":"ID","status":429,"code":"throttled","title":"Request was throttled.","detail":"Request was throttled. Expected available in 1 second."`, "Retry-After: 1"},
		{"redirect, to: 'http://127.0.0.1:9/x?y=z'", 302, "", "", "Location: http://127.0.0.1:9/x?y=z"},
		{"redirect, to: 'http://127.0.0.1:9', status: 308", 308, "", "", "Location: http://127.0.0.1:9"},
	} {
		t.Run(test.do, func(t *testing.T) {
			c := startPlan(t, "faults: [{on: POST /api/lists, do: "+test.do+"}]")
			c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			r := c.do("POST", "/api/lists", listBody)
			same(t, "answer", []any{r.status, r.header.Get("Content-Type")}, []any{test.status, test.kind})
			if body := withoutIDs(r.body); !strings.HasPrefix(body, test.body) || test.body == "" && body != "" {
				t.Errorf("body %s, want %s", body, test.body)
			}
			if name, value, ok := strings.Cut(test.header, ": "); ok {
				same(t, name, r.header.Get(name), value)
			}
			if r.header.Get("Ratelimit-Limit") != "" {
				t.Error("the answer has rate limit headers")
			}
			same(t, "lists", len(c.want(200, "GET", "/api/lists", "").resources), 0)
			c.want(201, "POST", "/api/lists", listBody)
			same(t, "requests", c.Requests(), map[string]int{fmt.Sprintf("POST /api/lists %d", test.status): 1, "GET /api/lists 200": 1, "POST /api/lists 201": 1})
		})
	}
}

// withoutIDs puts ID for what is random in errors.
func withoutIDs(body string) string {
	const id = `"id":"`
	if i := strings.Index(body, id); strings.HasPrefix(body, `{"errors"`) && i >= 0 {
		return body[:i+len(id)] + "ID" + body[i+len(id)+36:]
	}
	return body
}

func TestThrottleFault(t *testing.T) {
	for do, want := range map[string]string{
		"retry_after: 7s":              "7",
		"retry_after: 1500ms":          "2",
		"form: none":                   "",
		"form: date, retry_after: 90s": "Fri, 04 Sep 2026 13:41:30 GMT",
		"window: second":               "1",
		"window: minute":               "60",
		"window: day":                  "37200", // from 13:40:00.1
	} {
		c := start(t, simulator.Options{Now: newClock().now, Plan: readPlan(t, "faults: [{on: '*', do: throttle, "+do+"}]")})
		r := c.do("GET", "/api/lists", "")
		same(t, do, []any{r.status, r.header.Get("Retry-After")}, []any{429, want})
		same(t, do, len(r.header.Values("Retry-After")), min(1, len(want)))
	}
}

// TestLose: the request has its effect and another answer comes.
func TestLose(t *testing.T) {
	for _, test := range []struct {
		do     string
		status int
		kind   string
		body   string // its beginning
	}{
		{"", 502, "text/html; charset=UTF-8", "<!DOCTYPE html>"},
		{", status: 504, as: page", 504, "text/html; charset=UTF-8", "<!DOCTYPE html>\n<html><head><title>504: Gateway Timeout"},
		{", status: 500, as: error", 500, mediaType, `{"errors":[{"id":"ID","status":500,"code":"internal_server_error",`},
		{", as: error", 502, mediaType, `{"errors":[{"id":"ID","status":502,"code":"bad_gateway",`},
		{", status: 200, as: empty", 200, mediaType, ""},
		{", as: empty", 202, mediaType, ""},
		{", as: text", 202, mediaType, "upstream connect error"},
		{", as: no_id", 202, mediaType, `{"data":{"type":"profile-bulk-import-job","attributes":{"status":"queued",`},
		{", body: 'null', status: 200", 200, mediaType, "null"},
		{", body: 'null', type: text/plain", 202, "text/plain", "null"},
	} {
		t.Run(test.do, func(t *testing.T) {
			c := startPlan(t, "faults: [{on: POST /api/profile-bulk-import-jobs, do: lose"+test.do+"}]")
			list := c.AddList("x", "single_opt_in")
			r := c.do("POST", jobsPath, importBody(list, `{"email":"a@example.org"}`))
			same(t, "answer", []any{r.status, r.header.Get("Content-Type")}, []any{test.status, test.kind})
			if body := withoutIDs(r.body); !strings.HasPrefix(body, test.body) || test.body == "" && body != "" {
				t.Errorf("body %s, want %s", body, test.body)
			}
			if strings.Contains(test.do, "no_id") {
				var d struct{ Data, Links map[string]any }
				if err := json.Unmarshal([]byte(r.body), &d); err != nil {
					t.Fatal(err)
				}
				same(t, "members", []any{len(d.Data), d.Data["id"], len(d.Links)}, []any{4, nil, 1})
			}
			same(t, "members", c.Members(list), []string{"a@example.org"})
			same(t, "requests", c.Requests(), map[string]int{"POST /api/profile-bulk-import-jobs 202": 1})
			c.want(202, "POST", jobsPath, importBody(list, `{"email":"b@example.org"}`))
		})
	}
}

func TestResetFault(t *testing.T) {
	for do, want := range map[string]struct {
		lists    int
		requests map[string]int
	}{
		"reset":                  {0, map[string]int{"POST /api/lists reset": 1, "GET /api/lists 200": 1}},
		"reset, processed: true": {1, map[string]int{"POST /api/lists 201": 1, "GET /api/lists 200": 1}},
	} {
		c := startPlan(t, "faults: [{on: POST /api/lists, do: "+do+"}]")
		if _, err := c.try("POST", "/api/lists", listBody); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v", do, err)
		}
		same(t, do, len(c.want(200, "GET", "/api/lists", "").resources), want.lists)
		same(t, do, c.Requests(), want.requests)
	}
}

func TestTruncate(t *testing.T) {
	for _, test := range []struct {
		do   string
		want func(whole int) int
	}{
		{"truncate", func(whole int) int { return whole / 2 }},
		{"truncate, bytes: 10", func(int) int { return 10 }},
		{"truncate, bytes: 1000000", func(whole int) int { return whole - 1 }},
	} {
		c := startPlan(t, "faults: [{on: GET /api/accounts, do: "+test.do+"}]")
		cut, err := c.try("GET", "/api/accounts", "")
		whole := c.do("GET", "/api/accounts", "")
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", test.do, err)
		}
		same(t, test.do, []any{cut.status, cut.header.Get("Content-Length"), cut.body}, []any{200, fmt.Sprint(len(whole.body)), whole.body[:test.want(len(whole.body))]})
	}
	c := startPlan(t, "faults: [{on: 'DELETE /api/lists/{id}', do: truncate}]")
	if _, err := c.try("DELETE", "/api/lists/"+c.AddList("x", "single_opt_in"), ""); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("an answer without body: %v", err)
	}
	same(t, "lists", len(c.want(200, "GET", "/api/lists", "").resources), 0)
}

func TestRelink(t *testing.T) {
	c := startPlan(t, "faults: [{on: GET /api/lists, times: -1, do: relink, to: 'https://elsewhere.example:8443/x'}]")
	for i := range 21 {
		c.AddList(fmt.Sprint("list ", i), "single_opt_in")
	}
	path, names := "/api/lists?sort=name", 0
	for {
		d := c.want(200, "GET", path, "")
		names += len(d.resources)
		same(t, "self", c.path(*d.Links.Self) != "", true)
		if d.Links.Next == nil {
			break
		}
		u, err := url.Parse(*d.Links.Next)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "next", []any{u.Scheme, u.Host, u.Path, u.Query().Get("sort")}, []any{"https", "elsewhere.example:8443", "/api/lists", "name"})
		path = u.RequestURI()
	}
	same(t, "lists", names, 21)
	same(t, "an answer without links", startPlan(t, "faults: [{on: '*', do: relink, to: 'http://x'}]").want(404, "GET", "/api/lists/x", "").Errors[0].Code, "not_found")
}

func TestTwice(t *testing.T) {
	c := startPlan(t, "faults: [{on: POST /api/lists, do: twice}, {on: POST /api/profile-bulk-import-jobs, do: twice}]")
	id := c.want(201, "POST", "/api/lists", listBody).resources[0].ID
	d := c.want(200, "GET", "/api/lists?filter="+url.QueryEscape(`equals(name,"x")`), "")
	same(t, "lists", d.each("name"), []any{"x", "x"})
	same(t, "the first is answered", d.each("id")[0], any(id))
	first := c.submit(id, `{"email":"a@example.org"}`)
	jobs := c.want(200, "GET", jobsPath, "").each("id")
	same(t, "jobs", []any{len(jobs), jobs[0]}, []any{2, first})
	same(t, "members", c.Members(id), []string{"a@example.org"})
}

// TestTurns: on which of the requests a fault acts.
func TestTurns(t *testing.T) {
	for rule, want := range map[string]string{
		"":                              "x.........",
		"times: 3":                      "xxx.......",
		"times: -1":                     "xxxxxxxxxx",
		"skip: 2":                       "..x.......",
		"skip: 2, times: 3":             "..xxx.....",
		"every: 3":                      "..x.......",
		"every: 3, times: -1":           "..x..x..x.",
		"skip: 1, every: 4, times: 2":   "....x...x.",
		"percent: 100, times: 2":        "xx........",
		"percent: 0.0000001, times: -1": "..........",
	} {
		c := startPlan(t, "faults: [{on: GET /api/accounts, do: challenge, "+rule+"}]")
		same(t, rule, c.turns(10), want)
	}
}

// turns sends requests and marks those that a fault answers.
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

// TestPercent: the seed alone decides, and each fault draws for itself.
func TestPercent(t *testing.T) {
	run := func(seed int) (statuses [2]string) {
		c := startPlan(t, fmt.Sprintf("{seed: %d, faults: [{on: GET /api/lists, do: challenge, percent: 30, times: -1}, {on: GET /api/accounts, do: challenge, percent: 30, times: -1}]}", seed))
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

// TestFaultsTogether: the first that answers is the last to act; those after it count the request and keep their turn.
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

// TestEveryRequest: "*" is all but what lies below /simulator/, whatever the key.
func TestEveryRequest(t *testing.T) {
	c := startPlan(t, "faults: [{on: '*', do: challenge, times: -1}]")
	same(t, "statuses", []int{
		c.do("GET", "/api/nope", "").status, c.do("PUT", "/api/lists", "{}").status, c.do("GET", "/api/lists", "", "Authorization", "").status, c.do("GET", "/simulator/lists", "").status,
	}, []int{403, 403, 403, 200})
	same(t, "requests", c.Requests(), map[string]int{"other": 2, "GET /api/lists 403": 1})
}

// TestOutsideOfWrap: the layer of Options.Wrap sees what the account answers, and not what faults do.
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

// TestReadBeforeFault: a client that reads no answer before it has sent all meets the fault, not a broken pipe.
func TestReadBeforeFault(t *testing.T) {
	c := startBare(t, simulator.Options{Plan: readPlan(t, "faults: [{on: '*', do: status, status: 503, times: 2}, {on: '*', do: lose, times: 2}]")})
	for i, size := range []int{4_900_000, 30_000_000, 4_900_000, 30_000_000} {
		same(t, fmt.Sprint("request ", i), c.sendFirst(size), []int{503, 503, 502, 502}[i])
	}
	same(t, "requests", c.Requests(), map[string]int{"POST /api/profile-bulk-import-jobs 503": 2, "POST /api/profile-bulk-import-jobs 400": 1, "POST /api/profile-bulk-import-jobs 413": 1})
}

// TestFaultsAtOnce: many clients at once meet a fault as often as the plan says.
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
	same(t, "requests", c.Requests(), map[string]int{"POST /api/profile-bulk-import-jobs 503": 10, "POST /api/profile-bulk-import-jobs 202": 70})
	same(t, "members", len(c.Members(list)), 50)
}

// TestDelay: how long a delayed answer takes, to the nanosecond of a bubble's clock and whatever the server's time
// limit for requests, and what a client that does not wait leaves behind.
func TestDelay(t *testing.T) {
	plan := readPlan(t, "faults: [{on: POST /api/lists, do: delay, before: 5s, after: 20s, times: -1}, {on: POST /api/lists, do: status, status: 503, skip: 3}]")
	synctest.Test(t, func(t *testing.T) {
		s := simulator.New(simulator.Options{Plan: plan})
		near := &http.Client{Transport: &http.Transport{}}
		server, served := serveInMemory(t, s, near)
		for _, test := range []struct {
			patience, takes time.Duration
			status, lists   int
		}{
			{time.Hour, 25 * time.Second, 201, 1},
			{25*time.Second - 1, 25*time.Second - 1, 0, 2},
			{5*time.Second - 1, 5*time.Second - 1, 0, 2},
			{time.Hour, 25 * time.Second, 503, 2},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), test.patience)
			r, err := http.NewRequestWithContext(ctx, "POST", "http://127.0.0.1/api/lists", strings.NewReader(listBody))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Klaviyo-API-Key key")
			r.Header.Set("revision", "2026-07-15")
			r.Header.Set("Content-Type", mediaType)
			began, status := time.Now(), 0
			if answer, err := near.Do(r); err == nil {
				status = answer.StatusCode
				_ = answer.Body.Close()
			}
			same(t, "answer", []any{status, time.Since(began)}, []any{test.status, test.takes})
			cancel()
			synctest.Wait()
			same(t, "lists", s.Requests()["POST /api/lists 201"], test.lists)
		}
		near.CloseIdleConnections()
		_ = server.Close()
		<-served
	})
}

// serveInMemory serves connections that are pipes, as a bubble needs them, and makes the client dial them.
func serveInMemory(t *testing.T, h http.Handler, near *http.Client) (server *http.Server, served chan struct{}) {
	t.Helper()
	network := contract.NewPipes()
	near.Transport.(*http.Transport).DialContext = network.Dial
	server, served = &http.Server{Handler: h, ReadTimeout: 10 * time.Second}, make(chan struct{})
	go func() { // the test waits for it
		defer close(served)
		_ = server.Serve(network)
	}()
	return server, served
}

// TestCloseInDelay: a request that a fault holds up does not hold up the end.
func TestCloseInDelay(t *testing.T) {
	delayed := make(chan struct{})
	s := simulator.New(simulator.Options{
		Plan: readPlan(t, "faults: [{on: '*', do: delay, after: 1h, times: -1}]"),
		Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(w, r)
				close(delayed)
			})
		},
	})
	address, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "POST /api/lists HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		t.Fatal(err)
	}
	<-delayed
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
