package simulator_test

import (
	"fmt"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// people returns profiles with these names as emails.
func people(names ...string) (rows []string) {
	for _, name := range names {
		rows = append(rows, `{"email":"`+name+`@example.org"}`)
	}
	return rows
}

// refuse answers 400 for exactly the selected profiles, in the plan's words, and as often as the plan says.
func TestRefuse(t *testing.T) {
	const bad = "/attributes/email Invalid email address"
	pointed := func(i int) string { return fmt.Sprint("invalid ", at, "/", i, bad) }
	for _, test := range []struct {
		name, do string
		want     []string // nil: accepted
	}{
		{"by address", "addresses: ['*BAD*@*']", []string{pointed(1), pointed(3)}},
		{"naming all", "addresses: ['*bad*@*'], naming: all", []string{pointed(1), pointed(3)}},
		{"naming in rounds", "addresses: ['*bad*@*'], naming: rounds", []string{pointed(1)}},
		{"unnamed", "addresses: ['*bad*@*'], naming: unnamed",
			[]string{"invalid /data The payload provided in the request is invalid."}},
		{"by two addresses", "addresses: ['bad1@example.org', 'a@*']", []string{pointed(0), pointed(1)}},
		{"by index", "indexes: [2, 9]", []string{pointed(2)}},
		{"by index and address", "indexes: [2], addresses: ['*2@*.org']", []string{pointed(2), pointed(3)}},
		{"unnamed in other words", "naming: unnamed, code: odd, detail: '100% wrong'",
			[]string{"odd /data 100% wrong"}},
		{"another attribute",
			"indexes: [0], code: unsupported, detail: No such region., attribute: phone_number",
			[]string{"unsupported " + at + "/0/attributes/phone_number No such region."}},
		{"all in rounds", "naming: rounds", []string{pointed(0)}},
		{"an ending that no address has", "addresses: ['*bad']", nil},
		{"everything in the domain", "addresses: ['bad*@*', '*x*']",
			[]string{pointed(0), pointed(1), pointed(2), pointed(3)}},
		{"a part twice", "addresses: ['*bad*bad*']", nil},
		{"a part three times", "addresses: ['*e*e*e*']", nil},
		{"longer than the address", "addresses: ['a@example.orgx*']", nil},
		{"an index beyond the last", "indexes: [4]", nil},
		{"phones that no profile has", "phones: ['+1*']", nil},
	} {
		c := startPlan(t, "faults: [{do: refuse, "+test.do+"}]")
		list := c.AddList("x", "single_opt_in")
		body := importBody(list, people("a", "bad1", "b", "Bad2")...)
		if test.want == nil {
			c.want(202, "POST", jobsPath, body)
			continue
		}
		same(t, test.name, c.want(400, "POST", jobsPath, body).problems(), test.want)
		same(t, "jobs", len(c.want(200, "GET", jobsPath, "").resources), 0)
		c.want(202, "POST", jobsPath, body) // the fault acts once
		same(t, "members", len(c.Members(list)), 4)
	}
}

// refuse with phones refuses numbers that exist but cannot be texted, in Klaviyo's words.
func TestRefusePhones(t *testing.T) {
	c := startPlan(t, "faults: [{do: refuse, phones: ['+49*', '*0199']}]")
	body := importBody("", `{"email":"a@example.org","phone_number":"+12025550123"}`,
		`{"email":"b@example.org","phone_number":"+4930901820"}`, `{"phone_number":"+12025550199"}`)
	const detail = "/attributes/phone_number The phone number provided either does not exist or is ineligible to " +
		"receive ChannelType.SMS"
	same(t, "problems", c.want(400, "POST", jobsPath, body).problems(),
		[]string{"invalid " + at + "/1" + detail, "invalid " + at + "/2" + detail})
	c.want(202, "POST", jobsPath, body)
}

// With naming: rounds each answer names one profile until none is left. Other imports do not use up times.
func TestRefuseInRounds(t *testing.T) {
	c := startPlan(t, "faults: [{do: refuse, addresses: ['*bad*@*'], naming: rounds, times: 2}]")
	list := c.AddList("x", "single_opt_in")
	var answers []string
	for _, names := range [][]string{{"a"}, {"b", "bad1", "bad2"}, {"b", "bad2"}, {"b"}, {"bad3"}} {
		r := c.do("POST", jobsPath, importBody(list, people(names...)...))
		answers = append(answers, fmt.Sprint(r.status))
		answers = append(answers, c.decode(r).problems()...)
	}
	same(t, "answers", answers, []string{
		"202", "400", "invalid " + at + "/1/attributes/email Invalid email address", "400",
		"invalid " + at + "/1/attributes/email Invalid email address", "202", "202"})
	same(t, "members", c.Members(list), []string{"a@example.org", "b@example.org", "bad3@example.org"})
}

// An import that would be refused anyway does not count for an import fault.
func TestImportFaultsCountGoodImports(t *testing.T) {
	c := startPlan(t, "faults: [{do: refuse, skip: 1, naming: unnamed}]")
	c.want(400, "POST", jobsPath, importBody("NOPE01", people("a")...))
	c.want(400, "POST", jobsPath, importBody("", `{"email":"x"}`))
	c.want(202, "POST", jobsPath, importBody("", people("a")...))
	c.want(400, "POST", jobsPath, importBody("", people("a")...))
	c.want(202, "POST", jobsPath, importBody("", people("a")...))
}

// too_large answers 413 exactly above its number of profiles or bytes.
func TestTooLargeFault(t *testing.T) {
	three := importBody("", people("a", "b", "c")...)
	for do, refused := range map[string]bool{
		"profiles: 3":                                    false,
		"profiles: 2":                                    true,
		fmt.Sprint("bytes: ", len(three)):                false,
		fmt.Sprint("bytes: ", len(three)-1):              true,
		fmt.Sprint("profiles: 2, bytes: ", 1<<20):        true,
		fmt.Sprint("profiles: 5, bytes: ", len(three)-1): true,
	} {
		c := startPlan(t, "faults: [{do: too_large, times: -1, "+do+"}]")
		if refused {
			same(t, do, c.want(413, "POST", jobsPath, three).problems(),
				[]string{"request_entity_too_large /data/ The payload is larger than the maximum of 5MB."})
		} else {
			c.want(202, "POST", jobsPath, three)
		}
	}
}

// An import job has the errors that the fault shapes, and all other profiles take effect.
func TestFail(t *testing.T) {
	index := func(i int) any { return map[string]any{"pointer": fmt.Sprint(at, "/", i)} }
	data := any(map[string]any{"pointer": "/data"})
	bad1, bad2 := map[string]any{"email": "bad1@example.org"},
		map[string]any{"email": "Bad2@example.org", "first_name": "Bo"}
	const failed = "The profile could not be imported."
	place := []any{index(1), index(3)}
	for _, test := range []struct {
		name, do                   string
		details, sources, payloads []any
	}{
		{"by default", "", []any{failed, failed}, place, []any{bad1, bad2}},
		{"the default spelt out", ", payload: full, pointer: index, detail: Too odd.", []any{"Too odd.", "Too odd."},
			place, []any{bad1, bad2}},
		{"without a payload", ", payload: none", []any{failed, failed}, place, []any{nil, nil}},
		{"payload and pointer of another form", ", payload: attributes, pointer: data", []any{failed, failed},
			[]any{data, data}, []any{
				map[string]any{"type": "profile", "attributes": bad1},
				map[string]any{"type": "profile", "attributes": bad2}}},
		{"only one can be read", ", report: 1", []any{failed}, place[:1], []any{bad1}},
		{"none can be read", ", report: 0", nil, nil, nil},
		{"in upper case", ", report: 9, uppercase: true", []any{failed, failed}, place, []any{
			map[string]any{"email": "BAD1@EXAMPLE.ORG"},
			map[string]any{"email": "BAD2@EXAMPLE.ORG", "first_name": "Bo"}}},
		{"in upper case below attributes", ", payload: attributes, uppercase: true, report: 1", []any{failed},
			place[:1],
			[]any{map[string]any{"type": "profile", "attributes": map[string]any{"email": "BAD1@EXAMPLE.ORG"}}}},
	} {
		c := startPlan(t, "faults: [{do: fail, code: odd, addresses: ['bad*']"+test.do+"}]")
		list := c.AddList("x", "single_opt_in")
		job := c.submit(list, append(people("a", "bad1", "b"), `{"email":"Bad2@example.org","first_name":"Bo"}`)...)
		d := c.want(200, "GET", jobsPath+"/"+job, "")
		same(t, "counts", []any{d.each("status")[0], d.each("total_count")[0], d.each("completed_count")[0],
			d.each("failed_count")[0]}, []any{"complete", 4.0, 2.0, 2.0})
		d = c.want(200, "GET", jobsPath+"/"+job+"/import-errors?page[size]=100", "")
		same(t, test.name+" details", d.each("detail"), test.details)
		same(t, test.name+" sources", d.each("source"), test.sources)
		same(t, test.name+" payloads", d.each("original_payload"), test.payloads)
		for _, code := range d.each("code") {
			same(t, "code", code, any("odd"))
		}
		same(t, "members", c.Members(list), []string{"a@example.org", "b@example.org"})
	}
}

// fail selects profiles by index, by id or all of them, and two faults share one import job.
func TestFailMore(t *testing.T) {
	c := startPlan(t, `faults:
- {do: fail, indexes: [1], detail: one, payload: attributes}
- {do: fail, detail: two, report: 3}
`)
	id := c.AddProfile("z@example.org")
	list := c.AddList("x", "single_opt_in")
	job := c.submit(list, `{"email":"a@example.org"}`, `{"type":"profile","id":"`+id+`","attributes":{"title":"x"}}`,
		`{"email":"c@example.org"}`, `{"external_id":"7"}`)
	d := c.want(200, "GET", jobsPath+"/"+job+"/import-errors", "")
	same(t, "details", d.each("detail"), []any{"two", "one", "two"})
	same(t, "payload", d.each("original_payload")[1],
		any(map[string]any{"type": "profile", "id": id, "attributes": map[string]any{"title": "x"}}))
	same(t, "failed", c.want(200, "GET", jobsPath+"/"+job, "").each("failed_count"), []any{4.0})
	same(t, "members", len(c.Members(list)), 0)

	c = startPlan(t, "faults: [{do: fail, uppercase: true}]")
	job = c.submit("", `{"external_id":"x7"}`)
	same(t, "no address", c.want(200, "GET", jobsPath+"/"+job+"/import-errors", "").each("original_payload"),
		[]any{map[string]any{"external_id": "x7"}})
}

// Import jobs are cancelled, stuck or expired exactly when the plan says.
func TestFates(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, JobTime: 2 * time.Second, Plan: readPlan(t, `faults:
- {do: cancel, after: 5s}
- {do: stuck, skip: 1}
- {do: expire, skip: 2}
- {do: expire, skip: 3, after: 3s}
- {do: cancel, skip: 5}
`)})
	list := c.AddList("x", "single_opt_in")
	var jobs []string
	for i := range 6 {
		jobs = append(jobs, c.submit(list, people(fmt.Sprint("p", i))...))
	}
	statuses := func() (said []any) {
		for _, job := range jobs {
			r := c.do("GET", jobsPath+"/"+job, "")
			if r.status == 404 {
				same(t, "gone", c.decode(r).problems(), []string{"not_found /data/ Invalid job id"})
				same(t, "its errors", c.do("GET", jobsPath+"/"+job+"/import-errors", "").status, 404)
				said = append(said, 404)
				continue
			}
			said = append(said, c.decode(r).each("status")[0])
		}
		return said
	}
	same(t, "at first", statuses(), []any{"queued", "queued", 404, "queued", "queued", "queued"})
	now.pass(2 * time.Second)
	same(t, "after 2 s", statuses(), []any{"processing", "processing", 404, "processing", "processing", "cancelled"})
	now.pass(2 * time.Second)
	same(t, "after 4 s", statuses(), []any{"processing", "processing", 404, 404, "complete", "cancelled"})
	now.pass(3*time.Second - time.Nanosecond)
	same(t, "before 7 s", statuses()[0], any("processing"))
	now.pass(time.Nanosecond)
	same(t, "after 7 s", statuses(), []any{"cancelled", "processing", 404, 404, "complete", "cancelled"})
	now.pass(6 * 24 * time.Hour)
	same(t, "after days", statuses(), []any{"cancelled", "processing", 404, 404, "complete", "cancelled"})
	d := c.want(200, "GET", jobsPath, "")
	same(t, "all", d.each("status"), []any{"cancelled", "processing", "complete", "cancelled"})
	same(t, "completed_at", []any{d.each("completed_at")[0], d.each("completed_count")[0], d.each("failed_count")[0]},
		[]any{nil, 0.0, 0.0})
	same(t, "members", c.Members(list), []string{"p2@example.org", "p3@example.org", "p4@example.org"})
	same(t, "stuck after all was settled", statuses()[1], any("processing"))
}

// An import job that is not finished does not hold up later ones.
func TestLateEnd(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, Plan: readPlan(t, "faults: [{do: cancel, after: 1h}]")})
	list := c.AddList("x", "single_opt_in")
	first := c.submit(list, people("a")...)
	second := c.submit(list, people("b")...)
	now.pass(2 * time.Second)
	d := c.want(200, "GET", jobsPath, "")
	same(t, "statuses", []any{d.each("id"), d.each("status")},
		[]any{[]any{first, second}, []any{"processing", "complete"}})
	same(t, "settled", c.Members(list), []string{"b@example.org"})
	same(t, "statuses", c.want(200, "GET", jobsPath, "").each("status"), []any{"cancelled", "complete"})
}

// A dropped phone number leaves no trace. A number that is the profile's only identifier stays.
func TestDropPhone(t *testing.T) {
	c := startPlan(t, "faults: [{do: drop_phone, phones: ['+1900*', '+81*'], times: 2}]")
	list := c.AddList("x", "single_opt_in")
	// Without such a number it does not count, nor with a number that must stay.
	c.submit(list, `{"email":"a@example.org","phone_number":"+12025550123"}`)
	c.submit(list, `{"phone_number":"+819012345670"}`)
	job := c.submit(list, `{"email":"b@example.org","phone_number":"+819012345671"}`,
		`{"phone_number":"+819012345672"}`, `{"external_id":"7","phone_number":"+19005550123"}`)
	same(t, "failed", c.want(200, "GET", jobsPath+"/"+job, "").each("failed_count"), []any{0.0})
	c.submit(list, `{"email":"c@example.org","phone_number":"+819012345673"}`)
	c.submit(list, `{"email":"d@example.org","phone_number":"+819012345674"}`)
	same(t, "members", c.stored(list), []string{
		`{"email":"a@example.org","phone_number":"+12025550123"}`, `{"phone_number":"+819012345670"}`,
		`{"email":"b@example.org"}`, `{"phone_number":"+819012345672"}`, `{"external_id":"7"}`,
		`{"email":"c@example.org"}`, `{"email":"d@example.org","phone_number":"+819012345674"}`})
	d := c.want(200, "GET", "/api/profiles"+query("filter", `any(phone_number,["+819012345671","+819012345674"])`), "")
	same(t, "found by their numbers", d.each("email"), []any{"d@example.org"})
	c.submit(list, `{"phone_number":"+819012345671"}`) // no profile has this number
	same(t, "members", len(c.Members(list)), 8)
}
