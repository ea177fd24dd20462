package simulator_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// startPlan serves a simulator with the faults of a plan. Its import jobs take no time.
func startPlan(t *testing.T, plan string) *client {
	t.Helper()
	return start(t, simulator.Options{JobTime: time.Nanosecond, Ledger: true, Plan: readPlan(t, plan)})
}

// The fault's answer arrives, the request has no effect, and the next request is served.
func TestAnswersWithoutEffect(t *testing.T) {
	for _, test := range []struct {
		name, do string
		status   int
		kind     string // Content-Type
		body     string // its start, without ids
		header   string // "Name: value" that the answer has
	}{
		{"an error", "status, status: 503", 503, mediaType, `{"errors":[{"id":"ID","status":503,` +
			`"code":"service_unavailable","title":"Service Unavailable.","detail":"Service Unavailable.",` +
			`"source":{"pointer":"/data/"}`, ""},
		{"a page", "status, status: 500, as: page", 500, page,
			"<!DOCTYPE html>\n<html><head><title>500: Internal Server Error</title>", "Server: cloudflare"},
		{"a page with a status of Cloudflare's", "status, status: 524, as: page", 524, page,
			"<!DOCTYPE html>\n<html><head><title>524: A timeout occurred</title>", ""},
		{"an error with a status of Cloudflare's", "status, status: 524", 524, mediaType,
			`{"errors":[{"id":"ID","status":524,"code":"error",`, ""},
		{"an empty success", "status, status: 200, as: empty", 200, mediaType, "", "Content-Length: 0"},
		{"a text", "status, status: 502, as: text", 502, mediaType, "upstream connect error", ""},
		{"an error with its own words",
			"status, status: 403, code: permission_denied, detail: No scope., headers: {X-One: two}", 403, mediaType,
			`{"errors":[{"id":"ID","status":403,"code":"permission_denied","title":"You do not have permission ` +
				`to perform this action.","detail":"No scope.",`,
			"X-One: two"},
		{"null", "status, status: 202, body: 'null'", 202, mediaType, "null", ""},
		{"another media type", "status, status: 200, body: ok, type: text/plain", 200, "text/plain", "ok", ""},
		{"a challenge", "challenge", 403, page, "<!DOCTYPE html>\n<html><head><title>Just a moment...</title>",
			"Cf-Mitigated: challenge"},
		{"a 429", "throttle", 429, "", `{"errors":[{"id":"ID","status":429,"code":"throttled",` +
			`"title":"Request was throttled.","detail":"Request was throttled. Expected available in 1 second."`,
			"Retry-After: 1"},
		{"a 429 as an error", "status, status: 429", 429, "", `{"errors":[{"id":"ID","status":429,"code":"throttled",` +
			`"title":"Request was throttled.","detail":"Request was throttled. Expected available in 1 second."`, ""},
		{"a 400", "status, status: 400", 400, mediaType, `{"errors":[{"id":"ID","status":400,"code":"invalid",` +
			`"title":"Invalid input.","detail":"The payload provided in the request is invalid.",` +
			`"source":{"pointer":"/data"}`, ""},
		{"a 401", "status, status: 401", 401, mediaType, `{"errors":[{"id":"ID","status":401,` +
			`"code":"not_authenticated","title":"Authentication credentials were not provided.",` +
			`"detail":"Missing or invalid private key.","source":{"pointer":"/data/"}`,
			"Www-Authenticate: Bearer, Klaviyo-API-Key"},
		{"a 403", "status, status: 403", 403, mediaType, `{"errors":[{"id":"ID","status":403,` +
			`"code":"permission_denied","title":"You do not have permission to perform this action.",` +
			`"detail":"You do not have permission to perform this action.","source":{"pointer":"/data/"}`, ""},
		{"a 404 that speaks of revisions", "status, status: 404, detail: No valid revisions found for method", 404,
			mediaType, `{"errors":[{"id":"ID","status":404,"code":"not_found","title":"Not found.",` +
				`"detail":"No valid revisions found for method","source":{"pointer":"/data/"}`, ""},
		{"a 409", "status, status: 409", 409, mediaType, `{"errors":[{"id":"ID","status":409,` +
			`"code":"duplicate_profile","title":"Conflict.",` +
			`"detail":"A profile already exists with one of these identifiers.",` +
			`"source":{"pointer":"/data/attributes"}`, ""},
		{"a 410", "status, status: 410", 410, "application/json",
			`{"message":"This API has been retired and is no longer in service. Please review our`, ""},
		{"a 410 with its own message", "status, status: 410, detail: Gone since June.", 410, "application/json",
			`{"message":"Gone since June."}`, ""},
		{"a 410 with a code", "status, status: 410, code: gone", 410, mediaType,
			`{"errors":[{"id":"ID","status":410,"code":"gone","title":"Gone.","detail":"Gone."`, ""},
		{"another status in the form of the legacy API", "status, status: 500, as: legacy, detail: x", 500,
			"application/json", `{"message":"x"}`, ""},
		{"a 500", "status, status: 500", 500, mediaType, `{"errors":[{"id":"ID","status":500,"code":"error",` +
			`"title":"A server error occurred.","detail":"A server error occurred.","source":{"pointer":"/data/"}`,
			""},
		{"a redirect", "redirect, to: 'http://127.0.0.1:9/x?y=z'", 302, "", "", "Location: http://127.0.0.1:9/x?y=z"},
		{"a redirect with another status", "redirect, to: 'http://127.0.0.1:9', status: 308", 308, "", "",
			"Location: http://127.0.0.1:9"},
	} {
		t.Run(test.name, func(t *testing.T) {
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
			if strings.HasPrefix(r.body, `{"errors"`) {
				same(t, "id", c.decode(r).Errors[0].ID, r.header.Get("X-Klaviyo-Req-Id"))
			}
			same(t, "lists", len(c.want(200, "GET", "/api/lists", "").resources), 0)
			c.want(201, "POST", "/api/lists", listBody)
			same(t, "requests", c.Requests(), map[string]int{
				fmt.Sprintf("POST /api/lists %d", test.status): 1, "GET /api/lists 200": 1, "POST /api/lists 201": 1})
		})
	}
}

// page is the Content-Type of an HTML page.
const page = "text/html; charset=UTF-8"

// withoutIDs replaces the random id of an error by ID.
func withoutIDs(body string) string {
	const id = `"id":"`
	if i := strings.Index(body, id); strings.HasPrefix(body, `{"errors"`) && i >= 0 {
		return body[:i+len(id)] + "ID" + body[i+len(id)+36:]
	}
	return body
}

// A throttle fault sets Retry-After in the form and with the window that the plan says.
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
		c := start(t, simulator.Options{Now: newClock().now,
			Plan: readPlan(t, "faults: [{on: '*', do: throttle, "+do+"}]")})
		r := c.do("GET", "/api/lists", "")
		same(t, do, []any{r.status, r.header.Get("Retry-After")}, []any{429, want})
		same(t, do, len(r.header.Values("Retry-After")), min(1, len(want)))
	}
}

// A request whose answer is lost has its effect, and the client gets another answer.
func TestLose(t *testing.T) {
	for _, test := range []struct {
		name, do string
		status   int
		kind     string
		body     string // its start
	}{
		{"a page by default", "", 502, page, "<!DOCTYPE html>"},
		{"a page", ", status: 504, as: page", 504, page, "<!DOCTYPE html>\n<html><head><title>504: Gateway Timeout"},
		{"an error", ", status: 500, as: error", 500, mediaType,
			`{"errors":[{"id":"ID","status":500,"code":"error",`},
		{"an error by default 502", ", as: error", 502, mediaType,
			`{"errors":[{"id":"ID","status":502,"code":"bad_gateway",`},
		{"an empty answer with another status", ", status: 200, as: empty", 200, mediaType, ""},
		{"an empty answer", ", as: empty", 202, mediaType, ""},
		{"a text", ", as: text", 202, mediaType, "upstream connect error"},
		{"the answer without an id", ", as: no_id", 202, mediaType,
			`{"data":{"type":"profile-bulk-import-job","attributes":{"status":"queued",`},
		{"null", ", body: 'null', status: 200", 200, mediaType, "null"},
		{"null as text/plain", ", body: 'null', type: text/plain", 202, "text/plain", "null"},
	} {
		t.Run(test.name, func(t *testing.T) {
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

// A reset cuts the connection before the request has its effect, or after it if processed.
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

// A truncated answer ends after the given bytes, with the Content-Length of the whole answer.
func TestTruncate(t *testing.T) {
	for _, test := range []struct {
		name, do string
		want     func(whole int) int // bytes
	}{
		{"halfway", "truncate", func(whole int) int { return whole / 2 }},
		{"within the answer", "truncate, bytes: 10", func(int) int { return 10 }},
		{"beyond the answer", "truncate, bytes: 1000000", func(whole int) int { return whole - 1 }},
	} {
		c := startPlan(t, "faults: [{on: GET /api/accounts, do: "+test.do+"}]")
		cut, err := c.try("GET", "/api/accounts", "")
		whole := c.do("GET", "/api/accounts", "")
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", test.name, err)
		}
		same(t, test.name, []any{cut.status, cut.header.Get("Content-Length"), cut.body},
			[]any{200, fmt.Sprint(len(whole.body)), whole.body[:test.want(len(whole.body))]})
	}
	c := startPlan(t, "faults: [{on: 'DELETE /api/lists/{id}', do: truncate}]")
	_, err := c.try("DELETE", "/api/lists/"+c.AddList("x", "single_opt_in"), "")
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("an answer without body: %v", err)
	}
	same(t, "lists", len(c.want(200, "GET", "/api/lists", "").resources), 0)
}

// relink changes scheme and host of links.next and nothing else, so that the path still leads to all lists.
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
		same(t, "next", []any{u.Scheme, u.Host, u.Path, u.Query().Get("sort")},
			[]any{"https", "elsewhere.example:8443", "/api/lists", "name"})
		path = u.RequestURI()
	}
	same(t, "lists", names, 21)
	c = startPlan(t, "faults: [{on: '*', do: relink, to: 'http://x'}]")
	same(t, "an answer without links", c.want(404, "GET", "/api/lists/x", "").Errors[0].Code, "not_found")
}

// A request that is doubled has its effect twice, and the first answer is given.
func TestTwice(t *testing.T) {
	c := startPlan(t, `faults:
- {on: POST /api/lists, do: twice}
- {on: POST /api/profile-bulk-import-jobs, do: twice}
`)
	id := c.want(201, "POST", "/api/lists", listBody).resources[0].ID
	d := c.want(200, "GET", "/api/lists?filter="+url.QueryEscape(`equals(name,"x")`), "")
	same(t, "lists", d.each("name"), []any{"x", "x"})
	same(t, "the first is answered", d.each("id")[0], any(id))
	first := c.submit(id, `{"email":"a@example.org"}`)
	jobs := c.want(200, "GET", jobsPath, "").each("id")
	same(t, "jobs", []any{len(jobs), jobs[0]}, []any{2, first})
	same(t, "members", c.Members(id), []string{"a@example.org"})
}
