package sink

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// TestConsentFirstAnswerLost: what a run did is not taken for what was so before, although Klaviyo's first answer to the
// run is of later.
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

// TestSettleTogether: rows that another call of Settle looks at are looked at again in time when that call has returned.
func TestSettleTogether(t *testing.T) {
	options := simulator.Options{Consent: simulator.Consent{Dropped: []string{"never@*"}, SingleOptIn: true}}
	bubble(t, nil, options, Options{RetryFor: time.Hour, Concurrency: 4}, func(w *world) {
		s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing})
		emails := []string{"a@example.com", "never@example.com", "b@example.com"}
		rows := subscribing(emails...)
		if err := s.Send(w.Context(), rows); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var wait sync.WaitGroup
		for i, want := range []string{
			"applied SUBSCRIBED mailable", "accepted not_visible", "applied SUBSCRIBED mailable",
		} {
			wait.Go(func() { w.want(w.settle(s, emails[i:], asked(rows[i:i+1]), time.Minute), want) })
		}
		wait.Wait()
		if took := time.Since(began); took > 61*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
