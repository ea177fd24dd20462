package simulator_test

import (
	"fmt"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

const (
	onNews   = `on: "GET /api/lists/{id}/profiles"`
	onRemove = `on: "DELETE /api/lists/{id}/relationships/profiles"`
)

// startNews serves an account whose list News has the members a, b and c, with the faults of a plan.
func startNews(t *testing.T, faults string) (c *client, list string) {
	t.Helper()
	c = start(t, simulator.Options{JobTime: time.Nanosecond, Ledger: true, Plan: readPlan(t, `profiles:
  - {email: a@example.org, lists: [News]}
  - {email: b@example.org, phone_number: "+4915112345678", lists: [News]}
  - {email: c@example.org, external_id: x-1, lists: [News]}
faults:
`+faults)})
	return c, c.want(200, "GET", "/api/lists", "").resources[0].ID
}

// Members join and leave right before the request that the fault acts on, and only its list changes.
func TestChangesDuringWalk(t *testing.T) {
	c, list := startNews(t, `
  - {`+onNews+`, skip: 1, do: join, addresses: ["late*@example.org", off@example.org], profiles: 2}
  - {`+onNews+`, skip: 1, times: 2, do: leave, addresses: ["a@*", "c@*"], profiles: 1}
  - {`+onNews+`, skip: 3, do: join, addresses: [A@example.org]}
`)
	other := c.AddList("Other", "single_opt_in")
	path := "/api/lists/" + list + "/profiles" + query("page[size]", "2")
	d := c.want(200, "GET", path, "")
	same(t, "first page", d.each("email"), []any{"a@example.org", "b@example.org"})
	d = c.want(200, "GET", c.path(*d.Links.Next), "")
	same(t, "second page", d.each("email"), []any{"c@example.org", "late4@example.org"})
	d = c.want(200, "GET", c.path(*d.Links.Next), "")
	same(t, "third page", d.each("email"), []any{"late5@example.org", "off@example.org"})
	d = c.want(200, "GET", path, "")
	same(t, "first page again", d.each("email"), []any{"b@example.org", "late4@example.org"})
	same(t, "members", c.Members(list), []string{"b@example.org", "late4@example.org", "late5@example.org",
		"off@example.org", "a@example.org"})
	same(t, "the other list", c.Members(other), []string(nil))
	var changes []string
	for _, e := range c.Ledger() {
		changes = append(changes, fmt.Sprint(e.Change, " ", e.Email, " ", e.Others, e.Job))
	}
	same(t, "ledger", changes, []string{"joined late4@example.org true", "joined late5@example.org true",
		"joined off@example.org true", "left a@example.org true", "left c@example.org true",
		"joined a@example.org true"})
}

// A member that leaves between look-up and removal is off the list: the removal succeeds, and the ledger says who left
// on his own.
func TestLeavesBeforeRemoval(t *testing.T) {
	c, list := startNews(t, "  - {"+onRemove+`, do: leave, phones: ["+49*"]}`)
	found := c.want(200, "GET", "/api/lists/"+list+"/profiles", "").resources
	c.want(204, "DELETE", "/api/lists/"+list+"/relationships/profiles", fmt.Sprintf(
		`{"data":[{"type":"profile","id":"%s"},{"type":"profile","id":"%s"}]}`, found[0].ID, found[1].ID))
	same(t, "members", c.Members(list), []string{"c@example.org"})
	ledger := c.Ledger()
	same(t, "ledger", []any{len(ledger), ledger[0].Email, ledger[0].Others, ledger[1].Email, ledger[1].Others},
		[]any{2, "b@example.org", true, "a@example.org", false})
}

// A list that vanishes answers 404 to the request that the fault acts on and to all after it. The profiles stay.
func TestListVanishes(t *testing.T) {
	c, list := startNews(t, "  - {"+onRemove+`, do: delete_list}`)
	c.AddList("Other", "single_opt_in")
	found := c.want(200, "GET", "/api/lists/"+list+"/profiles", "").resources
	body := `{"data":[{"type":"profile","id":"` + found[0].ID + `"}]}`
	for _, r := range []struct{ method, path, body string }{
		{"DELETE", "/api/lists/" + list + "/relationships/profiles", body},
		{"GET", "/api/lists/" + list + "/profiles", ""}, {"GET", "/api/lists/" + list, ""},
	} {
		same(t, r.method, c.want(404, r.method, r.path, r.body).problems(),
			[]string{"not_found /data/ A list with id `" + list + "` does not exist."})
	}
	same(t, "the other list", c.want(200, "GET", "/api/lists", "").each("name"), []any{"Other"})
	same(t, "its lists", c.want(200, "GET", "/api/profiles/"+found[0].ID+"/lists", "").each("name"), []any(nil))
	same(t, "profiles", len(c.want(200, "GET", "/api/profiles", "").resources), 3)
}

// On a request without a list, members leave all lists.
func TestLeavesAllLists(t *testing.T) {
	c, list := startNews(t, "  - {on: GET /api/profiles, do: leave}")
	c.want(200, "GET", "/api/profiles", "")
	same(t, "members", c.Members(list), []string(nil))
}
