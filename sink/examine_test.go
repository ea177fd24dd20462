package sink

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// TestExamine: a missing scope is a finding about that scope, and not about the key. Every failed check has a detail
// and a hint, and no check changes anything.
func TestExamine(t *testing.T) {
	on := func(path string) func(*http.Request) bool {
		return func(r *http.Request) bool { return r.URL.Path == path }
	}
	badKey := problem(401, "authentication_failed", "/data/", "Incorrect.")
	scope := problem(403, "permission_denied", "/data/", "The API key lacks the scope x:read.")
	for _, c := range []struct {
		name string
		wrap func(http.Handler) http.Handler
		want map[string]bool
	}{
		{"all is well", nil, map[string]bool{
			"key": true, "account": true, "scope lists:read": true, "scope profiles:read": true, "revision": true,
			"list": true,
		}},
		{"bad key", faulty(on("/api/accounts"), badKey), map[string]bool{"key": false}},
		{"no scope for accounts", faulty(on("/api/accounts"), scope), map[string]bool{
			"key": true, "account": true, "scope lists:read": true, "scope profiles:read": true, "revision": true,
			"list": true,
		}},
		{"no scope for jobs", faulty(on("/api/profile-bulk-import-jobs"), scope), map[string]bool{
			"key": true, "account": true, "scope lists:read": true, "scope profiles:read": false, "revision": true,
			"list": true,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.wrap, simulator.Options{}, Options{}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				got := map[string]bool{}
				for f := range w.client.Examine(w.Context(), ListRef{Name: "News"}) {
					if strings.HasPrefix(f.Check, "command ") {
						continue // TestScopes
					}
					got[f.Check] = f.OK
					if !f.OK && (f.Hint == "" || f.Detail == "") {
						t.Errorf("%+v", f)
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
				for request := range w.sim.Requests() {
					if request[:4] != "GET " {
						t.Errorf("Examine sent %s", request)
					}
				}
			})
		})
	}
}

// TestRevisionFinding: doctor names the revision that served it, and warns when it is another one than was asked for,
// or when Klaviyo retires it within a year.
func TestRevisionFinding(t *testing.T) {
	const update = "update klaviyo-export, or pass a newer date to --revision, before "
	for _, c := range []struct{ name, served, ends, detail, hint string }{
		{"not told", "", "", "Klaviyo accepts API revision 2026-07-15", ""},
		{"as asked", "2026-07-15", "", "Klaviyo serves API revision 2026-07-15", ""},
		{
			"another", "2027-01-15", "", "Klaviyo serves API revision 2027-01-15 instead of 2026-07-15",
			"pass a newer date to --revision, or leave it out: the default is 2026-07-15",
		},
		{
			"retired in two years", "2026-07-15", "2001-12-31",
			"Klaviyo serves API revision 2026-07-15, and retires it on 2001-12-31", "",
		},
		{
			"retired in half a year", "2026-07-15", "2000-07-15",
			"Klaviyo serves API revision 2026-07-15, and retires it on 2000-07-15", update + "2000-07-15",
		},
		{
			"retired", "2026-07-15", "1999-07-15T00:00:00+00:00",
			"Klaviyo serves API revision 2026-07-15, and retires it on 1999-07-15T00:00:00+00:00",
			update + "1999-07-15T00:00:00+00:00",
		},
		{
			"a date of another form", "2026-07-15", "soon",
			"Klaviyo serves API revision 2026-07-15, and retires it on soon", update + "soon",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					next.ServeHTTP(&overwriting{w, map[string]string{
						"X-Klaviyo-Api-Revision": c.served, "X-Klaviyo-Api-Revision-Retirement-Date": c.ends,
					}}, r)
				})
			}
			bubble(t, headers, simulator.Options{}, Options{}, func(w *world) { // its clock begins at 2000-01-01
				var got []Finding
				for f := range w.client.Examine(w.Context(), ListRef{}) {
					if f.Check == "revision" {
						got = append(got, f)
					}
				}
				want := []Finding{{Type: "finding", Check: "revision", OK: true, Detail: c.detail, Hint: c.hint}}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// overwriting sets headers of an answer, and removes those that are "".
type overwriting struct {
	http.ResponseWriter
	headers map[string]string
}

func (o *overwriting) WriteHeader(status int) {
	for name, value := range o.headers {
		if o.Header().Del(name); value != "" {
			o.Header().Set(name, value)
		}
	}
	o.ResponseWriter.WriteHeader(status)
}

// TestRevisionThatIsNotServed: an API revision that Klaviyo refuses is a finding about the revision, not the key.
func TestRevisionThatIsNotServed(t *testing.T) {
	for name, f := range map[string]fault{"404": noRevision, "410": legacyGone} {
		t.Run(name, func(t *testing.T) {
			bubble(t, faulty(isAccount, f), simulator.Options{}, Options{}, func(w *world) {
				var got []Finding
				for f := range w.client.Examine(w.Context(), ListRef{}) {
					got = append(got, f)
				}
				if len(got) != 1 || got[0].Check != "revision" || got[0].OK || got[0].Hint == "" ||
					!strings.Contains(got[0].Detail, "API revision 2026-07-15: HTTP "+name) {
					t.Errorf("findings %+v", got)
				}
			})
		})
	}
}
