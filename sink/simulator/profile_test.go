package simulator_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// Profiles are found by id, filter and sort, with all attributes, and their ids sort by creation.
func TestProfiles(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, JobTime: time.Nanosecond})
	c.submit("", `{"email":"Ann@example.org","phone_number":"+12025550123","external_id":"7","location":{"zip":"1",`+
		`"latitude":1.50},"properties":{"a":1}}`,
		`{"email":"cy@example.org"}`, `{"email":"bob@example.org","phone_number":"+12025550123"}`,
		`{"phone_number":"+12025550199"}`)
	now.pass(time.Hour)
	c.submit("", `{"email":"cy@example.org","title":"x"}`)
	now.pass(time.Hour)
	all := c.want(200, "GET", "/api/profiles", "")
	same(t, "all", all.each("email"), []any{"Ann@example.org", "cy@example.org", "bob@example.org", nil})
	same(t, "attributes", all.resources[0].Attributes, map[string]any{
		"email": "Ann@example.org", "phone_number": "+12025550123", "external_id": "7", "first_name": nil,
		"last_name": nil, "organization": nil,
		"locale": nil, "title": nil, "image": nil, "created": "2026-09-04T13:40:00+00:00",
		"updated": "2026-09-04T13:40:00+00:00", "last_event_date": nil,
		"location": map[string]any{"address1": nil, "address2": nil, "city": nil, "country": nil, "latitude": 1.5,
			"longitude": nil, "region": nil, "zip": "1", "timezone": nil, "ip": nil},
		"properties": map[string]any{"a": 1.0},
	})
	ids := all.each("id")
	for filter, want := range map[string][]any{
		`equals(email,"ann@EXAMPLE.org")`:                                      {ids[0]},
		`equals(email,["cy@example.org"])`:                                     {ids[1]},
		`any(email,["cy@example.org","ann@example.org","x"])`:                  {ids[0], ids[1]},
		`equals(phone_number,"+12025550123")`:                                  {ids[0], ids[2]},
		`any(phone_number,["+12025550199"])`:                                   {ids[3]},
		`equals(external_id,"7")`:                                              {ids[0]},
		`equals(id,"` + ids[2].(string) + `")`:                                 {ids[2]},
		`any(id,["` + ids[2].(string) + `","` + ids[0].(string) + `","nope"])`: {ids[0], ids[2]},
		`equals(email,"none@example.org")`:                                     nil,
		`equals(_kx,"x")`:                                                      nil,
		`equals(phone_number,"+12025550123"),equals(email,"bob@example.org")`:  {ids[2]},
		`greater-than(updated,2026-09-04T14:00:00Z)`:                           {ids[1]},
		`less-than(created,2026-09-04T14:00:00Z)`:                              ids,
		`greater-than(created,2026-09-04T14:00:00Z)`:                           nil,
	} {
		same(t, filter, c.want(200, "GET", "/api/profiles"+query("filter", filter), "").each("id"), want)
	}
	c.want(400, "GET", "/api/profiles"+query("filter", `equals(first_name,"x")`), "")
	for sort, want := range map[string][]any{
		"created": ids, "-created": {ids[3], ids[2], ids[1], ids[0]}, "id": ids,
		"-id":   {ids[3], ids[2], ids[1], ids[0]},
		"email": {ids[3], ids[0], ids[2], ids[1]}, "-email": {ids[1], ids[2], ids[0], ids[3]},
		"updated": {ids[0], ids[2], ids[3], ids[1]},
	} {
		var got []any
		for _, d := range c.pages("/api/profiles" + query("sort", sort, "page[size]", "3")) {
			got = append(got, d.each("id")...)
		}
		same(t, sort, got, want)
	}
	for i, id := range ids {
		d := c.want(200, "GET", "/api/profiles/"+id.(string), "")
		found := d.resources[0].ID
		if found != id || len(found) != 26 || d.each("email")[0] != all.each("email")[i] {
			t.Errorf("profile %s: %v", id, d.resources)
		}
	}
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	same(t, "ids sort by creation", sorted, ids)
	for _, id := range []string{"nope", strings.ToLower(ids[0].(string)), ids[0].(string)[:25] + "!",
		ids[0].(string)[:10] + "ZZZZZZZZ" + ids[0].(string)[18:], "0" + ids[0].(string)[:25]} {
		same(t, id, c.want(404, "GET", "/api/profiles/"+id, "").problems(),
			[]string{"not_found /data/ A profile with id `" + id + "` does not exist."})
	}
}

// A sparse fieldset gets exactly the attributes that it names.
func TestFieldsets(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	list := c.AddList("x", "single_opt_in")
	job := c.submit(list, `{"email":"a@example.org","location":{"zip":"1","city":"Rome"}}`,
		`{"type":"profile","id":"nope","attributes":{}}`)
	profile := map[string]any{"email": "a@example.org", "location": map[string]any{"city": "Rome", "ip": nil}}
	name := query("fields[list]", "name")
	place := query("fields[profile]", "email,location.city,location.ip")
	count := query("fields[list]", "profile_count", "additional-fields[list]", "profile_count")
	for path, want := range map[string]map[string]any{
		"/api/lists" + name:                        {"name": "x"},
		jobsPath + "/" + job + "/lists" + name:     {"name": "x"},
		"/api/lists/" + list + count:               {"profile_count": 1.0},
		"/api/lists/" + list + "/profiles" + place: profile,
		"/api/profiles" + place:                    profile,

		"/api/lists/" + list + query("fields[list]", "id"): {},
		"/api/lists/" + list + query("fields[list]", "name,opt_in_process"): {
			"name": "x", "opt_in_process": "single_opt_in"},
		jobsPath + query("fields[profile-bulk-import-job]", "status"): {"status": "complete"},
		jobsPath + "/" + job + query("fields[profile-bulk-import-job]", "status,failed_count"): {
			"status": "complete", "failed_count": 1.0},
		jobsPath + "/" + job + "/profiles" + query("fields[profile]", "email"): {"email": "a@example.org"},
		jobsPath + "/" + job + "/import-errors" + query("fields[import-error]", "code,source.pointer"): {
			"code": "not_found", "source": map[string]any{"pointer": at + "/1"}},
		"/api/accounts" + query("fields[account]", "timezone"): {"timezone": "UTC"},
	} {
		same(t, path, c.want(200, "GET", path, "").resources[0].Attributes, want)
	}
	d := c.want(201, "POST", "/api/lists"+query("fields[list]", "name"),
		`{"data":{"type":"list","attributes":{"name":"y"}}}`)
	same(t, "POST", d.resources[0].Attributes, map[string]any{"name": "y"})
}
