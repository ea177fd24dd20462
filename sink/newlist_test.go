package sink

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// TestLongCreation: a creation whose answer was lost is looked for, even if its try took longer than the time for
// retries, as in a process that was suspended.
func TestLongCreation(t *testing.T) {
	suspended := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(time.Minute) // on the bubble's clock
		reset(true)(w, r, next)
	}
	o := Options{RetryFor: 10 * time.Second}
	bubble(t, faulty(isCreation, suspended), simulator.Options{}, o, func(w *world) {
		id, err := w.list("New").ensure(w.Context())
		if n := w.sim.Requests()["POST /api/lists 201"]; err != nil || id == "" || n != 1 {
			t.Errorf("list %q, error %v, %d creations", id, err, n)
		}
	})
}

// TestListThatIsNotFoundAgain: a list that another process has just created is used, even if the next look-up misses
// it.
func TestListThatIsNotFoundAgain(t *testing.T) {
	none := says(200, mediaType, `{"data":[],"links":{}}`)
	one := says(200, mediaType, `{"data":[{"type":"list","id":"Aaaaaa",`+
		`"attributes":{"name":"New","created":"2026-11-23T00:00:00+00:00"}}],"links":{}}`)
	bubble(t, faulty(isLookup, none, none, one, none), simulator.Options{}, Options{}, func(w *world) {
		id, err := w.list("New").ensure(w.Context())
		if err != nil || id != "Aaaaaa" {
			t.Errorf("list %q, error %v", id, err)
		}
	})
}

// TestListIsMadeOnce: many senders create the list once. After a lost answer, and after a wait that Klaviyo asked for,
// the name is looked up before the next try.
func TestListIsMadeOnce(t *testing.T) {
	for _, c := range []struct {
		name               string
		faults             []fault
		creations, lookUps int
	}{
		{"concurrent senders", nil, 1, 3},
		{"refused for a moment", []fault{says(429, mediaType, "", "Retry-After", "3"), html(403)}, 3, 4},
		{"lost before the creation", []fault{reset(false)}, 2, 4},
		{"lost after the creation", []fault{reset(true)}, 1, 4},
		{"unusable answer after the creation", []fault{replaced(201, mediaType, "")}, 1, 4},
		{"lost three times", []fault{html(502), html(503), reset(true)}, 3, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrap := faulty(isCreation, c.faults...)
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
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
				// The simulator does not count the requests that a fault answers.
				requests := w.sim.Requests()
				if n := requests["POST /api/lists 201"]; n != 1 {
					t.Errorf("%d lists were created", n)
				}
				if n := requests["GET /api/lists 200"]; n != c.lookUps {
					t.Errorf("%d look-ups, want %d", n, c.lookUps)
				}
				if n := w.client.Stats().Sent; n != int64(c.creations+c.lookUps+4) {
					t.Errorf("%d requests, want %d creations, %d look-ups and 4 imports", n, c.creations, c.lookUps)
				}
			})
		})
	}
}

// TestListIsMadeByManyAtOnce: processes that create a list of one name at the same time, and do not see each other's,
// all end with the oldest one, and each reports the empty list that it leaves behind. So do processes that begin
// meanwhile and find some of the lists.
func TestListIsMadeByManyAtOnce(t *testing.T) {
	for seed := range uint64(32) { // of the times at which the lists are created: in one second, or over three
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { manyCreate(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

func manyCreate(t *testing.T, random *rand.Rand) {
	const creators, processes = 8, 16
	delays := map[string]time.Duration{} // by User-Agent: of a creator's creation, of the start of another
	for i := range processes {
		delays[fmt.Sprint(i)] = time.Duration(random.Int64N(int64(3 * time.Second)))
	}
	wait := func(next http.Handler) http.Handler {
		var together sync.WaitGroup // the creators have found no list before the first of them creates one
		together.Add(creators)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if i, _ := strconv.Atoi(r.UserAgent()); isCreation(r) && i < creators {
				together.Done()
				together.Wait()
				time.Sleep(delays[r.UserAgent()]) // on the bubble's clock
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, wait, simulator.Options{}, Options{}, func(w *world) {
		lists := make([]*List, processes)
		var all sync.WaitGroup
		for i := range lists {
			client := w.join(Options{UserAgent: fmt.Sprint(i), Notice: func(text string) {
				if !strings.Contains(text, "is left behind") && !strings.HasPrefix(text, `created list "New" (`) &&
					!strings.Contains(text, "were created at the same time: using the oldest, ") {
					t.Error(text)
				}
			}})
			defer client.Close()
			all.Go(func() {
				if i >= creators {
					time.Sleep(delays[fmt.Sprint(i)]) // on the bubble's clock
				}
				var err error
				if lists[i], err = client.FindList(w.Context(), ListRef{Name: "New", Create: true}); err == nil {
					err = NewImport(client, lists[i]).Send(w.Context(), people(i + 1)[i:])
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		used, left, makers := map[string]int{}, map[string]bool{}, 0
		for i, l := range lists {
			id, _, created := l.State()
			used[id]++
			if created {
				makers++
			}
			if behind := l.LeftBehind(); behind != "" {
				left[behind] = true
			} else if !created && i < creators {
				t.Error("a process neither created the list in use nor left one behind")
			}
		}
		lasting := w.sim.Requests()["POST /api/lists 201"] - 1
		for id := range used {
			n := len(w.sim.Members(id))
			if len(used) != 1 || len(left) != lasting || left[id] || n != processes || makers != 1 {
				t.Errorf("lists in use %v, created by %d, left behind %v, members of %s: %d", used, makers, left, id, n)
			}
		}
	})
}

// TestDailyLimitOfLists: when the day's limit on new lists is used up, the run ends at once and says so. It does not
// wait for the next day.
func TestDailyLimitOfLists(t *testing.T) {
	bubble(t, nil, simulator.Options{RateLimits: true}, Options{RetryFor: time.Hour}, func(w *world) {
		for i := range 150 {
			if _, err := w.list(fmt.Sprint("New", i)).ensure(w.Context()); err != nil {
				t.Fatal(err)
			}
		}
		set := people(2)
		began := time.Now()
		err := NewImport(w.client, w.list("One too many")).Send(w.Context(), set)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Outage ||
			!strings.Contains(err.Error(), "150 new lists a day") ||
			time.Since(began) > 2*time.Minute {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
		if diff := cmp.Diff(map[string]int{"unsent": 2}, statuses(set)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestListIsRefused: if Klaviyo refuses to create the list, the run ends with its reason, and the rows are unsent.
func TestListIsRefused(t *testing.T) {
	tooLong := problem(400, "invalid", "/data/attributes/name", "Too long")
	bubble(t, faulty(isCreation, tooLong), simulator.Options{}, Options{}, func(w *world) {
		set := people(2)
		err := NewImport(w.client, w.list("New")).Send(w.Context(), set)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Setup ||
			!strings.Contains(err.Error(), `create list "New": HTTP 400: Too long`) {
			t.Errorf("error %v", err)
		}
		if diff := cmp.Diff(map[string]int{"unsent": 2}, statuses(set)); diff != "" {
			t.Error(diff)
		}
	})
}
