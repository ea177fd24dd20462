package sink

import (
	"net/http"
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
			"key": true, "account": false, "scope lists:read": true, "scope profiles:read": true, "revision": true,
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
