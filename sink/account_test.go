package sink

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// isAccount matches the request for the account.
func isAccount(r *http.Request) bool { return r.URL.Path == "/api/accounts" }

var (
	simulated  = &Account{ID: "SiMuL8", Name: "Simulator", test: true}
	busyMinute = says(429, mediaType, "", "Retry-After", "40")
)

// TestAccount: the account is told where it can be. Where it cannot, the run goes on without it: after at most two
// requests and ten seconds, and at once where the quota is used up.
func TestAccount(t *testing.T) {
	for _, c := range []struct {
		name     string
		faults   []fault
		want     *Account
		requests int64
		most     time.Duration
	}{
		{"told", nil, simulated, 1, 0},
		{"no scope", []fault{missingScope}, nil, 1, 0},
		{"unknown key", []fault{wrongKey}, nil, 1, 0},
		{"no such revision", []fault{noRevision}, nil, 1, 0},
		{"retired", []fault{legacyGone}, nil, 1, 0},
		{"not found", []fault{html(404)}, nil, 1, 0},
		{"this minute's quota is used up", []fault{busyMinute}, nil, 1, 0},
		{"this second's quota is used up", []fault{throttled}, simulated, 2, 2 * time.Second},
		{"a failure that passes", []fault{serverError}, simulated, 2, 2 * time.Second},
		{"a failure that stays", always(serverError), nil, 2, 2 * time.Second},
		{"a challenge that stays", always(challenge), nil, 2, 2 * time.Second},
		{"no account", always(says(200, mediaType, `{"data":[]}`)), nil, 2, 2 * time.Second},
		{"no id", always(says(200, mediaType, `{"data":[{"id":""}]}`)), nil, 2, 2 * time.Second},
		{"no answer", []fault{late(time.Minute)}, nil, 1, optionalTime},
		{
			"no answer the second time", []fault{serverError, late(time.Minute)}, nil, 2, optionalTime,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			silent := func(text string) { t.Errorf("notice %q", text) }
			o := Options{RetryFor: time.Hour, RateShare: 100, Notice: silent}
			bubble(t, faulty(isAccount, c.faults...), simulator.Options{}, o, func(w *world) {
				began := time.Now()
				got, err := w.client.Account(w.Context())
				if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(Account{})); diff != "" || err != nil {
					t.Errorf("error %v, %s", err, diff)
				}
				s := w.client.Stats()
				if took := time.Since(began); took > c.most || s.Sent != c.requests || s.Retried != c.requests-1 ||
					s.Resent != 0 || s.Waited != 0 {
					t.Errorf("took %v, %+v", took, s)
				}
				time.Sleep(time.Minute) // on the bubble's clock: an answer that is late is over
			})
		})
	}
}

// TestAccountWhenStopped: only a run that ends itself ends the request for its account with an error.
func TestAccountWhenStopped(t *testing.T) {
	bubble(t, faulty(isAccount, late(time.Minute)), simulator.Options{}, Options{}, func(w *world) {
		ctx, cancel := context.WithTimeout(w.Context(), time.Second)
		defer cancel()
		account, err := w.client.Account(ctx)
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != Stopped || account != nil {
			t.Errorf("%v, error %v", account, err)
		}
		time.Sleep(time.Minute) // on the bubble's clock
	})
}

// TestOwnQuotaOfAccounts: when this client has used up the quota of accounts, it does not wait for more.
func TestOwnQuotaOfAccounts(t *testing.T) {
	bubble(t, nil, simulator.Options{RateLimits: true}, Options{RateShare: 100}, func(w *world) {
		for i := range 15 {
			if account, _ := w.client.Account(w.Context()); account == nil {
				t.Fatalf("no account at request %d", i)
			}
		}
		began := time.Now()
		account, err := w.client.Account(w.Context())
		if took := time.Since(began); account != nil || err != nil || took > optionalTime {
			t.Errorf("%v, error %v after %v", account, err, took)
		}
		if s := w.client.Stats(); s.Throttled != 0 || s.Sent != 15 {
			t.Errorf("%+v", s)
		}
	})
}

// TestReadAccount: where a wrong account must not pass, only a key that may not read it has none.
func TestReadAccount(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []fault
		want   *Account
		error  bool
		kind   Kind
	}{
		{"told", nil, simulated, false, 0},
		{"no scope", []fault{missingScope}, nil, false, 0},
		{"this minute's quota is used up", []fault{busyMinute}, simulated, false, 0},
		{"a failure that passes", []fault{serverError, serverError, challenge}, simulated, false, 0},
		{"a failure that stays", always(serverError), nil, true, Outage},
		{"a challenge that stays", always(challenge), nil, true, Outage},
		{"no account", always(says(200, mediaType, `{"data":[]}`)), nil, true, Outage},
		{"unknown key", []fault{wrongKey}, nil, true, Setup},
		{"not found", []fault{html(404)}, nil, true, Setup},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{RetryFor: time.Minute, RateShare: 100}
			bubble(t, faulty(isAccount, c.faults...), simulator.Options{}, o, func(w *world) {
				got, err := w.client.ReadAccount(w.Context())
				var failed *Error
				if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(Account{})); diff != "" ||
					errors.As(err, &failed) != c.error || c.error && failed.Kind != c.kind {
					t.Errorf("error %v, %s", err, diff)
				}
			})
		})
	}
}
