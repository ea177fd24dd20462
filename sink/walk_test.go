package sink

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// The walk prints each member once, in as many requests as there are pages and a few more, and several at once.
func TestMembers(t *testing.T) {
	for _, n := range []int{0, 1, 100, 101, 5000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour, RateShare: 100}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				for from := 0; from < n; from += 250 {
					var attributes []string
					for i := from; i < min(from+250, n); i++ {
						attributes = append(attributes, fmt.Sprintf(`"email":"p%d@example.com"`, i))
					}
					w.fill(attributes...)
					time.Sleep(17 * time.Second)
				}
				list := w.list("News")
				before, seen := w.client.Stats().Sent, map[string]int{}
				err := w.client.Members(w.Context(), list, []string{"email"}, func(members []Member) error {
					for _, m := range members {
						seen[m.ID]++
						if len(m.Email) == 0 {
							t.Errorf("member %+v", m)
						}
					}
					return nil
				})
				if err != nil || len(seen) != n {
					t.Fatalf("%d members, want %d: %v", len(seen), n, err)
				}
				for id, times := range seen {
					if times != 1 {
						t.Errorf("member %s came %d times", id, times)
					}
				}
				if sent := w.client.Stats().Sent - before; sent > int64(n/100+40) {
					t.Errorf("%d requests for %d members", sent, n)
				}
			})
		})
	}
}

// TestDividedStretches: a walker whose stretch was divided ends where the later half begins, and reads no page of it
// too. Here almost all members are in the last of the first stretches, on 30 pages.
func TestDividedStretches(t *testing.T) {
	plan := given(simulator.Profile{Email: "first@example.com", Joined: 365 * 24 * time.Hour})
	for i := range 3000 {
		plan.Profiles = append(plan.Profiles, simulator.Profile{
			Email: fmt.Sprintf("p%d@example.com", i), Lists: []string{"News"}, Joined: time.Duration(i) * time.Minute,
		})
	}
	bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
		list, n := w.list("News"), 0
		before := w.client.Stats().Sent
		err := w.client.Members(w.Context(), list, nil, func(members []Member) error {
			n += len(members)
			return nil
		})
		if sent := w.client.Stats().Sent - before; err != nil || n != 3001 || sent > 60 {
			t.Errorf("%d members in %d requests: %v", n, sent, err)
		}
	})
}

// newestFirst returns the members of a stretch in the opposite order.
func newestFirst(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if query := r.URL.Query(); query.Get("sort") == "joined_group_at" && query.Get("filter") != "" {
			query.Set("sort", "-joined_group_at")
			r.URL.RawQuery = query.Encode()
		}
		next.ServeHTTP(w, r)
	})
}

// A walk that cannot be finished is an error, never a short list: pages that lead back, an order that is not the one of
// joining, a list that is deleted, a failure that stays.
func TestBrokenWalk(t *testing.T) {
	const members = "GET /api/lists/{id}/profiles"
	for _, c := range []struct {
		name   string
		wrap   func(http.Handler) http.Handler
		faults []simulator.Fault
		want   string
	}{
		{"pages that lead back", nil, []simulator.Fault{{On: members, Skip: 3, Do: "loop", Times: -1}}, "pages repeat"},
		{"newest first", newestFirst, nil, "in the order in which they joined"},
		{"a list that is deleted", nil, []simulator.Fault{{On: members, Skip: 5, Do: "delete_list"}}, "HTTP 404"},
		{"a failure that stays", nil, []simulator.Fault{{On: members, Skip: 5, Do: "status", Status: 503, Times: -1}},
			"HTTP 503"},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := &simulator.Plan{Faults: c.faults}
			for i := range 2000 {
				plan.Profiles = append(plan.Profiles, simulator.Profile{
					Email: fmt.Sprintf("p%d@example.com", i), Lists: []string{"News"}, Joined: time.Duration(i) * time.Minute,
				})
			}
			bubble(t, c.wrap, simulator.Options{Plan: plan}, Options{RetryFor: time.Minute}, func(w *world) {
				err := w.client.Members(w.Context(), w.list("News"), nil, func([]Member) error { return nil })
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want one with %q", err, c.want)
				}
			})
		})
	}
}

// People who join or leave during a walk cost nobody else: everybody who is there from the start to the end is read
// once.
func TestWalkOfAChangingList(t *testing.T) {
	const members = "GET /api/lists/{id}/profiles"
	plan := &simulator.Plan{Faults: []simulator.Fault{
		{On: members, Skip: 2, Do: "join", Addresses: []string{"late1@example.com", "late2@example.com"}},
		{On: members, Skip: 4, Every: 3, Times: 10, Do: "leave", Addresses: []string{"gone*"}, Profiles: 7},
	}}
	for i := range 3000 {
		address := fmt.Sprintf("stays%d@example.com", i)
		if i%10 == 0 {
			address = fmt.Sprintf("gone%d@example.com", i)
		}
		plan.Profiles = append(plan.Profiles, simulator.Profile{
			Email: address, Lists: []string{"News"}, Joined: time.Duration(i/40+1) * time.Hour,
		})
	}
	bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Minute}, func(w *world) {
		read := map[string]int{}
		err := w.client.Members(w.Context(), w.list("News"), []string{"email"}, func(members []Member) error {
			for _, m := range members {
				read[plain(m.Email)]++
			}
			return nil
		})
		stayed := 0
		for address, times := range read {
			switch {
			case times != 1:
				t.Errorf("%s was read %d times", address, times)
			case strings.HasPrefix(address, "stays"):
				stayed++
			case !strings.HasPrefix(address, "gone"):
				t.Errorf("%s joined during the walk", address)
			}
		}
		if err != nil || stayed != 2700 {
			t.Errorf("%d of 2700 who stayed were read: %v", stayed, err)
		}
	})
}

// isNewest matches the request for the member who joined last.
func isNewest(r *http.Request) bool { return r.URL.Query().Get("sort") == "-joined_group_at" }

// isBeginning matches the requests of a walk before it is divided, but for isNewest.
func isBeginning(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/profiles") && r.Method == http.MethodGet && !isNewest(r) &&
		r.URL.Query().Get("filter") == ""
}

// A walk whose beginning contradicts itself starts over, and then fails: it is never a success with nobody. Pages
// without members are passed over while others follow, but not without end. A list of one page is one request.
func TestBeginningOfAWalk(t *testing.T) {
	empty := says(200, mediaType, `{"data":[],"links":{"next":null}}`)
	oldest := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		query := r.URL.Query()
		query.Set("sort", "joined_group_at")
		r.URL.RawQuery = query.Encode()
		next.ServeHTTP(w, r)
	}
	followed := func(next string) fault {
		return says(200, mediaType, `{"data":[],"links":{"next":"`+next+`"}}`)
	}
	deleted := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		gone := r.Clone(r.Context())
		gone.Method, gone.URL.RawQuery = http.MethodDelete, ""
		gone.URL.Path = strings.TrimSuffix(r.URL.Path, "/profiles")
		next.ServeHTTP(&nowhere{header: http.Header{}}, gone)
		next.ServeHTTP(w, r)
	}
	again := func(f fault, times int) (all []fault) {
		for range times {
			all = append(all, f)
		}
		return all
	}
	endless := func(next http.Handler) http.Handler {
		n := 0
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isBeginning(r) {
				n++
				followed(fmt.Sprintf("%s?page%%5Bcursor%%5D=%d", r.URL.Path, n))(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	late := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isNewest(r) && r.URL.Query().Get("page[cursor]") == "" {
				cursor := base64.RawURLEncoding.EncodeToString([]byte("next::449"))
				followed(r.URL.Path+"?"+r.URL.RawQuery+"&page%5Bcursor%5D="+cursor)(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	nextOf := func(r *http.Request) string {
		return r.URL.Path + "?" + r.URL.RawQuery + "&page%5Bcursor%5D=bmV4dDo6MA"
	}
	for _, c := range []struct {
		name     string
		members  int
		wrap     func(http.Handler) http.Handler
		want     string // error
		requests int    // 0 = any
	}{
		{"one page", 100, nil, "", 1},
		{"no member joined last, once", 450, faulty(isNewest, empty), "", 0},
		{"no member joined last, ever", 450, faulty(isNewest, again(empty, 3)...), "who joined last", 6},
		{"who joined last is on a second page", 450, late, "", 0},
		{"the oldest member joined last", 450, faulty(isNewest, again(oldest, 3)...), "who joined last", 6},
		{"an empty page, then a list of one", 99, faulty(isBeginning,
			func(w http.ResponseWriter, r *http.Request, next http.Handler) { followed(nextOf(r))(w, r, next) }), "", 2},
		{"an empty page, then others", 450, faulty(isBeginning,
			func(w http.ResponseWriter, r *http.Request, next http.Handler) { followed(nextOf(r))(w, r, next) }), "", 0},
		{"an empty page that leads nowhere", 450,
			faulty(isBeginning, followed("/api/lists/Nwhere/profiles?page%5Bsize%5D=100")), "HTTP 404", 2},
		{"an empty page that leads to no path", 450, faulty(isBeginning, followed("nowhere")), "expected a URL", 1},
		{"an empty page that leads back", 450, faulty(isBeginning, again(
			func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				followed(r.URL.Path+"?"+r.URL.RawQuery)(w, r, next)
			}, 2)...), "pages repeat", 1},
		{"empty pages without end", 450, endless, "do not end", maxPages},
		{"the list is deleted before the second request", 450, faulty(isNewest, deleted), "HTTP 404", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan := &simulator.Plan{}
			for i := range c.members {
				plan.Profiles = append(plan.Profiles, simulator.Profile{
					Email: fmt.Sprintf("p%d@example.com", i), Lists: []string{"News"}, Joined: time.Duration(i) * time.Minute,
				})
			}
			bubble(t, c.wrap, simulator.Options{Plan: plan}, Options{RetryFor: time.Minute}, func(w *world) {
				list, read := w.list("News"), 0
				before := w.client.Stats().Sent
				err := w.client.Members(w.Context(), list, nil, func(members []Member) error {
					read += len(members)
					return nil
				})
				if n := int(w.client.Stats().Sent - before); c.requests > 0 && n != c.requests {
					t.Errorf("%d requests, want %d", n, c.requests)
				}
				if c.want == "" && (err != nil || read != c.members) {
					t.Errorf("%d members of %d: %v", read, c.members, err)
				}
				if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || read > 0) {
					t.Errorf("%d members, error %v, want one with %q", read, err, c.want)
				}
			})
		})
	}
}

// When everybody leaves between the first two requests of a walk, it begins again and finds that nobody is there.
func TestWalkOfAnEmptiedList(t *testing.T) {
	plan := &simulator.Plan{}
	for i := range 300 {
		plan.Profiles = append(plan.Profiles, simulator.Profile{
			Email: fmt.Sprintf("p%d@example.com", i), Lists: []string{"News"}, Joined: time.Duration(i) * time.Minute,
		})
	}
	const members = "GET /api/lists/{id}/profiles"
	plan.Faults = []simulator.Fault{{On: members, Skip: 1, Do: "leave", Addresses: []string{"*"}}}
	bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Minute}, func(w *world) {
		list := w.list("News")
		err := w.client.Members(w.Context(), list, nil, func([]Member) error {
			t.Error("members of a list without any")
			return nil
		})
		if n := w.sim.Requests()[members+" 200"]; err != nil || n != 3 {
			t.Errorf("%d requests, want 3: %v", n, err)
		}
	})
}

// An answer that is cut in the middle leaves nothing in the one of the next try: neither members, nor people who are
// looked up, nor the link to a next page, nor an import job's time.
func TestNothingIsLeftOfACutAnswer(t *testing.T) {
	const cut = `{"data":[{"type":"profile","id":"GHOST","attributes":{"email":"p0@example.com",` +
		`"joined_group_at":"2001-01-01T00:00:00Z","subscriptions":{"email":{"marketing":{` +
		`"can_receive_email_marketing":true}}}}},{"id":"GHOST2"}],"links":{"next":"https://a.klaviyo.com/api/ghost"},`
	const nobody = `{"data":[]}`
	match := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/profiles") }
	ofJob := func(r *http.Request) bool { return strings.Contains(r.URL.Path, "import-jobs/") }
	wrap := func(next http.Handler) http.Handler {
		return faulty(ofJob, says(200, mediaType, `{"data":{"id":"J","attributes":{"created_at":"2001-01-01T00:00:00Z"},`),
			says(200, mediaType, `{"data":{"id":"J"}}`))(
			faulty(match, says(200, mediaType, cut), says(200, mediaType, nobody), says(200, mediaType, cut),
				says(200, mediaType, nobody), says(200, mediaType, cut), says(200, mediaType, nobody))(next))
	}
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		list := w.list("News")
		err := w.client.Members(w.Context(), list, nil, func(m []Member) error {
			t.Errorf("read %v", m)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		for _, in := range []*collection{w.client.members("L"), w.client.profiles()} {
			one := &person{row: new(Profile), value: "p0@example.com"}
			err := newLookups(w.client, list).find(w.Context(), in, Email, []*person{one})
			if err != nil || len(one.found) > 0 {
				t.Errorf("%s: found %v: %v", in.doing, one.found, err)
			}
		}
		if at, err := w.client.JobCreated(w.Context(), "J"); err == nil {
			t.Errorf("the job was created at %v", at)
		}
	})
}

// Stretches that end before others have begun cost nobody: everybody is read once, whether a stretch has many seconds
// or one.
func TestWalkOfShortStretches(t *testing.T) {
	for _, seconds := range []int{8, 1000} {
		t.Run(fmt.Sprint(seconds), func(t *testing.T) {
			plan := &simulator.Plan{}
			for i := range 1000 {
				plan.Profiles = append(plan.Profiles, simulator.Profile{Email: fmt.Sprintf("p%d@example.com", i),
					Lists: []string{"News"}, Joined: time.Duration(i*seconds/1000) * time.Second})
			}
			bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Minute}, func(w *world) {
				for range 20 {
					read, seen := 0, map[string]bool{}
					err := w.client.Members(w.Context(), w.list("News"), nil, func(members []Member) error {
						for _, m := range members {
							read++
							seen[m.ID] = true
						}
						return nil
					})
					if err != nil || len(seen) != 1000 || read != 1000 {
						w.Fatalf("%d members, %d of them different, want 1000: %v", read, len(seen), err)
					}
				}
			})
		})
	}
}
