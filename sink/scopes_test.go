package sink

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// Doctor says for each command which scopes it needs, which the key has, which it lacks, and which cannot be checked.
func TestScopes(t *testing.T) {
	const add = "needs lists:read, lists:write, profiles:write; with --wait and --verify also profiles:read"
	const writes = "; not checked, because only a change would show it: lists:write, profiles:write"
	missing := func(path string) func(http.Handler) http.Handler {
		return faulty(func(r *http.Request) bool { return r.URL.Path == path },
			problem(403, "permission_denied", "/data/", "Your API key is missing required scopes."))
	}
	for _, c := range []struct {
		name         string
		command      string
		wrap         func(http.Handler) http.Handler
		detail, hint string
	}{
		{"one scope for writing", "send", nil, "needs campaigns:read, campaigns:write, templates:read; " +
			"not checked, because only a change would show it: campaigns:write", ""},
		{"none for writing", "wait", nil, "needs lists:read, profiles:read; the key has lists:read, profiles:read", ""},
		{"all scopes for reading", "add", nil, add + "; the key has lists:read, profiles:read" + writes, ""},
		{"no profiles:read", "add", missing("/api/profile-bulk-import-jobs"), add + "; the key has lists:read" + writes,
			"give the key the scope profiles:read before you run add with --wait and --verify"},
		{"no lists:read", "add", missing("/api/lists"),
			add + writes,
			"give the key the scope lists:read before you run add"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.wrap, simulator.Options{}, Options{}, func(w *world) {
				all := slices.Collect(w.client.Examine(w.Context(), ListRef{}))
				at := slices.IndexFunc(all, func(f Finding) bool { return f.Check == "command "+c.command })
				want := Finding{Type: "finding", Check: "command " + c.command, OK: true, Detail: c.detail, Hint: c.hint}
				if diff := cmp.Diff(want, all[max(at, 0)]); diff != "" {
					t.Errorf("finding (-want +got):\n%s", diff)
				}
			})
		})
	}
}
