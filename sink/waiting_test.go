package sink

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

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
