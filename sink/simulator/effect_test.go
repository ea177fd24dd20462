package simulator_test

import (
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// Import jobs with these profiles, one job for each, leave exactly these members on the list.
func TestEffects(t *testing.T) {
	for _, test := range []struct {
		name string
		rows []string
		want []string
	}{
		{"as sent", []string{`{"email":"A@example.org","first_name":"Z\u00f6\"e","location":{"latitude":1.50,` +
			`"longitude":"2"},"properties":{"a":1e400,"b":[{}],"$c":"null"}}`},
			[]string{`{"email":"A@example.org","first_name":"Z\u00f6\"e","location":{"latitude":1.50,` +
				`"longitude":"2"},"properties":{"a":1e400,"b":[{}],"$c":"null"}}`}},
		{"null writes nothing", []string{`{"email":"a@example.org","first_name":null,"properties":null,` +
			`"location":{"zip":null}}`}, []string{`{"email":"a@example.org"}`}},
		{"null in a new profile", []string{`{"email":"a@example.org","first_name":null}`},
			[]string{`{"email":"a@example.org"}`}},
		{"null in a new profile's properties",
			[]string{`{"email":"a@example.org","properties":{"a":null,"b":{"c":null},"d":false}}`},
			[]string{`{"email":"a@example.org","properties":{"b":{"c":null},"d":false}}`}},
		{"null clears nothing", []string{
			`{"email":"a@example.org","first_name":"Ann","properties":{"a":1},"location":{"zip":"1"}}`,
			`{"email":"a@example.org","first_name":null,"properties":{"a":null},"location":{"zip":null}}`,
		}, []string{`{"email":"a@example.org","first_name":"Ann","properties":{"a":1},"location":{"zip":"1"}}`}},
		{"values are written, others stay", []string{
			`{"email":"a@example.org","first_name":"Ann","title":"Dr","properties":{"a":1,"b":{"x":1}},` +
				`"location":{"zip":"1","city":"Rome"}}`,
			`{"title":"","email":"a@example.org","properties":{"b":{"y":2},"c":3},"location":{"city":"Bern",` +
				`"country":"CH"},"last_name":"Lee"}`,
		}, []string{`{"email":"a@example.org","first_name":"Ann","title":"","properties":{"a":1,"b":{"y":2},"c":3},` +
			`"location":{"zip":"1","city":"Bern","country":"CH"},"last_name":"Lee"}`}},
		{"the last of equal names", []string{`{"email":"a@example.org","first_name":"A","first_name":"B"}`},
			[]string{`{"email":"a@example.org","first_name":"B"}`}},
		{"the case of an email does not matter and is stored as sent last",
			[]string{`{"email":"Ann@example.org"}`, `{"email":"aNN@example.org","title":"x"}`},
			[]string{`{"email":"aNN@example.org","title":"x"}`}},
		{"by phone number", []string{`{"phone_number":"+12025550123"}`,
			`{"phone_number":"+12025550123","email":"a@example.org"}`, `{"email":"a@example.org","title":"x"}`},
			[]string{`{"phone_number":"+12025550123","email":"a@example.org","title":"x"}`}},
		{"by external id", []string{`{"external_id":"1"}`, `{"external_id":"1","title":"x"}`},
			[]string{`{"external_id":"1","title":"x"}`}},
		{"a phone number that changes", []string{`{"email":"a@example.org","phone_number":"+12025550123"}`,
			`{"email":"a@example.org","phone_number":"+12025550199"}`,
			`{"phone_number":"+12025550123"}`, `{"phone_number":"+12025550199","title":"x"}`},
			[]string{`{"email":"a@example.org","phone_number":"+12025550199","title":"x"}`,
				`{"phone_number":"+12025550123"}`}},
		{"a bad phone number beside a good email",
			[]string{`{"email":"a@example.org","phone_number":"+1234","title":"x"}`},
			[]string{`{"email":"a@example.org","title":"x"}`}},
		{"a bad phone number does not replace a good one",
			[]string{`{"email":"a@example.org","phone_number":"+12025550123"}`,
				`{"email":"a@example.org","phone_number":"0123"}`},
			[]string{`{"email":"a@example.org","phone_number":"+12025550123"}`}},
		{"a bad phone number identifies no profile", []string{`{"email":"a@example.org","phone_number":"+1234"}`,
			`{"email":"b@example.org"}`, `{"email":"b@example.org","phone_number":"+1234","title":"x"}`},
			[]string{`{"email":"a@example.org"}`, `{"email":"b@example.org","title":"x"}`}},
		{"two people may share a phone", []string{`{"email":"a@example.org","phone_number":"+12025550123"}`,
			`{"email":"b@example.org","phone_number":"+12025550123"}`,
			`{"email":"b@example.org","phone_number":"+12025550123","title":"x"}`},
			[]string{`{"email":"a@example.org","phone_number":"+12025550123"}`,
				`{"email":"b@example.org","phone_number":"+12025550123","title":"x"}`}},
		{"_kx is not kept", []string{`{"email":"a@example.org","_kx":"x"}`}, []string{`{"email":"a@example.org"}`}},
		{"white space", []string{" {\n\"email\" : \"a@example.org\" ,\t\"title\":\"x\" } ",
			`{"email":"a@example.org","title":"y"}`},
			[]string{`{"email":"a@example.org","title":"y"}`}},
		{"escaped names", []string{`{"\u0065mail":"a@example.org"}`, `{"email":"\u0061@example.org","title":"x"}`},
			[]string{`{"\u0065mail":"\u0061@example.org","title":"x"}`}},
	} {
		c := start(t, simulator.Options{JobTime: time.Nanosecond})
		list := c.AddList("x", "double_opt_in")
		for _, row := range test.rows {
			c.submit(list, row)
		}
		same(t, test.name, c.stored(list), test.want)
	}
}

// A known id wins over the email, and an unknown one fails.
func TestImportByID(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	list := c.AddList("x", "double_opt_in")
	id := c.AddProfile("a@example.org")
	same(t, "the same email finds it", c.AddProfile("A@example.org"), id)
	row := func(id, attributes string) string {
		return `{"type":"profile","id":"` + id + `","attributes":` + attributes + `}`
	}
	c.submit(list, row(id, `{"email":"new@example.org"}`))
	c.submit(list, row(id, `{}`))
	same(t, "members", c.stored(list), []string{`{"email":"new@example.org"}`})
	other := c.AddProfile("a@example.org")
	if other == id {
		t.Error("the old email still finds the profile")
	}
	job := c.submit(list, row("01J00000000000000000000000", `{"email":"c@example.org"}`),
		row(other, `{"email":"new@example.org"}`))
	d := c.want(200, "GET", jobsPath+"/"+job+"/import-errors", "")
	same(t, "codes", d.each("code"), []any{"not_found", "duplicate_profile"})
	same(t, "payload", d.each("original_payload"), []any{
		map[string]any{"id": "01J00000000000000000000000", "email": "c@example.org"},
		map[string]any{"id": other, "email": "new@example.org"}})
	same(t, "members", c.stored(list), []string{`{"email":"new@example.org"}`})
}

// Of several profiles of one person in one import job the first counts, and the others get no error.
func TestSamePerson(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	list := c.AddList("x", "single_opt_in")
	job := c.submit(list, `{"email":"a@example.org","title":"1"}`, `{"email":"A@example.org","title":"2"}`,
		`{"email":"b@example.org"}`)
	same(t, "members", c.stored(list), []string{`{"email":"a@example.org","title":"1"}`, `{"email":"b@example.org"}`})
	d := c.want(200, "GET", jobsPath+"/"+job, "")
	same(t, "counts", []any{d.each("total_count")[0], d.each("completed_count")[0], d.each("failed_count")[0]},
		[]any{3.0, 3.0, 0.0})
	same(t, "profiles", len(c.want(200, "GET", jobsPath+"/"+job+"/relationships/profiles", "").resources), 2)
	c.submit(list, `{"email":"a@example.org","title":"3"}`)
	same(t, "the next job", c.stored(list)[0], `{"email":"a@example.org","title":"3"}`)
}
