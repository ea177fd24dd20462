package sink

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sourcegraph/conc/pool"

	"klaviyo-export/sink/simulator"
)

// TestSettleTogether: rows of one call show when they do, however early those of another call show.
func TestSettleTogether(t *testing.T) {
	options := simulator.Options{Consent: simulator.Consent{Late: map[string]time.Duration{"late*": 20 * time.Second}}}
	bubble(t, nil, options, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: w.list("News")})
		began := time.Now()
		var all sync.WaitGroup
		for _, email := range []string{"soon@example.com", "late@example.com"} {
			rows := subscribing(email)
			if err := s.Send(w.Context(), rows); err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				w.want(w.settle(s, []string{email}, asked(rows), time.Hour), "applied SUBSCRIBED mailable")
				if took := time.Since(began); took > time.Minute {
					t.Errorf("%s: %v", email, took)
				}
			})
		}
		all.Wait()
	})
}

// TestSettleInterrupted: when a run ends, each call of Settle has its rows for itself once it returns, although another
// call may have been looking at them.
func TestSettleInterrupted(t *testing.T) {
	var cancel context.CancelFunc
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if strings.HasPrefix(r.URL.Path, "/api/profiles") && r.Method == http.MethodGet {
				w.(http.Flusher).Flush()
				cancel()
			}
		})
	}
	for range 5 {
		bubble(t, wrap, simulator.Options{JobTime: time.Millisecond}, Options{RetryFor: time.Hour}, func(w *world) {
			var ctx context.Context
			ctx, cancel = context.WithCancel(w.Context())
			s := NewConsents(w.client, Wish{Withdraw: true, By: Email, Channels: EmailMarketing})
			var all sync.WaitGroup
			for i := range 20 {
				email := fmt.Sprint(i, "@example.com")
				rows := unsubscribing(email)
				if err := s.Send(w.Context(), rows); err != nil {
					t.Fatal(err)
				}
				all.Go(func() {
					read := asked(rows)
					if err := s.Settle(ctx, time.Now().Add(time.Hour), read, func(uint32) string { return email }); err != nil {
						t.Error(err)
					}
					read[0] = Consented{}
				})
			}
			all.Wait()
		})
	}
}

// TestConsentFirstAnswerLost: what a run did is not taken for what was so before, although Klaviyo's first answer to
// the run is of later.
func TestConsentFirstAnswerLost(t *testing.T) {
	isProfiles := func(r *http.Request) bool { return r.URL.Path == "/api/profiles" }
	late := faulty(isProfiles, reset(false), reset(false))
	lost := faulty(isUnsubscribe, reset(true))
	wrap := func(next http.Handler) http.Handler { return late(lost(next)) }
	options := simulator.Options{Consent: simulator.Consent{Time: time.Millisecond}}
	bubble(t, wrap, options, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddProfile("a@example.com")
		time.Sleep(time.Minute)
		s := NewConsents(w.client, Wish{Withdraw: true, By: Email, Channels: EmailMarketing})
		w.want(w.ask(s, []string{"a@example.com"}, unsubscribing("a@example.com"), time.Hour), "applied UNSUBSCRIBED global")
	})
}

// TestConsentUsesTheQuota: consent of many people is read back in little more than the time that the quota needs, and
// people who never show are looked up together, of whatever call of Settle they are.
func TestConsentUsesTheQuota(t *testing.T) {
	n := rowsOfQuotaTests()
	var mu sync.Mutex
	var last time.Time // when more than stragglers were looked up
	full, rare := 0, 0
	watch := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			mu.Lock()
			defer mu.Unlock()
			switch asked := strings.Count(r.URL.Query().Get("filter"), "@"); {
			case asked > 50:
				full, last = full+1, time.Now()
			case asked > 0:
				rare++
			}
		})
	}
	wrap := func(next http.Handler) http.Handler { return slow(300 * time.Millisecond)(watch(next)) }
	options := simulator.Options{
		RateLimits: true, Consent: simulator.Consent{Dropped: []string{"p*999@example.com"}},
		Wrap: func(next http.Handler) http.Handler { return next }, // to check so much would take long
	}
	bubble(t, wrap, options, wholeQuota, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: w.list("News")})
		began := time.Now()
		var shown, hidden atomic.Int64
		sends := pool.New().WithErrors().WithMaxGoroutines(4)
		var settles sync.WaitGroup
		for from := 0; from < n; from += maxSubscribe {
			sends.Go(func() error {
				emails := addresses(from, maxSubscribe)
				rows := subscribing(emails...)
				if err := s.Send(w.Context(), rows); err != nil {
					return err
				}
				settles.Go(func() {
					for _, c := range w.settle(s, emails, asked(rows), time.Hour) {
						switch shownAs(&c) {
						case "applied SUBSCRIBED mailable":
							shown.Add(1)
						case "accepted not_visible":
							hidden.Add(1)
						}
					}
				})
				return nil
			})
		}
		if err := sends.Wait(); err != nil {
			t.Fatal(err)
		}
		settles.Wait()
		if never := int64(n / 1000); shown.Load() != int64(n)-never || hidden.Load() != never {
			t.Errorf("%d rows are shown and %d not, want %d of these", shown.Load(), hidden.Load(), never)
		}
		w.within(120, n/maxLookup, last.Sub(began))
		if rare > 100 {
			t.Errorf("%d look-ups of people who never show, after %d others", rare, full)
		}
	})
}
