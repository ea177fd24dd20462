package sink

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

var oddNames = []string{
	`News`, `news`, ` News`, `A "B" C`, `it's`, `back\slash`, `\"`, `a+b & c=d?e#f%20`, `Ünïcode 東京 🎉`, `a,b)`,
	`equals(name,"x")`, "tab\there",
}

// TestListNames: a list is found by exactly its name, whatever characters the name holds, and by no other name.
func TestListNames(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		ids := map[string]string{}
		for _, name := range oddNames {
			ids[name] = w.sim.AddList(name, "single_opt_in")
		}
		for _, name := range oddNames {
			l, err := w.client.FindList(w.Context(), ListRef{Name: name})
			if err != nil {
				t.Errorf("%q: %v", name, err)
				continue
			}
			if id, got, created := l.State(); id != ids[name] || got != name || created {
				t.Errorf("%q: found %s %q %v, want %s", name, id, got, created, ids[name])
			}
		}
		for _, name := range []string{"NEWS", "New", "News ", `A \"B\" C`} {
			_, err := w.client.FindList(w.Context(), ListRef{Name: name})
			var failed *Error
			if !errors.As(err, &failed) || failed.Kind != Setup {
				t.Errorf("%q: error %v", name, err)
			}
		}
	})
}

// TestSameNames: several lists of one name are an error that shows all their ids, over all pages.
func TestSameNames(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		var ids []string
		for range 23 {
			ids = append(ids, w.sim.AddList("Twin", "single_opt_in"))
		}
		_, err := w.client.FindList(w.Context(), ListRef{Name: "Twin", Create: true})
		if err == nil || !strings.Contains(err.Error(), "23 lists have that name") {
			t.Fatal(err)
		}
		for _, id := range ids {
			if !strings.Contains(err.Error(), id) {
				t.Errorf("%s is missing in: %v", id, err)
			}
		}
		if n := w.client.Stats().Sent; n != 3 {
			t.Errorf("%d requests for three pages", n)
		}
	})
}

// TestNamesAreComparedHere: if Klaviyo's filter finds lists of other names, they are not used.
func TestNamesAreComparedHere(t *testing.T) {
	both := says(200, mediaType, `{"data":[{"type":"list","id":"Aaaaaa","attributes":{"name":"NEWS"}},`+
		`{"type":"list","id":"Bbbbbb","attributes":{"name":"News"}}],"links":{"self":"x","next":null}}`)
	bubble(t, faulty(isLookup, both), simulator.Options{}, Options{}, func(w *world) {
		if id, _, _ := w.list("News").State(); id != "Bbbbbb" {
			t.Errorf("found %s", id)
		}
	})
}

// TestListBehindManyPages: if Klaviyo does not filter at all, a list is found behind a hundred others, by pages of
// ten.
func TestListBehindManyPages(t *testing.T) {
	unfiltered := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if q := r.URL.Query(); isLookup(r) {
				q.Del("filter")
				r.URL.RawQuery = q.Encode()
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, unfiltered, simulator.Options{}, Options{}, func(w *world) {
		for i := range 100 {
			w.sim.AddList(fmt.Sprint("Other ", i), "single_opt_in")
		}
		want := w.sim.AddList("News", "single_opt_in")
		if id, _, _ := w.list("News").State(); id != want || w.client.Stats().Sent != 11 {
			t.Errorf("found %q by %d requests, want %s", id, w.client.Stats().Sent, want)
		}
	})
}

// TestTwinsLeftBehind: after several processes created a list of one name at the same time, a later run uses the
// oldest, as they do, if it may create one itself. If it may not, or if one list is much newer, the name is
// ambiguous.
func TestTwinsLeftBehind(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		create := func() string {
			l := w.list("Other")
			l.ref.Name = "Twin"
			made, err := l.create(w.Context())
			if err != nil {
				t.Fatal(err)
			}
			return made.ID
		}
		oldest := create()
		for range 2 {
			time.Sleep(time.Second) // on the bubble's clock
			create()
		}
		time.Sleep(time.Second)
		if id, _, _ := w.list("Twin").State(); id != oldest {
			t.Errorf("list %s is used, want %s", id, oldest)
		}
		if _, err := w.client.FindList(w.Context(), ListRef{Name: "Twin"}); err == nil {
			t.Error("no error where no list may be created")
		}
		time.Sleep(twinsWithin)
		create()
		_, err := w.client.FindList(w.Context(), ListRef{Name: "Twin", Create: true})
		if err == nil || !strings.Contains(err.Error(), "4 lists have that name") {
			t.Errorf("a list that was created much later: error %v", err)
		}
	})
}

// TestManyTwins: any number of lists of one name is reported in a line of bounded length, after a bounded look-up.
func TestManyTwins(t *testing.T) {
	one := `{"id":"Aaaaaa","attributes":{"name":"News"}}`
	page := `{"data":[` + one + strings.Repeat(","+one, 100_000-1) + `],"links":{"next":"/api/lists?page=2"}}`
	wire(t, Options{}, spoken(head(200)+page), func(t *testing.T, c *Client) {
		_, err := c.FindList(t.Context(), ListRef{Name: "News"})
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Setup || len(err.Error()) > 2*maxText ||
			!strings.Contains(err.Error(), "100000 lists have that name so far") {
			t.Errorf("error %.300v", err)
		}
		if n := c.Stats().Sent; n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestStrangeTimes: a list is found even if the time of its creation is not readable. That time matters only where
// several processes create the list.
func TestStrangeTimes(t *testing.T) {
	for _, created := range []string{`"yesterday"`, `""`, `null`, `"2026-11-23"`, `"99999-01-01T00:00:00Z"`} {
		one := `{"type":"list","id":"Aaaaaa","attributes":{"name":"News","created":` + created + `}}`
		answer := func(conn net.Conn, r *http.Request, _ []byte) {
			if isLookup(r) {
				spoken(head(200)+`{"data":[`+one+`]}`)(conn, r, nil)
				return
			}
			spoken(head(200)+`{"data":`+one+`}`)(conn, r, nil)
		}
		for _, ref := range []ListRef{{Name: "News"}, {ID: "Aaaaaa"}} {
			wire(t, Options{RetryFor: time.Second}, answer, func(t *testing.T, c *Client) {
				l, err := c.FindList(t.Context(), ref)
				if err != nil {
					t.Errorf("%s: %v", created, err)
					return
				}
				if id, name, _ := l.State(); id != "Aaaaaa" || name != "News" {
					t.Errorf("%s: found %q %q", created, id, name)
				}
			})
		}
	}
}
