package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// The answers about a list are the recorded ones. Only the answer to POST has microseconds.
func TestListAnswers(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	r := c.do("POST", "/api/lists", `{"data":{"type":"list","attributes":{"name":"VIP \"A\"",`+
		`"opt_in_process":"single_opt_in"}}}`)
	id := c.want(200, "GET", "/api/lists", "").resources[0].ID
	if len(id) != 6 {
		t.Errorf("list id %s", id)
	}
	want := `{"data":{"type":"list","id":"ID","attributes":{"name":"VIP \"A\"",` +
		`"created":"2026-09-04T13:40:00.123456+00:00",` +
		`"updated":"2026-09-04T13:40:00.123456+00:00","opt_in_process":"single_opt_in"},"relationships":{` +
		`"profiles":{"links":{"self":"URL/api/lists/ID/relationships/profiles/",` +
		`"related":"URL/api/lists/ID/profiles/"}},` +
		`"tags":{"links":{"self":"URL/api/lists/ID/relationships/tags/","related":"URL/api/lists/ID/tags/"}},` +
		`"flow-triggers":{"links":{"self":"URL/api/lists/ID/relationships/flow-triggers/",` +
		`"related":"URL/api/lists/ID/flow-triggers/"}}},` +
		`"links":{"self":"URL/api/lists/ID/"}},"links":{"self":"URL/api/lists"}}`
	same(t, "POST", strings.NewReplacer(id, "ID", c.url, "URL").Replace(r.body), want)
	want = strings.ReplaceAll(strings.Replace(want, `URL/api/lists"}}`, `URL/api/lists/ID"}}`, 1), ".123456", "")
	same(t, "GET", strings.NewReplacer(id, "ID", c.url, "URL").Replace(c.do("GET", "/api/lists/"+id, "").body), want)
	same(t, "status", r.status, 201)
}

// Lists are created, changed and deleted as asked, and a wrong body changes nothing.
func TestListChanges(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	create := func(attributes string) document {
		return c.want(201, "POST", "/api/lists", `{"data":{"type":"list","attributes":`+attributes+`}}`)
	}
	id := create(`{"name":"a","opt_in_process":null}`).resources[0].ID
	twin := create(`{"name":"a","opt_in_process":"double_opt_in"}`).resources[0].ID
	same(t, "opt in", c.want(200, "GET", "/api/lists", "").each("opt_in_process"),
		[]any{"double_opt_in", "double_opt_in"})
	same(t, "of one name", c.want(200, "GET", "/api/lists"+query("filter", `equals(name,"a")`), "").each("id"),
		[]any{id, twin})

	now.pass(time.Minute)
	path := "/api/lists/" + id
	patch := func(attributes string) string {
		return `{"data":{"type":"list","id":"` + id + `","attributes":` + attributes + `}}`
	}
	c.want(200, "PATCH", path, patch(`{"name":"b"}`))
	c.want(200, "PATCH", path, patch(`{"opt_in_process":"single_opt_in"}`))
	same(t, "changed", c.want(200, "GET", path, "").resources[0].Attributes, map[string]any{
		"name": "b", "opt_in_process": "single_opt_in", "created": "2026-09-04T13:40:00+00:00",
		"updated": "2026-09-04T13:41:00+00:00"})
	replaced := func(old, new string) string { return strings.Replace(patch(`{}`), old, new, 1) }
	const notAField = " is not a valid field for the resource 'list'."
	for _, test := range []struct{ name, body, want string }{
		{"no id", `{"data":{"type":"list","attributes":{"name":"x"}}}`, "/data/id The id must be that of the path."},
		{"another id", `{"data":{"type":"list","id":"` + twin + `","attributes":{"name":"x"}}}`,
			"/data/id The id must be that of the path."},
		{"a blank name", patch(`{"name":" "}`), "/data/attributes/name The name of a list must not be blank."},
		{"an unknown opt-in process", patch(`{"opt_in_process":"none"}`),
			"/data/attributes/opt_in_process 'none' is not one of single_opt_in, double_opt_in."},
		{"an unknown attribute", patch(`{"title":"x"}`), "/data/attributes/title 'title'" + notAField},
		{"a number for a name", patch(`{"name":5}`), "/data/attributes/name 'name' must be of type string or null."},
		{"another type", replaced(`"type":"list"`, `"type":"lists"`), "/data/type The type must be 'list'."},
		{"a name outside attributes", replaced(`"attributes":{}`, `"name":"x","attributes":{}`),
			"/data/name 'name'" + notAField},
		{"relationships", replaced(`"attributes":{}`, `"relationships":{}`),
			"/data/relationships 'relationships'" + notAField},
		{"no attributes", replaced(`,"attributes":{}`, ``), "/data The payload provided in the request is invalid."},
	} {
		same(t, test.name, c.want(400, "PATCH", path, test.body).problems(), []string{"invalid " + test.want})
	}
	for _, attributes := range []string{`{}`, `{"name":null}`, `{"name":""}`, `{"name":5}`,
		`{"name":"x","opt_in_process":"none"}`} {
		c.want(400, "POST", "/api/lists", `{"data":{"type":"list","attributes":`+attributes+`}}`)
	}
	c.want(400, "POST", "/api/lists", `{"data":{"type":"list","id":"x","attributes":{"name":"x"}}}`)

	c.want(204, "DELETE", path, "")
	for _, method := range []string{"GET", "DELETE"} {
		same(t, method, c.want(404, method, path, "").problems(),
			[]string{"not_found /data/ A list with id `" + id + "` does not exist."})
	}
	c.want(404, "PATCH", path, patch(`{"name":"x"}`))
	for _, rest := range []string{"/profiles", "/relationships/profiles"} {
		c.want(404, "GET", path+rest, "")
	}
	same(t, "left", c.want(200, "GET", "/api/lists", "").each("id"), []any{twin})
}

// Pages have the requested size and lead through all lists in both directions.
func TestListPages(t *testing.T) {
	c := start(t, simulator.Options{})
	var names []any
	for i := range 25 {
		name := fmt.Sprintf("list %02d", i)
		c.AddList(name, "single_opt_in")
		names = append(names, name)
	}
	for path, want := range map[string][]int{
		"/api/lists": {10, 10, 5}, "/api/lists" + query("page[size]", "9", "sort", "name"): {9, 9, 7},
		"/api/lists" + query("sort", "-created", "page[size]", "5"): {5, 5, 5, 5, 5},
	} {
		var got []any
		var sizes []int
		pages := c.pages(path)
		for _, d := range pages {
			got = append(got, d.each("name")...)
			sizes = append(sizes, len(d.resources))
		}
		if strings.Contains(path, "-created") {
			slices.Reverse(got)
		}
		same(t, path, sizes, want)
		same(t, path, got, names)

		// The same way backwards.
		for i := len(pages) - 1; i > 0; i-- {
			if pages[i].Links.Prev == nil {
				t.Fatalf("%s: page %d has no prev", path, i)
			}
			back := c.want(200, "GET", c.path(*pages[i].Links.Prev), "")
			same(t, path, back.each("name"), pages[i-1].each("name"))
			same(t, "has prev", back.Links.Prev != nil, i > 1)
			same(t, "leads on", c.want(200, "GET", c.path(*back.Links.Next), "").each("name"), pages[i].each("name"))
		}
		if pages[0].Links.Prev != nil {
			t.Errorf("%s: the first page has prev", path)
		}
	}
}

// Filters and sorts select exactly the matching lists, and an invalid filter gets 400.
func TestListFilters(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	ids := map[string]string{}
	for _, name := range []string{"VIP", "vip", `VIP "A"`, `it's`, `back\slash`, "a, b", "Größe", "x)y", "a+b"} {
		ids[name] = c.AddList(name, "single_opt_in")
		now.pass(time.Hour)
	}
	for filter, want := range map[string][]any{
		`equals(name,"VIP")`:                                  {"VIP"},
		`equals(name,'VIP')`:                                  {"VIP"},
		`equals(name,["vip"])`:                                {"vip"},
		`any(name,["VIP","vip","none"])`:                      {"VIP", "vip"},
		`equals(name,"VIP \"A\"")`:                            {`VIP "A"`},
		`equals(name,'VIP "A"')`:                              {`VIP "A"`},
		`equals(name,'it\'s')`:                                {"it's"},
		`equals(name,"it's")`:                                 {"it's"},
		`equals(name,"back\\slash")`:                          {`back\slash`},
		`equals(name,"a, b")`:                                 {"a, b"},
		`equals(name,"Größe")`:                                {"Größe"},
		`equals(name,"x)y")`:                                  {"x)y"},
		`equals(name,"a+b")`:                                  {"a+b"},
		`equals(name,"none")`:                                 nil,
		`equals(id,"` + ids["VIP"] + `")`:                     {"VIP"},
		`any(id,["` + ids["VIP"] + `","` + ids["vip"] + `"])`: {"VIP", "vip"},
		`and(any(name,["VIP","vip"]),equals(id,"` + ids["vip"] + `"))`:       {"vip"},
		`any(name,["VIP","vip"]),equals(id,"` + ids["vip"] + `")`:            {"vip"},
		`greater-than(created,2026-09-03T20:46:00Z)`:                         {"x)y", "a+b"},
		`greater-than(updated,2026-09-03T20:46:00+00:00),equals(name,"a+b")`: {"a+b"},
	} {
		same(t, filter, c.want(200, "GET", "/api/lists"+query("filter", filter), "").each("name"), want)
	}
	same(t, "sorted by name", c.want(200, "GET", "/api/lists"+query("sort", "name"), "").each("name"),
		[]any{"Größe", "VIP", `VIP "A"`, "a+b", "a, b", `back\slash`, "it's", "vip", "x)y"})
	same(t, "sorted by update", c.want(200, "GET", "/api/lists"+query("sort", "-updated"), "").each("name")[:2],
		[]any{"a+b", "x)y"})
	var sorted []string
	for _, id := range c.want(200, "GET", "/api/lists"+query("sort", "id"), "").each("id") {
		sorted = append(sorted, id.(string))
	}
	same(t, "sorted by id", slices.IsSorted(sorted), true)
	// A plus that is not encoded is a space.
	same(t, "plus", len(c.want(200, "GET", `/api/lists?filter=equals(name,%22a+b%22)`, "").resources), 0)
	for _, filter := range []string{"", "x", "equals(name,VIP)", `equals(name,"VIP"`, `equals(name,"VIP"))`,
		`equals(name "VIP")`, `equals(name,"VIP)`, `contains(name,"V")`, `equals(title,"x")`,
		`any(name,"VIP")`, `any(name,[])`, `any(name,["a"`, `any(name,["a",])`, `greater-than(name,"a")`,
		`greater-than(created,yesterday)`, `less-than(created,2026-09-04T13:40:00Z)`,
		`equals(name,"a"),`, `and(equals(name,"a")`, `equals(name,"a")equals(name,"b")`,
		`or(equals(name,"a"),equals(name,"b"))`} {
		same(t, filter, c.want(400, "GET", "/api/lists"+query("filter", filter), "").problems(),
			[]string{"invalid filter Invalid filter provided."})
	}
}

// MaxPage makes pages small whatever size is asked for, and they lead to all lists.
func TestMaxPage(t *testing.T) {
	sim := simulator.New(simulator.Options{MaxPage: 2})
	for i := range 5 {
		sim.AddList(fmt.Sprint("L", i), "single_opt_in")
	}
	path, pages, found := "/api/lists?page%5Bsize%5D=10", 0, 0
	for path != "" {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
		r.Header.Set("Authorization", "Klaviyo-API-Key k")
		r.Header.Set("revision", "2026-07-15")
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, r)
		var page struct {
			Data  []struct{} `json:"data"`
			Links struct {
				Next string `json:"next"`
			} `json:"links"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Data) > 2 {
			t.Fatal(err, w.Body.String())
		}
		pages, found = pages+1, found+len(page.Data)
		path = strings.TrimPrefix(page.Links.Next, "http://127.0.0.1")
	}
	if pages != 3 || found != 5 {
		t.Errorf("%d lists on %d pages", found, pages)
	}
}
