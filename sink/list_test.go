package sink

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

var oddNames = []string{
	`News`, `news`, ` News`, `A "B" C`, `it's`, `back\slash`, `\"`, `a+b & c=d?e#f%20`, `Ünïcode 東京 🎉`, `a,b)`, `equals(name,"x")`, "tab\there",
}

// A name is found exactly as it is, whatever stands in it, and nothing else is found for it.
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

// Lists of one name are an error that gives all their ids, however many pages they fill.
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
				t.Errorf("%s is not in: %v", id, err)
			}
		}
		if n := w.client.Stats().Sent; n != 3 {
			t.Errorf("%d requests for three pages", n)
		}
	})
}

// A filter that finds too much, or nothing, is not trusted with the comparison.
func TestNamesAreComparedHere(t *testing.T) {
	answer := `{"data":[{"type":"list","id":"Aaaaaa","attributes":{"name":"NEWS"}},{"type":"list","id":"Bbbbbb","attributes":{"name":"News"}}],"links":{"self":"x","next":null}}`
	bubble(t, faulty(isLookup, says(200, mediaType, answer)), simulator.Options{}, Options{}, func(w *world) {
		if id, _, _ := w.list("News").State(); id != "Bbbbbb" {
			t.Errorf("found %s", id)
		}
	})
}

// A list is found behind a hundred others, by pages of ten, when Klaviyo does not filter as asked.
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

// Only path and query of a link are followed: the key goes to no other host.
func TestLinksToOtherHosts(t *testing.T) {
	var hosts []string
	page := func(next string) fault {
		return says(200, mediaType, `{"data":[],"links":{"self":"x","next":"`+next+`"}}`)
	}
	inner := faulty(isLookup, page("https://klaviyo.example/api/lists?page%5Bcursor%5D=2"), page("//klaviyo.example/api/lists?page%5Bcursor%5D=3"))
	wrap := func(next http.Handler) http.Handler {
		h := inner(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hosts = append(hosts, r.Host+" "+r.URL.RequestURI())
			if r.URL.Query().Get("page[cursor]") == "3" {
				says(200, mediaType, `{"data":[{"type":"list","id":"Aaaaaa","attributes":{"name":"News"}}],"links":{}}`)(w, r, nil)
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
	want := []string{"127.0.0.1 /api/lists?filter=equals%28name%2C%22News%22%29&page%5Bsize%5D=10", "127.0.0.1 /api/lists?page%5Bcursor%5D=2", "127.0.0.1 /api/lists?page%5Bcursor%5D=3"}
	if diff := cmp.Diff(want, hosts); diff != "" {
		t.Error(diff)
	}
}

// A link that would prolong the base URL into another host is an error.
func TestLinksThatAreNoPaths(t *testing.T) {
	for _, link := range []string{"x:@127.0.0.1:9/api/lists", "x:.klaviyo.example/api/lists", "api/lists", "?page=2", "mailto:a@example.com"} {
		if next, err := (links{Next: link}).next(); err == nil {
			t.Errorf("%s leads to %s", link, next)
		}
	}
}

// What Klaviyo says is shown to people, but for the key in it.
func TestEchoedKeyIsHidden(t *testing.T) {
	for _, said := range []string{`pk_bubble`, `\u0070k_bubbl\u0065`} {
		unknown := says(401, mediaType, `{"errors":[{"code":"authentication_failed","detail":"The key `+said+` is unknown."}]}`)
		bubble(t, faulty(isLookup, unknown), simulator.Options{}, Options{}, func(w *world) {
			_, err := w.client.FindList(w.Context(), ListRef{Name: "News"})
			if err == nil || strings.Contains(err.Error(), "pk_bubble") || !strings.Contains(err.Error(), "The key [API key] is unknown.") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// A creation that took longer than the time for retries, as in a process that was stopped, is looked for.
func TestLongCreation(t *testing.T) {
	stopped := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(time.Minute)
		reset(true)(w, r, next)
	}
	bubble(t, faulty(isCreation, stopped), simulator.Options{}, Options{RetryFor: 10 * time.Second}, func(w *world) {
		if id, err := w.list("New").ensure(w.Context()); err != nil || id == "" || w.sim.Requests()["POST /api/lists 201"] != 1 {
			t.Errorf("list %q, %v", id, err)
		}
	})
}

// A list that another process has just made is used though a second look does not find it.
func TestListThatIsNotFoundAgain(t *testing.T) {
	none := says(200, mediaType, `{"data":[],"links":{}}`)
	made := says(200, mediaType, `{"data":[{"type":"list","id":"Aaaaaa","attributes":{"name":"New","created":"2026-11-23T00:00:00+00:00"}}],"links":{}}`)
	bubble(t, faulty(isLookup, none, made, none), simulator.Options{}, Options{}, func(w *world) {
		id, err := w.list("New").ensure(w.Context())
		if err != nil || id != "Aaaaaa" {
			t.Errorf("list %q, %v", id, err)
		}
	})
}

// Many senders make the list once, and before a lost creation is tried again its name is looked up.
func TestListIsMadeOnce(t *testing.T) {
	for _, c := range []struct {
		name             string
		faults           []fault
		creations, looks int
	}{
		{"at once", nil, 1, 2},
		{"refused for the moment", []fault{says(429, mediaType, "", "Retry-After", "3"), html(403)}, 3, 2},
		{"lost before it was made", []fault{reset(false)}, 2, 3},
		{"lost after it was made", []fault{reset(true)}, 1, 3},
		{"unusable answer after it was made", []fault{replaced(201, mediaType, "")}, 1, 3},
		{"lost three times", []fault{html(502), html(503), reset(true)}, 3, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, faulty(isCreation, c.faults...), simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				list := w.list("New")
				s := NewImport(w.client, list)
				var wait sync.WaitGroup
				for range 4 {
					wait.Go(func() {
						if err := s.Send(w.Context(), people(1)); err != nil {
							t.Error(err)
						}
					})
				}
				wait.Wait()
				if id, name, created := list.State(); id == "" || name != "New" || !created {
					t.Errorf("list %q %q %v", id, name, created)
				}
				// Requests that a fault answered did not reach the simulator.
				requests := w.sim.Requests()
				if n := requests["POST /api/lists 201"]; n != 1 {
					t.Errorf("%d lists were made", n)
				}
				if n := requests["GET /api/lists 200"]; n != c.looks {
					t.Errorf("%d look-ups, want %d", n, c.looks)
				}
				if n := w.client.Stats().Sent; n != int64(c.creations+c.looks+4) {
					t.Errorf("%d requests, want %d creations, %d look-ups and 4 imports", n, c.creations, c.looks)
				}
			})
		})
	}
}

// Processes that make a list of one name at the same time, none of which sees another's, end on the oldest, and say which they leave behind.
func TestListIsMadeByManyAtOnce(t *testing.T) {
	const processes = 8
	wait := func(next http.Handler) http.Handler {
		var together sync.WaitGroup // all have looked, and found none, before the first makes a list
		together.Add(processes)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isCreation(r) {
				together.Done()
				together.Wait()
				time.Sleep(rand.N(3 * time.Second)) // within a second, or not
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, wait, simulator.Options{}, Options{}, func(w *world) {
		lists := make([]*List, processes)
		var all sync.WaitGroup
		for i := range lists {
			client := w.join(Options{Notice: func(text string) {
				if !strings.Contains(text, "is left behind empty") {
					t.Error(text)
				}
			}})
			defer client.Close()
			all.Go(func() {
				var err error
				if lists[i], err = client.FindList(w.Context(), ListRef{Name: "New", Create: true}); err == nil {
					err = NewImport(client, lists[i]).Send(w.Context(), []Profile{{JSON: fmt.Appendf(nil, `{"type":"profile","attributes":{"email":"p%d@example.com"}}`, i)}})
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		used, made := map[string]int{}, map[string]bool{}
		for _, l := range lists {
			id, _, created := l.State()
			used[id]++
			if left := l.LeftBehind(); left != "" {
				made[left] = true
			} else if !created {
				t.Error("a list is used that was not made, and none is left behind")
			}
		}
		for id := range used {
			if n := len(w.sim.Members(id)); len(used) != 1 || len(made) != processes-1 || made[id] || n != processes {
				t.Errorf("lists in use %v, left behind %v, members of %s: %d", used, made, id, n)
			}
		}
	})
}

// The day's limit on new lists is told as what it is, at once, and does not stop the account's other work for a day.
func TestDailyLimitOfLists(t *testing.T) {
	bubble(t, nil, simulator.Options{RateLimits: true}, Options{RetryFor: time.Hour}, func(w *world) {
		for i := range 150 {
			if _, err := w.client.FindList(w.Context(), ListRef{Name: fmt.Sprint("New", i), Create: true}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.list(fmt.Sprint("New", i)).ensure(w.Context()); err != nil {
				t.Fatal(err)
			}
		}
		set := people(2)
		began := time.Now()
		err := NewImport(w.client, w.list("One too many")).Send(w.Context(), set)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Outage || !strings.Contains(err.Error(), "150 new lists a day") || time.Since(began) > 2*time.Minute {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
		if diff := cmp.Diff(map[string]int{"unsent": 2}, statuses(set)); diff != "" {
			t.Error(diff)
		}
	})
}

// A list that Klaviyo refuses to make ends the run, and the rows are unsent.
func TestListIsRefused(t *testing.T) {
	bubble(t, faulty(isCreation, problem(400, "invalid", "/data/attributes/name", "Too long")), simulator.Options{}, Options{}, func(w *world) {
		set := people(2)
		err := NewImport(w.client, w.list("New")).Send(w.Context(), set)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Setup || !strings.Contains(err.Error(), `create list "New": HTTP 400: Too long`) {
			t.Errorf("error %v", err)
		}
		if diff := cmp.Diff(map[string]int{"unsent": 2}, statuses(set)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBaseURL(t *testing.T) {
	for base, ok := range map[string]bool{
		"": false, "https://a.klaviyo.com": true, "https://proxy.example:8443/klaviyo/": true, "http://127.0.0.1:80": true, "http://[::1]:80": true, "http://localhost": true,
		"http://a.klaviyo.com": false, "http://127.0.0.1.example": false, "ftp://127.0.0.1": false, "a.klaviyo.com": false, "https://": false,
		"https://user:secret@a.klaviyo.com": false, "https://a.klaviyo.com?x=1": false, "https://a.klaviyo.com#x": false, ":": false,
	} {
		if _, err := New(Options{BaseURL: base, Revision: DefaultRevision}); (err == nil) != ok {
			t.Errorf("%q: %v", base, err)
		} else if err != nil && strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("the error tells a password: %v", err)
		}
	}
	for base, is := range map[string]bool{"": false, DefaultBaseURL: true, "https://KLAVIYO.com.": true, "https://notklaviyo.com": false, "http://127.0.0.1": false} {
		if IsKlaviyo(base) != is {
			t.Errorf("%q is Klaviyo: %v", base, !is)
		}
	}
}

// Who comes after processes that made a list of one name at the same time uses the oldest, as they do, if it may make one itself.
func TestTwinsLeftBehind(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		var ids []string
		for range 3 {
			l := w.list("Other")
			l.ref.Name = "Twin"
			id, err := l.create(w.Context())
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
			time.Sleep(time.Second)
		}
		if id, _, _ := w.list("Twin").State(); id != ids[0] {
			t.Errorf("list %s is used, not %s", id, ids[0])
		}
		if _, err := w.client.FindList(w.Context(), ListRef{Name: "Twin"}); err == nil {
			t.Error("no error where no list may be made")
		}
		time.Sleep(twinsWithin)
		l := w.list("Other")
		l.ref.Name = "Twin"
		if _, err := l.create(w.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.client.FindList(w.Context(), ListRef{Name: "Twin", Create: true}); err == nil || !strings.Contains(err.Error(), "4 lists have that name") {
			t.Errorf("a list that was made later is no error: %v", err)
		}
	})
}
