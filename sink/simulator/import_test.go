package simulator_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

const at = "/data/attributes/profiles/data"

// TestImportRefused: what is wrong with one row refuses the request, all problems are told, and no job comes of it.
func TestImportRefused(t *testing.T) {
	c := start(t, simulator.Options{})
	list := c.AddList("x", "single_opt_in")
	const emailInvalid, phoneInvalid = "Invalid email address", "Invalid phone number format (Example of a valid format: +12345678901)"
	const payloadInvalid = "The payload provided in the request is invalid."
	const noIdentifier = "At least one identifier is required: id, email, phone_number or external_id."
	wrap := func(data string) string { return `{"data":` + data + `}` }
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"the second of three", importBody(list, `{"email":"a@example.org"}`, `{"email":"a@"}`, `{"email":"b@example.org"}`),
			[]string{"invalid " + at + "/1/attributes/email " + emailInvalid}},
		{"several", importBody(list, `{"email":"a"}`, `{"email":"b@example.org","zip":"1","$x":2}`, `{"phone_number":"123"}`), []string{
			"invalid " + at + "/0/attributes/email " + emailInvalid,
			"invalid " + at + "/1/attributes/zip 'zip' is not a valid field for the resource 'profile'.",
			"invalid " + at + "/1/attributes/$x '$x' is not a valid field for the resource 'profile'.",
			"invalid " + at + "/2/attributes/phone_number " + phoneInvalid,
		}},
		{"email and phone malformed", importBody(list, `{"email":"a","phone_number":"+1234"}`), []string{
			"invalid " + at + "/0/attributes/email " + emailInvalid, "invalid " + at + "/0/attributes/phone_number " + phoneInvalid}},
		{"phone malformed beside an external id", importBody(list, `{"external_id":"a","phone_number":"+1234"}`),
			[]string{"invalid " + at + "/0/attributes/phone_number " + phoneInvalid}},
		{"no identifier", importBody(list, `{"first_name":"Ann"}`), []string{"invalid " + at + "/0/attributes " + noIdentifier}},
		{"null identifiers", importBody(list, `{"email":null,"phone_number":null,"external_id":null}`), []string{"invalid " + at + "/0/attributes " + noIdentifier}},
		{"empty email", importBody(list, `{"email":""}`), []string{"invalid " + at + "/0/attributes/email " + emailInvalid}},
		{"an attribute that can't be written", importBody(list, `{"email":"a@example.org","anonymous_id":"x"}`),
			[]string{"invalid " + at + "/0/attributes/anonymous_id 'anonymous_id' is not a valid field for the resource 'profile'."}},
		{"types", importBody(list, `{"email":5}`, `{"email":"a@example.org","first_name":true,"location":{"zip":1,"latitude":1,"longitude":true,"street":"x"},"properties":[]}`,
			`{"email":"a@example.org","location":"x"}`, `{"email":"a@example.org","location":null}`), []string{
			"invalid " + at + "/0/attributes/email 'email' must be of type string or null.",
			"invalid " + at + "/1/attributes/first_name 'first_name' must be of type string or null.",
			"invalid " + at + "/1/attributes/location/zip 'zip' must be of type string or null.",
			"invalid " + at + "/1/attributes/location/longitude 'longitude' must be of type string or null.",
			"invalid " + at + "/1/attributes/location/street 'street' is not a valid field for the resource 'profile'.",
			"invalid " + at + "/1/attributes/properties 'properties' must be of type object or null.",
			"invalid " + at + "/2/attributes/location 'location' must be of type object.",
			"invalid " + at + "/3/attributes/location 'location' must be of type object.",
		}},
		{"external id too long", importBody(list, `{"external_id":"`+strings.Repeat("x", 256)+`"}`),
			[]string{"invalid " + at + "/0/attributes/external_id The external_id must not be longer than 255 characters."}},
		{"not a profile", importBody(list, `{"type":"person","attributes":{"email":"a@example.org"}}`), []string{"invalid " + at + "/0/type The type must be 'profile'."}},
		{"no attributes", importBody(list, `{"type":"profile"}`), []string{"invalid " + at + "/0/attributes The attributes of a profile must be an object."}},
		{"attributes beside", importBody(list, `{"type":"profile","attributes":{"email":"a@example.org"},"email":"x"}`),
			[]string{"invalid " + at + "/0/email 'email' is not a valid field for the resource 'profile'."}},
		{"meta", importBody(list, `{"type":"profile","attributes":{"email":"a@example.org"},"meta":{}}`), []string{"invalid " + at + "/0/meta The simulator does not support meta."}},
		{"attributes are no object", importBody(list, `{"type":"profile","attributes":[]}`), []string{"invalid " + at + "/0/attributes The attributes of a profile must be an object."}},
		{"no profiles", importBody(list), []string{"invalid " + at + " At least one profile is required."}},
		{"unknown list", importBody("NOPE01", `{"email":"a@example.org"}`), []string{"invalid /data List ID NOPE01 does not exist."}},
		{"lists misplaced in attributes", wrap(`{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[{"type":"profile","attributes":{"email":"a@example.org"}}]},` +
			`"lists":{"data":[{"type":"list","id":"` + list + `"}]}}}`), []string{"invalid /data/attributes/lists 'lists' is not a valid field for the resource 'profile-bulk-import-job'."}},
		{"one list in place of an array", strings.Replace(strings.Replace(importBody(list, `{"email":"a@example.org"}`), `[{"type":"list"`, `{"type":"list"`, 1), `"}]}}}}`, `"}}}}}`, 1),
			[]string{"invalid /data/relationships/lists/data " + payloadInvalid}},
		{"wrong type of resource", wrap(`{"type":"profile-import","attributes":{"profiles":{"data":[{"type":"profile","attributes":{"email":"a@example.org"}}]}}}`),
			[]string{"invalid /data/type The type must be 'profile-bulk-import-job'."}},
		{"profiles as an array", wrap(`{"type":"profile-bulk-import-job","attributes":{"profiles":[{"type":"profile","attributes":{"email":"a@example.org"}}]}}`),
			[]string{"invalid /data/attributes/profiles " + payloadInvalid}},
		{"one profile in place of an array", wrap(`{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":{"type":"profile","attributes":{"email":"a@example.org"}}}}}`),
			[]string{"invalid /data/attributes/profiles/data " + payloadInvalid}},
		{"no attributes at all", wrap(`{"type":"profile-bulk-import-job"}`), []string{"invalid /data " + payloadInvalid}},
		{"no JSON", `{"data":`, []string{"invalid /data " + payloadInvalid}},
		{"not UTF-8", importBody(list, "{\"email\":\"a@example.org\",\"first_name\":\"\xff\"}"), []string{"invalid /data " + payloadInvalid}},
		{"too deep", strings.Repeat("[", 3_000_000), []string{"invalid /data " + payloadInvalid}},
		{"an array", `[]`, []string{"invalid  " + payloadInvalid}},
		{"null", `null`, []string{"invalid  " + payloadInvalid}},
	} {
		same(t, test.name, c.want(400, "POST", jobsPath, test.body).problems(), test.want)
	}
	same(t, "jobs", len(c.want(200, "GET", jobsPath, "").resources), 0)
	same(t, "members", c.stored(list), []string(nil))
}

func TestEmails(t *testing.T) {
	c := start(t, simulator.Options{})
	label := strings.Repeat("x", 63)
	for email, valid := range map[string]bool{
		"a@example.org": true, "A.b+c_d-e%f@sub.example.co": true, "o'neil@example.org": true, "1@2.org": true, "a@xn--bcher-kva.example": true, "a@b.xn--p1ai": true,
		strings.Repeat("l", 88) + "@example.org": true, "a@" + label + ".org": true,
		"a": false, "a@b": false, "a@localhost": false, "@example.org": false, "a@": false, "a@b@example.org": false, "a@example.c": false, "a@example.123": false, "a@-b.org": false,
		"a@b-.org": false, "a@.org": false, "a@example..org": false, ".a@example.org": false, "a.@example.org": false, "a..b@example.org": false, "a b@example.org": false,
		" a@example.org": false, "a@example.org.": false, "ä@example.org": false, "a@bücher.example": false, `"a"@example.org`: false, "a@[1.2.3.4]": false,
		strings.Repeat("l", 89) + "@example.org": false, "a@x" + label + ".org": false,
	} {
		quoted, _ := json.Marshal(email)
		if r := c.do("POST", jobsPath, importBody("", `{"email":`+string(quoted)+`}`)); (r.status == 202) != valid {
			t.Errorf("%s: status %d, valid %v", email, r.status, valid)
		}
	}
}

// TestEffects: what the profiles of a list hold after jobs with these rows, one job for each.
func TestEffects(t *testing.T) {
	for _, test := range []struct {
		name string
		rows []string
		want []string
	}{
		{"as sent", []string{`{"email":"A@example.org","first_name":"Z\u00f6\"e","location":{"latitude":1.50,"longitude":"2"},"properties":{"a":1e400,"b":[{}],"$c":"null"}}`},
			[]string{`{"email":"A@example.org","first_name":"Z\u00f6\"e","location":{"latitude":1.50,"longitude":"2"},"properties":{"a":1e400,"b":[{}],"$c":"null"}}`}},
		{"null writes nothing", []string{`{"email":"a@example.org","first_name":null,"properties":null,"location":{"zip":null}}`}, []string{`{"email":"a@example.org"}`}},
		{"null in a new profile", []string{`{"email":"a@example.org","first_name":null}`}, []string{`{"email":"a@example.org"}`}},
		{"null in a new profile's properties", []string{`{"email":"a@example.org","properties":{"a":null,"b":{"c":null},"d":false}}`},
			[]string{`{"email":"a@example.org","properties":{"b":{"c":null},"d":false}}`}},
		{"null clears nothing", []string{
			`{"email":"a@example.org","first_name":"Ann","properties":{"a":1},"location":{"zip":"1"}}`,
			`{"email":"a@example.org","first_name":null,"properties":{"a":null},"location":{"zip":null}}`,
		}, []string{`{"email":"a@example.org","first_name":"Ann","properties":{"a":1},"location":{"zip":"1"}}`}},
		{"values are written, others stay", []string{
			`{"email":"a@example.org","first_name":"Ann","title":"Dr","properties":{"a":1,"b":{"x":1}},"location":{"zip":"1","city":"Rome"}}`,
			`{"title":"","email":"a@example.org","properties":{"b":{"y":2},"c":3},"location":{"city":"Bern","country":"CH"},"last_name":"Lee"}`,
		}, []string{`{"email":"a@example.org","first_name":"Ann","title":"","properties":{"a":1,"b":{"y":2},"c":3},"location":{"zip":"1","city":"Bern","country":"CH"},"last_name":"Lee"}`}},
		{"the last of equal names", []string{`{"email":"a@example.org","first_name":"A","first_name":"B"}`}, []string{`{"email":"a@example.org","first_name":"B"}`}},
		{"the case of an email does not matter and is stored as sent last", []string{`{"email":"Ann@example.org"}`, `{"email":"aNN@example.org","title":"x"}`},
			[]string{`{"email":"aNN@example.org","title":"x"}`}},
		{"by phone number", []string{`{"phone_number":"+12025550123"}`, `{"phone_number":"+12025550123","email":"a@example.org"}`, `{"email":"a@example.org","title":"x"}`},
			[]string{`{"phone_number":"+12025550123","email":"a@example.org","title":"x"}`}},
		{"by external id", []string{`{"external_id":"1"}`, `{"external_id":"1","title":"x"}`}, []string{`{"external_id":"1","title":"x"}`}},
		{"a phone number that changes", []string{`{"email":"a@example.org","phone_number":"+12025550123"}`, `{"email":"a@example.org","phone_number":"+12025550199"}`,
			`{"phone_number":"+12025550123"}`, `{"phone_number":"+12025550199","title":"x"}`},
			[]string{`{"email":"a@example.org","phone_number":"+12025550199","title":"x"}`, `{"phone_number":"+12025550123"}`}},
		{"a bad phone number beside a good email", []string{`{"email":"a@example.org","phone_number":"+1234","title":"x"}`}, []string{`{"email":"a@example.org","title":"x"}`}},
		{"a bad phone number does not replace a good one", []string{`{"email":"a@example.org","phone_number":"+12025550123"}`, `{"email":"a@example.org","phone_number":"0123"}`},
			[]string{`{"email":"a@example.org","phone_number":"+12025550123"}`}},
		{"a bad phone number is nobody's", []string{`{"email":"a@example.org","phone_number":"+1234"}`, `{"email":"b@example.org"}`, `{"email":"b@example.org","phone_number":"+1234","title":"x"}`},
			[]string{`{"email":"a@example.org"}`, `{"email":"b@example.org","title":"x"}`}},
		{"two people may share a phone", []string{`{"email":"a@example.org","phone_number":"+12025550123"}`, `{"email":"b@example.org","phone_number":"+12025550123"}`,
			`{"email":"b@example.org","phone_number":"+12025550123","title":"x"}`},
			[]string{`{"email":"a@example.org","phone_number":"+12025550123"}`, `{"email":"b@example.org","phone_number":"+12025550123","title":"x"}`}},
		{"_kx is not kept", []string{`{"email":"a@example.org","_kx":"x"}`}, []string{`{"email":"a@example.org"}`}},
		{"white space", []string{" {\n\"email\" : \"a@example.org\" ,\t\"title\":\"x\" } ", `{"email":"a@example.org","title":"y"}`},
			[]string{`{"email":"a@example.org","title":"y"}`}},
		{"escaped names", []string{`{"\u0065mail":"a@example.org"}`, `{"email":"\u0061@example.org","title":"x"}`}, []string{`{"\u0065mail":"\u0061@example.org","title":"x"}`}},
	} {
		c := start(t, simulator.Options{JobTime: time.Nanosecond})
		list := c.AddList("x", "double_opt_in")
		for _, row := range test.rows {
			c.submit(list, row)
		}
		same(t, test.name, c.stored(list), test.want)
	}
}

// TestImportByID: an id that is known wins over the email, one that is not fails.
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
	job := c.submit(list, row("01J00000000000000000000000", `{"email":"c@example.org"}`), row(other, `{"email":"new@example.org"}`))
	d := c.want(200, "GET", jobsPath+"/"+job+"/import-errors", "")
	same(t, "codes", d.each("code"), []any{"not_found", "duplicate_profile"})
	same(t, "payload", d.each("original_payload"), []any{
		map[string]any{"id": "01J00000000000000000000000", "email": "c@example.org"}, map[string]any{"id": other, "email": "new@example.org"}})
	same(t, "members", c.stored(list), []string{`{"email":"new@example.org"}`})
}

// TestImportErrors: a failed row is told with its place and what was sent, and costs itself alone.
func TestImportErrors(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	list := c.AddList("x", "single_opt_in")
	c.submit(list, `{"email":"a@example.org"}`, `{"email":"b@example.org","phone_number":"+12025550123","external_id":"7"}`)
	profile := func(size int) string { // a profile object of so many bytes
		frame := `{"type":"profile","attributes":{"email":"big@example.org","title":""}}`
		return strings.Replace(frame, `"title":"`, `"title":"`+strings.Repeat("x", size-len(frame)), 1)
	}
	job := c.submit(list,
		`{"email":"c@example.org"}`,
		profile(100_001),
		`{"email":"a@example.org","phone_number":"+12025550123"}`,
		`{"email":"a@example.org","external_id":"7","title":"x"}`,
		profile(100_000),
	)
	d := c.want(200, "GET", jobsPath+"/"+job, "")
	same(t, "counts", []any{d.each("status")[0], d.each("total_count")[0], d.each("completed_count")[0], d.each("failed_count")[0]}, []any{"complete", 5.0, 2.0, 3.0})
	d = c.want(200, "GET", jobsPath+"/"+job+"/import-errors", "")
	same(t, "codes", d.each("code"), []any{"invalid", "duplicate_profile", "duplicate_profile"})
	same(t, "places", d.each("source"), []any{map[string]any{"pointer": at + "/1"}, map[string]any{"pointer": at + "/2"}, map[string]any{"pointer": at + "/3"}})
	same(t, "payloads", d.each("original_payload")[1:], []any{
		map[string]any{"email": "a@example.org", "phone_number": "+12025550123"}, map[string]any{"email": "a@example.org", "external_id": "7", "title": "x"}})
	same(t, "members", len(c.stored(list)), 4)
	d = c.want(200, "GET", jobsPath+"/"+job+"/profiles", "")
	same(t, "profiles", d.each("email"), []any{"c@example.org", "big@example.org"})
	ids := c.want(200, "GET", jobsPath+"/"+job+"/relationships/profiles", "")
	same(t, "profile ids", ids.each("id"), d.each("id"))
}

func TestImportErrorPages(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	var rows []string
	for i := range 250 {
		rows = append(rows, fmt.Sprintf(`{"type":"profile","id":"NOPE%d","attributes":{}}`, i))
	}
	job := c.submit("", rows...)
	for path, sizes := range map[string][]int{
		"/import-errors": {20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 10},
		"/import-errors" + query("page[size]", "100"): {100, 100, 50},
	} {
		var got []int
		n := 0
		for _, d := range c.pages(jobsPath + "/" + job + path) {
			got = append(got, len(d.resources))
			for _, payload := range d.each("original_payload") {
				same(t, path, payload, any(map[string]any{"id": fmt.Sprintf("NOPE%d", n)}))
				n++
			}
		}
		same(t, path, got, sizes)
	}
}

// TestSamePerson: of the rows of one job about one person the first counts, and no error tells of the others.
func TestSamePerson(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	list := c.AddList("x", "single_opt_in")
	job := c.submit(list, `{"email":"a@example.org","title":"1"}`, `{"email":"A@example.org","title":"2"}`, `{"email":"b@example.org"}`)
	same(t, "members", c.stored(list), []string{`{"email":"a@example.org","title":"1"}`, `{"email":"b@example.org"}`})
	d := c.want(200, "GET", jobsPath+"/"+job, "")
	same(t, "counts", []any{d.each("total_count")[0], d.each("completed_count")[0], d.each("failed_count")[0]}, []any{3.0, 3.0, 0.0})
	same(t, "profiles", len(c.want(200, "GET", jobsPath+"/"+job+"/relationships/profiles", "").resources), 2)
	c.submit(list, `{"email":"a@example.org","title":"3"}`)
	same(t, "the next job", c.stored(list)[0], `{"email":"a@example.org","title":"3"}`)
}

func TestImportSize(t *testing.T) {
	c := startBare(t, simulator.Options{})
	rows := slices.Repeat([]string{`{"email":"a@example.org"}`}, 10_001)
	same(t, "10,001 profiles", c.want(400, "POST", jobsPath, importBody("", rows...)).problems(),
		[]string{"invalid " + at + " The number of profiles must not be more than 10000."})
	c.want(202, "POST", jobsPath, importBody("", rows[1:]...))
	same(t, "10,001 wrong profiles", len(c.want(400, "POST", jobsPath, importBody("", slices.Repeat([]string{`{}`}, 10_001)...)).Errors), 1)
	same(t, "10,000 wrong profiles", len(c.want(400, "POST", jobsPath, importBody("", slices.Repeat([]string{`{}`}, 10_000)...)).Errors), 10_000)

	body := importBody("", `{"email":"a@example.org"}`)
	body += strings.Repeat(" ", 5_000_000-len(body))
	c.want(202, "POST", jobsPath, body)
	c.want(413, "POST", jobsPath, body+" ")
	c.want(413, "POST", jobsPath, body+strings.Repeat(" ", 20_000_000))
}

// TestJobAnswer holds the answer to the one that was recorded.
func TestJobAnswer(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	list := c.AddList("x", "single_opt_in")
	r := c.do("POST", jobsPath, importBody(list, `{"email":"a@example.org"}`, `{"email":"b@example.org"}`, `{"email":"c@example.org"}`))
	id := regexp.MustCompile(`"id":"(\w{50,})"`).FindStringSubmatch(r.body)
	if r.status != 202 || id == nil {
		t.Fatal(r)
	}
	decoded, err := base64.RawURLEncoding.DecodeString(id[1])
	if err != nil || !regexp.MustCompile(`^\w{6}_maintenance\.\w{6}\.1788529200\.\w{6}$`).Match(decoded) {
		t.Errorf("job id %s", decoded)
	}
	want := `{"data":{"type":"profile-bulk-import-job","id":"<id>",` +
		`"attributes":{"status":"queued","created_at":"2026-09-04T13:40:00+00:00","total_count":3,"completed_count":0,` +
		`"failed_count":0,"completed_at":null,"expires_at":"2026-09-11T13:40:00+00:00","started_at":null},` +
		`"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}],"links":{` +
		`"self":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/relationships/lists/",` +
		`"related":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/lists/"}},` +
		`"profiles":{"links":{"self":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/relationships/profiles/",` +
		`"related":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/profiles/"}},` +
		`"import-errors":{"links":{"related":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/import-errors/"}}},` +
		`"links":{"self":"https://a.klaviyo.com/api/profile-bulk-import-jobs/<id>/"}},` +
		`"links":{"self":"https://a.klaviyo.com/api/profile-bulk-import-jobs"}}`
	same(t, "answer", strings.NewReplacer(id[1], "<id>", list, "LIST", c.url, "https://a.klaviyo.com").Replace(r.body), want)
}

// TestJobLife: queued, processing, complete by the clock; the effect comes with the end; after 7 days all is gone.
func TestJobLife(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, JobTime: 3 * time.Second})
	list := c.AddList("x", "double_opt_in")
	job := c.submit(list, `{"email":"a@example.org"}`)
	now.pass(time.Second)
	later := c.submit(list, `{"email":"b@example.org"}`)
	members := "/api/lists/" + list + "/relationships/profiles"
	for _, step := range []struct {
		pass               time.Duration
		status             string
		started, completed any
		done, members      int
		laterStatus        string
	}{
		{0, "queued", nil, nil, 0, 0, "queued"},
		{2*time.Second - 1, "queued", nil, nil, 0, 0, "queued"},
		{1, "processing", "2026-09-04T13:40:03+00:00", nil, 0, 0, "queued"},
		{time.Second, "processing", "2026-09-04T13:40:03+00:00", nil, 0, 0, "processing"},
		{2*time.Second - 1, "processing", "2026-09-04T13:40:03+00:00", nil, 0, 0, "processing"},
		{1, "complete", "2026-09-04T13:40:03+00:00", "2026-09-04T13:40:06+00:00", 1, 1, "processing"},
		{time.Second, "complete", "2026-09-04T13:40:03+00:00", "2026-09-04T13:40:06+00:00", 1, 2, "complete"},
	} {
		now.pass(step.pass)
		same(t, "members", len(c.want(200, "GET", members, "").resources), step.members)
		d := c.want(200, "GET", jobsPath+"/"+job, "")
		same(t, "job", d.resources[0].Attributes, map[string]any{
			"status": step.status, "created_at": "2026-09-04T13:40:00+00:00", "total_count": 1.0, "completed_count": float64(step.done), "failed_count": 0.0,
			"completed_at": step.completed, "expires_at": "2026-09-11T13:40:00+00:00", "started_at": step.started,
		})
		same(t, "later job", c.want(200, "GET", jobsPath+"/"+later, "").each("status"), []any{step.laterStatus})
		for _, status := range []string{"queued", "processing", "complete"} {
			var want []any
			for i, s := range []string{step.status, step.laterStatus} {
				if s == status {
					want = append(want, []string{job, later}[i])
				}
			}
			same(t, status, c.want(200, "GET", jobsPath+query("filter", `equals(status,"`+status+`")`), "").each("id"), want)
			same(t, status, c.want(200, "GET", jobsPath+query("filter", `any(status,["`+status+`"])`), "").each("id"), want)
		}
	}
	same(t, "joined at the end of the job", c.want(200, "GET", "/api/lists/"+list+"/profiles", "").each("joined_group_at"),
		[]any{"2026-09-04T13:40:06+00:00", "2026-09-04T13:40:07+00:00"})
	same(t, "sorted", c.want(200, "GET", jobsPath+query("sort", "-created_at"), "").each("id"), []any{later, job})
	same(t, "to the microsecond", c.want(200, "GET", jobsPath, "").each("created_at"), []any{"2026-09-04T13:40:00.123456+00:00", "2026-09-04T13:40:01.123456+00:00"})

	now.pass(7*24*time.Hour - 7*time.Second)
	for _, path := range []string{"", "/import-errors", "/profiles", "/relationships/profiles", "/lists", "/relationships/lists"} {
		same(t, path, c.want(404, "GET", jobsPath+"/"+job+path, "").problems(), []string{"not_found /data/ Invalid job id"})
		same(t, path, c.want(404, "GET", jobsPath+"/nope"+path, "").problems(), []string{"not_found /data/ Invalid job id"})
		c.want(200, "GET", jobsPath+"/"+later+path, "")
	}
	same(t, "jobs left", c.want(200, "GET", jobsPath, "").each("id"), []any{later})
}

func TestJobPages(t *testing.T) {
	c := start(t, simulator.Options{})
	var want []any
	for i := range 45 {
		want = append(want, c.submit("", fmt.Sprintf(`{"email":"a%d@example.org"}`, i)))
	}
	collect := func(path string) (ids []any, sizes []int) {
		for _, d := range c.pages(path) {
			ids = append(ids, d.each("id")...)
			sizes = append(sizes, len(d.resources))
		}
		return ids, sizes
	}
	ids, sizes := collect(jobsPath)
	same(t, "sizes", sizes, []int{20, 20, 5})
	same(t, "ids", ids, want)
	slices.Reverse(want)
	ids, sizes = collect(jobsPath + query("sort", "-created_at", "page[size]", "30"))
	same(t, "sizes", sizes, []int{30, 15})
	same(t, "ids", ids, want)
}

func TestJobLists(t *testing.T) {
	c := start(t, simulator.Options{JobTime: time.Nanosecond})
	list, gone := c.AddList("stays", "single_opt_in"), c.AddList("goes", "single_opt_in")
	body := strings.Replace(importBody(list, `{"email":"a@example.org"}`), `"data":[{"type":"list"`, `"data":[{"type":"list","id":"`+gone+`"},{"type":"list"`, 1)
	job := c.want(202, "POST", jobsPath, body).resources[0].ID
	same(t, "ids", c.want(200, "GET", jobsPath+"/"+job+"/relationships/lists", "").each("id"), []any{gone, list})
	same(t, "members", []int{len(c.stored(gone)), len(c.stored(list))}, []int{1, 1})
	c.want(204, "DELETE", "/api/lists/"+gone, "")
	same(t, "names", c.want(200, "GET", jobsPath+"/"+job+"/lists", "").each("name"), []any{"stays"})
	var d struct{ Included resources }
	if err := json.Unmarshal([]byte(c.do("GET", jobsPath+"/"+job+"?include=lists", "").body), &d); err != nil {
		t.Fatal(err)
	}
	same(t, "included", d.Included[0].ID, list)
}

// TestListDeletedBeforeTheEnd: the profiles are made and join nothing.
func TestListDeletedBeforeTheEnd(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now})
	list := c.AddList("x", "single_opt_in")
	job := c.submit(list, `{"email":"a@example.org"}`)
	c.want(204, "DELETE", "/api/lists/"+list, "")
	now.pass(2 * time.Second)
	same(t, "status", c.want(200, "GET", jobsPath+"/"+job, "").each("status"), []any{"complete"})
	same(t, "profiles", c.want(200, "GET", "/api/profiles", "").each("email"), []any{"a@example.org"})
}

// FuzzImport: whatever the body, the answer is 202 or 400, and what a 202 stores is JSON.
func FuzzImport(f *testing.F) {
	for _, row := range []string{`{"email":"a@example.org"}`, `{"email":"a@example.org","properties":{"a":null,"\u0061":"\\\""}}`, `{ "phone_number" : "+12025550123" }`, `{}`} {
		f.Add([]byte(importBody("", row)))
	}
	f.Add([]byte(`{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[1,"x",[{}],{"type":"profile","attributes":5}]}},"relationships":{}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
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

// post has a simulator answer without a network.
func post(s *simulator.Simulator, path string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, bytes.NewReader(body))
	r.Header.Set("Authorization", "Klaviyo-API-Key key")
	r.Header.Set("revision", "2026-07-15")
	r.Header.Set("Content-Type", mediaType)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// BenchmarkImport takes new profiles of some 270 bytes in, 10,000 a job, until they are members of a list.
func BenchmarkImport(b *testing.B) {
	const jobs = 20
	s := simulator.New(simulator.Options{JobTime: time.Nanosecond})
	var bodies [][]byte
	list := s.AddList("x", "single_opt_in")
	for job := range jobs {
		var rows []string
		for i := range 10_000 {
			n := job*10_000 + i
			rows = append(rows, fmt.Sprintf(`{"email":"person%d@example.org","phone_number":"+1202%07d","external_id":"c-%d","first_name":"Jürgen","last_name":"Müller",`+
				`"location":{"country":"Germany","zip":"20121","city":"Köln"},"properties":{"score":%d,"tier":"gold","note":"some text here"}}`, n, n, n, i))
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
		s.AddProfile("last@example.org") // ends the last job
	}
	b.ReportMetric(float64(b.N)*jobs*10_000/b.Elapsed().Seconds(), "profiles/s")
}
