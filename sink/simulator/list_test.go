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

// TestListAnswers holds the answers to the ones that were recorded: microseconds in that to POST alone.
func TestListAnswers(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	r := c.do("POST", "/api/lists", `{"data":{"type":"list","attributes":{"name":"VIP \"A\"","opt_in_process":"single_opt_in"}}}`)
	id := c.want(200, "GET", "/api/lists", "").resources[0].ID
	if len(id) != 6 {
		t.Errorf("list id %s", id)
	}
	want := `{"data":{"type":"list","id":"ID","attributes":{"name":"VIP \"A\"","created":"2026-09-04T13:40:00.123456+00:00",` +
		`"updated":"2026-09-04T13:40:00.123456+00:00","opt_in_process":"single_opt_in"},"relationships":{` +
		`"profiles":{"links":{"self":"URL/api/lists/ID/relationships/profiles/","related":"URL/api/lists/ID/profiles/"}},` +
		`"tags":{"links":{"self":"URL/api/lists/ID/relationships/tags/","related":"URL/api/lists/ID/tags/"}},` +
		`"flow-triggers":{"links":{"self":"URL/api/lists/ID/relationships/flow-triggers/","related":"URL/api/lists/ID/flow-triggers/"}}},` +
		`"links":{"self":"URL/api/lists/ID/"}},"links":{"self":"URL/api/lists"}}`
	same(t, "POST", strings.NewReplacer(id, "ID", c.url, "URL").Replace(r.body), want)
	want = strings.ReplaceAll(strings.Replace(want, `URL/api/lists"}}`, `URL/api/lists/ID"}}`, 1), ".123456", "")
	same(t, "GET", strings.NewReplacer(id, "ID", c.url, "URL").Replace(c.do("GET", "/api/lists/"+id, "").body), want)
	same(t, "status", r.status, 201)
}

func TestListChanges(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	create := func(attributes string) document {
		return c.want(201, "POST", "/api/lists", `{"data":{"type":"list","attributes":`+attributes+`}}`)
	}
	id := create(`{"name":"a","opt_in_process":null}`).resources[0].ID
	twin := create(`{"name":"a","opt_in_process":"double_opt_in"}`).resources[0].ID
	same(t, "opt in", c.want(200, "GET", "/api/lists", "").each("opt_in_process"), []any{"double_opt_in", "double_opt_in"})
	same(t, "of one name", c.want(200, "GET", "/api/lists"+query("filter", `equals(name,"a")`), "").each("id"), []any{id, twin})

	now.pass(time.Minute)
	path := "/api/lists/" + id
	patch := func(attributes string) string {
		return `{"data":{"type":"list","id":"` + id + `","attributes":` + attributes + `}}`
	}
	c.want(200, "PATCH", path, patch(`{"name":"b"}`))
	c.want(200, "PATCH", path, patch(`{"opt_in_process":"single_opt_in"}`))
	same(t, "changed", c.want(200, "GET", path, "").resources[0].Attributes, map[string]any{
		"name": "b", "opt_in_process": "single_opt_in", "created": "2026-09-04T13:40:00+00:00", "updated": "2026-09-04T13:41:00+00:00"})
	for body, want := range map[string]string{
		`{"data":{"type":"list","attributes":{"name":"x"}}}`:                     "invalid /data/id The id must be that of the path.",
		`{"data":{"type":"list","id":"` + twin + `","attributes":{"name":"x"}}}`: "invalid /data/id The id must be that of the path.",
		patch(`{"name":" "}`):              "invalid /data/attributes/name The name of a list must not be blank.",
		patch(`{"opt_in_process":"none"}`): "invalid /data/attributes/opt_in_process 'none' is not one of single_opt_in, double_opt_in.",
		patch(`{"title":"x"}`):             "invalid /data/attributes/title 'title' is not a valid field for the resource 'list'.",
		patch(`{"name":5}`):                "invalid /data/attributes/name 'name' must be of type string or null.",
		strings.Replace(patch(`{}`), `"type":"list"`, `"type":"lists"`, 1):               "invalid /data/type The type must be 'list'.",
		strings.Replace(patch(`{}`), `"attributes":{}`, `"name":"x","attributes":{}`, 1): "invalid /data/name 'name' is not a valid field for the resource 'list'.",
		strings.Replace(patch(`{}`), `"attributes":{}`, `"relationships":{}`, 1):         "invalid /data/relationships 'relationships' is not a valid field for the resource 'list'.",
		strings.Replace(patch(`{}`), `,"attributes":{}`, ``, 1):                          "invalid /data The payload provided in the request is invalid.",
	} {
		same(t, body, c.want(400, "PATCH", path, body).problems(), []string{want})
	}
	for _, attributes := range []string{`{}`, `{"name":null}`, `{"name":""}`, `{"name":5}`, `{"name":"x","opt_in_process":"none"}`} {
		c.want(400, "POST", "/api/lists", `{"data":{"type":"list","attributes":`+attributes+`}}`)
	}
	c.want(400, "POST", "/api/lists", `{"data":{"type":"list","id":"x","attributes":{"name":"x"}}}`)

	c.want(204, "DELETE", path, "")
	for _, method := range []string{"GET", "DELETE"} {
		same(t, method, c.want(404, method, path, "").problems(), []string{"not_found /data/ A list with id `" + id + "` does not exist."})
	}
	c.want(404, "PATCH", path, patch(`{"name":"x"}`))
	for _, rest := range []string{"/profiles", "/relationships/profiles"} {
		c.want(404, "GET", path+rest, "")
	}
	same(t, "left", c.want(200, "GET", "/api/lists", "").each("id"), []any{twin})
}

func TestListPages(t *testing.T) {
	c := start(t, simulator.Options{})
	var names []any
	for i := range 25 {
		name := fmt.Sprintf("list %02d", i)
		c.AddList(name, "single_opt_in")
		names = append(names, name)
	}
	for path, want := range map[string][]int{
		"/api/lists": {10, 10, 5}, "/api/lists" + query("page[size]", "9", "sort", "name"): {9, 9, 7}, "/api/lists" + query("sort", "-created", "page[size]", "5"): {5, 5, 5, 5, 5},
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

		// The same way back.
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
	same(t, "sorted by update", c.want(200, "GET", "/api/lists"+query("sort", "-updated"), "").each("name")[:2], []any{"a+b", "x)y"})
	var sorted []string
	for _, id := range c.want(200, "GET", "/api/lists"+query("sort", "id"), "").each("id") {
		sorted = append(sorted, id.(string))
	}
	same(t, "sorted by id", slices.IsSorted(sorted), true)
	// A plus that is not encoded is a space.
	same(t, "plus", len(c.want(200, "GET", `/api/lists?filter=equals(name,%22a+b%22)`, "").resources), 0)
	for _, filter := range []string{"", "x", "equals(name,VIP)", `equals(name,"VIP"`, `equals(name,"VIP"))`, `equals(name "VIP")`, `equals(name,"VIP)`, `contains(name,"V")`, `equals(title,"x")`,
		`any(name,"VIP")`, `any(name,[])`, `any(name,["a"`, `any(name,["a",])`, `greater-than(name,"a")`, `greater-than(created,yesterday)`, `less-than(created,2026-09-04T13:40:00Z)`,
		`equals(name,"a"),`, `and(equals(name,"a")`, `equals(name,"a")equals(name,"b")`, `or(equals(name,"a"),equals(name,"b"))`} {
		same(t, filter, c.want(400, "GET", "/api/lists"+query("filter", filter), "").problems(), []string{"invalid filter Invalid filter provided."})
	}
}

// TestMembers: adding and removing by id, at once and all or nothing.
func TestMembers(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	list, other := c.AddList("x", "single_opt_in"), c.AddList("y", "single_opt_in")
	ann, bob, cy := c.AddProfile("ann@example.org"), c.AddProfile("bob@example.org"), c.AddProfile("cy@example.org")
	path := "/api/lists/" + list + "/relationships/profiles"
	body := func(ids ...string) string {
		for i, id := range ids {
			ids[i] = `{"type":"profile","id":"` + id + `"}`
		}
		return `{"data":[` + strings.Join(ids, ",") + `]}`
	}
	members := func(want ...any) {
		t.Helper()
		same(t, "members", c.want(200, "GET", path, "").each("id"), want)
	}
	if r := c.do("POST", path, body(ann)); r.status != 204 || r.body != "" || r.header.Get("Content-Type") != "" {
		t.Error(r)
	}
	now.pass(time.Minute)
	c.want(204, "POST", path, body(bob, ann, bob))
	members(ann, bob)
	same(t, "joined", c.want(200, "GET", "/api/lists/"+list+"/profiles", "").each("joined_group_at"), []any{"2026-09-04T13:40:00+00:00", "2026-09-04T13:41:00+00:00"})
	same(t, "updated stays", c.want(200, "GET", "/api/profiles/"+bob, "").each("updated"), []any{"2026-09-04T13:40:00+00:00"})
	same(t, "count", c.want(200, "GET", "/api/lists/"+list+query("additional-fields[list]", "profile_count"), "").each("profile_count"), []any{2.0})

	for _, method := range []string{"POST", "DELETE"} {
		same(t, method, c.want(404, method, path, body(ann, "nope", cy, "01J00000000000000000000000")).problems(), []string{
			"not_found /data/1/id A profile with id `nope` does not exist.", "not_found /data/3/id A profile with id `01J00000000000000000000000` does not exist."})
		members(ann, bob)
		same(t, method, c.want(404, method, "/api/lists/NOPE01/relationships/profiles", body(ann)).problems(),
			[]string{"not_found /data/ A list with id `NOPE01` does not exist."})
		for wrong, want := range map[string]string{
			`{"data":[]}`: "invalid /data At least one profile is required.",
			`{"data":{"type":"profile","id":"` + ann + `"}}`:                 "invalid /data The payload provided in the request is invalid.",
			`{"data":["` + ann + `"]}`:                                       "invalid /data/0 The payload provided in the request is invalid.",
			`{"data":[{"type":"list","id":"` + ann + `"}]}`:                  "invalid /data/0 The payload provided in the request is invalid.",
			`{"data":[{"id":"` + ann + `"}]}`:                                "invalid /data/0 The payload provided in the request is invalid.",
			`{"data":[{"type":"profile","id":5}]}`:                           "invalid /data/0 The payload provided in the request is invalid.",
			`{"data":[{"type":"profile","email":"a@example.org","id":"x"}]}`: "invalid /data/0/email 'email' is not a valid field for the resource 'profile'.",
			`{"profiles":[]}`:                                                "invalid /profiles 'profiles' is not a valid field for the resource 'list'.",
			`{`:                                                              "invalid /data The payload provided in the request is invalid.",
		} {
			same(t, wrong, c.want(400, method, path, wrong).problems(), []string{want})
		}
		same(t, method, c.want(400, method, path, body(slices.Repeat([]string{ann}, 1001)...)).problems(),
			[]string{"invalid /data The number of profiles must not be more than 1000."})
	}
	c.want(204, "POST", "/api/lists/"+other+"/relationships/profiles", body(slices.Repeat([]string{cy}, 1000)...))
	c.want(204, "DELETE", path, body(ann, cy))
	members(bob)
	c.want(204, "POST", path, body(ann))
	members(bob, ann)
	same(t, "the other list", c.want(200, "GET", "/api/lists/"+other+"/relationships/profiles", "").each("id"), []any{cy})
}

func TestMemberPagesAndFilters(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	list := c.AddList("x", "single_opt_in")
	var ids []any
	for i := range 205 {
		ids = append(ids, c.AddProfile(fmt.Sprintf("P%d@example.org", i)))
		c.want(204, "POST", "/api/lists/"+list+"/relationships/profiles", fmt.Sprintf(`{"data":[{"type":"profile","id":"%s"}]}`, ids[i]))
		now.pass(time.Second)
	}
	for _, path := range []string{"/api/lists/" + list + "/relationships/profiles", "/api/lists/" + list + "/profiles"} {
		for params, pages := range map[string]int{"": 11, query("page[size]", "100"): 3, query("page[size]", "41", "sort", "-joined_group_at"): 5} {
			var got []any
			all := c.pages(path + params)
			for _, d := range all {
				got = append(got, d.each("id")...)
			}
			if strings.Contains(params, "-joined") {
				slices.Reverse(got)
			}
			same(t, path+params, got, ids)
			same(t, path+params, len(all), pages)
		}
		for filter, want := range map[string][]any{
			`any(email,["p3@example.org","none@example.org","P1@EXAMPLE.ORG"])`:                              {ids[1], ids[3]},
			`equals(email,["p3@example.org"])`:                                                               {ids[3]},
			`any(phone_number,["+12025550123"])`:                                                             nil,
			`any(push_token,["x"])`:                                                                          nil,
			`equals(_kx,"x")`:                                                                                nil,
			`greater-than(joined_group_at,2026-09-04T13:43:22.123456Z)`:                                      {ids[203], ids[204]},
			`greater-or-equal(joined_group_at,2026-09-04T13:43:23.123456Z)`:                                  {ids[203], ids[204]},
			`less-than(joined_group_at,2026-09-04T13:40:02.123456Z)`:                                         {ids[0], ids[1]},
			`less-or-equal(joined_group_at,2026-09-04T13:40:01.123456Z)`:                                     {ids[0], ids[1]},
			`any(email,["p3@example.org","p1@example.org"]),less-than(joined_group_at,2026-09-04T13:40:02Z)`: {ids[1]},
		} {
			same(t, filter, c.want(200, "GET", path+query("filter", filter), "").each("id"), want)
		}
		for _, filter := range []string{`equals(email,"p3@example.org")`, `any(id,["x"])`, `any(external_id,["x"])`, `equals(_kx,["x"])`} {
			c.want(400, "GET", path+query("filter", filter), "")
		}
		var emails []string
		for i := range 100 {
			emails = append(emails, fmt.Sprintf(`"p%d@example.org"`, i*3))
		}
		same(t, "one call for 100 emails", len(c.want(200, "GET", path+query("filter", "any(email,["+strings.Join(emails, ",")+"])", "page[size]", "100"), "").resources), 69)
	}
	// Members that leave between two pages take no others with them.
	path := "/api/lists/" + list + "/relationships/profiles" + query("page[size]", "100")
	d := c.want(200, "GET", path, "")
	c.want(204, "DELETE", "/api/lists/"+list+"/relationships/profiles", fmt.Sprintf(`{"data":[{"type":"profile","id":"%s"},{"type":"profile","id":"%s"}]}`, ids[0], ids[100]))
	same(t, "second page", c.want(200, "GET", c.path(*d.Links.Next), "").each("id"), ids[101:201])
}

// TestMaxPage: pages can be made small, whatever size is asked for, and lead to all items.
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
