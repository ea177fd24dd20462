package sink

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"klaviyo-export/sink/simulator"
)

// recordedID is the request id in the recorded answers: all errors of an answer have it, and a header.
const recordedID = "a35c0a44-c540-4e9e-81db-b8114250c1fd"

// recorded is an answer in the form of klaviyo-more.md §9: with a request id, and the revision in a header.
func recorded(status int, body string, headers ...string) fault {
	headers = append(headers, "X-Klaviyo-Req-Id", recordedID, "X-Klaviyo-Api-Revision", "2026-07-15")
	return says(status, mediaType, strings.ReplaceAll(body, "ID", recordedID), headers...)
}

// recordedError is a recorded answer with one error.
func recordedError(status int, code, title, detail, pointer string) fault {
	return recorded(status, fmt.Sprintf(`{"errors":[{"id":"ID","status":%d,"code":%q,"title":%q,"detail":%q,`+
		`"source":{"pointer":%q},"links":{},"meta":{}}]}`, status, code, title, detail, pointer))
}

// The recorded answers. The sources of each are in klaviyo-more.md §9 and klaviyo-api.md §9.
var (
	wrongKey = recorded(401, `{"errors":[{"id":"ID","status":401,"code":"not_authenticated",`+
		`"title":"Authentication credentials were not provided.","detail":"Missing or invalid private key.",`+
		`"source":{"pointer":"/data/"}}]}`, "Www-Authenticate", "Bearer, Klaviyo-API-Key")
	missingScope = recordedError(403, "permission_denied", "You do not have permission to perform this action.",
		"Your API key is missing required scopes: lists:read", "/data/")
	noRevision = recordedError(404, "not_found", "Not found.", "No valid revisions found for method", "/data/")
	noList     = recordedError(404, "not_found", "Not found.", "A list with id `NOPE01` does not exist.", "/data/")
	noJob      = recordedError(404, "not_found", "Not found.", "Invalid job id", "/data/")
	legacyGone = says(410, "application/json", `{"message":"This API has been retired. Use the new APIs."}`)
	throttled  = func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		w.Header()["Content-Type"] = nil // the recorded one has none
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = fmt.Fprintf(w, `{"errors":[{"id":%q,"status":429,"code":"throttled","title":"Request was throttled.",`+
			`"detail":"Request was throttled. Expected available in 1 second.","source":{"pointer":"/data"},`+
			`"links":{"type":"https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling#rate-limits"},`+
			`"meta":{}}]}`, recordedID)
	}
	serverError = recordedError(500, "error", "Server error.", "A server error occurred.", "/data/")
	badPhone    = recordedError(400, "invalid", "Invalid input.", "The phone number provided either does not exist "+
		"or is ineligible to receive ChannelType.SMS", importPointer+"388/attributes/phone_number")
	challenge = says(403, "text/html; charset=UTF-8", page, "Cf-Mitigated", "challenge", "Server", "cloudflare")
)

// ends is the end of a run: kind, text and hint of its error, and the profiles by status.
type ends struct {
	Kind     string // "" = no error
	Text     string
	Hint     string
	Profiles map[string]int
}

// end describes how a run ended.
func end(err error, set []Profile) ends {
	e := ends{Profiles: statuses(set)}
	var failed *Error
	if errors.As(err, &failed) {
		e.Kind = [...]string{"setup", "outage", "stopped"}[failed.Kind]
		e.Text, e.Hint = failed.Error(), failed.Hint
	}
	return e
}

// isImportOrRemoval matches the requests that carry profiles.
func isImportOrRemoval(r *http.Request) bool { return isImport(r) || isRemoval(r) }

// isByID matches the look-up of a list by its id.
func isByID(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/api/lists/")
}

// always gives the same answer to all requests.
func always(f fault) []fault {
	all := make([]fault, 2000)
	for i := range all {
		all[i] = f
	}
	return all
}

// TestRecordedAnswers replays recorded answers of Klaviyo. Each case asserts the statuses of the rows, the kind of the
// error, which is the exit status (setup 2, outage 4), and what people are told.
func TestRecordedAnswers(t *testing.T) {
	const (
		keyHint = "create a private API key in Klaviyo under Settings > API keys, then set KLAVIYO_API_KEY or pass " +
			"--api-key-file FILE"
		scopeHint = "give the key the scopes lists:read, lists:write, profiles:read and profiles:write, and " +
			"accounts:read for doctor"
		revisionHint = "update klaviyo-export, or pass a newer date to --revision"
		noRevisions  = "Klaviyo does not offer this in API revision 2026-07-15: HTTP 404: " +
			"No valid revisions found for method (not_found)"
		retired = "Klaviyo has retired API revision 2026-07-15: HTTP 410: This API has been retired. Use the new APIs."
	)
	unsent, accepted := map[string]int{"unsent": 3}, map[string]int{"accepted": 3}
	byName, byID, add, remove := ListRef{Name: "News"}, ListRef{ID: "NOPE01"}, "add", "remove"
	for _, c := range []struct {
		name     string
		list     ListRef
		does     string
		on       func(*http.Request) bool
		faults   []fault
		want     ends
		requests int64
	}{
		{
			"401 at the look-up", byName, add, isLookup, []fault{wrongKey},
			ends{"setup", `look up list "News": Klaviyo does not know the API key: HTTP 401: ` +
				`Missing or invalid private key. (not_authenticated)`, keyHint, unsent}, 1,
		},
		{
			"401 at the import", byName, add, isImport, []fault{wrongKey},
			ends{"setup", `import 3 profiles: Klaviyo does not know the API key: HTTP 401: ` +
				`Missing or invalid private key. (not_authenticated)`, keyHint, unsent}, 2,
		},
		{
			"403 for a scope", byName, add, isLookup, []fault{missingScope},
			ends{"setup", `look up list "News": the API key has no permission for this: HTTP 403: ` +
				`Your API key is missing required scopes: lists:read (permission_denied)`, scopeHint, unsent}, 1,
		},
		{
			"404 of the revision at the look-up by name", byName, add, isLookup, []fault{noRevision},
			ends{"setup", `look up list "News": ` + noRevisions, revisionHint, unsent}, 1,
		},
		{
			"404 of the revision at the look-up by id", byID, add, isByID, []fault{noRevision},
			ends{"setup", `look up list "NOPE01": ` + noRevisions, revisionHint, unsent}, 1,
		},
		{
			"404 of the revision at the import", byName, add, isImport, []fault{noRevision},
			ends{"setup", `import 3 profiles: ` + noRevisions, revisionHint, unsent}, 2,
		},
		{
			"404 of the revision at the removal", byName, remove, isRemoval, []fault{noRevision},
			ends{"setup", `remove 3 profiles: ` + noRevisions, revisionHint, unsent}, 2,
		},
		{
			"404 of a list", byID, add, isByID, []fault{noList},
			ends{"setup", `look up list "NOPE01": no list in this account has this id`,
				"copy the id from the list's address in Klaviyo, or pass the list's name to --list-name", unsent}, 1,
		},
		{
			"410 of the legacy API", byName, add, isLookup, []fault{legacyGone},
			ends{"setup", `look up list "News": ` + retired, revisionHint, unsent}, 1,
		},
		{
			"410 at the import", byName, add, isImport, []fault{legacyGone},
			ends{"setup", `import 3 profiles: ` + retired, revisionHint, unsent}, 2,
		},
		{
			"429 without a content type", byName, add, isImport, []fault{throttled, throttled},
			ends{Profiles: accepted}, 4,
		},
		{
			"500 once", byName, add, isImport, []fault{serverError}, ends{Profiles: accepted}, 3,
		},
		{
			"500 for ten minutes", byName, add, isImport, always(serverError),
			ends{"outage", `import 3 profiles: HTTP 500: A server error occurred. (error), request id ` + recordedID,
				"", map[string]int{"unknown answer_lost": 3}}, 0,
		},
		{
			"500 at the look-up for ten minutes", byName, add, isLookup, always(serverError),
			ends{"outage", `look up list "News": HTTP 500: A server error occurred. (error), request id ` + recordedID,
				"", unsent}, 0,
		},
		{
			"a challenge once", byName, add, isImportOrRemoval, []fault{challenge}, ends{Profiles: accepted}, 3,
		},
		{
			"a challenge at a removal", byName, remove, isImportOrRemoval, []fault{challenge},
			ends{Profiles: map[string]int{"applied": 3}}, 3,
		},
		{
			"a challenge for ten minutes", byName, add, isImportOrRemoval, always(challenge),
			ends{"outage", `import 3 profiles: HTTP 403 with a page that is not Klaviyo's: ` +
				`a firewall stopped the request`, "", unsent}, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{RetryFor: 10 * time.Minute}
			bubble(t, faulty(c.on, c.faults...), simulator.Options{AnyProfile: true}, o, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				set := people(3)
				list, err := w.client.FindList(w.Context(), c.list)
				if err == nil && c.does == add {
					err = NewImport(w.client, list).Send(w.Context(), set)
				} else if err == nil {
					set = removals("A1", "B2", "C3")
					err = NewRemoval(w.client, list, ProfileID).Send(w.Context(), set)
				}
				if diff := cmp.Diff(c.want, end(err, set)); diff != "" {
					t.Error(diff)
				}
				if n := w.client.Stats().Sent; c.requests > 0 && n != c.requests {
					t.Errorf("%d requests, want %d", n, c.requests)
				}
			})
		})
	}
}

// TestOtherRevisions: a revision that the user asked for and Klaviyo does not offer is named, with the way back.
func TestOtherRevisions(t *testing.T) {
	const hint = "leave out --revision, the default is 2026-07-15; or pass another date"
	for _, c := range []struct{ name, revision, text string }{
		{
			"of the future", "2099-01-15", "Klaviyo does not offer this in API revision 2099-01-15: HTTP 404: " +
				"Unable to specify a future revision date (not_found)",
		},
		{
			"before all", "2021-01-15", "Klaviyo does not offer this in API revision 2021-01-15: HTTP 404: " +
				"No valid revisions found for method (not_found)",
		},
		{
			"no date", "2026-13-15", "Klaviyo does not offer this in API revision 2026-13-15: HTTP 400: " +
				"The revision header must be a date such as 2026-07-15. (invalid)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				w.client.options.Revision = c.revision
				_, err := w.client.FindList(w.Context(), ListRef{Name: "News"})
				want := ends{"setup", `look up list "News": ` + c.text, hint, map[string]int{}}
				if diff := cmp.Diff(want, end(err, nil)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestRecordedPhone: a phone number that Klaviyo refuses together with the whole request costs its own row alone, by
// the index in the answer: here 388 of 445.
func TestRecordedPhone(t *testing.T) {
	bubble(t, faulty(isImport, badPhone), simulator.Options{}, Options{}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		set, err := w.send(445)
		want := map[string]int{"accepted": 444, "rejected invalid": 1}
		if diff := cmp.Diff(want, statuses(set)); diff != "" || err != nil {
			t.Errorf("error %v, %s", err, diff)
		}
		fault := &Fault{
			Code: "invalid", Column: "phone_number",
			Detail: "The phone number provided either does not exist or is ineligible to receive ChannelType.SMS",
		}
		if diff := cmp.Diff(fault, set[388].Fault, cmpopts.IgnoreUnexported(Fault{})); diff != "" {
			t.Error(diff)
		}
		if n := w.client.Stats().Sent; n != 3 {
			t.Errorf("%d requests, want a look-up, a refusal and an import", n)
		}
	})
}

// TestRecordedJobs: in a wait, a 404 that speaks of revisions ends the run and claims nothing about the jobs. Only a
// 404 that speaks of the job means that it has expired.
func TestRecordedJobs(t *testing.T) {
	isErrors := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/import-errors") }
	isPoll := func(r *http.Request) bool { return !isErrors(r) }
	foreign := says(404, "text/html", page)
	failed := map[string]int{"A": 1}
	for _, c := range []struct {
		name  string
		jobs  []string
		on    func(*http.Request) bool
		fault fault
		state JobState
		text  string // of the error, up to Klaviyo's words
	}{
		{
			"one job", []string{"A"}, isPoll, noRevision, Open,
			"watch import job A: Klaviyo does not offer this in API revision 2026-07-15",
		},
		{
			"many jobs", []string{"A", "B", "C", "D"}, isPoll, noRevision, Open,
			"watch import jobs: Klaviyo does not offer this in API revision 2026-07-15",
		},
		{
			"import errors", []string{"A"}, isErrors, noRevision, Open,
			"read the errors of import job A: Klaviyo does not offer this in API revision 2026-07-15",
		},
		{
			"410", []string{"A"}, isPoll, legacyGone, Open,
			"watch import job A: Klaviyo has retired API revision 2026-07-15",
		},
		{"a job that Klaviyo does not know", []string{"A"}, isPoll, noJob, Expired, ""},
		{"errors that Klaviyo does not know", []string{"A"}, isErrors, noJob, Expired, ""},
		{
			"a 404 that is not Klaviyo's", []string{"A"}, isPoll, foreign, Open,
			"watch import job A: HTTP 404",
		},
		{
			"import errors, a 404 that is not Klaviyo's", []string{"A"}, isErrors, foreign, Open,
			"read the errors of import job A: HTTP 404",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &jobs{status: map[string]string{}, failed: failed, requests: map[string]int{}}
			for _, id := range c.jobs {
				k.status[id] = "complete"
			}
			wrap := func(next http.Handler) http.Handler { return faulty(c.on, always(c.fault)...)(k.wrap(next)) }
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
				j := NewJobs(w.client)
				until := time.Now().Add(time.Hour)
				end, err := await(w.Context(), j, until, c.jobs...)
				var failed *Error
				if end.State != c.state || (err != nil) != (c.text != "") {
					t.Fatalf("state %v, error %v", end.State, err)
				}
				if c.text != "" && (!errors.As(err, &failed) || failed.Kind != Setup || failed.Hint == "" ||
					!strings.HasPrefix(err.Error(), c.text)) {
					t.Errorf("error %v, want %s", err, c.text)
				}
				if took := time.Since(until.Add(-time.Hour)); took > 2*time.Minute {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}
