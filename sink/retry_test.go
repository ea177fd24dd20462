package sink

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"klaviyo-export/sink/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestPassingFailures: a failure that passes by itself is retried after the right pause, and the profiles are
// accepted.
func TestPassingFailures(t *testing.T) {
	inAMinute := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		at := time.Now().Add(time.Minute).UTC().Format(http.TimeFormat) // by the bubble's clock
		says(429, mediaType, `{"errors":[]}`, "Retry-After", at)(w, r, next)
	}
	for _, c := range []struct {
		name      string
		fault     fault
		throttled int64
		resent    int64
		least     time.Duration
	}{
		{name: "500", resent: 1, fault: problem(500, "error", "", "Internal error")},
		{name: "502 with a page", resent: 1, fault: html(502)},
		{name: "503", resent: 1, fault: problem(503, "unavailable", "", "Try later")},
		{
			name: "503 that asks to wait", resent: 1,
			fault: says(503, mediaType, "", "Retry-After", "40"), least: 40 * time.Second,
		},
		{
			name: "503 for a day", resent: 1,
			fault: says(503, mediaType, "", "Retry-After", "86400"), least: longestThrottle,
		},
		{name: "504", resent: 1, fault: html(504)},
		{name: "524", resent: 1, fault: html(524)},
		{name: "408", resent: 1, fault: html(408)},
		{name: "403 with a page", fault: html(403)},
		{name: "403 with nothing", fault: says(403, "text/html", "")},
		{name: "an empty 200", resent: 1, fault: says(200, mediaType, "")},
		{name: "null", resent: 1, fault: says(200, mediaType, "null")},
		{name: "a page with 202", resent: 1, fault: html(202)},
		{
			name: "202 without an id", resent: 1,
			fault: says(202, mediaType, `{"data":{"type":"profile-bulk-import-job","attributes":{}}}`),
		},
		{name: "202 with an empty id", resent: 1, fault: says(202, mediaType, `{"data":{"id":""}}`)},
		{name: "202 of another shape", resent: 1, fault: says(202, mediaType, `{"data":[{"id":5}]}`)},
		{name: "reset before", resent: 1, fault: reset(false)},
		{name: "reset after", resent: 1, fault: reset(true)},
		{name: "truncated", resent: 1, fault: truncated},
		{name: "no answer in time", resent: 1, fault: late(answerTime + time.Second), least: answerTime},
		{
			name: "429 with seconds", throttled: 1,
			fault: says(429, mediaType, "{}", "Retry-After", "7"), least: 7 * time.Second,
		},
		{name: "429 with a date", fault: inAMinute, throttled: 1, least: 58 * time.Second},
		{name: "429 with nothing", fault: says(429, mediaType, ""), throttled: 1, least: time.Second},
		{
			name: "429 for a day", throttled: 1,
			fault: says(429, mediaType, "", "Retry-After", "86400"), least: longestThrottle,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			wrap := faulty(isImport, c.fault, c.fault)
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				list := w.list("News")
				began := time.Now()
				set := people(3)
				if err := NewImport(w.client, list).Send(w.Context(), set); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(map[string]int{"accepted": 3}, statuses(set)); diff != "" {
					t.Error(diff)
				}
				s := w.client.Stats()
				if s.Resent != 2*c.resent {
					t.Errorf("%d resent", s.Resent)
				}
				if s.Retried != 2 || s.Jobs != 1 || s.Throttled != 2*c.throttled ||
					(s.Waited > 0) != (c.throttled > 0) {
					t.Errorf("stats %+v", s)
				}
				took, most := time.Since(began), 2*c.least+2*time.Second+c.least/4+5*time.Second
				if took < 2*c.least || took > most {
					t.Errorf("took %v, want two waits of at least %v", took, c.least)
				}
			})
		})
	}
}

// TestOutage: when the time for retries is over, rows that cannot have arrived are unsent, and the others are
// unknown.
func TestOutage(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault fault
		want  string
	}{
		{"throttled", says(429, mediaType, "", "Retry-After", "30"), "unsent"},
		{"challenged", html(403), "unsent"},
		{"reset", reset(false), "unknown answer_lost"},
		{"503", html(503), "unknown answer_lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			always := make([]fault, 10_000)
			for i := range always {
				always[i] = c.fault
			}
			o := Options{RetryFor: 10 * time.Minute}
			bubble(t, faulty(isImport, always...), simulator.Options{}, o, func(w *world) {
				list := w.list("News")
				began := time.Now()
				set := people(2)
				err := NewImport(w.client, list).Send(w.Context(), set)
				var failed *Error
				if !errors.As(err, &failed) || failed.Kind != Outage {
					t.Errorf("error %v", err)
				}
				if diff := cmp.Diff(map[string]int{c.want: 2}, statuses(set)); diff != "" {
					t.Error(diff)
				}
				if took := time.Since(began); took < 10*time.Minute || took > 11*time.Minute {
					t.Errorf("gave up after %v", took)
				}
			})
		})
	}
}

// TestOthersProveNoOutage: a request is retried as long as others to the same endpoint succeed, and for the whole time
// for retries after the last of them.
func TestOthersProveNoOutage(t *testing.T) {
	for _, c := range []struct {
		name    string
		success time.Duration // when another request succeeds
		until   time.Duration // when the first one would
		want    string
	}{
		{"another succeeds", 50 * time.Second, 100 * time.Second, "accepted"},
		{"long ago", 50 * time.Second, time.Hour, "unknown answer_lost"},
		{"never", time.Hour, time.Hour, "unknown answer_lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var began time.Time
			wrap := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					big := isImport(r) && r.ContentLength > 1000
					if big && time.Since(began) < c.until {
						html(503)(w, r, next)
						return
					}
					next.ServeHTTP(w, r)
				})
			}
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
				s := NewImport(w.client, w.list("News"))
				began = time.Now()
				done := make(chan error)
				big := people(100)
				go func() { done <- s.Send(w.Context(), big) }() // received below
				time.Sleep(min(c.success, 5*time.Minute))        // on the bubble's clock
				if err := s.Send(w.Context(), people(1)); err != nil {
					t.Error(err)
				}
				if err := <-done; (err == nil) != (c.want == "accepted") {
					t.Errorf("error %v", err)
				}
				if diff := cmp.Diff(map[string]int{c.want: 100}, statuses(big)); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestOutageAfterALostAnswer: rows that may have arrived by an early try stay unknown, even if no later try can have
// arrived.
func TestOutageAfterALostAnswer(t *testing.T) {
	faults := []fault{reset(true)}
	for range 100 {
		faults = append(faults, html(403))
	}
	bubble(t, faulty(isImport, faults...), simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
		set := people(2)
		err := NewImport(w.client, w.list("News")).Send(w.Context(), set)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Outage || statuses(set)["unknown answer_lost"] != 2 {
			t.Errorf("error %v, %v", err, statuses(set))
		}
	})
}

// TestLongTryIsNotTheLast: a try that took longer than the time for retries, as in a process that was suspended, is
// followed by another.
func TestLongTryIsNotTheLast(t *testing.T) {
	suspended := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(time.Minute) // on the bubble's clock
		reset(false)(w, r, next)
	}
	o := Options{RetryFor: 10 * time.Second}
	bubble(t, faulty(isImport, suspended), simulator.Options{}, o, func(w *world) {
		if set, err := w.send(2); err != nil || statuses(set)["accepted"] != 2 {
			t.Errorf("error %v, %v", err, statuses(set))
		}
	})
}

// TestLongRetryAfter: a 503 that asks for a longer wait than the time for retries ends the run at once.
func TestLongRetryAfter(t *testing.T) {
	busy := says(503, mediaType, "", "Retry-After", "300")
	bubble(t, faulty(isImport, busy), simulator.Options{}, Options{RetryFor: 5 * time.Second}, func(w *world) {
		began := time.Now()
		err := NewImport(w.client, w.list("News")).Send(w.Context(), people(1))
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Outage || time.Since(began) > 5*time.Second {
			t.Errorf("error %v after %v", err, time.Since(began))
		}
	})
}

// TestDialTimeout: an address that cannot be reached in time is named in the error.
func TestDialTimeout(t *testing.T) {
	client, err := New(Options{BaseURL: "http://127.0.0.1", Revision: DefaultRevision, Key: "pk_bubble"})
	if err != nil {
		t.Fatal(err)
	}
	client.http.Transport.(*http.Transport).DialContext = (&net.Dialer{Timeout: time.Nanosecond}).DialContext
	_, err = client.FindList(t.Context(), ListRef{Name: "News"})
	if err == nil || !strings.Contains(err.Error(), "dial tcp 127.0.0.1:80: i/o timeout") {
		t.Errorf("error %v", err)
	}
}

// TestNoConnection: without a connection no row can have arrived: all are unsent.
func TestNoConnection(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
		list := w.list("News")
		w.client.Close()
		_ = w.net.Close()
		set := people(1)
		err := NewImport(w.client, list).Send(w.Context(), set)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Outage || set[0].Status != Unsent {
			t.Errorf("error %v, status %v", err, set[0].Status)
		}
	})
}

// TestThrottleIsShared: a 429 closes the endpoint for all its senders, not only for the one that received it.
func TestThrottleIsShared(t *testing.T) {
	var mu sync.Mutex
	var arrivals []time.Duration
	began := time.Time{}
	wrap := func(next http.Handler) http.Handler {
		first := faulty(isImport, says(429, mediaType, "", "Retry-After", "20"))(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isImport(r) {
				mu.Lock()
				arrivals = append(arrivals, time.Since(began))
				mu.Unlock()
			}
			first.ServeHTTP(w, r)
		})
	}
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		list := w.list("News")
		if _, err := list.ensure(w.Context()); err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		s := NewImport(w.client, list)
		done := make(chan error)
		go func() { done <- s.Send(w.Context(), people(1)) }() // received below
		time.Sleep(time.Second)                                // on the bubble's clock
		go func() { done <- s.Send(w.Context(), people(2)) }() // received below
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	if len(arrivals) != 3 || arrivals[0] != 0 || arrivals[1] < 20*time.Second || arrivals[2] > 23*time.Second {
		t.Errorf("requests after %v", arrivals)
	}
}

// TestStop: when the run is stopped, a wait ends at once, and so does a request that only asks. Another request in
// flight is finished.
func TestStop(t *testing.T) {
	t.Run("while waiting", func(t *testing.T) {
		busy := says(429, mediaType, "", "Retry-After", "200")
		bubble(t, faulty(isImport, busy), simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
			list := w.list("News")
			ctx, cancel := context.WithTimeout(w.Context(), 3*time.Second)
			defer cancel()
			set := people(1)
			began := time.Now()
			err := NewImport(w.client, list).Send(ctx, set)
			var failed *Error
			if !errors.As(err, &failed) || failed.Kind != Stopped || set[0].Status != Unsent ||
				time.Since(began) != 3*time.Second {
				t.Errorf("error %v, status %v after %v", err, set[0].Status, time.Since(began))
			}
		})
	})
	t.Run("asking", func(t *testing.T) {
		slow := late(30 * time.Second)
		bubble(t, faulty(isLookup, slow), simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
			ctx, cancel := context.WithTimeout(w.Context(), 3*time.Second)
			defer cancel()
			began := time.Now()
			_, err := w.client.FindList(ctx, ListRef{Name: "News"})
			var failed *Error
			if !errors.As(err, &failed) || failed.Kind != Stopped || time.Since(began) != 3*time.Second {
				t.Errorf("error %v after %v", err, time.Since(began))
			}
			time.Sleep(time.Minute) // on the bubble's clock: the server answers nobody
		})
	})
	t.Run("in flight", func(t *testing.T) {
		slow := late(30 * time.Second)
		bubble(t, faulty(isImport, slow), simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
			list := w.list("News")
			ctx, cancel := context.WithTimeout(w.Context(), 3*time.Second)
			defer cancel()
			set := people(1)
			err := NewImport(w.client, list).Send(ctx, set)
			if err != nil || set[0].Status != Accepted || set[0].Job != "late" {
				t.Errorf("error %v, status %v, job %q", err, set[0].Status, set[0].Job)
			}
		})
	})
}
