package simulator_test

import (
	"testing"

	"klaviyo-export/sink/simulator"
)

// The lists of a profile follow each change at once.
func TestMemberships(t *testing.T) {
	c := start(t, simulator.Options{Plan: readPlan(t, `profiles:
  - {external_id: x-1, lists: [A, B]}
  - {email: b@example.org, lists: [C, B]}
`)})
	found := c.want(200, "GET", "/api/profiles"+query("filter", `equals(external_id,"x-1")`), "")
	id := found.resources[0].ID
	path := "/api/profiles/" + id
	lists := c.want(200, "GET", path+"/lists"+query("fields[list]", "name"), "")
	same(t, "lists", lists.each("name"), []any{"A", "B"})
	same(t, "ids", c.want(200, "GET", path+"/relationships/lists", "").each("id"), lists.each("id"))
	body := `{"data":[{"type":"profile","id":"` + id + `"}]}`
	c.want(204, "DELETE", "/api/lists/"+lists.resources[0].ID+"/relationships/profiles", body)
	same(t, "after leaving", c.want(200, "GET", path+"/lists", "").each("name"), []any{"B"})
	same(t, "nobody", c.want(404, "GET", "/api/profiles/nope/lists", "").problems(),
		[]string{"not_found /data/ A profile with id `nope` does not exist."})
}
