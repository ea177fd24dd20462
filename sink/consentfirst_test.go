package sink

import (
	"net/http"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

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
