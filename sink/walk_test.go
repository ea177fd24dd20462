package sink

import (
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
						if len(m.Attributes["email"]) == 0 {
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

// A walk that cannot be finished is an error, never a short list: pages that lead back, an order that is not the one of
// joining, a list that is deleted, a failure that stays.
func TestBrokenWalk(t *testing.T) {
	const members = "GET /api/lists/{id}/profiles"
	backwards := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if query := r.URL.Query(); query.Get("sort") == "joined_group_at" && query.Get("filter") != "" {
				query.Set("sort", "-joined_group_at")
				r.URL.RawQuery = query.Encode()
			}
			next.ServeHTTP(w, r)
		})
	}
	for _, c := range []struct {
		name   string
		wrap   func(http.Handler) http.Handler
		faults []simulator.Fault
		want   string
	}{
		{"pages that lead back", nil, []simulator.Fault{{On: members, Skip: 3, Do: "loop", Times: -1}}, "pages repeat"},
		{"newest first", backwards, nil, "in the order in which they joined"},
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
				read[plain(m.Attributes["email"])]++
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
