package simulator_test

import (
	"strings"
	"testing"

	"klaviyo-export/sink/simulator"
)

const listBody = `{"data":{"type":"list","attributes":{"name":"x"}}}`

// Only a private key in Klaviyo's form is accepted. Other requests get 401 without rate-limit headers.
func TestKey(t *testing.T) {
	c := start(t, simulator.Options{})
	for _, value := range []string{"", "Klaviyo-API-Key ", "Klaviyo-API-Key invalid", "Bearer key", "key",
		"klaviyo-api-key key"} {
		d := c.want(401, "GET", "/api/accounts", "", "Authorization", value)
		same(t, value, d.problems(), []string{"authentication_failed /data/ Incorrect authentication credentials."})
		if h := c.do("GET", "/api/accounts", "", "Authorization", value).header; h.Get("ratelimit-limit") != "" {
			t.Errorf("%s: has rate limit headers", value)
		}
	}
	c.want(200, "GET", "/api/accounts", "", "Authorization", "Klaviyo-API-Key pk_x")
}

// The account is on the collection and under its id, which is its public key.
func TestAccounts(t *testing.T) {
	c := start(t, simulator.Options{})
	d := c.want(200, "GET", "/api/accounts", "")
	same(t, "ids", d.each("public_api_key"), []any{d.resources[0].ID})
	same(t, "one", c.want(200, "GET", "/api/accounts/"+d.resources[0].ID, "").resources, d.resources)
	c.want(404, "GET", "/api/accounts/NOPE01", "")
}

// A missing or malformed revision header gets 400.
func TestRevision(t *testing.T) {
	c := start(t, simulator.Options{})
	for revision, status := range map[string]int{"": 400, "latest": 400, "2026-7-15": 400, "2026-13-15": 400,
		"20260715": 400, "2023-12-15": 200, "2026-10-15.pre": 200, "2026-10-15.": 400, "2026-10-15.P1": 400} {
		c.want(status, "GET", "/api/lists", "", "revision", revision)
	}
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
		"/api/lists?page[cursor]=x":                     "page[cursor] Invalid cursor.",
		"/api/lists?page[cursor]=" + "bmV4dDo6MXg":      "page[cursor] Invalid cursor.",
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
