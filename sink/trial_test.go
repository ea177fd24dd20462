package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// answering passes the imports and removals that hold a text to f, and all others on.
func answering(text string, f fault) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isImport(r) || isRemoval(r) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				if bytes.Contains(body, []byte(text)) {
					f(w, r, next)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// refusing refuses, without a name, every import that holds one of the first n people.
func refusing(n int) func(http.Handler) http.Handler {
	return picky(400, false, func(email string) []string {
		var at int
		if _, err := fmt.Sscanf(email, "p%d@", &at); err == nil && at < n {
			return []string{"", "bad"}
		}
		return nil
	})
}

// naming3 refuses imports that hold one of the first three people, and names them.
func naming3(next http.Handler) http.Handler {
	return picky(400, true, func(email string) []string {
		if strings.Contains("p0@example.com p1@example.com p2@example.com", email) {
			return []string{"/attributes/email", "Invalid email address"}
		}
		return nil
	})(next)
}

// after answers with f when the time has passed.
func after(wait time.Duration, f fault) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(wait)
		f(w, r, next)
	}
}

func pass(w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) }

// sendIn sends the set by one Sender, in batches of the given sizes, and returns the first error. One after the other,
// it stops at the error; at once, the other batches end by themselves.
func sendIn(ctx context.Context, s Sender, set []Profile, sizes []int, atOnce bool) error {
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	for _, n := range sizes {
		part := set[:n]
		set = set[n:]
		wait.Go(func() {
			err := s.Send(ctx, part)
			mu.Lock()
			defer mu.Unlock()
			if first == nil {
				first = err
			}
		})
		if !atOnce {
			wait.Wait()
			if first != nil {
				break
			}
		}
	}
	wait.Wait()
	return first
}

// TestAllRefusedAlone: when Klaviyo refuses all rows alone, without a name, and accepts no request of the run, the
// request is wrong: no row is blamed, whatever the size of the batches. A row that is the only one keeps the blame,
// and so do all when any request of the run is accepted.
func TestAllRefusedAlone(t *testing.T) {
	badKey := problem(401, "not_authenticated", "/data/", "Missing or invalid private key.")
	around := func(outer, inner func(http.Handler) http.Handler) func(http.Handler) http.Handler {
		return func(next http.Handler) http.Handler { return outer(inner(next)) }
	}
	const wrong = " requests without naming a profile, and accepted none: HTTP 400: "
	all := refusing(1000)
	slowly := answering("@", after(time.Second, pass)) // so that batches sent at once meet
	for _, c := range []struct {
		name   string
		sizes  []int
		atOnce bool
		wrap   func(http.Handler) http.Handler
		want   map[string]int
		said   string // part of the error, empty for none
	}{
		{"1 row", []int{1}, false, all, map[string]int{"rejected invalid": 1}, ""},
		{
			"1 row, and the endpoint is not there", []int{1}, false,
			answering("p0@", problem(404, "not_found", "", "Not found.")),
			map[string]int{"unsent": 1}, "refused 1 request without naming a profile, and accepted none: HTTP 404: ",
		},
		{"2 rows", []int{2}, false, all, map[string]int{"unsent": 2}, "refused 3" + wrong},
		{"10 rows", []int{10}, false, all, map[string]int{"unsent": 10}, "refused 19" + wrong},
		{"200 rows", []int{200}, false, all, map[string]int{"unsent": 200}, "refused 30 requests for one batch"},
		{"4 batches of 10", []int{10, 10, 10, 10}, false, all, map[string]int{"unsent": 40}, "refused 19" + wrong},
		{"4 batches of 10 at once", []int{10, 10, 10, 10}, true, all, map[string]int{"unsent": 40}, "refused 76" + wrong},
		{"2 batches of 1 at once", []int{1, 1}, true, all, map[string]int{"unsent": 2}, "refused 2" + wrong},
		{ // the first one is final before the second one is sent
			"2 batches of 1", []int{1, 1}, false, all,
			map[string]int{"rejected invalid": 1, "unsent": 1}, "refused 2" + wrong,
		},
		{
			"3 of 10 are named", []int{10}, false, around(naming3, all),
			map[string]int{"rejected invalid": 3, "unsent": 7}, "refused 13" + wrong,
		},
		{"3 of 4 are named", []int{4}, false, around(naming3, all), map[string]int{"rejected invalid": 4}, ""},
		{
			"the others are named, later", []int{3, 1}, true,
			around(answering("p0@", after(time.Minute, pass)), around(naming3, all)),
			map[string]int{"rejected invalid": 4}, "",
		},
		{
			"the last row is accepted", []int{10}, false, refusing(9),
			map[string]int{"rejected invalid": 9, "accepted": 1}, "",
		},
		{
			"a batch at once is accepted, later", []int{5, 1}, true,
			around(answering("p5@", after(time.Minute, pass)), refusing(5)),
			map[string]int{"rejected invalid": 5, "accepted": 1}, "",
		},
		{
			"a single row, then an accepted one, then refused ones", []int{1, 1, 2}, false,
			picky(400, false, func(email string) []string {
				if email == "p1@example.com" {
					return nil
				}
				return []string{"", "bad"}
			}), map[string]int{"rejected invalid": 3, "accepted": 1}, "",
		},
		{
			"a batch at once ends the run, later", []int{5, 1}, true,
			around(answering("p5@", after(time.Minute, badKey)), refusing(5)), map[string]int{"unsent": 6}, "HTTP 401",
		},
		{
			"a single row, and the run ends later", []int{1, 1}, true,
			around(answering("p1@", after(time.Minute, badKey)), refusing(1)), map[string]int{"unsent": 2}, "HTTP 401",
		},
		{
			"a lost answer before", []int{10}, false,
			around(faulty(isImport, reset(true)), all), map[string]int{"unknown answer_lost": 10}, "refused 19" + wrong,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrap := c.wrap
			if c.atOnce {
				wrap = around(slowly, wrap)
			}
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				n := 0
				for _, size := range c.sizes {
					n += size
				}
				set := people(n)
				err := sendIn(w.Context(), NewImport(w.client, w.list("News")), set, c.sizes, c.atOnce)
				var failed *Error
				switch {
				case c.said == "" && err != nil:
					t.Errorf("error %v", err)
				case c.said == "":
				case !errors.As(err, &failed) || failed.Kind != Setup || !strings.Contains(err.Error(), c.said):
					t.Errorf("expected an error with %q, got %v", c.said, err)
				}
				if diff := cmp.Diff(c.want, statuses(set)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestRemovalsRefusedAlone: a removal that Klaviyo refuses for every row blames none, like an import.
func TestRemovalsRefusedAlone(t *testing.T) {
	refused := problem(400, "invalid", "/data", "The payload provided in the request is invalid.")
	wrap := answering("profile", refused)
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		set := people(5)
		for i := range set {
			set[i].JSON = fmt.Appendf(nil, `{"type":"profile","id":"01M84QFHW40000000%dZBEKQVRK"}`, i)
		}
		if err := NewRemoval(w.client, w.list("News"), ProfileID).Send(w.Context(), set); err == nil {
			t.Error("no error")
		}
		if diff := cmp.Diff(map[string]int{"unsent": 5}, statuses(set)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestStoppedWhileItWaits: a batch that waits for another one ends with the run, and blames no row.
func TestStoppedWhileItWaits(t *testing.T) {
	wrap := func(next http.Handler) http.Handler {
		return answering("p5@", after(time.Minute, pass))(refusing(5)(next))
	}
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		s, set := NewImport(w.client, w.list("News")), people(6)
		var wait sync.WaitGroup
		wait.Go(func() { _ = s.Send(w.Context(), set[5:]) })
		time.Sleep(time.Second) // until it is in flight
		ctx, cancel := context.WithTimeout(w.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		err := s.Send(ctx, set[:5])
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Stopped || time.Since(began) != 30*time.Second {
			t.Errorf("after %v: error %v", time.Since(began), err)
		}
		wait.Wait()
		if diff := cmp.Diff(map[string]int{"unsent": 5, "accepted": 1}, statuses(set)); diff != "" {
			t.Error(diff)
		}
	})
}
