package simulator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

const (
	onIDs   = `on: "GET /api/lists/{id}/relationships/profiles"`
	ofIDs   = "/relationships/profiles"
	removal = `{"data":[{"type":"profile","id":"%s"}]}`
)

// startCrowd serves an account whose list News has n members, all of one second, with a plan.
func startCrowd(t *testing.T, n int, plan string) (c *client, path string) {
	t.Helper()
	now := newClock()
	c = start(t, simulator.Options{Now: now.now, Ledger: true, Plan: readPlan(t, plan)})
	path = "/api/lists/" + c.AddList("News", "single_opt_in") + "/profiles"
	for i := range n {
		c.Add(simulator.Profile{Email: fmt.Sprintf("p%d@example.org", i), Lists: []string{"News"}})
	}
	now.pass(time.Minute)
	return c, path
}

// walk returns the emails of all pages, with a bar between pages.
func (c *client) walk(path string) string {
	c.t.Helper()
	var pages []string
	for _, d := range c.pages(path) {
		var emails []string
		for _, email := range d.each("email") {
			emails = append(emails, strings.TrimSuffix(email.(string), "@example.org"))
		}
		pages = append(pages, strings.Join(emails, " "))
	}
	return strings.Join(pages, " | ")
}

// changes returns the ledger without times: what happened to which profile, on a list or not, and by what.
func (c *client) changes() (changes []string) {
	for _, e := range c.Ledger() {
		by := fmt.Sprint("call ", e.Call)
		if e.Others {
			by = "others"
		}
		on := ""
		if e.List != "" {
			on = " News"
		}
		changes = append(changes, e.Change+" "+e.Email+on+" by "+by)
	}
	return changes
}

// While a list changes between two pages, stable cursors give whoever is there all the time once. Shifting ones miss
// somebody after another one left, and repeat somebody after another one joined ahead. All members are of one second.
func TestCursorsWhileListChanges(t *testing.T) {
	const up, down = "joined_group_at", "-joined_group_at"
	const leaves = "faults: [{" + onNews + ", skip: 1, do: leave, addresses: ['%s@*']}]"
	const joins = "faults: [{" + onNews + ", skip: 1, do: join, addresses: [x@example.org]%s}]"
	for _, test := range []struct{ cursors, faults, sort, want string }{
		{"stable", fmt.Sprintf(leaves, "p0"), up, "p0 p1 | p2 p3 | p4 p5"},
		{"stable", fmt.Sprintf(leaves, "p5"), down, "p5 p4 | p3 p2 | p1 p0"},
		{"stable", fmt.Sprintf(leaves, "p2"), up, "p0 p1 | p3 p4 | p5"},
		{"stable", fmt.Sprintf(joins, ""), up, "p0 p1 | p2 p3 | p4 p5 | x"},
		{"stable", fmt.Sprintf(joins, ""), down, "p5 p4 | p3 p2 | p1 p0"},
		{"stable", fmt.Sprintf(joins, ", as: newest"), up, "p0 p1 | p2 p3 | p4 p5 | x"},
		{"shifting", fmt.Sprintf(leaves, "p0"), up, "p0 p1 | p3 p4 | p5"},
		{"shifting", fmt.Sprintf(leaves, "p5"), down, "p5 p4 | p2 p1 | p0"},
		{"shifting", fmt.Sprintf(leaves, "p2"), up, "p0 p1 | p3 p4 | p5"},
		{"shifting", fmt.Sprintf(joins, ""), up, "p0 p1 | p2 p3 | p4 p5 | x"},
		{"shifting", fmt.Sprintf(joins, ""), down, "p5 p4 | p4 p3 | p2 p1 | p0"},
		{"shifting", fmt.Sprintf(joins, ", as: newest"), up, "p0 p1 | p1 p2 | p3 p4 | p5"},
		{"shifting", fmt.Sprintf(joins, ", as: newest"), down, "p5 p4 | p3 p2 | p1 p0 | x"},
	} {
		for _, filter := range []string{"", "less-than(joined_group_at,2030-01-01T00:00:00Z)"} {
			c, path := startCrowd(t, 6, "cursors: "+test.cursors+"\n"+test.faults)
			params := []string{"sort", test.sort, "page[size]", "2"}
			if filter != "" {
				params = append(params, "filter", filter)
			}
			same(t, test.cursors+" "+test.faults+" "+test.sort+filter, c.walk(path+query(params...)), test.want)
		}
	}
}

// Whoever joins in the second of the newest member has its time of joining, and every member can still be removed.
func TestJoinsInNewestSecond(t *testing.T) {
	for cursors, want := range map[string][]string{
		"stable":   {"p0@example.org", "p2@example.org", "x@example.org"},
		"shifting": {"x@example.org", "p0@example.org", "p2@example.org"},
	} {
		c, path := startCrowd(t, 3, "cursors: "+cursors+"\nfaults: [{"+onNews+", do: join, addresses: [x@example.org], "+
			"as: newest}]")
		id := c.AddProfile("p1@example.org")
		c.want(200, "GET", path, "")
		c.want(204, "DELETE", strings.TrimSuffix(path, "/profiles")+ofIDs, fmt.Sprintf(removal, id))
		list := strings.Split(path, "/")[3]
		same(t, cursors, c.Members(list), want)
		for _, m := range c.Memberships(list) {
			same(t, m.Email, m.Joined, time.Date(2026, 9, 4, 13, 40, 0, 0, time.UTC))
		}
	}
}

// Shifting cursors lead back by the same count, also after somebody left.
func TestShiftingBack(t *testing.T) {
	c, path := startCrowd(t, 6, "cursors: shifting\nfaults: [{"+onNews+", skip: 3, do: leave, addresses: ['p0@*']}]")
	last := c.pages(path + query("page[size]", "2"))[2]
	same(t, "no page follows", last.Links.Next, (*string)(nil))
	middle := c.want(200, "GET", c.path(*last.Links.Prev), "")
	same(t, "middle", middle.each("email"), []any{"p3@example.org", "p4@example.org"})
	first := c.want(200, "GET", c.path(*middle.Links.Prev), "")
	same(t, "first", first.each("email"), []any{"p1@example.org", "p2@example.org"})
	same(t, "no page before", first.Links.Prev, (*string)(nil))
	same(t, "next", c.want(200, "GET", c.path(*first.Links.Next), "").each("email"), middle.each("email"))
}

// A member that leaves and rejoins has a new time of joining. With processed that shows only after the request.
func TestRejoin(t *testing.T) {
	c, path := startCrowd(t, 3, "faults: [{"+onNews+", do: rejoin, addresses: ['p1@*'], processed: true}]")
	same(t, "before", c.walk(path), "p0 p1 p2")
	after := c.want(200, "GET", path, "")
	same(t, "order", after.each("email"), []any{"p0@example.org", "p2@example.org", "p1@example.org"})
	same(t, "times", after.each("joined_group_at"),
		[]any{"2026-09-04T13:40:00+00:00", "2026-09-04T13:40:00+00:00", "2026-09-04T13:41:00+00:00"})
	same(t, "ledger", c.changes(), []string{"left p1@example.org News by others", "joined p1@example.org News by others"})
}

// A reset before the effect keeps no fault outside of it from acting after the request.
func TestProcessedDespiteReset(t *testing.T) {
	c, path := startCrowd(t, 2, `
faults:
  - {`+onNews+`, do: leave, addresses: ["p0@*"], processed: true}
  - {`+onNews+`, do: reset}
`)
	if _, err := c.try("GET", path, ""); err == nil {
		t.Error("the connection was not reset")
	}
	same(t, "after it", c.walk(path), "p1")
}

// The seed draws who is hit: the same seed the same members, another seed others.
func TestDrawnMembers(t *testing.T) {
	left := func(seed int) (left []string) {
		c, path := startCrowd(t, 50, fmt.Sprintf("seed: %d\nfaults: [{%s, do: leave, as: drawn, profiles: 3, "+
			"addresses: ['p1*']}, {%s, skip: 1, do: leave, as: drawn}]", seed, onNews, onNews))
		c.want(200, "GET", path, "")
		c.want(200, "GET", path, "")
		for _, e := range c.Ledger() {
			left = append(left, e.Email)
		}
		return left
	}
	one := left(1)
	same(t, "how many", len(slices.Compact(slices.Sorted(slices.Values(one)))), 4)
	for _, email := range one[:3] {
		same(t, email, strings.HasPrefix(email, "p1"), true)
	}
	same(t, "the same seed", left(1), one)
	if slices.Equal(left(2), one) {
		t.Error("another seed drew the same members")
	}
}

// A deleted profile is on no list, no identifier and no id finds it, and a call that names its id is refused as a
// whole.
func TestDeletedProfile(t *testing.T) {
	c, list := startNews(t, `  - {`+onRemove+`, do: delete_profile, phones: ["+49*"]}`)
	found := c.want(200, "GET", "/api/lists/"+list+"/profiles", "").resources
	c.Add(simulator.Profile{Email: "d@example.org", Also: []string{"e@example.org"}, Lists: []string{"News", "Other"}})
	const two = `{"data":[{"type":"profile","id":"%s"},{"type":"profile","id":"%s"}]}`
	body := fmt.Sprintf(two, found[0].ID, found[1].ID)
	same(t, "refused", c.want(400, "DELETE", "/api/lists/"+list+ofIDs, body).problems(),
		[]string{"invalid /data/ Invalid profile IDs: " + found[1].ID})
	same(t, "members", c.Members(list), []string{"a@example.org", "c@example.org", "d@example.org"})
	c.want(404, "GET", "/api/profiles/"+found[1].ID, "")
	for _, filter := range []string{`any(email,["b@example.org"])`, `any(phone_number,["+4915112345678"])`,
		`any(id,["` + found[1].ID + `"])`} {
		same(t, filter, len(c.want(200, "GET", "/api/profiles"+query("filter", filter), "").resources), 0)
	}
	for _, sort := range []string{"created", "email", "-updated"} {
		same(t, sort, len(c.want(200, "GET", "/api/profiles"+query("sort", sort), "").resources), 3)
	}
	same(t, "contents", len(c.storedAt("/simulator/profiles")), 3)
	same(t, "ledger", c.changes(), []string{"left b@example.org News by others", "deleted b@example.org by others"})
	if again := c.AddProfile("b@example.org"); again == found[1].ID {
		t.Error("the address finds the deleted profile")
	}
	c.submit("", `{"phone_number":"+4915112345678"}`)
	same(t, "by phone", len(c.storedAt("/simulator/profiles")), 5)
	c.want(404, "GET", "/api/profiles/"+found[1].ID, "")
}

// Merged profiles are members once, under the survivor, who shows its own address and has the others too. The old id
// stands for the survivor: a removal by it removes the survivor.
func TestMerge(t *testing.T) {
	c, list := startNews(t, `
  - {`+onIDs+`, do: merge, addresses: ["a@*", "b@*"], into: C@example.org}
  - {`+onIDs+`, skip: 1, do: merge, addresses: ["c@*"], into: new@example.org}
`)
	path := "/api/lists/" + list
	old := c.want(200, "GET", path+"/profiles", "").resources
	a, b, survivor := old[0].ID, old[1].ID, old[2].ID
	same(t, "ids", c.want(200, "GET", path+ofIDs, "").each("id"), []any{survivor})
	d := c.want(200, "GET", "/api/profiles/"+a, "").resources[0]
	same(t, "the survivor", []any{d.ID, d.Attributes["email"], d.Attributes["phone_number"], d.Attributes["external_id"]},
		[]any{survivor, "c@example.org", "+4915112345678", "x-1"})
	for _, filter := range []string{`any(email,["A@example.org"])`, `equals(email,["b@example.org"])`,
		`any(phone_number,["+4915112345678"])`} {
		same(t, filter, c.want(200, "GET", path+"/profiles"+query("filter", filter), "").each("email"),
			[]any{"c@example.org"})
	}
	same(t, "memberships", []any{c.Memberships(list)[0].Email, c.Memberships(list)[0].Also},
		[]any{"c@example.org", []string{"a@example.org", "b@example.org"}})
	same(t, "ledger", c.changes(), []string{
		"merged a@example.org by others", "left a@example.org News by others", "updated c@example.org by others",
		"merged b@example.org by others", "left b@example.org News by others", "updated c@example.org by others",
	})
	joined := c.Memberships(list)[0].Joined
	c.want(200, "GET", path+ofIDs, "")
	same(t, "to somebody who was no member", c.Memberships(list)[0].Joined, joined)
	c.want(204, "DELETE", path+ofIDs, fmt.Sprintf(removal, b))
	same(t, "members", c.Members(list), []string(nil))
	last := c.Ledger()[len(c.Ledger())-1]
	same(t, "removed", []any{last.Change, last.Email, last.Call, last.Others, last.Also}, []any{"left",
		"new@example.org", 1, false, []string{"c@example.org", "a@example.org", "b@example.org"}})
}

// What an import job wrote is found under the survivor, and not at all after that is deleted. Consent moves with a
// merge.
func TestMergedAfterImport(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond, Plan: readPlan(t, `profiles:
  - {email: a@example.org, lists: [News], consent: SUBSCRIBED}
faults:
  - {`+onNews+`, do: merge, addresses: ["a@*"], into: b@example.org}
  - {`+onNews+`, skip: 1, do: delete_profile}
`)})
	list := c.want(200, "GET", "/api/lists", "").resources[0].ID
	written := jobsPath + "/" + c.submit(list, `{"email":"a@example.org","first_name":"Ann"}`) + "/profiles"
	same(t, "written", c.want(200, "GET", written, "").each("email"), []any{"a@example.org"})
	path := "/api/lists/" + list + "/profiles" + query("additional-fields[profile]", "subscriptions")
	survivor := c.want(200, "GET", path, "").resources[0]
	consent := survivor.Attributes["subscriptions"].(map[string]any)["email"].(map[string]any)["marketing"]
	same(t, "consent", consent.(map[string]any)["consent"], any("SUBSCRIBED"))
	same(t, "name", survivor.Attributes["first_name"], any("Ann"))
	same(t, "after the merge", c.want(200, "GET", written, "").each("email"), []any{"b@example.org"})
	same(t, "nobody", len(c.want(200, "GET", path, "").resources), 0)
	same(t, "after the deletion", len(c.want(200, "GET", written, "").resources), 0)
}

// With forget the id of a merged profile is unknown. Members that are drawn merge into other members.
func TestDrawnMerge(t *testing.T) {
	c, path := startCrowd(t, 5, "faults: [{"+onNews+", skip: 1, do: merge, as: drawn, profiles: 2, forget: true}]")
	before := c.want(200, "GET", path, "")
	after := c.want(200, "GET", path, "")
	same(t, "members", len(after.resources), 3)
	for _, id := range before.each("id") {
		status := 404
		if slices.Contains(after.each("id"), id) {
			status = 200
		}
		c.want(status, "GET", "/api/profiles/"+id.(string), "")
	}
	for i := range 5 {
		filter := query("filter", fmt.Sprintf(`any(email,["p%d@example.org"])`, i))
		same(t, filter, len(c.want(200, "GET", path+filter, "").resources), 1)
	}
}

// A list can have another name from one request to the next.
func TestRenamedList(t *testing.T) {
	c, list := startNews(t, `  - {on: "GET /api/lists/{id}", skip: 1, do: rename_list, name: Old}`)
	same(t, "before", c.want(200, "GET", "/api/lists/"+list, "").each("name"), []any{"News"})
	same(t, "after", c.want(200, "GET", "/api/lists/"+list, "").each("name"), []any{"Old"})
	same(t, "all", c.want(200, "GET", "/api/lists", "").each("name"), []any{"Old"})
}

// The ledger tells which members a client removed, and by which call, from those who left otherwise.
// Memberships tell since when each member is there.
func TestWhoRemovedWhom(t *testing.T) {
	c, list := startNews(t, `
  - {`+onRemove+`, do: leave, addresses: ["a@*"]}
  - {`+onRemove+`, skip: 1, do: join, addresses: [d@example.org]}
`)
	old := c.want(200, "GET", "/api/lists/"+list+"/profiles", "").each("id")
	for _, id := range old[:2] {
		c.want(204, "DELETE", "/api/lists/"+list+ofIDs, fmt.Sprintf(removal, id))
	}
	same(t, "ledger", c.changes(), []string{"left a@example.org News by others", "joined d@example.org News by others",
		"left b@example.org News by call 2"})
	var got []any
	for _, m := range c.Memberships(list) {
		got = append(got, m.Email, m.Joined.IsZero(), m.Joined.Equal(m.Joined.Truncate(time.Second)))
	}
	same(t, "members", got, []any{"c@example.org", false, true, "d@example.org", false, true})
	same(t, "an id", c.Memberships(list)[0].Profile, old[2].(string))
	same(t, "no list", len(c.Memberships("NOPE01")), 0)
}
