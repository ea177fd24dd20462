package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

var isSendJob = asking("POST", "/api/campaign-send-jobs")

// TestSendIsNeverRepeated: Klaviyo is asked once to send a campaign, whatever it answers. Lost tells apart what may
// have happened from what did not.
func TestSendIsNeverRepeated(t *testing.T) {
	other := `{"data":{"type":"campaign-send-job","id":"OTHER","attributes":{"status":"queued"}}}`
	late := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(&nowhere{header: http.Header{}}, r)
		time.Sleep(answerTime + time.Second) // on the bubble's clock
	}
	for _, c := range []struct {
		name  string
		fault fault
		want  string // of the error: lost, refused, or another kind
		sent  int
	}{
		{"accepted", nil, "none", 1},
		{"502 before the effect", html(502), "lost", 0},
		{"502 after the effect", replaced(502, "text/html", page), "lost", 1},
		{"reset before the effect", reset(false), "lost", 0},
		{"reset after the effect", reset(true), "lost", 1},
		{"an answer that is cut short", truncated, "lost", 1},
		{"an empty answer", replaced(202, mediaType, ""), "lost", 1},
		{"an answer about another campaign", replaced(202, mediaType, other), "lost", 1},
		{"an answer that is a page", replaced(200, "text/html", page), "lost", 1},
		{"no answer in time", late, "lost", 1},
		{"408", html(408), "lost", 0},
		{"500", problem(500, "error", "/data/", "A server error occurred."), "lost", 0},
		{"503 with a pause", says(503, "text/html", page, "Retry-After", "1"), "lost", 0},
		{"429", says(429, mediaType, "", "Retry-After", "1"), "not sent", 0},
		{"429 of a day", says(429, mediaType, "", "Retry-After", "86400"), "not sent", 0},
		{"a firewall", html(403), "not sent", 0},
		{"400", problem(400, "invalid", "/data/id", "The campaign is not a draft."), "refused", 0},
		{"401", problem(401, "not_authenticated", "/data/", "Missing or invalid private key."), "refused", 0},
		{"403", problem(403, "permission_denied", "/data/", "no"), "refused", 0},
		{"404", problem(404, "not_found", "/data/", "A campaign with id 'x' does not exist."), "refused", 0},
		{"409", problem(409, "conflict", "/data/", "x"), "refused", 0},
		{"410", says(410, mediaType, `{"message":"retired"}`), "refused", 0},
		{"a redirect", says(302, "text/html", page, "Location", "http://127.0.0.1/x"), "wrong", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var posts atomic.Int32
			var faults []fault
			if c.fault != nil {
				faults = append(faults, c.fault)
			}
			wrap := counted(&posts, isSendJob, faulty(isSendJob, faults...))
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				id := w.sale(simulator.Campaign{})
				if _, err := w.client.Campaign(w.Context(), id); err != nil { // leaves a connection, which may be cut off
					t.Fatal(err)
				}
				err := w.client.SendCampaign(w.Context(), id)
				time.Sleep(time.Hour) // on the bubble's clock
				var failed *Error
				got := "none"
				switch {
				case Lost(err):
					got = "lost"
				case Refused(err):
					got = "refused"
				case errors.As(err, &failed) && failed.Kind == Outage:
					got = "not sent"
				case err != nil:
					got = "wrong"
				}
				state := w.sim.Campaigns()[0]
				if got != c.want || posts.Load() != 1 || state.Sends != c.sent {
					t.Errorf("%s (%v), %d posts, %d sends, want %s and %d sends", got, err, posts.Load(), state.Sends, c.want, c.sent)
				}
			})
		})
	}
}

// TestSendAfterTheEnd: nothing is sent when the context has ended before.
func TestSendAfterTheEnd(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		ctx, cancel := context.WithCancel(w.Context())
		cancel()
		err := w.client.SendCampaign(ctx, w.sale(simulator.Campaign{}))
		if err == nil || Lost(err) || w.sim.Campaigns()[0].Posts != 0 {
			t.Errorf("%v, %+v", err, w.sim.Campaigns())
		}
	})
}

// TestStarted: after a lost answer a campaign counts as started when its send job or its status shows it, also late. It
// does not count as started when neither does, or when Klaviyo cannot be asked.
func TestStarted(t *testing.T) {
	job, campaign := asking("GET", "/api/campaign-send-jobs/"), asking("GET", "/api/campaigns/")
	missing := problem(404, "not_found", "/data/", "A campaign with id 'x' does not exist.")
	for _, c := range []struct {
		name    string
		sent    bool
		becomes []string
		wrap    func(http.Handler) http.Handler
		started bool
		fails   bool
	}{
		{name: "sent", sent: true, started: true},
		{name: "not sent"},
		{name: "still a draft", sent: true, becomes: []string{Draft}, started: true},
		{name: "the job is not shown", sent: true, wrap: faulty(job, always(missing)...), started: true},
		{name: "an outage before the job", sent: true, wrap: faulty(job, html(502), reset(false)), started: true},
		{name: "an outage that does not end", sent: true, wrap: faulty(job, always(html(502))...), fails: true},
		{name: "the campaign is gone", wrap: faulty(campaign, always(missing)...), fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				id := w.sale(simulator.Campaign{Becomes: c.becomes})
				if c.sent {
					if err := w.client.SendCampaign(w.Context(), id); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				started, err := w.client.Started(ctx, id, 10*time.Second)
				if started != c.started || (err != nil) != c.fails {
					t.Errorf("started %v, %v", started, err)
				}
				if took := time.Since(began); c.name == "not sent" && (took < 10*time.Second || took > 20*time.Second) {
					t.Errorf("asked for %v", took)
				}
			})
		})
	}
}

// TestStartedLate: a send job that shows some seconds after the lost answer is found.
func TestStartedLate(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{}, func(w *world) {
		id := w.sale(simulator.Campaign{})
		sent := time.AfterFunc(2*time.Second, func() { _ = w.join(Options{}).SendCampaign(w.Context(), id) })
		defer sent.Stop()
		if started, err := w.client.Started(w.Context(), id, 10*time.Second); !started || err != nil {
			t.Errorf("started %v, %v", started, err)
		}
	})
}

// TestWatchCampaign: a campaign is watched until its status, or its send job, decides. Failed polls change nothing.
func TestWatchCampaign(t *testing.T) {
	poll := asking("GET", "/api/campaigns/")
	for _, c := range []struct {
		name     string
		campaign simulator.Campaign
		wrap     func(http.Handler) http.Handler
		status   string
		ended    bool
		going    bool
		fails    bool
	}{
		{name: "now", status: "Sending", ended: true, going: true},
		{name: "later", campaign: simulator.Campaign{Strategy: "static", SendIn: time.Hour}, status: "Scheduled",
			ended: true, going: true},
		{name: "later, without recipients so far", campaign: simulator.Campaign{Strategy: "static", SendIn: time.Hour,
			Becomes: []string{"Queued without Recipients"}}, status: "Queued without Recipients", ended: true, going: true},
		{name: "now, without recipients so far", campaign: simulator.Campaign{
			Becomes: []string{"Queued without Recipients"}}, status: "Queued without Recipients"},
		{name: "nobody", campaign: simulator.Campaign{Becomes: []string{"Sending Segments"}},
			status: "Sending Segments", ended: true, going: true},
		{name: "cancelled by Klaviyo", campaign: simulator.Campaign{Becomes: []string{"Adding Recipients",
			"Cancelled: Billing Limit"}}, status: "Cancelled: Billing Limit", ended: true},
		{name: "stuck", campaign: simulator.Campaign{Becomes: []string{"Preparing to send"}}, status: "Preparing to send"},
		{name: "failing polls", wrap: faulty(poll, html(502), reset(false), html(403),
			says(429, mediaType, "", "Retry-After", "3")), status: "Sent", ended: true, going: true},
		{name: "an outage", wrap: faulty(poll, always(html(502))...)},
		{name: "an outage of the send job alone", wrap: faulty(asking("GET", "/api/campaign-send-jobs/"),
			always(html(502))...), status: "Sending", ended: true, going: true},
		{name: "the key is revoked", wrap: faulty(poll, problem(401, "not_authenticated", "/data/", "x")), fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				id := w.sale(c.campaign)
				if err := w.client.SendCampaign(w.Context(), id); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
				defer cancel()
				last, ended, err := w.client.WatchCampaign(ctx, &Campaign{ID: id})
				status, going := "", false
				if last != nil {
					status, going = last.Status, last.Going()
				}
				if status != c.status || ended != c.ended || going != c.going || (err != nil) != c.fails {
					t.Errorf("status %q, ended %v, going %v, %v", status, ended, going, err)
				}
			})
		})
	}
	cancelled := func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		says(200, mediaType, `{"data":{"type":"campaign-send-job","id":"`+id+
			`","attributes":{"status":"cancelled"}}}`)(w, r, nil)
	}
	wrap := faulty(asking("GET", "/api/campaign-send-jobs/"), cancelled)
	bubble(t, wrap, simulator.Options{}, Options{}, func(w *world) {
		last, ended, err := w.client.WatchCampaign(w.Context(), &Campaign{ID: w.sale(simulator.Campaign{})})
		if !ended || err != nil || last.Status != Draft || last.Going() {
			t.Errorf("a job that somebody cancelled: %+v, ended %v, %v", last, ended, err)
		}
	})
}

// TestClone: a campaign is cloned once. After a lost answer the one draft of that name is the clone, and a name that is
// in use before is never used again.
func TestClone(t *testing.T) {
	isClone, isNames := asking("POST", "/api/campaign-clone"), asking("GET", "/api/campaigns")
	none := says(200, mediaType, `{"data":[],"links":{}}`)
	for _, c := range []struct {
		name   string
		others []simulator.Campaign
		wrap   func(http.Handler) http.Handler
		err    string // a part of the error, "" for a clone
		posts  int32
	}{
		{name: "new", posts: 1, others: []simulator.Campaign{{Name: "New one"}, {Name: "new"}}},
		{name: "lost after the effect", wrap: faulty(isClone, reset(true)), posts: 1},
		{name: "unusable answer", wrap: faulty(isClone, replaced(201, mediaType, "{}")), posts: 1},
		{name: "lost before the effect", wrap: faulty(isClone, reset(false)), posts: 1, err: "clone campaign"},
		{name: "shown late", wrap: func(h http.Handler) http.Handler {
			return faulty(isClone, reset(true))(faulty(isNames, none, none, none, none)(h))
		}, posts: 1},
		{name: "throttled", wrap: faulty(isClone, says(429, mediaType, "", "Retry-After", "3")), posts: 2},
		{name: "a firewall", wrap: faulty(isClone, html(403), html(403)), posts: 3},
		{name: "a firewall that stays", wrap: faulty(isClone, always(html(403))...), err: "firewall", posts: -1},
		{name: "a draft has the name", others: []simulator.Campaign{{Name: "New", ID: "X"}}, err: `already: X (Draft)`},
		{name: "a sent one has the name", others: []simulator.Campaign{{Name: "New", ID: "X", Status: "Sent"}},
			err: `already: X (Sent)`},
		{name: "refused", wrap: faulty(isClone, problem(400, "invalid", "/data/", "no")), err: "HTTP 400", posts: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var posts atomic.Int32
			wrap := counted(&posts, isClone, c.wrap)
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Minute}, func(w *world) {
				source := w.sale(simulator.Campaign{})
				for _, other := range c.others {
					w.sim.AddCampaign(other)
				}
				before := len(w.sim.Campaigns())
				id, err := w.client.CloneCampaign(w.Context(), source, "New")
				all := w.sim.Campaigns()
				switch {
				case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
					t.Errorf("got %q, %v, want %s", id, err, c.err)
				case c.err != "" && len(all) != before:
					t.Errorf("campaigns %+v", all)
				case c.err == "" && (err != nil || len(all) != before+1 || all[before].ID != id || all[before].Name != "New"):
					t.Errorf("got %q, %v, campaigns %+v", id, err, all)
				}
				if c.posts >= 0 && posts.Load() != c.posts {
					t.Errorf("%d requests, want %d", posts.Load(), c.posts)
				}
			})
		})
	}
}

// TestClones: when two campaigns of the name are there after a lost answer, neither is used.
func TestClones(t *testing.T) {
	var sim *simulator.Simulator
	another := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		sim.AddCampaign(simulator.Campaign{Name: "New"})
		reset(true)(w, r, next)
	}
	bubble(t, faulty(asking("POST", "/api/campaign-clone"), another), simulator.Options{}, Options{}, func(w *world) {
		sim = w.sim
		_, err := w.client.CloneCampaign(w.Context(), w.sale(simulator.Campaign{}), "New")
		var taken *Taken
		if !errors.As(err, &taken) || len(taken.Campaigns) != 2 {
			t.Errorf("got %v", err)
		}
	})
}

// TestCloneBeyondOnePage: a name is looked for on all pages, and pages that do not end are an error.
func TestCloneBeyondOnePage(t *testing.T) {
	bubble(t, nil, simulator.Options{MaxPage: 2}, Options{}, func(w *world) {
		for i := range 5 {
			w.sim.AddCampaign(simulator.Campaign{Name: fmt.Sprint("New ", i)})
		}
		w.sim.AddCampaign(simulator.Campaign{Name: "New", ID: "LAST"})
		_, err := w.client.CloneCampaign(w.Context(), "LAST", "New")
		var taken *Taken
		if !errors.As(err, &taken) || taken.Campaigns[0].ID != "LAST" {
			t.Errorf("got %v", err)
		}
	})
	endless := says(200, mediaType, `{"data":[],"links":{"next":"http://127.0.0.1/api/campaigns?x"}}`)
	bubble(t, faulty(asking("GET", "/api/campaigns"), always(endless)...), simulator.Options{}, Options{}, func(w *world) {
		_, err := w.client.CloneCampaign(w.Context(), "X", "New")
		if err == nil || !strings.Contains(err.Error(), "too many") {
			t.Errorf("got %v", err)
		}
	})
}

// TestRetarget: the list becomes all that a clone includes, and what it excludes stays.
func TestRetarget(t *testing.T) {
	for _, faults := range [][]fault{nil, {reset(true), html(502)}} {
		bubble(t, faulty(asking("PATCH", "/api/campaigns/"), faults...), simulator.Options{}, Options{RetryFor: time.Minute},
			func(w *world) {
				id := w.sale(simulator.Campaign{Excluded: []string{"Staff"}})
				before, list := w.sim.Campaigns()[0], w.sim.AddList("VIP", "single_opt_in")
				if err := w.client.Retarget(w.Context(), id, list); err != nil {
					t.Error(err)
				}
				got := w.sim.Campaigns()[0]
				if fmt.Sprint(got.Included, got.Excluded) != fmt.Sprint([]string{list}, before.Excluded) {
					t.Errorf("got %+v", got)
				}
				if err := w.client.Retarget(w.Context(), id, "NOPE01"); err == nil {
					t.Error("a list that does not exist was accepted")
				}
			})
	}
}
