package sink

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"klaviyo-export/sink/simulator"
)

// overrun returns how much too early a request came if a fixed window of the span, wherever it starts, can hold more
// than limit of the arrivals. It returns 0 if no window can.
func overrun(arrivals []time.Time, limit int, span time.Duration) time.Duration {
	slices.SortFunc(arrivals, time.Time.Compare)
	for i := limit; i < len(arrivals); i++ {
		if apart := arrivals[i].Sub(arrivals[i-limit]); apart < span {
			return span - apart
		}
	}
	return 0
}

// TestNoWindowIsOverrun: with any latencies, concurrency and share, no window of any phase is overrun. Klaviyo counts
// a request at some moment between its sending and its answer, and this holds for every such moment.
func TestNoWindowIsOverrun(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := course{
			limits:    rapid.SampledFrom([]rates{rateM, rateL, rateCreate, {burst: 1, steady: 15}}).Draw(rt, "rates"),
			share:     rapid.IntRange(10, 100).Draw(rt, "share"),
			senders:   rapid.IntRange(1, 20).Draw(rt, "senders"),
			latencies: rapid.SliceOfN(rapid.Int64Range(0, int64(3*time.Second)), 1, 20).Draw(rt, "latencies"),
			arrives:   rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 20).Draw(rt, "arrives"),
			throttled: rapid.IntRange(0, 50).Draw(rt, "one in so many is throttled"),
		}
		var arrivals []time.Time
		synctest.Test(t, func(t *testing.T) { arrivals = c.run(t) })
		for _, w := range []struct {
			limit int
			span  time.Duration
		}{
			{c.limits.burst, time.Second},
			{c.limits.steady, time.Minute},
			{c.limits.daily, 24 * time.Hour},
		} {
			if w.limit == 0 {
				continue
			}
			if by := overrun(arrivals, max(w.limit*c.share/100, 1), w.span); by > 0 {
				rt.Fatalf("a window of %v is overrun: a request came %v too early", w.span, by)
			}
		}
	})
}

// course is a sequence of requests: their latencies, the fraction of each latency after which Klaviyo counts the
// request, and 429s.
type course struct {
	limits         rates
	share, senders int
	latencies      []int64
	arrives        []float64
	throttled      int
}

// run sends more requests than two minutes allow. It returns when each was counted.
func (c *course) run(t *testing.T) (arrivals []time.Time) {
	e := newEndpoint(c.limits, c.share)
	e.random = seeded(1, 1)
	var mu sync.Mutex
	next := func() int {
		mu.Lock()
		defer mu.Unlock()
		arrivals = append(arrivals, time.Time{})
		return len(arrivals) - 1
	}
	total := 2*c.limits.steady + 20
	var wait sync.WaitGroup
	for range c.senders {
		wait.Go(func() {
			for i := next(); i < total; i = next() {
				if err := e.take(t.Context()); err != nil {
					t.Error(err)
					return
				}
				latency := time.Duration(c.latencies[i%len(c.latencies)])
				before := time.Duration(c.arrives[i%len(c.arrives)] * float64(latency))
				time.Sleep(before)
				mu.Lock()
				arrivals[i] = time.Now()
				mu.Unlock()
				time.Sleep(latency - before)
				if c.throttled > 0 && i%c.throttled == 0 {
					e.throttle(time.Duration(i%7) * time.Second)
				}
				e.done()
			}
		})
	}
	wait.Wait()
	return arrivals[:total]
}

// TestQuotaIsUsed: the whole quota is usable: 150 requests in the first 15 seconds, and then 150 a minute.
func TestQuotaIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(rateM, 100)
		began := time.Now()
		at := func(n int) time.Duration {
			for range n {
				if err := e.take(t.Context()); err != nil {
					t.Fatal(err)
				}
				e.done()
			}
			return time.Since(began)
		}
		for _, c := range []struct {
			more int
			want time.Duration
		}{
			{10, 0},
			{1, time.Second},
			{139, 14 * time.Second},
			{1, time.Minute},
			{149, 74 * time.Second},
			{1, 2 * time.Minute},
			{1500 - 1, 11*time.Minute + 14*time.Second},
		} {
			if got := at(c.more); got != c.want {
				t.Errorf("%d more requests after %v, want %v", c.more, got, c.want)
			}
		}
	})
}

// TestTenMillionRowsAtFullQuota: a thousand imports, of ten million rows, take no longer than Klaviyo's rates allow,
// and none is refused. After every second at least 99 % of what the windows have allowed so far is used. With slow
// answers this holds after every minute, as it is not known when Klaviyo counted them.
func TestTenMillionRowsAtFullQuota(t *testing.T) {
	const requests = 1000
	// Six whole minutes of 150, and a hundred more at ten a second.
	const ideal = 6*time.Minute + 9*time.Second
	for _, latency := range []time.Duration{0, 100 * time.Millisecond} {
		var mu sync.Mutex
		var arrivals []time.Time
		slow := func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if isImport(r) {
					mu.Lock()
					arrivals = append(arrivals, time.Now())
					mu.Unlock()
				}
				time.Sleep(latency)
				next.ServeHTTP(w, r)
			})
		}
		o := Options{RateShare: 100, RetryFor: time.Minute}
		bubble(t, slow, simulator.Options{RateLimits: true}, o, func(w *world) {
			s := NewImport(w.client, w.list("News"))
			began := time.Now()
			work := make(chan struct{}, requests)
			for range requests {
				work <- struct{}{}
			}
			close(work)
			var wait sync.WaitGroup
			for range 4 {
				wait.Go(func() {
					for range work {
						if err := s.Send(w.Context(), people(1)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wait.Wait()
			took, stats := time.Since(began), w.client.Stats()
			t.Logf("latency %v: %d requests in %v, %.4f of the ideal %v",
				latency, stats.Sent, took, float64(took)/float64(ideal), ideal)
			if took > ideal*101/100 || stats.Throttled > 0 || stats.Jobs != requests {
				t.Errorf("took %v, the ideal is %v; %+v", took, ideal, stats)
			}
			step := time.Second
			if latency > 0 {
				step = time.Minute
			}
			least := 1.
			for at := step; at <= ideal; at += step {
				used := 0
				for _, arrived := range arrivals {
					if arrived.Sub(began) < at {
						used++
					}
				}
				allowed := int(at/time.Minute)*150 + min(int(at%time.Minute/time.Second)*10, 150)
				least = min(least, float64(used)/float64(allowed))
			}
			if least < 0.99 {
				t.Errorf("after some multiple of %v only %.4f of what was allowed by then is used", step, least)
			}
		})
	}
}

// TestOthersUseHalfTheQuota: if other clients use half of the quota, no row is lost, few requests are refused, and
// the rest of the quota is used.
func TestOthersUseHalfTheQuota(t *testing.T) {
	const requests = 600 // eight minutes of the 75 that are left
	for _, phase := range []time.Duration{0, 20 * time.Second, 59 * time.Second} {
		others := map[string]simulator.Others{"POST /api/profile-bulk-import-jobs": {Minute: 75, Second: 5}}
		sim := simulator.Options{RateLimits: true, RatePhase: phase, Plan: &simulator.Plan{Others: others}}
		bubble(t, slowly(1, 10*time.Millisecond), sim, Options{RateShare: 100, RetryFor: time.Minute}, func(w *world) {
			w.client.endpoints.imports.random = seeded(1, 1)
			s := NewImport(w.client, w.list("News"))
			began := time.Now()
			var left atomic.Int64
			left.Store(requests)
			var wait sync.WaitGroup
			for range 4 {
				wait.Go(func() {
					for left.Add(-1) >= 0 {
						set := people(1)
						if err := s.Send(w.Context(), set); err != nil || set[0].Status != Accepted {
							t.Errorf("error %v, status %v", err, set[0].Status)
						}
					}
				})
			}
			wait.Wait()
			took, stats := time.Since(began), w.client.Stats()
			used := float64(requests) / took.Minutes()
			t.Logf("phase %v: %d requests in %v, %.1f a minute, %d throttled",
				phase, requests, took, used, stats.Throttled)
			if used < 0.95*75 || stats.Throttled > stats.Sent*5/100 {
				t.Errorf("phase %v: took %v; %+v", phase, took, stats)
			}
		})
	}
}

// TestSlowRequestHoldsOnePlace: a slow request takes one place of the endpoint, and the others go on at full rate.
func TestSlowRequestHoldsOnePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(rateM, 100)
		if err := e.take(t.Context()); err != nil { // this request gets no answer during the test
			t.Fatal(err)
		}
		began := time.Now()
		for range 90 {
			if err := e.take(t.Context()); err != nil {
				t.Fatal(err)
			}
			e.done()
		}
		if took := time.Since(began); took != 9*time.Second {
			t.Errorf("90 requests beside a slow one took %v", took)
		}
	})
}

// TestRemainingIsObeyed: when Klaviyo says that no request is left in a window, the next one waits before Klaviyo
// must refuse it.
func TestRemainingIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			remaining, reset string
			want             time.Duration
		}{
			{"0", "3", 3 * time.Second},
			{"0", "0", 0},
			{"1", "30", 0},
			{"0", "", 0},
			{"", "", 0},
			{"0", "86400", time.Minute},
			{"0", "x", 0},
		} {
			e := newEndpoint(rateM, 100)
			h := http.Header{}
			h.Set("RateLimit-Remaining", c.remaining)
			h.Set("RateLimit-Reset", c.reset)
			e.learn(h)
			began := time.Now()
			if err := e.take(t.Context()); err != nil || time.Since(began) != c.want {
				t.Errorf("remaining %q, reset %q: waited %v, %v", c.remaining, c.reset, time.Since(began), err)
			}
		}
	})
}

// TestAnswersSlowDown: what an answer says of a window reaches all requests to its endpoint: what others have used is
// not used, and a window without a rest is waited for.
func TestAnswersSlowDown(t *testing.T) {
	const limits = "10, 10;w=1, 150;w=60"
	for _, c := range []struct {
		name, limit, remaining, reset string
		want                          []time.Duration // of the requests after the one with the answer
	}{
		{"nothing said", "", "", "", []time.Duration{0, 0, 0}},
		{"much left", limits, "9", "1", []time.Duration{0, 0, 0}},
		{"one left", limits, "1", "1", []time.Duration{0, time.Second, time.Second}},
		{"nothing left", limits, "0", "20", []time.Duration{20 * time.Second, 20 * time.Second, 20 * time.Second}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var arrived []time.Time
			wrap := func(next http.Handler) http.Handler {
				first := faulty(isImport, says(202, mediaType, `{"data":{"type":"profile-bulk-import-job","id":"A"}}`,
					"RateLimit-Limit", c.limit, "RateLimit-Remaining", c.remaining, "RateLimit-Reset", c.reset))(next)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if isImport(r) {
						arrived = append(arrived, time.Now())
					}
					first.ServeHTTP(w, r)
				})
			}
			o := Options{RateShare: 100, RetryFor: time.Minute}
			bubble(t, wrap, simulator.Options{}, o, func(w *world) {
				s := NewImport(w.client, w.list("News"))
				for range len(c.want) + 1 {
					if err := s.Send(w.Context(), people(1)); err != nil {
						t.Fatal(err)
					}
				}
			})
			var got []time.Duration
			for _, at := range arrived[1:] {
				got = append(got, at.Sub(arrived[0]))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("the other requests came after %v, want %v", got, c.want)
			}
		})
	}
}

// TestTakeStops: a stopped run does not wait for a place.
func TestTakeStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(rates{burst: 1, steady: 1}, 100)
		if err := e.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := e.take(ctx); err == nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
