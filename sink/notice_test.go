package sink

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// notices returns the notices of a client, in order, and the function that collects them.
func notices() (told func() []string, notice func(string)) {
	var mu sync.Mutex
	var all []string
	told = func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
	return told, func(text string) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, text)
	}
}

// TestRetriesSayUntilWhen: a name that cannot be resolved is told at once, with the time until which it is tried.
func TestRetriesSayUntilWhen(t *testing.T) {
	for _, c := range []struct {
		name     string
		retryFor time.Duration
		form     string
	}{
		{"ten minutes", 10 * time.Minute, "15:04:05"},
		{"longer than the day", 30 * time.Hour, "2006-01-02 15:04:05"},
	} {
		t.Run(c.name, func(t *testing.T) {
			told, notice := notices()
			o := Options{RetryFor: c.retryFor, Notice: notice}
			bubble(t, nil, simulator.Options{}, o, func(w *world) {
				id := w.sim.AddList("News", "single_opt_in")
				transport := w.client.http.Transport.(*http.Transport)
				fails := 1
				transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					if fails--; fails < 0 {
						return w.net.Dial(ctx, network, addr)
					}
					cause := &net.DNSError{Err: "no such host", Name: "a.klaviyo.com", IsNotFound: true}
					return nil, &net.OpError{Op: "dial", Net: "tcp", Err: cause}
				}
				var want []string
				for range 2 {
					want = append(want, `look up list "`+id+`": dial tcp: lookup a.klaviyo.com: no such host; `+
						`retrying until `+time.Now().Add(c.retryFor).Format(c.form))
					if _, err := w.client.FindList(w.Context(), ListRef{ID: id}); err != nil {
						t.Fatal(err)
					}
					w.client.Close()
					time.Sleep(time.Minute) // on the bubble's clock
					fails = 1
				}
				if diff := cmp.Diff(want, told()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestLookUpsAreNotResent: a look-up that is retried after a lost answer changes nothing, so it does not count as
// resent.
func TestLookUpsAreNotResent(t *testing.T) {
	o := Options{RetryFor: time.Hour}
	bubble(t, faulty(isLookup, reset(true), serverError, html(502)), simulator.Options{}, o, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		w.list("News")
		if s := w.client.Stats(); s.Retried != 3 || s.Resent != 0 || s.Sent != 4 {
			t.Errorf("%+v", s)
		}
	})
}
