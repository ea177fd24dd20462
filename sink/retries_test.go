package sink

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// retried is what Stats say of retries.
type retried struct {
	failure  string
	giveUpIn time.Duration
}

func (w *world) retried() retried {
	s := w.client.Stats()
	return retried{s.Failing, s.GiveUpIn.Round(time.Second)}
}

// expect compares what Stats say of retries.
func (w *world) expect(when string, want retried) {
	w.Helper()
	if got := w.retried(); got != want {
		w.Errorf("%s: expected %v, got %v", when, want, got)
	}
}

const unavailable = "HTTP 503"

// refusals answers with the status until ok says otherwise.
func refusals(
	match func(*http.Request) bool, status int, ok func() bool, headers ...string,
) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !match(r) || ok() {
				next.ServeHTTP(rw, r)
				return
			}
			body := `{"errors":[{"id":"e","code":"c","title":"Long words","detail":"Longer words."}]}`
			says(status, mediaType, body, headers...)(rw, r, nil)
		})
	}
}

// TestStatsShowFailure: while requests are retried, the stats name the last failure and the time that is left. That
// holds for the look-up before the first row too. A success clears it, and so does giving up.
func TestStatsShowFailure(t *testing.T) {
	began := time.Time{}
	wrap := refusals(isLookup, 503, func() bool { return time.Since(began) >= 5*time.Minute })
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: 10 * time.Minute}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		began = time.Now()
		w.expect("before", retried{})
		var wait sync.WaitGroup
		wait.Go(func() { w.list("News") })
		time.Sleep(100 * time.Millisecond) // on the bubble's clock, here and below
		w.expect("at the start", retried{unavailable, 10 * time.Minute})
		time.Sleep(4 * time.Minute)
		w.expect("after four minutes", retried{unavailable, 6 * time.Minute})
		wait.Wait()
		w.expect("after the success", retried{})

		began = time.Now().Add(time.Hour)
		_, err := w.client.FindList(w.Context(), ListRef{Name: "News"})
		if failed := new(Error); !errors.As(err, &failed) || failed.Kind != Outage {
			t.Error(err)
		}
		w.expect("after giving up", retried{})
	})
}

// TestStatsCountFromLastSuccess: the time that is left begins anew when another request to the same endpoint succeeds.
// Others prove nothing: polls and look-ups succeed while imports fail. A failure is shown until its own request has
// succeeded.
func TestStatsCountFromLastSuccess(t *testing.T) {
	isOfOne := func(r *http.Request) bool { return isImport(r) && r.ContentLength < 500 }
	wrap := refusals(isOfOne, 503, func() bool { return false })
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: 10 * time.Minute}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		list := w.list("News")
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() { _ = NewImport(w.client, list).Send(w.Context(), people(1)) })
		}
		time.Sleep(6 * time.Minute)
		w.expect("after six minutes", retried{unavailable, 4 * time.Minute})
		w.list("News")
		_, _ = await(w.Context(), NewJobs(w.client), time.Now().Add(3*time.Second), "J")
		w.expect("after a look-up and polls", retried{unavailable, 4*time.Minute - 3*time.Second})
		if err := NewImport(w.client, list).Send(w.Context(), people(10)); err != nil {
			t.Error(err)
		}
		w.expect("after an import", retried{unavailable, 10 * time.Minute})
		wait.Wait()
		w.expect("after giving up", retried{})
	})
}

// TestStatsShowThrottleOnce: a 429 of an endpoint that takes rows is shown as closed. One of a look-up is a failure.
func TestStatsShowThrottleOnce(t *testing.T) {
	wrap := refusals(func(*http.Request) bool { return true }, 429, func() bool { return false }, "Retry-After", "30")
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
		var wait sync.WaitGroup
		wait.Go(func() {
			list := &List{client: w.client, ref: ListRef{ID: "X"}, id: "X", creating: make(chan struct{}, 1)}
			_ = NewImport(w.client, list).Send(w.Context(), people(1))
		})
		time.Sleep(10 * time.Second)
		w.expect("import", retried{})
		if closed := w.client.Stats().Closed; closed < 20*time.Second {
			t.Errorf("closed for %v", closed)
		}
		wait.Go(func() { _, _ = w.client.FindList(w.Context(), ListRef{ID: "X"}) })
		time.Sleep(10 * time.Second)
		if got := w.retried(); got.failure != "throttled by Klaviyo (HTTP 429)" || got.giveUpIn != 590*time.Second {
			t.Errorf("look-up: %v", got)
		}
		wait.Wait()
	})
}

// TestStatsShowFailingPolls: while polls of import jobs fail, the stats say why, and how long the wait lasts. A round
// without a failure clears that, and so does the end of the wait.
func TestStatsShowFailingPolls(t *testing.T) {
	for _, many := range []int{1, polledSingly + 1} {
		t.Run(fmt.Sprintf("%d jobs", many), func(t *testing.T) {
			k := &jobs{status: map[string]string{}, requests: map[string]int{}}
			for i := range many {
				k.status[fmt.Sprint("J", i)] = "processing"
			}
			var began time.Time
			well := func() bool {
				age := time.Since(began)
				return age > 10*time.Minute && age < 20*time.Minute
			}
			wrap := func(http.Handler) http.Handler {
				return refusals(func(*http.Request) bool { return true }, 503, well)(k.wrap(nil))
			}
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Minute, RateShare: 100}, func(w *world) {
				began = time.Now()
				j := NewJobs(w.client)
				var wait sync.WaitGroup
				for id := range k.status {
					wait.Go(func() {
						if end, err := await(w.Context(), j, began.Add(time.Hour), id); err != nil || end.State != Open {
							t.Errorf("%s: %v, state %v", id, err, end.State)
						}
					})
				}
				time.Sleep(500 * time.Millisecond)
				w.expect("before the first poll", retried{})
				time.Sleep(8*time.Minute - 500*time.Millisecond)
				w.expect("after eight minutes", retried{unavailable, 52 * time.Minute})
				time.Sleep(7 * time.Minute)
				w.expect("after 15 minutes", retried{})
				time.Sleep(15 * time.Minute)
				w.expect("after half an hour", retried{unavailable, 30 * time.Minute})
				wait.Wait()
				w.expect("after the end", retried{})
			})
		})
	}
}

// TestProgressOfReads: the progress counts the jobs whose errors are read, side by side, and shows how long that is
// tried: until the wait for the job is over.
func TestProgressOfReads(t *testing.T) {
	k := &jobs{
		status: map[string]string{"A": "complete", "B": "complete", "C": "processing"},
		failed: map[string]int{"A": 1, "B": 1}, requests: map[string]int{},
	}
	wrap := func(http.Handler) http.Handler {
		isRead := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/import-errors") }
		return refusals(isRead, 503, func() bool { return false })(k.wrap(nil))
	}
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour, RateShare: 100}, func(w *world) {
		j := NewJobs(w.client)
		var wait sync.WaitGroup
		for _, id := range []string{"A", "B", "C"} {
			wait.Go(func() {
				if end, err := await(w.Context(), j, time.Now().Add(time.Hour), id); err != nil || end.State != Open {
					t.Errorf("%s: %v, state %v", id, err, end.State)
				}
			})
		}
		time.Sleep(5 * time.Minute)
		p := j.Progress()
		if p.Jobs != 3 || p.Reading != 2 || p.Left.Round(time.Second) != 55*time.Minute {
			t.Errorf("after five minutes: %+v", p)
		}
		left := p.Left.Round(time.Second)
		if s := w.client.Stats(); s.Failing != unavailable || s.GiveUpIn.Round(time.Second) != left {
			t.Errorf("after five minutes: %+v, left %v", s, left)
		}
		wait.Wait()
		if p := j.Progress(); p != (Progress{}) {
			t.Errorf("after the end: %+v", p)
		}
	})
}
