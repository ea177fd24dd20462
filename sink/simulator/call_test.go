package simulator_test

import (
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

const listBody = `{"data":{"type":"list","attributes":{"name":"x"}}}`

// Only a private key in Klaviyo's form is accepted. Other requests get 401 without rate-limit headers.
func TestKey(t *testing.T) {
	c := start(t, simulator.Options{})
	for _, value := range []string{"", "Klaviyo-API-Key ", "Klaviyo-API-Key invalid", "Bearer key", "key",
		"klaviyo-api-key key"} {
		d := c.want(401, "GET", "/api/accounts", "", "Authorization", value)
		same(t, value, d.problems(), []string{"not_authenticated /data/ Missing or invalid private key."})
		same(t, value, d.Errors[0].Title, "Authentication credentials were not provided.")
		h := c.do("GET", "/api/accounts", "", "Authorization", value).header
		same(t, value, []string{h.Get("Www-Authenticate"), h.Get("Ratelimit-Limit"), h.Get("Ratelimit-Remaining"),
			h.Get("Ratelimit-Reset"), h.Get("X-Klaviyo-Api-Revision")},
			[]string{"Bearer, Klaviyo-API-Key", "", "", "", ""})
	}
	c.want(200, "GET", "/api/accounts", "", "Authorization", "Klaviyo-API-Key pk_x")
}

// A key no-SCOPE lacks the scopes that start with SCOPE. The answer names those that the operation needs.
func TestScopes(t *testing.T) {
	c := start(t, simulator.Options{})
	list := c.AddList("x", "single_opt_in")
	member := `{"data":[{"type":"profile","id":"` + c.AddProfile("a@example.org") + `"}]}`
	for _, test := range []struct{ name, key, method, path, body, missing string }{
		{"one scope", "no-accounts", "GET", "/api/accounts", "", "accounts:read"},
		{"two scopes", "no-lists", "GET", "/api/lists/" + list + "/profiles", "", "lists:read"},
		{"one of two that an operation needs", "no-profiles:write", "POST",
			"/api/lists/" + list + "/relationships/profiles", member, "profiles:write"},
		{"before the body is read", "no-lists:write", "POST", jobsPath, "{", "lists:write"},
		{"reading of profiles alone", "no-profiles", "GET", "/api/profiles", "", "profiles:read"},
		{"another scope", "no-accounts", "GET", "/api/lists", "", ""},
		{"reading without the scope for writing", "no-lists:write", "GET", "/api/lists", "", ""},
		{"a part of a scope", "no-list", "GET", "/api/lists", "", ""},
		{"no scope", "no-", "GET", "/api/lists", "", ""},
	} {
		r := c.do(test.method, test.path, test.body, "Authorization", "Klaviyo-API-Key "+test.key)
		if test.missing == "" {
			same(t, test.name, r.status, 200)
			continue
		}
		d := c.decode(r)
		same(t, test.name, []any{r.status, d.problems(), d.Errors[0].Title}, []any{403,
			[]string{"permission_denied /data/ Your API key is missing required scopes: " + test.missing},
			"You do not have permission to perform this action."})
	}
	same(t, "members", c.Members(list), []string(nil))
}

// The account is on the collection and under its id, which is its public key.
func TestAccounts(t *testing.T) {
	c := start(t, simulator.Options{})
	d := c.want(200, "GET", "/api/accounts", "")
	same(t, "ids", d.each("public_api_key"), []any{d.resources[0].ID})
	same(t, "one", c.want(200, "GET", "/api/accounts/"+d.resources[0].ID, "").resources, d.resources)
	c.want(404, "GET", "/api/accounts/NOPE01", "")
}

// A missing or malformed revision gets 400, and one that no endpoint has or that lies in the future 404. Every other
// one is served by the last live revision before it, else by the oldest live one, and the answer names that.
func TestRevision(t *testing.T) {
	c := start(t, simulator.Options{Now: newClock().now})
	const (
		form    = "invalid /data/ The revision header must be a date such as 2026-07-15."
		missing = "not_found /data/ No valid revisions found for method"
		future  = "not_found /data/ Unable to specify a future revision date"
	)
	for _, test := range []struct{ revision, want string }{ // the revision that serves, or the problem
		{"", form}, {"latest", form}, {"2026-7-15", form}, {"2026-13-15", form}, {"20260715", form},
		{"2026-10-15.", form}, {"2026-10-15.P1", form},
		{"2021-12-31", missing}, {"2021-12-31.pre", missing}, {"1999-01-01", missing},
		{"2026-10-16", future}, {"2027-01-15", future}, {"2027-01-15.pre", future},
		{"2026-10-15", "2026-10-15"}, {"2026-10-15.pre", "2026-10-15.pre"}, {"2026-10-14", "2026-07-15"},
		{"2026-07-15", "2026-07-15"}, {"2026-01-20", "2026-01-15"}, {"2025-01-15", "2025-01-15"},
		{"2025-01-14", "2025-01-15"}, {"2023-12-15", "2025-01-15"}, {"2022-01-01", "2025-01-15"},
	} {
		r := c.do("GET", "/api/lists", "", "revision", test.revision)
		served := r.header.Get("X-Klaviyo-Api-Revision")
		switch {
		case served != "":
			same(t, test.revision, []any{r.status, served}, []any{200, test.want})
		case strings.HasPrefix(test.want, "invalid"):
			same(t, test.revision, c.want(400, "GET", "/api/lists", "", "revision", test.revision).problems(),
				[]string{test.want})
		default:
			same(t, test.revision, c.want(404, "GET", "/api/lists", "", "revision", test.revision).problems(),
				[]string{test.want})
		}
	}
	later := newClock()
	later.pass(365 * 24 * time.Hour)
	c = start(t, simulator.Options{Now: later.now})
	same(t, "a date that has come", c.do("GET", "/api/lists", "", "revision", "2027-07-15").
		header.Get("X-Klaviyo-Api-Revision"), "2026-10-15")
}

// A retired revision gets 410 if the client does not want a later one in its place.
func TestRetiredRevision(t *testing.T) {
	c := start(t, simulator.Options{})
	const optOut = "X-Klaviyo-Revision-Fall-Forward-Opt-Out"
	for revision, status := range map[string]int{"2024-10-15": 410, "2022-10-17": 410, "2025-01-15": 200} {
		d := c.want(status, "GET", "/api/lists", "", "revision", revision, optOut, "1")
		if status == 410 {
			same(t, revision, d.problems(), []string{"gone /data/ The revision " + revision + " is retired."})
		}
	}
	c.want(200, "GET", "/api/lists", "", "revision", "2024-10-15", optOut, "0")
}

// The answers say when their revision ends if the plan knows it.
func TestRetirement(t *testing.T) {
	const header = "X-Klaviyo-Api-Revision-Retirement-Date"
	c := start(t, simulator.Options{Plan: readPlan(t, "retirement: 2028-07-15")})
	same(t, "a success", c.do("GET", "/api/accounts", "").header.Get(header), "2028-07-15")
	same(t, "a failure", c.do("GET", "/api/lists/NOPE01", "").header.Get(header), "2028-07-15")
	same(t, "a wrong key", c.do("GET", "/api/lists", "", "Authorization", "").header.Values(header), []string(nil))
	c = start(t, simulator.Options{})
	same(t, "without a plan", c.do("GET", "/api/accounts", "").header.Values(header), []string(nil))
}

// The APIs before revisions answer 410 with a message, whatever the key.
func TestLegacyAPI(t *testing.T) {
	c := start(t, simulator.Options{})
	for _, path := range []string{"/api/v2/list/abc/members", "/api/v1/metrics"} {
		r := c.do("POST", path, "{}", "Authorization", "")
		same(t, path, []any{r.status, r.header.Get("Content-Type"), r.header.Get("X-Klaviyo-Req-Id") != "", r.body},
			[]any{410, "application/json", true, `{"message":"This API has been retired and is no longer in service. ` +
				`Please review our migration resources for help migrating to our new APIs. ` +
				`https://developers.klaviyo.com/en/docs/migration_resources"}`})
	}
	same(t, "requests", c.Requests(), map[string]int{"other": 2})
}

// A body needs a JSON media type and no Content-Encoding; otherwise the answer is 415.
func TestMediaTypes(t *testing.T) {
	c := startBare(t, simulator.Options{})
	for kind, status := range map[string]int{mediaType: 201, mediaType + "; charset=utf-8": 201,
		"application/json": 201, "": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415} {
		c.want(status, "POST", "/api/lists", listBody, "Content-Type", kind)
	}
	for _, encoding := range []string{"gzip", "identity", "br"} {
		same(t, encoding, c.want(415, "POST", "/api/lists", listBody, "Content-Encoding", encoding).Errors[0].Code,
			"unsupported_media_type")
	}
}

// A slash at the end makes no difference, an unknown path gets 404, and an unknown method 405 with Allow.
func TestPaths(t *testing.T) {
	c := startBare(t, simulator.Options{})
	list := c.AddList("x", "single_opt_in")
	c.want(200, "GET", "/api/lists/", "")
	c.want(200, "GET", "/api/lists/"+list+"/", "")
	same(t, "self", *c.want(200, "GET", "/api/lists/", "").Links.Self, c.url+"/api/lists")
	for _, path := range []string{"/", "/api", "/api/nope", "/api//lists", "/api/lists/a/b",
		"/api/lists/a/relationships", "/api/lists/a%2Fprofiles/profiles/x", "/API/lists"} {
		same(t, path, c.want(404, "GET", path, "").Errors[0].Code, "not_found")
	}
	same(t, "no id", c.want(404, "GET", "/api/lists//profiles", "").problems(),
		[]string{"not_found /data/ The path /api/lists//profiles does not exist."})
	same(t, "a slash in an id", c.want(404, "GET", "/api/lists/a%2Fb", "").problems(),
		[]string{"not_found /data/ A list with id `a/b` does not exist."})
	for path, allow := range map[string]string{"/api/lists": "GET, POST", "/api/lists/x": "GET, PATCH, DELETE",
		"/api/accounts": "GET"} {
		r := c.do("PUT", path, "{}")
		same(t, path, []any{r.status, r.header.Get("Allow")}, []any{405, allow})
		if !strings.Contains(r.body, `"code":"method_not_allowed"`) {
			t.Error(r.body)
		}
	}
}

// Every unknown or wrong query parameter gets 400 that names it.
func TestQueriesRefused(t *testing.T) {
	c := start(t, simulator.Options{})
	list := "/api/lists/" + c.AddList("x", "single_opt_in")
	const (
		tenAtMost   = "Page size must be an integer between 1 and 10."
		hundred     = "Page size must be an integer between 1 and 100."
		notAllowed  = " is not an allowed query parameter for this resource."
		notSortable = " is not an allowed sort for this resource."
		notOfList   = " is not a valid field for the resource 'list'."
	)
	for query, want := range map[string]string{
		"/api/lists?page[size]=11":                      "page[size] " + tenAtMost,
		"/api/lists?page[size]=0":                       "page[size] " + tenAtMost,
		"/api/lists?page[size]=ten":                     "page[size] " + tenAtMost,
		"/api/profiles?page[size]=101":                  "page[size] " + hundred,
		jobsPath + "?page[size]=101":                    "page[size] " + hundred,
		"/api/lists?page[cursor]=x":                     "/data/ Invalid cursor provided.",
		"/api/lists?page[cursor]=" + "bmV4dDo6MXg":      "/data/ Invalid cursor provided.",
		"/api/lists?sort=size":                          "sort 'size'" + notSortable,
		"/api/lists?limit=5":                            "limit 'limit'" + notAllowed,
		list + "?page[size]=5":                          "page[size] 'page[size]'" + notAllowed,
		"/api/lists?fields[list]=title":                 "fields[list] 'title'" + notOfList,
		"/api/lists?fields[profile]=email":              "fields[profile] 'fields[profile]'" + notAllowed,
		list + "/profiles?sort=-email":                  "sort '-email'" + notSortable,
		list + "?additional-fields[list]=x":             "additional-fields[list] 'x'" + notOfList,
		"/api/accounts?sort=id":                         "sort 'sort'" + notAllowed,
		"/api/profiles?filter=equals(email,a)":          "filter Invalid filter provided.",
		"/api/lists?sort=name&sort=id":                  "sort 'sort' is given more than once.",
		jobsPath + `?filter=equals(status,"cancelled")`: "filter Invalid filter provided.",
	} {
		query = strings.NewReplacer(`"`, "%22").Replace(query)
		same(t, query, c.want(400, "GET", query, "").problems(), []string{"invalid " + want})
	}
	job := c.submit("", `{"email":"a@example.org"}`)
	same(t, "include", c.want(400, "GET", jobsPath+"/"+job+"?include=profiless", "").problems(),
		[]string{"invalid include 'profiless' is not an allowed include parameter for this resource."})
	same(t, "encoding", startBare(t, simulator.Options{}).want(400, "GET", "/api/lists?filter=%zz", "").problems(),
		[]string{"invalid query The query string is malformed."})
}

// A filter has at most 100 values, and a longer URL than 8,190 bytes is refused. No such request has an effect.
func TestLongQueries(t *testing.T) {
	c := start(t, simulator.Options{})
	values := func(n int, value string) string {
		return "/api/profiles" + query("filter", `any(email,["`+strings.Repeat(value+`","`, n-1)+value+`"])`)
	}
	c.want(200, "GET", values(100, "a@example.org"), "")
	same(t, "101 values", c.want(400, "GET", values(101, "a@example.org"), "").problems(),
		[]string{"invalid filter Invalid filter provided."})
	longest := "/api/profiles" + query("filter", `equals(email,"`+strings.Repeat("a", 8190)+`")`)
	longest = strings.Replace(longest, strings.Repeat("a", len(longest)-8190), "", 1)
	same(t, "length", len(longest), 8190)
	c.want(200, "GET", longest, "")
	same(t, "a longer URL", c.want(414, "GET", strings.Replace(longest, "aa", "aaa", 1), "").problems(),
		[]string{"request_uri_too_long /data/ The URL is longer than the maximum of 8190 bytes."})
}

// Every answer has the account's time in its Date, that of a fault too.
func TestDate(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now,
		Plan: readPlan(t, "faults: [{on: GET /api/lists, do: status, status: 503, skip: 1}]")})
	now.pass(time.Hour)
	for _, status := range []int{200, 503} {
		r := c.do("GET", "/api/lists", "")
		same(t, "date", []any{r.status, r.header.Get("Date")}, []any{status, "Fri, 04 Sep 2026 14:40:00 GMT"})
	}
}
