package sink

import (
	"fmt"
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
