package sink

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// TestLinksToOtherHosts: only path and query of a link to the next page are used, so the key goes to no other host.
func TestLinksToOtherHosts(t *testing.T) {
	var hosts []string
	page := func(next string) fault {
		return says(200, mediaType, `{"data":[],"links":{"self":"x","next":"`+next+`"}}`)
	}
	inner := faulty(isLookup,
		page("https://klaviyo.example/api/lists?page%5Bcursor%5D=2"),
		page("//klaviyo.example/api/lists?page%5Bcursor%5D=3"))
	last := says(200, mediaType, `{"data":[{"type":"list","id":"Aaaaaa","attributes":{"name":"News"}}],"links":{}}`)
	wrap := func(next http.Handler) http.Handler {
		h := inner(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hosts = append(hosts, r.Host+" "+r.URL.RequestURI())
			if r.URL.Query().Get("page[cursor]") == "3" {
				last(w, r, nil)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	bubble(t, wrap, simulator.Options{}, Options{}, func(w *world) {
		if id, _, _ := w.list("News").State(); id != "Aaaaaa" {
			t.Errorf("found %q", id)
		}
	})
	want := []string{
		"127.0.0.1 /api/lists?filter=equals%28name%2C%22News%22%29&page%5Bsize%5D=10",
		"127.0.0.1 /api/lists?page%5Bcursor%5D=2",
		"127.0.0.1 /api/lists?page%5Bcursor%5D=3",
	}
	if diff := cmp.Diff(want, hosts); diff != "" {
		t.Error(diff)
	}
}

// TestLinksThatAreNoPaths: a link that would extend the base URL into another host is an error.
func TestLinksThatAreNoPaths(t *testing.T) {
	for _, link := range []string{
		"x:@127.0.0.1:9/api/lists", "x:.klaviyo.example/api/lists", "api/lists", "?page=2", "mailto:a@example.com",
	} {
		if next, err := (links{Next: link}).next(); err == nil {
			t.Errorf("%s leads to %s", link, next)
		}
	}
}
