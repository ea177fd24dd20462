package simulator_test

import (
	"testing"
)

// A page hides the selected profiles, or all, and leads on to the pages after it.
func TestHiddenProfiles(t *testing.T) {
	c, list := startNews(t, `
  - {`+onNews+`, do: hide}
  - {`+onNews+`, skip: 1, do: hide, addresses: [B@*], phones: ["+1*"]}
  - {on: "GET /api/lists/{id}/relationships/profiles", do: hide, phones: ["+49*"]}
  - {on: GET /api/lists, skip: 1, do: hide}
`)
	path := "/api/lists/" + list + "/profiles"
	nobody := c.want(200, "GET", path+query("page[size]", "2"), "")
	same(t, "nobody", []any{len(nobody.resources), nobody.Links.Next != nil}, []any{0, true})
	same(t, "without b", c.want(200, "GET", path, "").each("email"), []any{"a@example.org", "c@example.org"})
	all := c.want(200, "GET", path, "")
	same(t, "all", all.each("email"), []any{"a@example.org", "b@example.org", "c@example.org"})
	same(t, "ids", c.want(200, "GET", "/api/lists/"+list+"/relationships/profiles", "").each("id"),
		[]any{all.resources[0].ID, all.resources[2].ID})
	same(t, "lists", len(c.want(200, "GET", "/api/lists", "").resources), 0)
	same(t, "an error stays", c.want(404, "GET", "/api/lists/NOPE01/profiles", "").problems(),
		[]string{"not_found /data/ A list with id `NOPE01` does not exist."})
}

// An answer that names nobody has the ids of the selected profiles, and none of their identifiers.
func TestUnnamedProfiles(t *testing.T) {
	c, list := startNews(t, `
  - {`+onNews+`, do: unname, addresses: ["b@*", "c@*"]}
  - {on: GET /api/profiles, do: unname}
`)
	names := func(path string) (got []any) {
		for _, r := range c.want(200, "GET", path, "").resources {
			got = append(got, r.ID != "", r.Attributes["email"], r.Attributes["phone_number"], r.Attributes["external_id"])
		}
		return got
	}
	path := "/api/lists/" + list + "/profiles"
	same(t, "two", names(path), []any{true, "a@example.org", nil, nil, true, nil, nil, nil, true, nil, nil, nil})
	same(t, "all", names("/api/profiles"), []any{true, nil, nil, nil, true, nil, nil, nil, true, nil, nil, nil})
	same(t, "the next time", names(path), []any{true, "a@example.org", nil, nil, true, "b@example.org", "+4915112345678",
		nil, true, "c@example.org", nil, "x-1"})
}

// A cursor that repeats leads to the same page again, one that loops to the first.
func TestLoopingCursors(t *testing.T) {
	c, list := startNews(t, `
  - {`+onNews+`, skip: 1, times: 2, do: loop, as: same}
  - {`+onNews+`, skip: 3, do: loop, as: first}
  - {on: GET /api/profiles, do: loop}
`)
	var got []any
	next := "/api/lists/" + list + "/profiles" + query("page[size]", "1", "filter",
		`greater-than(joined_group_at,2020-01-01T00:00:00Z)`)
	for range 6 {
		d := c.want(200, "GET", next, "")
		got = append(got, d.each("email")...)
		next = c.path(*d.Links.Next)
	}
	same(t, "pages", got, []any{"a@example.org", "b@example.org", "b@example.org", "b@example.org", "a@example.org",
		"b@example.org"})
	d := c.want(200, "GET", "/api/profiles", "")
	same(t, "without another page", c.path(*d.Links.Next), "/api/profiles")
}
