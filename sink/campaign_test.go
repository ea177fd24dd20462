package sink

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

// sale adds a campaign for a list with two members. One of them can be sent mail.
func (w *world) sale(c simulator.Campaign) (id string) {
	for _, p := range []simulator.Profile{
		{Email: "ann@example.com", Lists: []string{"News"}}, {Email: "bo@example.com", Lists: []string{"News"},
			Suppression: "USER_SUPPRESSED"},
	} {
		w.sim.Add(p)
	}
	c.Name, c.Lists = "Sale", []string{"News"}
	return w.sim.AddCampaign(c)
}

// asking matches the requests of a method to a path.
func asking(method, path string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == method && strings.HasPrefix(r.URL.Path, path) }
}

// counted counts the requests that match, on their way to wrap.
func counted(
	n *atomic.Int32, match func(*http.Request) bool, wrap func(http.Handler) http.Handler,
) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if wrap != nil {
			next = wrap(next)
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if match(r) {
				n.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// TestCampaign: a campaign is read with all that decides whether it may be sent.
func TestCampaign(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		id := w.sale(simulator.Campaign{Strategy: "static", SendIn: time.Hour, Messages: 2, IgnoreUnsubscribes: true,
			Lacks: []string{"subject"}, Excluded: []string{"Staff"}})
		got, err := w.client.Campaign(w.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		state := w.sim.Campaigns()[0]
		if got.Messages[0].ID == "" || got.Messages[0].ID == got.Messages[1].ID {
			t.Errorf("messages %+v", got.Messages)
		}
		got.Messages[0].ID, got.Messages[1].ID = "", ""
		message := Message{Channel: "email", From: "sender@example.com"}
		want := &Campaign{
			ID: id, Name: "Sale", Status: Draft, Included: state.Included, Excluded: state.Excluded, Method: "static",
			At: time.Now().Add(time.Hour).Truncate(time.Second), IgnoresUnsubscribe: true,
			Messages: []Message{message, message},
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
			t.Error(diff)
		}
	})
}

// TestUnknownCampaign: an id that Klaviyo does not know, and one that holds the key, are wrong settings. So is a key
// without the scope, and the hint names the scopes that a campaign needs.
func TestUnknownCampaign(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		for _, id := range []string{"NOPE", "", "x-pk_bubble"} {
			_, err := w.client.Campaign(w.Context(), id)
			var failed *Error
			if !errors.As(err, &failed) || failed.Kind != Setup || strings.Contains(err.Error(), "pk_bubble") {
				t.Errorf("%q: %v", id, err)
			}
		}
		id := w.sale(simulator.Campaign{})
		w.client.options.Key = "no-templates"
		campaign, err := w.client.Campaign(w.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.client.HasTemplate(w.Context(), campaign.Messages[0].ID)
		var failed *Error
		if !errors.As(err, &failed) || failed.Hint != campaignScopes {
			t.Errorf("%v, hint %q", err, failed.Hint)
		}
	})
}

// TestTemplate: a message has no template when Klaviyo says null, or does not know one.
func TestTemplate(t *testing.T) {
	template := asking("GET", "/api/campaign-messages/")
	for _, c := range []struct {
		name  string
		lacks []string
		wrap  func(http.Handler) http.Handler
		want  bool
	}{
		{"one", nil, nil, true}, {"null", []string{"template"}, nil, false},
		{"not found", nil, faulty(template, problem(404, "not_found", "/data/", "Not found.")), false},
		{"not found after an outage", nil, faulty(template, html(502), problem(404, "not_found", "/data/", "x")), false},
	} {
		bubble(t, c.wrap, simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
			campaign, err := w.client.Campaign(w.Context(), w.sale(simulator.Campaign{Lacks: c.lacks}))
			if err != nil {
				t.Fatal(err)
			}
			has, err := w.client.HasTemplate(w.Context(), campaign.Messages[0].ID)
			if has != c.want || err != nil {
				t.Errorf("%s: %v, %v", c.name, has, err)
			}
		})
	}
}

// TestCampaignRevision: every request about campaigns asks for the one revision whose shapes are known, whatever
// revision the user wants for all others. A retired one is told without a flag that would not help.
func TestCampaignRevision(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]bool{}
	wrap := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			asked[r.Header.Get("Revision")] = true
			mu.Unlock()
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, wrap, simulator.Options{}, Options{}, func(w *world) {
		w.client.options.Revision = "2025-10-15"
		id, ctx := w.sale(simulator.Campaign{}), w.Context()
		campaign, err := w.client.Campaign(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		clone, err := w.client.CloneCampaign(ctx, id, "New")
		_, err2 := w.client.HasTemplate(ctx, campaign.Messages[0].ID)
		_, err3 := w.client.EstimateRecipients(ctx, clone)
		sent := w.sim.AddCampaign(simulator.Campaign{Name: "x", Status: "Sent"})
		_, _, err4 := w.client.WatchCampaign(ctx, &Campaign{ID: sent})
		err5 := errors.Join(w.client.Retarget(ctx, clone, campaign.Included[0]), w.client.SendCampaign(ctx, clone))
		if err := errors.Join(err, err2, err3, err4, err5); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(map[string]bool{"2026-07-15": true}, asked); diff != "" {
			t.Error(diff)
		}
	})
	gone := says(410, mediaType, `{"errors":[{"code":"gone","detail":"This revision has been retired."}]}`)
	bubble(t, faulty(asking("GET", "/api/campaigns"), gone), simulator.Options{}, Options{}, func(w *world) {
		_, err := w.client.Campaign(w.Context(), "X")
		var failed *Error
		if !errors.As(err, &failed) || failed.Hint != "update klaviyo-export" {
			t.Errorf("%v, hint %q", err, failed.Hint)
		}
	})
}

// TestEstimate: an estimate is waited for while Klaviyo does not show it, through outages and an estimation that was
// cancelled. It is never one that was made before.
func TestEstimate(t *testing.T) {
	job := asking("GET", "/api/campaign-recipient-estimation-jobs")
	count := asking("GET", "/api/campaign-recipient-estimations")
	cancelled := func(next http.Handler) http.Handler {
		var begun atomic.Int32
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !job(r) || begun.Load() > 1 {
				if r.Method == http.MethodPost {
					begun.Add(1)
				}
				next.ServeHTTP(w, r)
				return
			}
			id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
			says(200, mediaType, `{"data":{"type":"campaign-recipient-estimation-job","id":"`+id+
				`","attributes":{"status":"cancelled"}}}`)(w, r, nil)
		})
	}
	other := says(200, mediaType, `{"data":{"id":"OTHER","attributes":{"estimated_recipient_count":9}}}`)
	none := says(200, mediaType, `{"data":{"id":"X","attributes":{}}}`)
	for _, c := range []struct {
		name     string
		campaign simulator.Campaign
		wrap     func(http.Handler) http.Handler
		err      string // "" for an estimate of 1
	}{
		{name: "late", campaign: simulator.Campaign{EstimateAfter: 20 * time.Second}},
		{name: "never", campaign: simulator.Campaign{NoEstimate: true}, err: ErrNoEstimate.Error()},
		{name: "too late", campaign: simulator.Campaign{EstimateAfter: 2 * time.Minute}, err: ErrNoEstimate.Error()},
		{name: "failing polls", wrap: faulty(job, html(502), reset(false), says(429, mediaType, "", "Retry-After", "5"))},
		{name: "failing counts", wrap: faulty(count, html(502), reset(false), other, none)},
		{name: "cancelled", wrap: cancelled},
		{name: "the key loses its scope", wrap: faulty(job, problem(403, "permission_denied", "/data/", "no")),
			err: "the API key has no permission"},
		{name: "refused", wrap: faulty(asking("POST", "/api/campaign-recipient"), problem(400, "invalid", "/data/", "no")),
			err: "HTTP 400"},
		{name: "refused count", wrap: faulty(count, problem(400, "invalid", "/data/", "no")), err: "HTTP 400"},
		{name: "no beginning", wrap: faulty(asking("POST", "/api/campaign-recipient"), always(html(502))...),
			err: ErrNoEstimate.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				id := w.sale(c.campaign)
				ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				n, err := w.client.EstimateRecipients(ctx, id)
				switch {
				case c.err == "" && (err != nil || n != 1):
					t.Errorf("estimate %d, %v", n, err)
				case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
					t.Errorf("got %v, want %s", err, c.err)
				case time.Since(began) > time.Minute+10*time.Second:
					t.Errorf("it took %v", time.Since(began))
				}
				if n := w.sim.Requests()["POST /api/campaign-recipient-estimation-jobs 202"]; n != 1 && c.name == "late" {
					t.Errorf("%d estimations", n)
				}
			})
		})
	}
}

// TestEstimateIsNew: a count that an earlier estimation has left is not returned.
func TestEstimateIsNew(t *testing.T) {
	stale := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		says(200, mediaType, `{"data":{"type":"campaign-recipient-estimation","id":"`+id+
			`","attributes":{"estimated_recipient_count":9}}}`)(w, r, nil)
	}
	var began time.Time
	wrap := func(next http.Handler) http.Handler {
		old := faulty(asking("GET", "/api/campaign-recipient-estimations"), always(stale)...)(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if time.Since(began) < 20*time.Second { // the job is not complete
				old.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, wrap, simulator.Options{}, Options{}, func(w *world) {
		began = time.Now()
		id := w.sale(simulator.Campaign{EstimateAfter: 30 * time.Second})
		if n, err := w.client.EstimateRecipients(w.Context(), id); n != 1 || err != nil {
			t.Errorf("estimate %d, %v, want 1", n, err)
		}
	})
}
