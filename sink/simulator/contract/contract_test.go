package contract_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
	"klaviyo-export/sink/simulator/contract"
)

const mediaType = "application/vnd.api+json"

var loaded = sync.OnceValues(func() (*contract.Checker, error) {
	path, ok := contract.Find()
	if !ok {
		return nil, nil
	}
	return contract.Load(path)
})

func load(t *testing.T) *contract.Checker {
	t.Helper()
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		t.Skip("no OpenAPI description at hand")
	}
	return c
}

// account is a simulator that holds something of each kind.
type account struct {
	*simulator.Simulator
	names *strings.Replacer // LIST, PROFILE, JOB → their ids
}

func newAccount(t *testing.T) account {
	s := simulator.New(simulator.Options{JobTime: time.Nanosecond})
	list, profile := s.AddList("Newsletter", "single_opt_in"), s.AddProfile("ann@example.org")
	a := account{s, strings.NewReplacer("LIST", list, "PROFILE", profile)}
	status, answer := a.ask(s, "POST", "/api/profile-bulk-import-jobs", importBody)
	if status != http.StatusAccepted {
		t.Fatal(answer)
	}
	_, rest, _ := strings.Cut(answer, `"id":"`)
	job, _, _ := strings.Cut(rest, `"`)
	a.names = strings.NewReplacer("LIST", list, "PROFILE", profile, "JOB", job)
	return a
}

// ask has a handler answer one request.
func (a account) ask(h http.Handler, method, path, body string) (status int, answer string) {
	r := httptest.NewRequest(method, a.names.Replace(path), strings.NewReader(a.names.Replace(body)))
	r.Header.Set("Authorization", "Klaviyo-API-Key key")
	r.Header.Set("revision", "2026-07-15")
	if body != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// An oversized profile makes an import error; the other row reaches the list.
var importBody = `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[` +
	`{"type":"profile","attributes":{"email":"bob@example.org","location":{"latitude":1.5,"longitude":null,"zip":"20121"},"properties":{"score":1}}},` +
	`{"type":"profile","attributes":{"email":"big@example.org","properties":{"text":"` + strings.Repeat("x", 100_000) + `"}}}]}},` +
	`"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}]}}}}`

const (
	listBody   = `{"data":{"type":"list","attributes":{"name":"x","opt_in_process":"single_opt_in"}}}`
	patchBody  = `{"data":{"type":"list","id":"LIST","attributes":{"name":"x","opt_in_process":null}}}`
	memberBody = `{"data":[{"type":"profile","id":"PROFILE"}]}`
)

// change replaces the first old by new.
type change struct{ old, new string }

var (
	listChanges = []change{ // of a list resource in an answer
		{`"type":"list"`, `"type":"lists"`}, {`"id":"`, `"ident":"`}, {`"name":"`, `"name":5,"x":"`}, {`"opt_in_process"`, `"opt_in"`},
		{`"single_opt_in"`, `"no_opt_in"`}, {`"related":`, `"relate":`}, {`"created":"2`, `"created":"x2`}, {`"attributes":{`, `"attributes":7,"x":{`},
	}
	profileChanges = []change{
		{`"type":"profile"`, `"type":"person"`}, {`"email":"`, `"email":5,"x":"`}, {`"first_name"`, `"firstname"`}, {`"latitude":`, `"lattitude":`},
		{`"properties":{`, `"properties":7,"x":{`}, {`"updated":"2`, `"updated":"x2`}, {`"push-tokens"`, `"push_tokens"`}, {`"attributes"`, `"attribute"`},
	}
	memberChanges     = append([]change{{`"joined_group_at"`, `"joined"`}}, profileChanges...)
	identifierChanges = []change{{`"type":"`, `"type":"x`}, {`"id":"`, `"ident":"`}, {`"id":"`, `"id":5,"x":"`}}
	jobChanges        = []change{
		{`"status":"`, `"status":"x`}, {`"status":`, `"state":`}, {`"total_count":`, `"total":`}, {`"total_count":`, `"total_count":"x","y":`},
		{`"completed_count"`, `"complete_count"`}, {`"created_at":"2`, `"created_at":"x2`}, {`"import-errors"`, `"import_errors"`},
		{`"type":"list"`, `"type":"lists"`}, {`"expires_at":"`, `"expires_at":5,"x":"`},
	}
	frameChanges      = []change{{`"data":`, `"date":`}, {`"links":{"self"`, `"links":{"myself"`}, {`"links":{"self":"http`, `"links":{"self":"x`}}
	collectionChanges = append([]change{{`"next":`, `"nxt":`}, {`"next":null`, `"next":7`}}, frameChanges...)
)

func changes(sets ...[]change) (all []change) {
	for _, set := range sets {
		all = append(all, set...)
	}
	return all
}

// wrong bodies and queries must be refused, right ones not; the same for answers.
var operations = []struct {
	method, path, body string
	wrongBodies        []change // of body
	wrongQueries       []string
	wrongAnswers       []change
}{
	{method: "GET", path: "/api/accounts", wrongBodies: []change{{``, `{}`}}, wrongQueries: []string{"page[size]=1", "fields[account]=name"}, wrongAnswers: changes(collectionChanges, []change{
		{`"type":"account"`, `"type":"accounts"`}, {`"test_account":true`, `"test_account":"true"`}, {`"organization_name"`, `"organisation_name"`}, {`"city"`, `"town"`},
	})},
	{method: "GET", path: "/api/accounts/SiMuL8", wrongQueries: []string{"fields[account]=name"}, wrongAnswers: changes(frameChanges, []change{{`"locale":"`, `"locale":5,"x":"`}})},

	{method: "GET", path: "/api/lists?page[size]=10&sort=-name&filter=equals(name,%22Newsletter%22)&fields[list]=name,created,id,opt_in_process,updated",
		wrongQueries: []string{"page[size]=11", "page[size]=0", "page[size]=x", "sort=joined", "limit=10", "sort=name&sort=id", "page=2", "fields[list]=title", "fields[profile]=email",
			"filter=equals(name,x)", "filter=contains(name,%22x%22)", "filter=equals(title,%22x%22)", "filter=any(name,%22x%22)", "filter=equals(name,%22x%22",
			"filter=equals(name,%22x%22)equals(id,%22y%22)", "filter=%22x%22", "filter=greater-than(created,%222026-01-01T00:00:00Z%22)"},
		wrongAnswers: changes(collectionChanges, listChanges)},
	{method: "POST", path: "/api/lists", body: listBody, wrongBodies: []change{
		{`"type":"list"`, `"type":"lists"`}, {`"type":"list",`, ``}, {`"name":"x"`, `"name":5`}, {`"name":"x",`, ``}, {`"name"`, `"nane"`}, {`"opt_in_process"`, `"opt_in"`},
		{`"single_opt_in"`, `"single"`}, {`"data"`, `"date"`}, {`"attributes":{`, `"name":"x","attributes":{`}, {listBody, `[]`}, {listBody, `null`}, {listBody, ``},
	}, wrongAnswers: changes(frameChanges, listChanges)},
	{method: "GET", path: "/api/lists/LIST?additional-fields[list]=profile_count", wrongQueries: []string{"additional-fields[list]=profiles", "filter=equals(id,%22x%22)"},
		wrongAnswers: changes(frameChanges, listChanges, []change{{`"profile_count":`, `"profile_count":"x","y":`}, {`"profile_count":`, `"profiles_count":`}})},
	{method: "PATCH", path: "/api/lists/LIST", body: patchBody, wrongBodies: []change{
		{`"id":"LIST",`, ``}, {`"id":"LIST"`, `"id":5`}, {`"type":"list"`, `"type":"profile"`}, {`"name":"x"`, `"name":["x"]`}, {`"name"`, `"title"`}, {`null`, `"none"`},
	}, wrongAnswers: changes(frameChanges, listChanges)},
	{method: "GET", path: "/api/lists/LIST/profiles?filter=any(email,[%22bob@example.org%22,%22x@example.org%22])&page[size]=100&sort=-joined_group_at",
		wrongQueries: []string{"page[size]=101", "sort=email", "filter=any(external_id,[%22x%22])", "filter=any(id,[%22x%22])", "filter=any(email,[])", "filter=any(email,[x])",
			"filter=equals(email,%22x%22)", "filter=greater-than(joined_group_at,yesterday)", "include=lists", "fields[profile]=name"},
		wrongAnswers: changes(collectionChanges, memberChanges)},
	{method: "GET", path: "/api/lists/LIST/relationships/profiles?filter=equals(email,[%22bob@example.org%22])", wrongQueries: []string{"page[size]=101", "fields[profile]=email"},
		wrongAnswers: changes(collectionChanges, identifierChanges)},
	{method: "POST", path: "/api/lists/LIST/relationships/profiles", body: memberBody, wrongBodies: []change{
		{`"type":"profile",`, ``}, {`"type":"profile"`, `"type":"list"`}, {`,"id":"PROFILE"`, ``}, {`"id":"PROFILE"`, `"id":5`}, {`"id"`, `"email"`}, {`"data"`, `"profiles"`},
		{`[{`, `{`}, {`}]`, `,"attributes":{}}]`}, {`[{"type":"profile","id":"PROFILE"}]`, `{"type":"profile","id":"PROFILE"}`},
	}},
	{method: "DELETE", path: "/api/lists/LIST/relationships/profiles", body: memberBody, wrongBodies: []change{
		{`"type":"profile",`, ``}, {`"type":"profile"`, `"type":"profiles"`}, {`"id":"PROFILE"`, `"id":null`}, {`"data"`, `"date"`}, {memberBody, ``},
	}},
	{method: "DELETE", path: "/api/lists/LIST", wrongQueries: []string{"force=true"}},

	{method: "GET", path: "/api/profiles?filter=equals(email,%22bob@example.org%22)", wrongQueries: []string{"page[size]=101", "filter=equals(first_name,%22x%22)",
		"filter=any(email,%22x%22)", "filter=equals(email,%22x%22),", "sort=name", "fields[profile]=zip"}, wrongAnswers: changes(collectionChanges, profileChanges)},
	{method: "GET", path: "/api/profiles/PROFILE", wrongQueries: []string{"page[size]=1"}, wrongAnswers: changes(frameChanges, profileChanges)},

	{method: "POST", path: "/api/profile-bulk-import-jobs", body: importBody, wrongBodies: []change{
		{`"type":"profile-bulk-import-job"`, `"type":"profile-import-job"`}, {`"type":"profile-bulk-import-job",`, ``}, {`"attributes"`, `"attribute"`},
		{`"profiles":{"data":[`, `"profiles":{"date":[`}, {`{"profiles":{"data":[`, `{"profile":{"data":[`}, {`{"type":"profile",`, `{`}, {`{"type":"profile"`, `{"type":"profiles"`},
		{`{"email":"bob@example.org"`, `{"email":5`}, {`"latitude":1.5`, `"latitude":[1.5]`}, {`"zip":"20121"`, `"zip":20121`}, {`"zip"`, `"postcode"`},
		{`"properties":{"score":1}`, `"properties":[]`}, {`"properties":{"score":1}`, `"score":1`}, {`{"email":"bob@example.org"`, `{"Email":"bob@example.org"`},
		{`,"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}]}}}}`, `},"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}]}}}`},
		{`]}},"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}]}}}}`, `]},"relationships":{"lists":{"data":[{"type":"list","id":"LIST"}]}}}}}`},
		{`"lists":{"data":[{"type":"list","id":"LIST"}]}`, `"list":{"data":{"type":"list","id":"LIST"}}`},
		{`"lists":{"data":[{"type":"list","id":"LIST"}]}`, `"lists":{"data":{"type":"list","id":"LIST"}}`},
		{`"lists":{"data":[{"type":"list","id":"LIST"}]}`, `"lists":[{"type":"list","id":"LIST"}]`},
		{`{"type":"list","id":"LIST"}`, `{"type":"segment","id":"LIST"}`}, {`{"type":"list","id":"LIST"}`, `{"type":"list"}`}, {`{"type":"list","id":"LIST"}`, `"LIST"`},
	}, wrongAnswers: changes(frameChanges, jobChanges)},
	{method: "GET", path: "/api/profile-bulk-import-jobs?filter=any(status,[%22queued%22,%22complete%22])&sort=-created_at",
		wrongQueries: []string{"page[size]=101", "sort=status", "filter=equals(status,%22cancelled%22)", "filter=equals(id,%22x%22)"}, wrongAnswers: changes(collectionChanges, jobChanges)},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB?include=lists", wrongQueries: []string{"include=profiles", "fields[profile-bulk-import-job]=state"},
		wrongAnswers: changes(frameChanges, jobChanges, []change{{`"included":[{"type":"list"`, `"included":[{"type":"profile"`}})},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB/import-errors", wrongQueries: []string{"page[size]=101"}, wrongAnswers: changes(collectionChanges, []change{
		{`"type":"import-error"`, `"type":"error"`}, {`"code":"`, `"cod":"`}, {`"detail":"`, `"detail":5,"x":"`}, {`"pointer":"`, `"point":"`},
		{`"original_payload"`, `"payload"`}, {`"original_payload":{`, `"original_payload":[],"x":{`},
	})},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB/profiles", wrongQueries: []string{"sort=id"}, wrongAnswers: changes(collectionChanges, profileChanges)},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB/relationships/profiles", wrongQueries: []string{"page[size]=0"}, wrongAnswers: changes(collectionChanges, identifierChanges)},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB/lists", wrongQueries: []string{"page[size]=1"}, wrongAnswers: changes(collectionChanges, listChanges)},
	{method: "GET", path: "/api/profile-bulk-import-jobs/JOB/relationships/lists", wrongQueries: []string{"fields[list]=name"}, wrongAnswers: changes(collectionChanges, identifierChanges)},
}

// answering answers everything alike.
func answering(status int, kind, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// breaches counts what is found wrong on each side.
func (a account) breaches(t *testing.T, c *contract.Checker, h http.Handler, method, path, body string) (requests, answers int) {
	t.Helper()
	a.ask(c.Wrap(h, func(err error) {
		var b *contract.Breach
		if !errors.As(err, &b) {
			t.Fatalf("not a Breach: %v", err)
		}
		if b.Answer {
			answers++
		} else {
			requests++
		}
		t.Log(err.Error()[:min(len(err.Error()), 200)])
	}), method, path, body)
	return requests, answers
}

func TestEachOperation(t *testing.T) {
	c := load(t)
	for _, op := range operations {
		t.Run(op.method+" "+op.path, func(t *testing.T) {
			a := newAccount(t)
			expect := func(h http.Handler, path, body string, wantRequests, wantAnswers int, what string) {
				t.Helper()
				if requests, answers := a.breaches(t, c, h, op.method, path, body); requests != wantRequests || answers != wantAnswers {
					t.Errorf("%s: breaches of requests %d, answers %d, want %d, %d", what, requests, answers, wantRequests, wantAnswers)
				}
			}
			expect(a, op.path, op.body, 0, 0, "all right")
			a = newAccount(t)
			status, answer := a.ask(a, op.method, op.path, op.body)
			if status >= 300 {
				t.Fatal(status, answer)
			}
			kind := mediaType
			if status == http.StatusNoContent {
				kind = ""
			}
			right := answering(status, kind, answer)
			expect(right, op.path, op.body, 0, 0, "the answer repeated")

			for _, wrong := range op.wrongBodies {
				body := strings.Replace(op.body, wrong.old, wrong.new, 1)
				if body == op.body {
					t.Fatalf("%v changes nothing", wrong)
				}
				expect(right, op.path, body, 1, 0, wrong.new+" in the body")
			}
			path, _, _ := strings.Cut(op.path, "?")
			for _, query := range op.wrongQueries {
				expect(right, path+"?"+query, op.body, 1, 0, query)
			}
			expect(right, path+"/", op.body, 1, 1, "a slash at the end")
			for _, wrong := range op.wrongAnswers {
				changed := strings.Replace(answer, wrong.old, wrong.new, 1)
				if changed == answer {
					t.Fatalf("%v changes nothing in %s", wrong, answer)
				}
				expect(answering(status, kind, changed), op.path, op.body, 0, 1, wrong.new+" in the answer")
			}
			expect(answering(203, kind, answer), op.path, op.body, 0, 1, "status 203")
			expect(answering(301, kind, answer), op.path, op.body, 0, 1, "status 301")
			if status == http.StatusNoContent {
				expect(answering(204, mediaType, "{}"), op.path, op.body, 0, 1, "a body beside 204")
			} else {
				expect(answering(status, "application/json", answer), op.path, op.body, 0, 1, "another media type")
				expect(answering(status, kind, ""), op.path, op.body, 0, 1, "no body")
			}
		})
	}
}

func TestErrorAnswers(t *testing.T) {
	c, a := load(t), newAccount(t)
	_, right := a.ask(a, "GET", "/api/lists/NOPE01", "")
	for _, test := range []struct {
		change
		breaches int
	}{
		{change{`"code"`, `"code"`}, 0},
		{change{`"code"`, `"kode"`}, 1},
		{change{`"errors"`, `"error"`}, 1},
		{change{`"detail":"`, `"detail":5,"x":"`}, 1},
		{change{`"pointer"`, `"point"`}, 1},
		{change{`"status":404`, `"status":"404"`}, 1},
		{change{right, `<html>`}, 1},
	} {
		body := strings.Replace(right, test.old, test.new, 1)
		for path, stray := range map[string]int{"/api/lists/NOPE01": 0, "/api/nope": 1, "/api/lists/a/b": 1, "/api/lists/a/b/profiles": 1} {
			requests, answers := a.breaches(t, c, answering(404, mediaType, body), "GET", path, "")
			if requests != stray || answers != test.breaches {
				t.Errorf("%s, %s: breaches of requests %d, answers %d, want %d, %d", path, test.new, requests, answers, stray, test.breaches)
			}
		}
	}
	if requests, answers := a.breaches(t, c, answering(200, mediaType, "{}"), "GET", "/api/nope", ""); requests != 1 || answers != 1 {
		t.Errorf("success on an unknown path: breaches of requests %d, answers %d", requests, answers)
	}
}

func TestHeaders(t *testing.T) {
	c, a := load(t), newAccount(t)
	for _, test := range []struct {
		name, value string
		breaches    int
	}{
		{"Accept", mediaType, 0},
		{"revision", "", 1},
		{"revision", "latest", 1},
		{"revision", "2026-10-15.pre", 0},
		{"Authorization", "", 1},
		{"Authorization", "Bearer key", 1},
		{"Content-Type", "", 1},
		{"Content-Type", "application/json", 1},
		{"Content-Encoding", "gzip", 1},
	} {
		r := httptest.NewRequest("POST", "/api/lists", strings.NewReader(listBody))
		r.Header.Set("Authorization", "Klaviyo-API-Key key")
		r.Header.Set("revision", "2026-07-15")
		r.Header.Set("Content-Type", mediaType)
		r.Header.Set(test.name, test.value)
		if test.value == "" {
			r.Header.Del(test.name)
		}
		breaches := 0
		c.Wrap(a, func(err error) { breaches++ }).ServeHTTP(httptest.NewRecorder(), r)
		if breaches != test.breaches {
			t.Errorf("%s %q: %d breaches, want %d", test.name, test.value, breaches, test.breaches)
		}
	}
}

// TestPassesOn makes sure that a checked answer is the same as without the check.
func TestPassesOn(t *testing.T) {
	c, a := load(t), newAccount(t)
	r := httptest.NewRequest("GET", "/simulator/lists", nil)
	w := httptest.NewRecorder()
	c.Wrap(a, func(err error) { t.Error(err) }).ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "Newsletter") {
		t.Errorf("/simulator/lists: %d %s", w.Code, w.Body)
	}
	h := c.Wrap(answering(404, mediaType, `{"errors":[]}`), func(err error) { t.Error(err) })
	status, answer := a.ask(h, "GET", "/api/lists", "")
	if status != 404 || answer != `{"errors":[]}` {
		t.Errorf("%d %s", status, answer)
	}
}
