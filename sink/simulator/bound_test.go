package simulator

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// No request makes the account hold much more than its body, whatever is wrong with it: reading stops at the limits of
// the endpoint, and an answer has at most 10,000 errors.
func TestHostileBodies(t *testing.T) {
	many := func(element string) string {
		return strings.Repeat(element+",", 4_800_000/(len(element)+1)-1) + element
	}
	importing := func(profiles string) string {
		return `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[` + profiles + `]}}}}`
	}
	const profile = `{"type":"profile","attributes":{"email":"a@example.org"}}`
	toList := strings.NewReplacer(`]}}}}`, `]}},"relationships":{"lists":{"data":[`+many(`{}`)+`]}}}}`)
	unknown := many(`"":1`)
	const members = "/api/lists/LIST/relationships/profiles"
	for _, test := range []struct {
		name, method, path, body string
		errors                   int
		detail                   string // of the first error
	}{
		{"empty profiles", "POST", importPath, importing(many(`{}`)), 1,
			"The number of profiles must not be more than 10000."},
		{"numbers as profiles", "POST", importPath, importing(many(`1`)), 1,
			"The number of profiles must not be more than 10000."},
		{"attributes", "POST", importPath, importing(`{"type":"profile","attributes":{` + unknown + `}}`), 10_000,
			"'' is not a valid field for the resource 'profile'."},
		{"members of a location", "POST", importPath,
			importing(`{"type":"profile","attributes":{"location":{` + unknown + `}}}`), 10_000,
			"'' is not a valid field for the resource 'profile'."},
		{"values of a location", "POST", importPath,
			importing(`{"type":"profile","attributes":{"location":{` + many(`"ip":1`) + `}}}`), 10_000,
			"'ip' must be of type string or null."},
		{"a long name", "POST", importPath,
			importing(`{"type":"profile","attributes":{"` + strings.Repeat("ä", 2_400_000) + `":1}}`), 1,
			"'" + strings.Repeat("ä", 50) + "' is not a valid field for the resource 'profile'."},
		{"lists", "POST", importPath, toList.Replace(importing(profile)), 1,
			"The number of lists must not be more than 100."},
		{"members of a body", "POST", importPath, `{` + unknown + `}`, 10_000,
			"'' is not a valid field for the resource 'profile-bulk-import-job'."},
		{"members to add", "POST", members, `{"data":[` + many(`{}`) + `]}`, 1,
			"The number of profiles must not be more than 1000."},
		{"members to remove", "DELETE", members, `{"data":[` + many(`{"type":"profile","id":"x"}`) + `]}`, 1,
			"The number of profiles must not be more than 1000."},
		{"attributes of a list", "POST", "/api/lists", `{"data":{"type":"list","attributes":{` + unknown + `}}}`,
			10_000, "'' is not a valid field for the resource 'list'."},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := New(Options{})
			s.AddListAs("LIST", "Newsletter")
			r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
			r.Header.Set("Authorization", "Klaviyo-API-Key key")
			r.Header.Set("revision", "2026-07-15")
			r.Header.Set("Content-Type", mediaType)
			w := httptest.NewRecorder()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s.ServeHTTP(w, r)
			runtime.ReadMemStats(&after)
			answer := w.Body.String()
			if got := strings.Count(answer, `"code":"invalid"`); w.Code != http.StatusBadRequest || got != test.errors {
				t.Errorf("status %d with %d errors, want 400 with %d", w.Code, got, test.errors)
			}
			if _, after, _ := strings.Cut(answer, `"detail":"`); !strings.HasPrefix(after, test.detail+`"`) {
				t.Errorf("first detail %.100s, want %s", after, test.detail)
			}
			if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > 128 {
				t.Errorf("%d MiB of memory were allocated, want at most 128", made)
			}
		})
	}
}
