package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// dated gives each look-up of lists the date of Klaviyo's clock, which is fast by so much. Its answer takes some time
// after Klaviyo has looked.
func dated(fast, takes time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen := httptest.NewRecorder()
			next.ServeHTTP(seen, r)
			time.Sleep(takes) // on the bubble's clock
			w.Header().Set("Content-Type", mediaType)
			w.Header().Set("Date", time.Now().Add(fast).UTC().Format(http.TimeFormat))
			w.WriteHeader(seen.Code)
			_, _ = w.Write(seen.Body.Bytes())
		})
	}
}

// dateless takes the date off all answers.
func dateless(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil // net/http adds none either
		next.ServeHTTP(undated{w}, r)
	})
}

// undated drops the date that a handler sets.
type undated struct{ http.ResponseWriter }

func (u undated) WriteHeader(status int) {
	u.Header()["Date"] = nil
	u.ResponseWriter.WriteHeader(status)
}

// TestFinderAgrees: a process that finds one list which was just created, while an older one of the same second is
// still to come, ends on the same list as the processes that created them. A list that cannot get an older one costs no
// wait and no second look-up. Only Klaviyo's clock counts.
func TestFinderAgrees(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name      string
		first     time.Duration // when the list Mmmmmm is created
		looks     time.Duration // when the process looks it up
		second    time.Duration // when another list is created, 0 for never
		id        string        // of the other list
		want      string
		waits     time.Duration
		requests  int64
		fast      time.Duration // Klaviyo's clock
		takes     time.Duration // each look-up, after Klaviyo has looked
		withoutAt bool          // Klaviyo's answers have no date
	}{
		{name: "the other sorts first", first: 100 * ms, looks: 200 * ms, second: 900 * ms, id: "Aaaaaa",
			want: "Aaaaaa", waits: 2 * time.Second, requests: 2},
		{name: "the other sorts last", first: 100 * ms, looks: 200 * ms, second: 900 * ms, id: "Zzzzzz",
			want: "Mmmmmm", waits: 2 * time.Second, requests: 2},
		{name: "the other is of the next second", first: 100 * ms, looks: 200 * ms, second: 1100 * ms, id: "Aaaaaa",
			want: "Mmmmmm", waits: 2 * time.Second, requests: 2},
		{name: "both are there", first: 100 * ms, looks: 950 * ms, second: 900 * ms, id: "Aaaaaa",
			want: "Aaaaaa", waits: 2 * time.Second, requests: 2},
		{name: "no other", first: 100 * ms, looks: 200 * ms, want: "Mmmmmm", waits: 2 * time.Second, requests: 2},
		{name: "one second old", first: 900 * ms, looks: 1999 * ms, want: "Mmmmmm", waits: time.Second, requests: 2},
		{name: "two seconds old", first: 900 * ms, looks: 2000 * ms, want: "Mmmmmm", requests: 1},
		{name: "old", first: 900 * ms, looks: time.Hour, want: "Mmmmmm", requests: 1},
		{name: "old, with another", first: 900 * ms, looks: time.Hour, second: 4 * time.Second, id: "Aaaaaa",
			want: "Mmmmmm", requests: 1},
		{name: "Klaviyo's clock is slow", first: 100 * ms, looks: 200 * ms, second: 900 * ms, id: "Aaaaaa",
			want: "Aaaaaa", waits: 2 * time.Second, requests: 2, fast: -time.Hour},
		{name: "Klaviyo's clock is fast", first: 100 * ms, looks: 200 * ms, second: 900 * ms, id: "Aaaaaa",
			want: "Aaaaaa", waits: 2 * time.Second, requests: 2, fast: time.Hour},
		{name: "old, and Klaviyo's clock is slow", first: 100 * ms, looks: time.Minute, want: "Mmmmmm", requests: 1,
			fast: -time.Hour},
		{name: "a slow answer", first: 100 * ms, looks: 200 * ms, second: 900 * ms, id: "Aaaaaa",
			want: "Aaaaaa", waits: 6 * time.Second, requests: 2, takes: 3 * time.Second},
		{name: "a slow answer about an old list", first: 100 * ms, looks: time.Minute, want: "Mmmmmm", requests: 1,
			waits: 3 * time.Second, takes: 3 * time.Second},
		{name: "no date", first: 100 * ms, looks: time.Hour, want: "Mmmmmm", waits: 2 * time.Second, requests: 2,
			withoutAt: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrap := dated(c.fast, c.takes)
			if c.withoutAt {
				wrap = dateless
			}
			clock := func() time.Time { return time.Now().Add(c.fast) }
			bubble(t, wrap, simulator.Options{Now: clock}, Options{}, func(w *world) {
				began := time.Now()
				at := func(when time.Duration, f func()) {
					time.AfterFunc(time.Until(began.Add(when)), f)
				}
				at(c.first, func() { w.sim.AddListAs("Mmmmmm", "News") })
				if c.second > 0 {
					at(c.second, func() { w.sim.AddListAs(c.id, "News") })
				}
				client := w.join(Options{})
				defer client.Close()
				time.Sleep(time.Until(began.Add(c.looks)))
				list, err := client.FindList(w.Context(), ListRef{Name: "News", Create: true})
				if err != nil {
					t.Fatal(err)
				}
				waited := time.Since(began.Add(c.looks))
				id, _, created := list.State()
				if n := client.Stats().Sent; id != c.want || created || waited != c.waits || n != c.requests {
					t.Errorf("list %s, created %v, after %v and %d requests", id, created, waited, n)
				}
			})
		})
	}
}

// TestFinderAgreesAtTheFirstBatch: a process that found no list at its start, and one that was just created when its
// first rows are ready, agrees on the oldest like all others.
func TestFinderAgreesAtTheFirstBatch(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		client := w.join(Options{})
		defer client.Close()
		list, err := client.FindList(w.Context(), ListRef{Name: "News", Create: true})
		if err != nil {
			t.Fatal(err)
		}
		w.sim.AddListAs("Mmmmmm", "News")
		time.AfterFunc(500*time.Millisecond, func() { w.sim.AddListAs("Aaaaaa", "News") })
		err = NewImport(client, list).Send(w.Context(), people(1))
		id, _, created := list.State()
		if err != nil || id != "Aaaaaa" || created || list.LeftBehind() != "" {
			t.Errorf("list %s, created %v, left behind %q, error %v", id, created, list.LeftBehind(), err)
		}
		time.Sleep(time.Minute) // on the bubble's clock: the import job ends
		if n := len(w.sim.Members("Aaaaaa")); n != 1 {
			t.Errorf("%d members", n)
		}
	})
}

// TestJustCreatedListsOfARemoval: a run that must not choose among twins ends with an error that names both, even if
// one of them appears only while the other is new.
func TestJustCreatedListsOfARemoval(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		client := w.join(Options{})
		defer client.Close()
		w.sim.AddListAs("Mmmmmm", "News")
		time.AfterFunc(500*time.Millisecond, func() { w.sim.AddListAs("Aaaaaa", "News") })
		_, err := client.FindList(w.Context(), ListRef{Name: "News"})
		if want := `look up list "News": 2 lists have that name: Aaaaaa, Mmmmmm`; fmt.Sprint(err) != want {
			t.Errorf("error %v", err)
		}
	})
}

// TestStoppedWhileAgreeing: a run that is stopped while it waits for other processes ends at once.
func TestStoppedWhileAgreeing(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		client := w.join(Options{})
		defer client.Close()
		w.sim.AddListAs("Mmmmmm", "News")
		ctx, cancel := context.WithTimeout(w.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := client.FindList(ctx, ListRef{Name: "News", Create: true})
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Stopped || time.Since(began) != 300*time.Millisecond {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
	})
}

// TestThrottledCreation: a process that must wait to create the list uses the one that another has created meanwhile.
func TestThrottledCreation(t *testing.T) {
	throttle := says(429, mediaType, "", "Retry-After", "30")
	bubble(t, faulty(isCreation, throttle), simulator.Options{}, Options{}, func(w *world) {
		told, notice := notices()
		until := time.Now().Add(throttledFor).Format(time.TimeOnly)
		client := w.join(Options{RetryFor: time.Minute, Notice: notice})
		defer client.Close()
		list, err := client.FindList(w.Context(), ListRef{Name: "News", Create: true})
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(10*time.Second, func() { w.sim.AddListAs("Mmmmmm", "News") })
		if err := NewImport(client, list).Send(w.Context(), people(1)); err != nil {
			t.Fatal(err)
		}
		id, _, created := list.State()
		if n := w.sim.Requests()["POST /api/lists 201"]; id != "Mmmmmm" || created || n != 0 {
			t.Errorf("list %s, created %v, %d creations", id, created, n)
		}
		want := []string{`create list "News": throttled by Klaviyo (HTTP 429); retrying until ` + until}
		if diff := cmp.Diff(want, told()); diff != "" {
			t.Error(diff)
		}
	})
}
