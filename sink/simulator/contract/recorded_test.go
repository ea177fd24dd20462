package contract_test

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

// recording is an exchange with Klaviyo as klaviyo-more.md §9 describes it, with the headers that matter. LIST, PROFILE
// and OLD stand for ids of the account.
type recording struct {
	name               string
	plan               string // of the simulator
	key                string // "key" if empty
	revision           string // 2026-07-15 if empty
	method, path, body string
	before             int // requests that come before it
	status             int
	headers            map[string]string // "" is none
	problems           []problem
}

// problem is an error object without its id, links and meta.
type problem struct {
	Status              int
	Code, Title, Detail string
	Source              struct{ Pointer, Parameter string }
}

func at(pointer string, status int, code, title, detail string) problem {
	p := problem{Status: status, Code: code, Title: title, Detail: detail}
	p.Source.Pointer = pointer
	return p
}

// ineligible and invalid are the errors of a phone number and of an email, at a place in an import.
func ineligible(place string) problem {
	return at("/data/attributes/profiles/data/"+place+"/attributes/phone_number", 400, "invalid", "Invalid input.",
		"The phone number provided either does not exist or is ineligible to receive ChannelType.SMS")
}

func invalid(place string) problem {
	return at("/data/attributes/profiles/data/"+place+"/attributes/email", 400, "invalid", "Invalid input.",
		"Invalid email address")
}

// importOf is an import of profiles with these attributes.
func importOf(attributes ...string) string {
	return `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[{"type":"profile",` +
		`"attributes":` + strings.Join(attributes, `},{"type":"profile","attributes":`) + `}]}}}}`
}

const (
	members = "/api/lists/LIST/relationships/profiles"
	imports = "/api/profile-bulk-import-jobs"
	someIDs = `{"data":[{"type":"profile","id":"PROFILE"},{"type":"profile","id":"01H0000000000000000000000A"},` +
		`{"type":"profile","id":"AbC123"}]}`
)

var recordings = []recording{
	{name: "an unknown key", key: "invalid", method: "GET", path: "/api/lists/LIST", status: 401,
		headers: map[string]string{"Content-Type": mediaType, "Www-Authenticate": "Bearer, Klaviyo-API-Key",
			"Ratelimit-Limit": "", "Ratelimit-Remaining": "", "Ratelimit-Reset": "", "X-Klaviyo-Api-Revision": ""},
		problems: []problem{at("/data/", 401, "not_authenticated", "Authentication credentials were not provided.",
			"Missing or invalid private key.")}},
	{name: "a missing scope", key: "no-lists:write", method: "POST", path: "/api/lists", body: listBody, status: 403,
		headers: map[string]string{"Content-Type": mediaType, "X-Klaviyo-Api-Revision": "2026-07-15"},
		problems: []problem{at("/data/", 403, "permission_denied",
			"You do not have permission to perform this action.",
			"Your API key is missing required scopes: lists:write")}},
	{name: "a revision that no endpoint has", revision: "2021-01-01", method: "GET", path: "/api/lists", status: 404,
		problems: []problem{at("/data/", 404, "not_found", "Not found.", "No valid revisions found for method")}},
	{name: "a revision of the future", revision: "2126-01-15", method: "GET", path: "/api/lists", status: 404,
		problems: []problem{at("/data/", 404, "not_found", "Not found.",
			"Unable to specify a future revision date")}},
	{name: "an old revision", revision: "2023-09-15", method: "GET", path: "/api/lists/LIST", status: 200,
		headers: map[string]string{"X-Klaviyo-Api-Revision": "2025-01-15"}},
	{name: "a revision that ends", plan: "retirement: 2028-07-15", method: "GET", path: "/api/lists/LIST", status: 200,
		headers: map[string]string{"X-Klaviyo-Api-Revision": "2026-07-15",
			"X-Klaviyo-Api-Revision-Retirement-Date": "2028-07-15"}},
	{name: "an unknown list", method: "GET", path: "/api/lists/NOPE01", status: 404,
		headers: map[string]string{"Content-Type": mediaType, "Ratelimit-Limit": "75, 75;w=1, 750;w=60",
			"Ratelimit-Remaining": "74", "Ratelimit-Reset": "0"},
		problems: []problem{at("/data/", 404, "not_found", "Not found.", "A list with id `NOPE01` does not exist.")}},
	{name: "over the burst limit", method: "GET", path: "/api/accounts", before: 1, status: 429,
		headers: map[string]string{"Content-Type": "", "Retry-After": "1", "Ratelimit-Limit": "",
			"Ratelimit-Remaining": "", "Ratelimit-Reset": ""},
		problems: []problem{at("/data", 429, "throttled", "Request was throttled.",
			"Request was throttled. Expected available in 1 second.")}},
	{name: "unknown ids to remove", method: "DELETE", path: members, body: someIDs, status: 400,
		problems: []problem{at("/data/", 400, "invalid", "Invalid input.",
			"Invalid profile IDs: 01H0000000000000000000000A, AbC123")}},
	{name: "unknown ids to add", method: "POST", path: members, body: someIDs, status: 400,
		problems: []problem{at("/data/", 400, "invalid", "Invalid input.",
			"Invalid profile IDs: 01H0000000000000000000000A, AbC123")}},
	{name: "an id from before ULIDs", method: "DELETE", path: members,
		body: `{"data":[{"type":"profile","id":"OLD"}]}`, status: 204},
	{name: "a phone number that does not exist", method: "POST", path: imports,
		body:   importOf(`{"email":"a@example.org"}`, `{"email":"b@example.org","phone_number":"+15550100001"}`),
		status: 400, problems: []problem{ineligible("1")}},
	{name: "a phone number that cannot be texted", plan: "faults: [{do: refuse, phones: ['+49*']}]", method: "POST",
		path: imports, body: importOf(`{"email":"a@example.org","phone_number":"+4930901820"}`), status: 400,
		problems: []problem{ineligible("0")}},
	{name: "an impossible phone number", method: "POST", path: imports,
		body: importOf(`{"email":"a@example.org","phone_number":"+1234"}`), status: 202},
	{name: "emails", method: "POST", path: imports,
		body: importOf(`{"email":"a!b@example.org"}`, `{"email":"ok@example.org"}`, `{"email":"a@example.com1"}`,
			`{"email":"a@example.c"}`, `{"email":"mailto:a@example.org"}`, `{"email":"ä@example.org"}`),
		status: 400, problems: []problem{invalid("0"), invalid("2"), invalid("3"), invalid("4"), invalid("5")}},
}

// The simulator answers each recorded request as Klaviyo did, and breaks nothing of the description. All
// errors of an answer have the id that its header gives the request.
func TestRecordings(t *testing.T) {
	c := load(t)
	for _, r := range recordings {
		t.Run(r.name, func(t *testing.T) {
			plan, err := simulator.ReadPlan("plan", strings.NewReader("seed: 1\n"+r.plan))
			if err != nil {
				t.Fatal(err)
			}
			now := time.Date(2026, 11, 28, 2, 7, 0, 123456000, time.UTC)
			s := simulator.New(simulator.Options{
				RateLimits: true, Plan: plan, Now: func() time.Time { return now },
			})
			names := strings.NewReplacer("LIST", s.AddList("Newsletter", "single_opt_in"),
				"PROFILE", s.AddProfile("ann@example.org"), "OLD", s.AddOldProfile("old@example.org"))
			h := c.Wrap(s, func(err error) { t.Error(err) })
			var w *httptest.ResponseRecorder
			for range r.before + 1 {
				w = ask(h, r, names)
			}
			got := w.Result().Header
			if w.Code != r.status {
				t.Errorf("status %d, want %d: %s", w.Code, r.status, w.Body)
			}
			for name, want := range r.headers {
				if got.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, got.Get(name), want)
				}
			}
			request := got.Get("X-Klaviyo-Req-Id")
			if len(request) != 36 {
				t.Errorf("request id %q", request)
			}
			if r.problems == nil {
				return
			}
			var answer struct {
				Errors []struct {
					ID string
					problem
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			var problems []problem
			for _, e := range answer.Errors {
				problems = append(problems, e.problem)
				if e.ID != request {
					t.Errorf("error id %q, request id %q", e.ID, request)
				}
			}
			if !slices.Equal(problems, r.problems) {
				t.Errorf("errors %+v, want %+v", problems, r.problems)
			}
		})
	}
}

// ask sends the request of a recording to a handler.
func ask(h http.Handler, r recording, names *strings.Replacer) *httptest.ResponseRecorder {
	request := httptest.NewRequest(r.method, names.Replace(r.path), strings.NewReader(names.Replace(r.body)))
	request.Header.Set("Authorization", "Klaviyo-API-Key "+cmp.Or(r.key, "key"))
	request.Header.Set("revision", cmp.Or(r.revision, "2026-07-15"))
	if r.body != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request)
	return w
}

// A key without a scope is refused on exactly the operations whose description asks for that scope.
func TestScopes(t *testing.T) {
	load(t)
	path, _ := contract.Find()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	a := newAccount(t)
	for _, op := range operations {
		path, _, _ := strings.Cut(op.path, "?")
		pattern := strings.NewReplacer("LIST", "{id}", "PROFILE", "{id}", "SiMuL8", "{id}",
			"CAMPAIGN", "{id}", "MESSAGE", "{id}", "SENT", "{id}").Replace(path)
		pattern = strings.Replace(pattern, "/JOB/", "/{id}/", 1)
		pattern = strings.Replace(pattern, "/JOB", "/{job_id}", 1)
		var described struct{ Description string }
		if err := json.Unmarshal(doc.Paths[pattern][strings.ToLower(op.method)], &described); err != nil {
			t.Fatalf("%s %s: %v", op.method, pattern, err)
		}
		_, list, _ := strings.Cut(described.Description, "**Scopes:**")
		needed := scope.FindAllString(list, -1)
		if len(needed) == 0 {
			t.Errorf("%s %s has no scopes", op.method, pattern)
		}
		for _, key := range []string{"accounts:read", "lists:read", "lists:write", "profiles:read", "profiles:write",
			"campaigns:read", "campaigns:write", "templates:read"} {
			r := recording{key: "no-" + key, method: op.method, path: op.path, body: op.body}
			if refused := ask(a, r, a.names).Code == 403; refused != slices.Contains(needed, key) {
				t.Errorf("%s %s without %s: refused %v", op.method, pattern, key, refused)
			}
		}
	}
}

var scope = regexp.MustCompile(`[a-z]+:(?:read|write)`)
