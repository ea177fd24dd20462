package simulator_test

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

const at = "/data/attributes/profiles/data"

// One wrong profile refuses the whole request, the answer has every problem, and no import job comes of it.
func TestImportRefused(t *testing.T) {
	c := start(t, simulator.Options{})
	list := c.AddList("x", "single_opt_in")
	const emailInvalid, phoneInvalid = "Invalid email address",
		"Invalid phone number format (Example of a valid format: +12345678901)"
	const ineligible = "The phone number provided either does not exist or is ineligible to receive ChannelType.SMS"
	const payloadInvalid = "The payload provided in the request is invalid."
	const noIdentifier = "At least one identifier is required: id, email, phone_number or external_id."
	wrap := func(data string) string { return `{"data":` + data + `}` }
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"the second of three", importBody(list, `{"email":"a@example.org"}`, `{"email":"a@"}`,
			`{"email":"b@example.org"}`),
			[]string{"invalid " + at + "/1/attributes/email " + emailInvalid}},
		{"several", importBody(list, `{"email":"a"}`, `{"email":"b@example.org","zip":"1","$x":2}`,
			`{"phone_number":"123"}`), []string{
			"invalid " + at + "/0/attributes/email " + emailInvalid,
			"invalid " + at + "/1/attributes/zip 'zip' is not a valid field for the resource 'profile'.",
			"invalid " + at + "/1/attributes/$x '$x' is not a valid field for the resource 'profile'.",
			"invalid " + at + "/2/attributes/phone_number " + phoneInvalid,
		}},
		{"email and phone malformed", importBody(list, `{"email":"a","phone_number":"+1234"}`), []string{
			"invalid " + at + "/0/attributes/email " + emailInvalid,
			"invalid " + at + "/0/attributes/phone_number " + phoneInvalid}},
		{"phone malformed beside an external id", importBody(list, `{"external_id":"a","phone_number":"+1234"}`),
			[]string{"invalid " + at + "/0/attributes/phone_number " + phoneInvalid}},
		{"a phone number that does not exist", importBody(list, `{"email":"a@example.org"}`,
			`{"email":"b@example.org","phone_number":"+15550100001"}`, `{"phone_number":"+442079460958"}`,
			`{"external_id":"1","phone_number":"+447700900123"}`), []string{
			"invalid " + at + "/1/attributes/phone_number " + ineligible,
			"invalid " + at + "/3/attributes/phone_number " + ineligible}},
		{"no identifier", importBody(list, `{"first_name":"Ann"}`),
			[]string{"invalid " + at + "/0/attributes " + noIdentifier}},
		{"null identifiers", importBody(list, `{"email":null,"phone_number":null,"external_id":null}`),
			[]string{"invalid " + at + "/0/attributes " + noIdentifier}},
		{"empty email", importBody(list, `{"email":""}`),
			[]string{"invalid " + at + "/0/attributes/email " + emailInvalid}},
		{"an attribute that can't be written", importBody(list, `{"email":"a@example.org","anonymous_id":"x"}`),
			[]string{"invalid " + at + "/0/attributes/anonymous_id 'anonymous_id' is not a valid field for the " +
				"resource 'profile'."}},
		{"types", importBody(list, `{"email":5}`,
			`{"email":"a@example.org","first_name":true,"location":{"zip":1,"latitude":1,"longitude":true,`+
				`"street":"x"},"properties":[]}`,
			`{"email":"a@example.org","location":"x"}`, `{"email":"a@example.org","location":null}`), []string{
			"invalid " + at + "/0/attributes/email 'email' must be of type string or null.",
			"invalid " + at + "/1/attributes/first_name 'first_name' must be of type string or null.",
			"invalid " + at + "/1/attributes/location/zip 'zip' must be of type string or null.",
			"invalid " + at + "/1/attributes/location/longitude 'longitude' must be of type string or null.",
			"invalid " + at + "/1/attributes/location/street 'street' is not a valid field for the resource " +
				"'profile'.",
			"invalid " + at + "/1/attributes/properties 'properties' must be of type object or null.",
			"invalid " + at + "/2/attributes/location 'location' must be of type object.",
			"invalid " + at + "/3/attributes/location 'location' must be of type object.",
		}},
		{"external id too long", importBody(list, `{"external_id":"`+strings.Repeat("x", 256)+`"}`),
			[]string{"invalid " + at + "/0/attributes/external_id The external_id must not be longer than 255 " +
				"characters."}},
		{"not a profile", importBody(list, `{"type":"person","attributes":{"email":"a@example.org"}}`),
			[]string{"invalid " + at + "/0/type The type must be 'profile'."}},
		{"no attributes", importBody(list, `{"type":"profile"}`),
			[]string{"invalid " + at + "/0/attributes The attributes of a profile must be an object."}},
		{"attributes beside", importBody(list,
			`{"type":"profile","attributes":{"email":"a@example.org"},"email":"x"}`),
			[]string{"invalid " + at + "/0/email 'email' is not a valid field for the resource 'profile'."}},
		{"meta", importBody(list,
			`{"type":"profile","attributes":{"email":"a@example.org"},"meta":[]}`,
			`{"type":"profile","attributes":{"email":"a@example.org"},"meta":{"patch_properties":"x"}}`,
			`{"type":"profile","attributes":{"email":"a@example.org"},"meta":{"patch_properties":{"unset":["x",5]}}}`,
			`{"type":"profile","attributes":{"email":"a@example.org"},"meta":{"patch_properties":{"unset":{}}}}`,
			`{"type":"profile","attributes":{"email":"a@example.org"},"meta":{"patch_properties":{"append":{"x":1}}}}`,
			`{"type":"profile","attributes":{"email":"a@example.org"},"meta":{"patch_identifiers":null}}`), []string{
			"invalid " + at + "/0/meta 'meta' must be of type object.",
			"invalid " + at + "/1/meta/patch_properties 'patch_properties' must be of type object.",
			"invalid " + at + "/2/meta/patch_properties/unset The names in 'unset' must be of type string.",
			"invalid " + at + "/3/meta/patch_properties/unset The names in 'unset' must be of type string.",
			"invalid " + at + "/4/meta/patch_properties/append The simulator supports no patch but unset.",
			"invalid " + at + "/5/meta/patch_identifiers The simulator supports no meta but patch_properties.",
		}},
		{"attributes are no object", importBody(list, `{"type":"profile","attributes":[]}`),
			[]string{"invalid " + at + "/0/attributes The attributes of a profile must be an object."}},
		{"no profiles", importBody(list), []string{"invalid " + at + " At least one profile is required."}},
		{"unknown list", importBody("NOPE01", `{"email":"a@example.org"}`),
			[]string{"invalid /data List ID NOPE01 does not exist."}},
		{"lists misplaced in attributes", wrap(`{"type":"profile-bulk-import-job",` +
			`"attributes":{"profiles":{"data":[{"type":"profile","attributes":{"email":"a@example.org"}}]},` +
			`"lists":{"data":[{"type":"list","id":"` + list + `"}]}}}`),
			[]string{"invalid /data/attributes/lists 'lists' is not a valid field for the resource " +
				"'profile-bulk-import-job'."}},
		{"one list in place of an array", strings.Replace(strings.Replace(importBody(list,
			`{"email":"a@example.org"}`), `[{"type":"list"`, `{"type":"list"`, 1), `"}]}}}}`, `"}}}}}`, 1),
			[]string{"invalid /data/relationships/lists/data " + payloadInvalid}},
		{"wrong type of resource", wrap(`{"type":"profile-import",` +
			`"attributes":{"profiles":{"data":[{"type":"profile","attributes":{"email":"a@example.org"}}]}}}`),
			[]string{"invalid /data/type The type must be 'profile-bulk-import-job'."}},
		{"profiles as an array", wrap(`{"type":"profile-bulk-import-job",` +
			`"attributes":{"profiles":[{"type":"profile","attributes":{"email":"a@example.org"}}]}}`),
			[]string{"invalid /data/attributes/profiles " + payloadInvalid}},
		{"one profile in place of an array",
			wrap(`{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":{"type":"profile",` +
				`"attributes":{"email":"a@example.org"}}}}}`),
			[]string{"invalid /data/attributes/profiles/data " + payloadInvalid}},
		{"no attributes at all", wrap(`{"type":"profile-bulk-import-job"}`),
			[]string{"invalid /data " + payloadInvalid}},
		{"no JSON", `{"data":`, []string{"invalid /data " + payloadInvalid}},
		{"not UTF-8", importBody(list, "{\"email\":\"a@example.org\",\"first_name\":\"\xff\"}"),
			[]string{"invalid /data " + payloadInvalid}},
		{"too deep", strings.Repeat("[", 3_000_000), []string{"invalid /data " + payloadInvalid}},
		{"an array", `[]`, []string{"invalid  " + payloadInvalid}},
		{"null", `null`, []string{"invalid  " + payloadInvalid}},
	} {
		same(t, test.name, c.want(400, "POST", jobsPath, test.body).problems(), test.want)
	}
	same(t, "jobs", len(c.want(200, "GET", jobsPath, "").resources), 0)
	same(t, "members", c.stored(list), []string(nil))
}

// Emails are accepted and refused by Klaviyo's rule as far as it is known.
func TestEmails(t *testing.T) {
	c := start(t, simulator.Options{})
	label := strings.Repeat("x", 63)
	for email, valid := range map[string]bool{
		"a@example.org": true, "A.b+c_d-e%f@sub.example.co": true, "o'neil@example.org": true, "1@2.org": true,
		"a@xn--bcher-kva.example": true, "a@b.xn--p1ai": true,
		strings.Repeat("l", 88) + "@example.org": true, "a@" + label + ".org": true,
		"a": false, "a@b": false, "a@localhost": false, "@example.org": false, "a@": false, "a@b@example.org": false,
		"a@example.c": false, "a@example.123": false, "a@example.com1": false, "a@example.1com": false,
		"a@b.XN--P1AI": true, "a@example.xn--": false, "a@1.example": true, "a#b*c&d@example.org": true,
		"a!@example.org": false, "mailto:a@example.org": false, "a@-b.org": false,
		"a@b-.org": false, "a@.org": false, "a@example..org": false, ".a@example.org": false, "a.@example.org": false,
		"a..b@example.org": false, "a b@example.org": false,
		" a@example.org": false, "a@example.org.": false, "ä@example.org": false, "a@bücher.example": false,
		`"a"@example.org`: false, "a@[1.2.3.4]": false,
		strings.Repeat("l", 89) + "@example.org": false, "a@x" + label + ".org": false,
	} {
		quoted, _ := json.Marshal(email)
		if r := c.do("POST", jobsPath, importBody("", `{"email":`+string(quoted)+`}`)); (r.status == 202) != valid {
			t.Errorf("%s: status %d, valid %v", email, r.status, valid)
		}
	}
}

// Klaviyo's limits on profiles and bytes hold exactly.
func TestImportSize(t *testing.T) {
	c := startBare(t, simulator.Options{})
	rows := slices.Repeat([]string{`{"email":"a@example.org"}`}, 10_001)
	same(t, "10,001 profiles", c.want(400, "POST", jobsPath, importBody("", rows...)).problems(),
		[]string{"invalid " + at + " The number of profiles must not be more than 10000."})
	c.want(202, "POST", jobsPath, importBody("", rows[1:]...))
	same(t, "10,001 wrong profiles", len(c.want(400, "POST", jobsPath,
		importBody("", slices.Repeat([]string{`{}`}, 10_001)...)).Errors), 1)
	same(t, "10,000 wrong profiles", len(c.want(400, "POST", jobsPath,
		importBody("", slices.Repeat([]string{`{}`}, 10_000)...)).Errors), 10_000)

	body := importBody("", `{"email":"a@example.org"}`)
	body += strings.Repeat(" ", 5_000_000-len(body))
	c.want(202, "POST", jobsPath, body)
	c.want(413, "POST", jobsPath, body+" ")
	c.want(413, "POST", jobsPath, body+strings.Repeat(" ", 20_000_000))
}

// Whatever the body, the answer is 202 or 400, and what a 202 stores is JSON.
func FuzzImport(f *testing.F) {
	for _, row := range []string{`{"email":"a@example.org"}`,
		`{"email":"a@example.org","properties":{"a":null,"\u0061":"\\\""}}`, `{ "phone_number" : "+12025550123" }`,
		`{"type":"profile","attributes":{"email":"a@example.org","properties":{"a":1}},` +
			`"meta":{"patch_properties":{"unset":["\u0061",null],"append":null}}}`, `{}`} {
		f.Add([]byte(importBody("", row)))
	}
	f.Add([]byte(`{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[1,"x",[{}],` +
		`{"type":"profile","attributes":5}]}},"relationships":{}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		s := simulator.New(simulator.Options{JobTime: time.Nanosecond})
		for range 2 {
			w := post(s, jobsPath, body)
			if w.Code != 202 && w.Code != 400 || !json.Valid(w.Body.Bytes()) {
				t.Fatal(w.Code, w.Body)
			}
		}
		r := httptest.NewRequest("GET", "/api/profiles", nil)
		r.Header.Set("Authorization", "Klaviyo-API-Key key")
		r.Header.Set("revision", "2026-07-15")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 || !json.Valid(w.Body.Bytes()) {
			t.Fatal(w.Code, w.Body)
		}
	})
}

// post sends one request without a network.
func post(s *simulator.Simulator, path string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, bytes.NewReader(body))
	r.Header.Set("Authorization", "Klaviyo-API-Key key")
	r.Header.Set("revision", "2026-07-15")
	r.Header.Set("Content-Type", mediaType)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// BenchmarkImport imports new profiles of some 270 bytes, 10,000 an import job, until they are members of a list.
func BenchmarkImport(b *testing.B) {
	const jobs = 20
	s := simulator.New(simulator.Options{JobTime: time.Nanosecond})
	var bodies [][]byte
	list := s.AddList("x", "single_opt_in")
	for job := range jobs {
		var rows []string
		for i := range 10_000 {
			n := job*10_000 + i
			rows = append(rows, fmt.Sprintf(`{"email":"person%d@example.org","phone_number":"+491512%07d",`+
				`"external_id":"c-%d","first_name":"Jürgen","last_name":"Müller",`+
				`"location":{"country":"Germany","zip":"20121","city":"Köln"},"properties":{"score":%d,`+
				`"tier":"gold","note":"some text here"}}`, n, n, n, i))
		}
		bodies = append(bodies, []byte(importBody(list, rows...)))
	}
	for b.Loop() {
		b.StopTimer()
		s = simulator.New(simulator.Options{JobTime: time.Nanosecond})
		id := s.AddList("x", "single_opt_in")
		for i := range bodies {
			bodies[i] = bytes.Replace(bodies[i], []byte(list), []byte(id), 1)
		}
		list = id
		b.StartTimer()
		for _, body := range bodies {
			if w := post(s, jobsPath, body); w.Code != 202 {
				b.Fatal(w.Body)
			}
		}
		s.AddProfile("last@example.org") // completes the last import job
	}
	b.ReportMetric(float64(b.N)*jobs*10_000/b.Elapsed().Seconds(), "profiles/s")
}
