package simulator_test

import "testing"

// An import that unsets properties removes those and nothing else, in old profiles and in new ones. A property that it
// sets too is removed.
func TestUnset(t *testing.T) {
	c := startPlan(t, "profiles: []")
	list := c.AddList("x", "single_opt_in")
	c.submit(list, `{"email":"a@example.org","first_name":"A","properties":{"plan":"x","\u0070oints":5,"é":[1]}}`,
		`{"email":"b@example.org","properties":{"plan":"x"}}`, `{"email":"c@example.org"}`)
	profile := func(attributes, patch string) string {
		return `{"type":"profile","attributes":` + attributes + `,"meta":` + patch + `}`
	}
	c.submit(list, profile(`{"email":"a@example.org"}`, `{"patch_properties":{"unset":["points","\u00e9","none"]}}`),
		profile(`{"email":"b@example.org","properties":{"n":1}}`, `{"patch_properties":{"unset":"plan","append":null}}`),
		profile(`{"email":"c@example.org"}`, `{"patch_properties":{"unset":["plan"]}}`),
		profile(`{"email":"d@example.org","properties":{"n":1,"plan":"x"}}`, `{"patch_properties":{"unset":["plan"]}}`),
		profile(`{"email":"e@example.org"}`, `{}`),
		profile(`{"email":"f@example.org"}`, `{"patch_properties":{"unset":null}}`))
	same(t, "members", c.stored(list), []string{
		`{"email":"a@example.org","first_name":"A","properties":{"plan":"x"}}`,
		`{"email":"b@example.org","properties":{"n":1}}`, `{"email":"c@example.org"}`,
		`{"email":"d@example.org","properties":{"n":1}}`, `{"email":"e@example.org"}`, `{"email":"f@example.org"}`})
	c.submit(list, profile(`{"email":"a@example.org"}`, `{"patch_properties":{"unset":["plan"]}}`))
	same(t, "the last property", c.want(200, "GET", "/api/profiles"+query("filter", `equals(email,"a@example.org")`), "").
		each("properties"), []any{map[string]any{}})
}

// keep_properties makes unset have no effect for the profiles that it selects. The import job says nothing of it.
func TestKeepProperties(t *testing.T) {
	c := startPlan(t, "faults: [{do: keep_properties, addresses: ['a@*', 'c@*']}]")
	list := c.AddList("x", "single_opt_in")
	c.submit(list, `{"email":"a@example.org","properties":{"plan":"x"}}`,
		`{"email":"b@example.org","properties":{"plan":"x"}}`)
	unset := func(email string) string {
		return `{"type":"profile","attributes":{"email":"` + email + `"},"meta":{"patch_properties":{"unset":["plan"]}}}`
	}
	job := c.submit(list, unset("a@example.org"), unset("b@example.org"))
	same(t, "failed", c.want(200, "GET", jobsPath+"/"+job, "").each("failed_count"), []any{0.0})
	same(t, "members", c.stored(list), []string{
		`{"email":"a@example.org","properties":{"plan":"x"}}`, `{"email":"b@example.org","properties":{}}`})
	c.submit(list, unset("a@example.org")) // the fault acts once
	same(t, "members", c.stored(list)[0], `{"email":"a@example.org","properties":{}}`)
}
