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
		t.Skip("without the OpenAPI description")
	}
	return c
}

// account is a simulator with a list, a profile and an import job.
type account struct {
	*simulator.Simulator
	names *strings.Replacer // replaces LIST, PROFILE, JOB, CAMPAIGN (a draft), MESSAGE (of it) and SENT by their ids
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
	draft := s.AddCampaign(simulator.Campaign{Name: "Sale", Lists: []string{list}})
	sent := s.AddCampaign(simulator.Campaign{Name: "News", Lists: []string{list}})
	a.names = strings.NewReplacer("LIST", list, "PROFILE", profile, "JOB", job, "CAMPAIGN", draft, "SENT", sent)
	for _, path := range []string{"/api/campaign-send-jobs", "/api/campaign-recipient-estimation-jobs"} {
		kind := strings.TrimSuffix(path[len("/api/"):], "s")
		if status, answer := a.ask(s, "POST", path, `{"data":{"type":"`+kind+`","id":"SENT"}}`); status != 202 {
			t.Fatal(answer)
		}
	}
	_, answer = a.ask(s, "GET", "/api/campaigns/CAMPAIGN", "")
	_, rest, _ = strings.Cut(answer, `"type":"campaign-message","id":"`)
	message, _, _ := strings.Cut(rest, `"`)
	a.names = strings.NewReplacer("LIST", list, "PROFILE", profile, "JOB", job, "CAMPAIGN", draft, "SENT", sent,
		"MESSAGE", message)
	if status, answer := a.ask(s, "POST", "/api/lists/LIST/relationships/profiles", memberBody); status != 204 {
		t.Fatal(answer)
	}
	return a
}

// ask sends one request to a handler.
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

// answering gives every request the same answer.
func answering(status int, kind, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		} else if status == http.StatusTooManyRequests {
			w.Header()["Content-Type"] = nil
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// breaches counts the breaches of a request and of its answer.
func (a account) breaches(
	t *testing.T, c *contract.Checker, h http.Handler, method, path, body string,
) (requests, answers int) {
	t.Helper()
	a.ask(c.Wrap(h, func(err error) {
		var b *contract.Breach
		if !errors.As(err, &b) {
			t.Fatalf("expected a Breach, got %v", err)
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

// Every request and answer of the simulator passes the check, and each change that breaks the description is found.
func TestEachOperation(t *testing.T) {
	c := load(t)
	for _, op := range operations {
		t.Run(op.method+" "+op.path, func(t *testing.T) {
			a := newAccount(t)
			expect := func(h http.Handler, path, body string, wantRequests, wantAnswers int, what string) {
				t.Helper()
				requests, answers := a.breaches(t, c, h, op.method, path, body)
				if requests != wantRequests || answers != wantAnswers {
					t.Errorf("%s: breaches of requests %d, answers %d, want %d, %d",
						what, requests, answers, wantRequests, wantAnswers)
				}
			}
			expect(a, op.path, op.body, 0, 0, "all right")
			a = newAccount(t)
			status, answer := a.ask(a, op.method, op.path, op.body)
			if status >= 300 {
				t.Fatal(status, answer)
			}
			kind := mediaType
			if answer == "" {
				kind = ""
			}
			right := answering(status, kind, answer)
			expect(right, op.path, op.body, 0, 0, "the answer repeated")

			for _, wrong := range op.wrongBodies {
				body := strings.Replace(op.body, wrong.old, wrong.new, 1)
				if body == op.body {
					t.Fatalf("%v does not change the body", wrong)
				}
				expect(right, op.path, body, 1, 0, wrong.new+" in the body")
				if status, _ := a.ask(a, op.method, op.path, body); status < 400 && op.body != "" {
					t.Errorf("%s in the body: the simulator accepts it", wrong.new)
				}
			}
			path, _, _ := strings.Cut(op.path, "?")
			for _, query := range op.wrongQueries {
				expect(right, path+"?"+query, op.body, 1, 0, query)
			}
			expect(right, path+"/", op.body, 1, 1, "a slash at the end")
			for _, wrong := range op.wrongAnswers {
				changed := strings.Replace(answer, wrong.old, wrong.new, 1)
				if changed == answer {
					t.Fatalf("%v does not change %s", wrong, answer)
				}
				expect(answering(status, kind, changed), op.path, op.body, 0, 1, wrong.new+" in the answer")
			}
			expect(answering(203, kind, answer), op.path, op.body, 0, 1, "status 203")
			expect(answering(301, kind, answer), op.path, op.body, 0, 1, "status 301")
			if answer == "" {
				expect(answering(status, mediaType, "{}"), op.path, op.body, 0, 1, "a body")
				expect(answering(status, mediaType, ""), op.path, op.body, 0, 1, "a media type")
			} else {
				expect(answering(status, "application/json", answer), op.path, op.body, 0, 1, "another media type")
				expect(answering(status, kind, ""), op.path, op.body, 0, 1, "no body")
			}
		})
	}
}

// An error answer must have the form of all errors, also on paths that the description does not have.
func TestErrorAnswers(t *testing.T) {
	c, a := load(t), newAccount(t)
	_, right := a.ask(a, "GET", "/api/lists/NOPE01", "")
	for _, test := range []struct {
		name string
		change
		breaches int
	}{
		{"no change", change{`"code"`, `"code"`}, 0},
		{"an unknown member", change{`"code"`, `"kode"`}, 1},
		{"no errors", change{`"errors"`, `"error"`}, 1},
		{"a number for a text", change{`"detail":"`, `"detail":5,"x":"`}, 1},
		{"an unknown source", change{`"pointer"`, `"point"`}, 1},
		{"a text for a number", change{`"status":404`, `"status":"404"`}, 1},
		{"a page", change{right, `<html>`}, 1},
	} {
		body := strings.Replace(right, test.old, test.new, 1)
		for path, stray := range map[string]int{
			"/api/lists/NOPE01": 0, "/api/nope": 1, "/api/lists/a/b": 1, "/api/lists/a/b/profiles": 1,
		} {
			requests, answers := a.breaches(t, c, answering(404, mediaType, body), "GET", path, "")
			if requests != stray || answers != test.breaches {
				t.Errorf("%s, %s: breaches of requests %d, answers %d, want %d, %d",
					path, test.name, requests, answers, stray, test.breaches)
			}
		}
	}
	for kind, breaches := range map[string]int{"": 0, mediaType: 1, "application/json": 1} {
		h := answering(429, kind, strings.Replace(right, "404", "429", 1))
		if requests, answers := a.breaches(t, c, h, "GET", "/api/lists", ""); requests != 0 || answers != breaches {
			t.Errorf("429, media type %q: breaches of requests %d, answers %d, want 0, %d",
				kind, requests, answers, breaches)
		}
	}
	for _, test := range []struct {
		status, breaches int
		body             string
	}{
		{410, 0, `{"message":"x"}`}, {404, 1, `{"message":"x"}`}, {410, 1, `{"message":""}`}, {410, 1, right},
		{410, 1, `{"message":"x","code":"y"}`}, {410, 1, ``},
	} {
		h := answering(test.status, "application/json", test.body)
		requests, answers := a.breaches(t, c, h, "GET", "/api/v2/lists", "")
		if requests != 1 || answers != test.breaches {
			t.Errorf("a legacy API, %d %s: breaches of requests %d, answers %d, want 1, %d",
				test.status, test.body, requests, answers, test.breaches)
		}
	}
	requests, answers := a.breaches(t, c, answering(200, mediaType, "{}"), "GET", "/api/nope", "")
	if requests != 1 || answers != 1 {
		t.Errorf("success on an unknown path: breaches of requests %d, answers %d", requests, answers)
	}
}

// A missing or wrong header is one breach of the request.
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

// The check passes every answer on unchanged.
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
