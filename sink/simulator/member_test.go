package simulator_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// Adding and removing by id happens at once, and all or nothing.
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
	same(t, "joined", c.want(200, "GET", "/api/lists/"+list+"/profiles", "").each("joined_group_at"),
		[]any{"2026-09-04T13:40:00+00:00", "2026-09-04T13:41:00+00:00"})
	same(t, "updated stays", c.want(200, "GET", "/api/profiles/"+bob, "").each("updated"),
		[]any{"2026-09-04T13:40:00+00:00"})
	same(t, "count", c.want(200, "GET", "/api/lists/"+list+query("additional-fields[list]", "profile_count"),
		"").each("profile_count"), []any{2.0})

	for _, method := range []string{"POST", "DELETE"} {
		same(t, method, c.want(400, method, path, body(ann, "nope", cy, "01J00000000000000000000000", "nope")).
			problems(), []string{"invalid /data/ Invalid profile IDs: nope, 01J00000000000000000000000"})
		members(ann, bob)
		same(t, method, c.want(404, method, "/api/lists/NOPE01/relationships/profiles", body(ann)).problems(),
			[]string{"not_found /data/ A list with id `NOPE01` does not exist."})
		const payloadInvalid = " The payload provided in the request is invalid."
		for _, test := range []struct{ name, body, want string }{
			{"no member", `{"data":[]}`, "/data At least one profile is required."},
			{"an object for an array", `{"data":{"type":"profile","id":"` + ann + `"}}`, "/data" + payloadInvalid},
			{"bare ids", `{"data":["` + ann + `"]}`, "/data/0" + payloadInvalid},
			{"another type", `{"data":[{"type":"list","id":"` + ann + `"}]}`, "/data/0" + payloadInvalid},
			{"no type", `{"data":[{"id":"` + ann + `"}]}`, "/data/0" + payloadInvalid},
			{"a number for an id", `{"data":[{"type":"profile","id":5}]}`, "/data/0" + payloadInvalid},
			{"an email", `{"data":[{"type":"profile","email":"a@example.org","id":"x"}]}`,
				"/data/0/email 'email' is not a valid field for the resource 'profile'."},
			{"no data", `{"profiles":[]}`, "/profiles 'profiles' is not a valid field for the resource 'list'."},
			{"no JSON", `{`, "/data" + payloadInvalid},
		} {
			same(t, test.name, c.want(400, method, path, test.body).problems(), []string{"invalid " + test.want})
		}
		same(t, method, c.want(400, method, path, body(slices.Repeat([]string{ann}, 1001)...)).problems(),
			[]string{"invalid /data The number of profiles must not be more than 1000."})
	}
	c.want(204, "POST", "/api/lists/"+other+"/relationships/profiles", body(slices.Repeat([]string{cy}, 1000)...))
	c.want(204, "DELETE", path, body(ann, cy))
	members(bob)
	c.want(204, "POST", path, body(ann))
	members(bob, ann)
	same(t, "the other list", c.want(200, "GET", "/api/lists/"+other+"/relationships/profiles", "").each("id"),
		[]any{cy})
}

// A profile from before ULIDs has an id of six characters, and is found, added and removed by it like any other.
func TestOldProfiles(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	list := c.AddList("x", "single_opt_in")
	id, other := c.AddOldProfile("ann@example.org"), c.AddProfile("bob@example.org")
	if !regexp.MustCompile(`^[A-Za-z0-9]{6}$`).MatchString(id) {
		t.Errorf("id %s", id)
	}
	same(t, "found again", []string{c.AddProfile("ANN@example.org"), c.AddOldProfile("ann@example.org")},
		[]string{id, id})
	same(t, "by id", c.want(200, "GET", "/api/profiles/"+id, "").each("email"), []any{"ann@example.org"})
	same(t, "by filter", c.want(200, "GET", "/api/profiles"+query("filter", `any(id,["`+id+`"])`), "").each("id"),
		[]any{id})
	path := "/api/lists/" + list + "/relationships/profiles"
	both := `{"data":[{"type":"profile","id":"` + id + `"},{"type":"profile","id":"` + other + `"}]}`
	c.want(204, "POST", path, both)
	same(t, "members", c.want(200, "GET", path, "").each("id"), []any{id, other})
	c.submit(list, `{"type":"profile","id":"`+id+`","attributes":{"title":"Dr"}}`)
	same(t, "imported by id", c.want(200, "GET", "/api/profiles/"+id, "").each("title"), []any{"Dr"})
	c.want(204, "DELETE", path, both)
	same(t, "none left", c.Members(list), []string(nil))
}

// links.prev of a page that any(…) filters is no page, as recorded, whether or not there is a page before it.
func TestUnusablePrevious(t *testing.T) {
	c := start(t, simulator.Options{MaxPage: 1})
	list := c.AddList("x", "single_opt_in")
	c.submit(list, people("a", "b")...)
	for path, filter := range map[string]string{
		"/api/lists":                       `any(id,["` + list + `"])`,
		"/api/lists/" + list + "/profiles": `any(email,["a@example.org","b@example.org"])`,
		"/api/profiles":                    `any(email,["a@example.org","b@example.org"])`,
		"/api/profile-bulk-import-jobs":    `any(status,["queued"])`,
	} {
		d := c.want(200, "GET", path+query("filter", filter), "")
		u, err := url.Parse(*d.Links.Prev)
		if err != nil {
			t.Fatal(err)
		}
		same(t, path, []string{u.Path, u.Query().Get("page[cursor]")}, []string{path, "<Filters: " + filter + ">"})
		same(t, path, c.want(400, "GET", c.path(*d.Links.Prev), "").problems(),
			[]string{"invalid /data/ Invalid cursor provided."})
		if d.Links.Next != nil {
			same(t, path, len(c.want(200, "GET", c.path(*d.Links.Next), "").resources), 1)
		}
	}
	d := c.want(200, "GET", "/api/lists"+query("filter", `equals(name,"x")`), "")
	same(t, "another filter", d.Links.Prev, (*string)(nil))
}

// Pages and filters find exactly the matching members, in the order of joining, also while members leave.
func TestMemberPagesAndFilters(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	list := c.AddList("x", "single_opt_in")
	var ids []any
	for i := range 205 {
		ids = append(ids, c.AddProfile(fmt.Sprintf("P%d@example.org", i)))
		c.want(204, "POST", "/api/lists/"+list+"/relationships/profiles",
			fmt.Sprintf(`{"data":[{"type":"profile","id":"%s"}]}`, ids[i]))
		now.pass(time.Second)
	}
	for _, path := range []string{"/api/lists/" + list + "/relationships/profiles",
		"/api/lists/" + list + "/profiles"} {
		for params, pages := range map[string]int{"": 11, query("page[size]", "100"): 3,
			query("page[size]", "41", "sort", "-joined_group_at"): 5} {
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
		both := `any(email,["p3@example.org","p1@example.org"]),less-than(joined_group_at,2026-09-04T13:40:02Z)`
		for filter, want := range map[string][]any{
			`any(email,["p3@example.org","none@example.org","P1@EXAMPLE.ORG"])`: {ids[1], ids[3]},
			`equals(email,["p3@example.org"])`:                                  {ids[3]},
			`any(phone_number,["+12025550123"])`:                                nil,
			`any(push_token,["x"])`:                                             nil,
			`equals(_kx,"x")`:                                                   nil,
			`greater-than(joined_group_at,2026-09-04T13:43:22.123456Z)`:         {ids[203], ids[204]},
			`greater-or-equal(joined_group_at,2026-09-04T13:43:23.123456Z)`:     {ids[204]},
			`greater-than(joined_group_at,2026-09-04T13:43:23Z)`:                {ids[204]},
			`greater-or-equal(joined_group_at,2026-09-04T13:43:23Z)`:            {ids[203], ids[204]},
			`less-than(joined_group_at,2026-09-04T13:40:02Z)`:                   {ids[0], ids[1]},
			`less-or-equal(joined_group_at,2026-09-04T13:40:01+00:00)`:          {ids[0], ids[1]},
			`less-than(joined_group_at,2026-09-04T13:40:00Z)`:                   nil,
			both: {ids[1]},
		} {
			same(t, filter, c.want(200, "GET", path+query("filter", filter), "").each("id"), want)
		}
		for _, filter := range []string{`equals(email,"p3@example.org")`, `any(id,["x"])`, `any(external_id,["x"])`,
			`equals(_kx,["x"])`} {
			c.want(400, "GET", path+query("filter", filter), "")
		}
		var emails []string
		for i := range 100 {
			emails = append(emails, fmt.Sprintf(`"p%d@example.org"`, i*3))
		}
		any100 := query("filter", "any(email,["+strings.Join(emails, ",")+"])", "page[size]", "100")
		same(t, "one call for 100 emails", len(c.want(200, "GET", path+any100, "").resources), 69)
	}
	// Members that leave between two pages hide no others.
	path := "/api/lists/" + list + "/relationships/profiles" + query("page[size]", "100")
	d := c.want(200, "GET", path, "")
	c.want(204, "DELETE", "/api/lists/"+list+"/relationships/profiles",
		fmt.Sprintf(`{"data":[{"type":"profile","id":"%s"},{"type":"profile","id":"%s"}]}`, ids[0], ids[100]))
	same(t, "second page", c.want(200, "GET", c.path(*d.Links.Next), "").each("id"), ids[101:201])
}

// Ranges of joined_group_at that touch have each member once, also those that joined in one second and while others
// leave, in either direction and with any page size.
func TestMemberRanges(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	list := c.AddList("x", "single_opt_in")
	path := "/api/lists/" + list + "/profiles"
	var want []any
	for i := range 60 {
		email := fmt.Sprintf("p%d@example.org", i)
		c.Add(simulator.Profile{Email: email, Lists: []string{"x"}})
		want = append(want, email)
		if i%7 == 6 {
			now.pass(1500 * time.Millisecond)
		}
	}
	const from = `greater-or-equal(joined_group_at,2026-09-04T13:40:%sZ)`
	const until = `less-than(joined_group_at,2026-09-04T13:40:%sZ)`
	cuts := []string{"00", "01", "03", "03", "07", "59"}
	for _, params := range [][]string{{"page[size]", "100"}, {"page[size]", "3"}, {"page[size]", "7", "sort",
		"-joined_group_at"}} {
		var got []any
		for i := range cuts[1:] {
			filter := "and(" + fmt.Sprintf(from, cuts[i]) + "," + fmt.Sprintf(until, cuts[i+1]) + ")"
			var part []any
			for _, d := range c.pages(path + query(append(params, "filter", filter)...)) {
				part = append(part, d.each("email")...)
			}
			if len(params) > 2 {
				slices.Reverse(part)
			}
			got = append(got, part...)
		}
		same(t, fmt.Sprint(params), got, want)
	}
	pages := c.pages(path + query("page[size]", "5", "filter", fmt.Sprintf(from, "03")))
	back := c.want(200, "GET", c.path(*pages[1].Links.Prev), "")
	same(t, "back", back.each("email"), pages[0].each("email"))
	same(t, "no page before the range", back.Links.Prev, (*string)(nil))
}
