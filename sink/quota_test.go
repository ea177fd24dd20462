package sink

import (
	"flag"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sourcegraph/conc/pool"

	"klaviyo-export/sink/simulator"
)

var million = flag.Bool("million", false, "simulate a million rows instead of 20,000")

// slow delays each answer as Klaviyo's do, by the bubble's clock.
func slow(delay time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(delay)
			next.ServeHTTP(w, r)
		})
	}
}

// within fails when calls of an endpoint of size L took longer than so many percent of what its quota needs: a minute
// for 750 of them.
func (w *world) within(percent, calls int, took time.Duration) {
	w.Helper()
	if most := time.Duration(calls) * time.Minute / 750 * time.Duration(percent) / 100; took > most {
		w.Errorf("%d calls took %v, want at most %v", calls, took, most)
	}
	if n := w.client.Stats().Throttled; n > 0 {
		w.Errorf("%d requests were refused with 429", n)
	}
}

var wholeQuota = Options{RetryFor: time.Hour, RateShare: 100}

// addresses returns n email addresses from a number on.
func addresses(from, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("p%d@example.com", from+i)
	}
	return all
}

// crowd fills the list News with n people, a hundredth of them at a time.
func (w *world) crowd(n int) {
	w.Helper()
	for from := 0; from < n; from += n / 100 {
		var attributes []string
		for _, a := range addresses(from, n/100) {
			attributes = append(attributes, `"email":"`+a+`"`)
		}
		w.fill(attributes...)
	}
	time.Sleep(2 * time.Minute) // the windows are empty again
}

// rowsOfQuotaTests is how many rows the tests below send.
func rowsOfQuotaTests() int {
	if *million {
		return 1_000_000
	}
	return 20_000
}

// TestRemovalsUseTheQuota: removals by email take no longer than the look-ups' quota allows. The DELETEs run beside.
func TestRemovalsUseTheQuota(t *testing.T) {
	n := rowsOfQuotaTests()
	bubble(t, slow(300*time.Millisecond), simulator.Options{}, wholeQuota, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		w.crowd(n)
		removal, began := NewRemoval(w.client, w.list("News"), Email), time.Now()
		var applied atomic.Int64
		p := pool.New().WithErrors().WithMaxGoroutines(4)
		for from := 0; from < n; from += maxRemoval {
			p.Go(func() error {
				set := identifiers(addresses(from, maxRemoval)...)
				err := removal.Send(w.Context(), set)
				for i := range set {
					if set[i].Status == Applied {
						applied.Add(1)
					}
				}
				return err
			})
		}
		if err := p.Wait(); err != nil || applied.Load() != int64(n) {
			t.Fatalf("%d rows are applied, want %d: %v", applied.Load(), n, err)
		}
		w.within(105, n/maxLookup, time.Since(began))
	})
}

// TestReadBackUsesTheQuota: reading rows back takes no longer than its quota allows.
func TestReadBackUsesTheQuota(t *testing.T) {
	n := rowsOfQuotaTests()
	bubble(t, slow(300*time.Millisecond), simulator.Options{}, wholeQuota, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		w.crowd(n)
		reader, began := NewReadBack(w.client, w.list("News"), Email), time.Now()
		p := pool.New().WithErrors().WithMaxGoroutines(2)
		for from := 0; from < n; from += 10_000 {
			p.Go(func() error {
				proofs, err := reader.Added(w.Context(), addresses(from, 10_000))
				for _, proof := range proofs {
					if proof.State != OnList {
						t.Errorf("proof %+v", proof)
					}
				}
				return err
			})
		}
		if err := p.Wait(); err != nil {
			t.Fatal(err)
		}
		w.within(105, n/maxLookup, time.Since(began))
	})
}

// TestMembersUseTheQuota: walking a list takes at most 1.1 times what its quota allows, although each page takes 0.3
// seconds and a cursor is serial.
func TestMembersUseTheQuota(t *testing.T) {
	n := rowsOfQuotaTests()
	bubble(t, slow(300*time.Millisecond), simulator.Options{}, wholeQuota, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		w.crowd(n)
		began, read := time.Now(), 0
		err := w.client.Members(w.Context(), w.list("News"), nil, func(members []Member) error {
			read += len(members)
			return nil
		})
		if err != nil || read != n {
			t.Fatalf("%d members, want %d: %v", read, n, err)
		}
		w.within(110, n/maxLookup, time.Since(began))
	})
}
