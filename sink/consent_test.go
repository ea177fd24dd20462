package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/sink/simulator"
)

func isSubscribe(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/api/profile-subscription-bulk-create-jobs"
}

func isUnsubscribe(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/api/profile-subscription-bulk-delete-jobs"
}

// subscribing returns the rows of a subscribe request for emails.
func subscribing(emails ...string) []Profile {
	rows := make([]Profile, len(emails))
	for i, email := range emails {
		p := addressed{Email: email}
		rows[i] = Profile{JSON: p.element("SUBSCRIBED", EmailMarketing), Channels: EmailMarketing}
	}
	return rows
}

// unsubscribing returns the rows of an unsubscribe for emails.
func unsubscribing(emails ...string) []Profile {
	rows := make([]Profile, len(emails))
	for i, email := range emails {
		rows[i] = Profile{JSON: []byte(`{"email":"` + email + `"}`), Channels: EmailMarketing}
	}
	return rows
}

// asked are rows to be read back.
func asked(rows []Profile) []Consented {
	all := make([]Consented, len(rows))
	for i := range rows {
		p := rows[i]
		all[i] = Consented{Row: uint32(i), Channels: p.Channels, Status: p.Status, Fault: p.Fault}
		if _, number, ok := bytes.Cut(p.JSON, []byte(`"phone_number":"`)); ok {
			number, _, _ = bytes.Cut(number, []byte{'"'})
			all[i].Other = string(number)
		}
		if p.Status == Unknown {
			all[i].Lost = &Profile{JSON: p.JSON, Channels: p.Channels}
		}
	}
	return all
}

// shownAs says in a line what reading a row back showed.
func shownAs(c *Consented) string {
	text := [...]string{"unsent", "accepted", "applied", "skipped", "rejected", "unknown"}[c.Status]
	if c.Fault != nil {
		text += " " + c.Fault.Code
	}
	if c.Status != Applied {
		return text
	}
	text += " " + c.State
	for _, one := range []struct {
		so   bool
		text string
	}{{c.Mailable, "mailable"}, {c.Already, "already"}, {c.Scope == OneList, "list"}, {c.Scope == Everywhere, "global"}} {
		if one.so {
			text += " " + one.text
		}
	}
	return text
}

func allShown(rows []Consented) []string {
	texts := make([]string, len(rows))
	for i := range rows {
		texts[i] = shownAs(&rows[i])
	}
	return texts
}

// ask sends rows and reads them back.
func (w *world) ask(s *Consents, emails []string, rows []Profile, wait time.Duration) []Consented {
	w.Helper()
	if err := s.Send(w.Context(), rows); err != nil {
		w.Fatal(err)
	}
	return w.settle(s, emails, asked(rows), wait)
}

// settle reads rows back by their emails.
func (w *world) settle(s *Consents, emails []string, rows []Consented, wait time.Duration) []Consented {
	w.Helper()
	err := s.Settle(w.Context(), time.Now().Add(wait), rows, func(row uint32) string { return emails[row] })
	if err != nil {
		w.Fatal(err)
	}
	return rows
}

func (w *world) want(got []Consented, want ...string) {
	w.Helper()
	if diff := cmp.Diff(want, allShown(got)); diff != "" {
		w.Error(diff)
	}
}

// TestSubscribe: consent counts as given when Klaviyo shows it on the list, and only as given by this run when it is
// not older.
func TestSubscribe(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		emails := []string{"a@example.com", "b@example.com"}
		s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: w.list("News"), Source: "shop"})
		w.want(w.ask(s, emails, subscribing(emails...), time.Hour),
			"applied SUBSCRIBED mailable", "applied SUBSCRIBED mailable")
		time.Sleep(time.Hour)
		later := NewConsents(w.join(Options{RetryFor: time.Hour, RateShare: 100}), s.wish)
		defer later.client.Close()
		emails = append(emails, "c@example.com")
		w.want(w.ask(later, emails, subscribing(emails...), time.Hour), "applied SUBSCRIBED mailable already",
			"applied SUBSCRIBED mailable already", "applied SUBSCRIBED mailable")
	})
}

// TestSubscribeByNumber: the consent of each channel is read by itself. An email without consent does not count.
func TestSubscribeByNumber(t *testing.T) {
	const phone = "+4915112345678"
	for _, channel := range []Channels{SMSMarketing, SMSTransactional} {
		bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
			w.sim.AddList("News", "single_opt_in")
			own := addressed{PhoneNumber: phone}
			s := NewConsents(w.client, Wish{By: PhoneNumber, Channels: channel, List: w.list("News")})
			row := Profile{JSON: own.element("SUBSCRIBED", channel), Channels: channel}
			w.want(w.ask(s, []string{phone}, []Profile{row}, time.Minute), "applied SUBSCRIBED mailable")
		})
	}
}

// TestSubscribeDouble: on a double opt-in list, a row waits for the person at once, and shows when the person has
// confirmed. A historical consent needs no confirmation.
func TestSubscribeDouble(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "double_opt_in")
		emails := []string{"a@example.com", "b@example.com"}
		s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: w.list("News")})
		began := time.Now()
		read := w.ask(s, emails, subscribing(emails...), time.Hour)
		w.want(read, "accepted confirmation_pending", "accepted confirmation_pending")
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
		time.Sleep(time.Hour)
		w.sim.Confirm("a@example.com")
		w.want(w.settle(s, emails, read, time.Hour), "applied SUBSCRIBED mailable", "accepted confirmation_pending")

		history := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: s.wish.List, Historical: true})
		given := time.Date(1999, 5, 1, 10, 0, 0, 0, time.UTC)
		row := addressed{Email: "old@example.com", ConsentedAt: "1999-05-01T10:00:00Z"}
		rows := []Profile{{JSON: row.element("SUBSCRIBED", EmailMarketing), Channels: EmailMarketing}}
		read = w.ask(history, []string{"old@example.com"}, rows, time.Hour)
		w.want(read, "applied SUBSCRIBED mailable")
		if read[0].At != given.Unix() {
			t.Errorf("consented at %v", time.Unix(read[0].At, 0))
		}
	})
}

// TestSubscribeAnswerLost: a request whose answer is lost is not sent again within 30 minutes, and only if the consent
// does not show until then.
func TestSubscribeAnswerLost(t *testing.T) {
	for _, c := range []struct {
		name  string
		after bool // the answer is lost after the request had its effect
		wait  time.Duration
		sent  int
		want  string
	}{
		{"had no effect", false, time.Hour, 2, "applied SUBSCRIBED mailable"},
		{"had its effect", true, time.Hour, 1, "applied SUBSCRIBED mailable"},
		{"no time to send it again", false, 20 * time.Minute, 1, "unknown answer_lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sent, first := 0, time.Time{}
			count := func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if isSubscribe(r) {
						if sent++; sent == 1 {
							first = time.Now()
						} else if time.Since(first) < Quiet {
							t.Errorf("sent again after %v", time.Since(first))
						}
					}
					next.ServeHTTP(w, r)
				})
			}
			wrap := func(next http.Handler) http.Handler { return count(faulty(isSubscribe, reset(c.after))(next)) }
			bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: w.list("News")})
				read := w.ask(s, []string{"a@example.com"}, subscribing("a@example.com"), c.wait)
				w.want(read, c.want)
				if sent != c.sent {
					t.Errorf("%d requests, want %d", sent, c.sent)
				}
			})
		})
	}
}

// TestUnsubscribeAnswerLost: who is still on the list 30 minutes after an answer was lost is asked for once more, and
// whoever has left is not: a second request would be one for all lists.
func TestUnsubscribeAnswerLost(t *testing.T) {
	for _, c := range []struct {
		name  string
		after bool // the answer is lost after the request had its effect
		sent  int
	}{{"had no effect", false, 2}, {"had its effect", true, 1}} {
		t.Run(c.name, func(t *testing.T) {
			var times []time.Time
			wrap := func(next http.Handler) http.Handler {
				lossy := faulty(isUnsubscribe, reset(c.after))(next)
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if isUnsubscribe(r) {
						times = append(times, time.Now())
					}
					lossy.ServeHTTP(w, r)
				})
			}
			options := simulator.Options{Consent: simulator.Consent{ListUnsubscribe: true}}
			bubble(t, wrap, options, Options{RetryFor: time.Hour}, func(w *world) {
				w.sim.AddList("News", "single_opt_in")
				w.sim.Add(simulator.Profile{Email: "a@example.com", Consent: "SUBSCRIBED", Lists: []string{"News"}})
				time.Sleep(time.Minute)
				out := NewConsents(w.client, Wish{Withdraw: true, By: Email, Channels: EmailMarketing, List: w.list("News")})
				read := w.ask(out, []string{"a@example.com"}, unsubscribing("a@example.com"), time.Hour)
				w.want(read, "applied SUBSCRIBED list")
				if len(times) != c.sent || c.sent == 2 && times[1].Sub(times[0]) < Quiet {
					t.Errorf("requests at %v", times)
				}
			})
		})
	}
}

// TestUnsubscribeSharedNumber: a number of somebody else who is not on the list names nobody in a list's request.
func TestUnsubscribeSharedNumber(t *testing.T) {
	var bodies []string
	bubble(t, spying(isUnsubscribe, &bodies), simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		for i, lists := range [][]string{{"News"}, nil, {"News"}, {"News"}} {
			phone := [...]string{"+4915112345678", "+4915112345678", "+4915112345679", "+4915112345679"}[i]
			w.sim.Add(simulator.Profile{Email: fmt.Sprintf("p%d@example.com", i), Phone: phone, Lists: lists})
		}
		out := NewConsents(w.client, Wish{Withdraw: true, By: PhoneNumber, Channels: SMSMarketing, List: w.list("News")})
		rows := []Profile{
			{JSON: []byte(`{"phone_number":"+4915112345678"}`), Channels: SMSMarketing},
			{JSON: []byte(`{"phone_number":"+4915112345679"}`), Channels: SMSMarketing},
		}
		if err := out.Send(w.Context(), rows); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"rejected several_profiles": 1, "accepted": 1}, statuses(rows)); diff != "" {
			t.Error(diff)
		}
		if len(bodies) != 1 || strings.Contains(bodies[0], "5678") {
			t.Errorf("requests %q", bodies)
		}
	})
}

// TestSubscribeOutage: each request whose answer is lost costs the proof of its rows, so a run ends after a few.
func TestSubscribeOutage(t *testing.T) {
	wrap := faulty(isSubscribe, always(says(500, "text/plain", "down"))...)
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: w.list("News")})
		var err error
		n := 0
		for ; err == nil && n < 100; n++ {
			err = s.Send(w.Context(), subscribing(fmt.Sprint("p", n, "@example.com")))
		}
		failed, ok := err.(*Error)
		if !ok || failed.Kind != Outage || n != maxLosses+4+1 {
			t.Errorf("%d requests, then %v", n, err)
		}
	})
}

// TestSubscribeRefused: rows that Klaviyo names are rejected, and all others are sent.
func TestSubscribeRefused(t *testing.T) {
	wrap := faulty(isSubscribe,
		problem(400, "invalid", "/data/attributes/profiles/data/1/attributes/email", "Invalid email address"))
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		emails := []string{"a@example.com", "b@example.com", "c@example.com"}
		s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: w.list("News")})
		rows := subscribing(emails...)
		if err := s.Send(w.Context(), rows); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"accepted": 2, "rejected invalid": 1}, statuses(rows)); diff != "" {
			t.Error(diff)
		}
		if f := rows[1].Fault; f == nil || f.Column != "email" {
			t.Errorf("fault %+v", f)
		}
	})
}

// TestSubscribePartialFailure: an answer that says that phone numbers failed leaves the rows with a number unproved,
// and no others.
func TestSubscribePartialFailure(t *testing.T) {
	wrap := faulty(isSubscribe, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		w.Header().Set("X-Klaviyo-Partial-Failure", "phone_number")
		next.ServeHTTP(w, r)
	})
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing | SMSMarketing, List: w.list("News")})
		both := addressed{Email: "b@example.com", PhoneNumber: "+4915112345678"}
		rows := append(subscribing("a@example.com"), Profile{
			JSON: both.element("SUBSCRIBED", EmailMarketing|SMSMarketing), Channels: EmailMarketing | SMSMarketing,
		})
		if err := s.Send(w.Context(), rows); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"accepted": 1, "accepted partial_failure": 1}, statuses(rows)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestUnsubscribeFromList: only members are named in a request, because Klaviyo unsubscribes anybody else everywhere.
func TestUnsubscribeFromList(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		w.sim.AddList("Other", "single_opt_in")
		for list, emails := range map[string][]string{
			"News": {"a@example.com"}, "Other": {"b@example.com"},
		} {
			s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: w.list(list)})
			w.want(w.ask(s, emails, subscribing(emails...), time.Hour), "applied SUBSCRIBED mailable")
		}
		emails := []string{"a@example.com", "b@example.com", "nobody@example.com"}
		s := NewConsents(w.client, Wish{Withdraw: true, By: Email, Channels: EmailMarketing, List: w.list("News")})
		rows := unsubscribing(emails...)
		if err := s.Send(w.Context(), rows); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"accepted": 1, "skipped not_on_list": 2}
		if diff := cmp.Diff(want, statuses(rows)); diff != "" {
			t.Error(diff)
		}
		w.want(w.settle(s, emails, asked(rows[:1]), time.Hour),
			"applied UNSUBSCRIBED global") // the account's setting makes it global
		still := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: w.list("Other")})
		other := asked([]Profile{{Status: Accepted, Channels: EmailMarketing}})
		w.want(w.settle(still, emails[1:2], other, time.Hour), "applied SUBSCRIBED mailable")
	})
}

// TestUnsubscribeStillMember: a row is not applied while its person is on the list, or while nobody can say whether
// they are, although the consent is withdrawn.
func TestUnsubscribeStillMember(t *testing.T) {
	emails := []string{"a@example.com"}
	for _, c := range []struct {
		fault simulator.Fault
		fails bool
	}{
		{simulator.Fault{On: readMembers, Skip: 1, Do: "join", Addresses: emails, Times: -1}, false},
		{simulator.Fault{On: readMembers, Skip: 1, Do: "status", Status: 401, Times: -1}, true},
	} {
		t.Run(c.fault.Do, func(t *testing.T) {
			plan := given(simulator.Profile{Email: "a@example.com"})
			plan.Faults = []simulator.Fault{c.fault}
			bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Minute}, func(w *world) {
				s := NewConsents(w.client, Wish{Withdraw: true, By: Email, Channels: EmailMarketing, List: w.list("News")})
				sent := unsubscribing(emails...)
				if err := s.Send(w.Context(), sent); err != nil {
					t.Fatal(err)
				}
				rows := asked(sent)
				err := s.Settle(w.Context(), time.Now().Add(5*time.Minute), rows, func(uint32) string { return emails[0] })
				if (err != nil) != c.fails || rows[0].Status != Accepted {
					t.Errorf("error %v, %v", err, allShown(rows))
				}
			})
		})
	}
}

// TestUnsubscribeMemberAgain: a member who leaves the list by one row is not named again by a later request's row.
func TestUnsubscribeMemberAgain(t *testing.T) {
	plan := given(simulator.Profile{Email: "a@example.com"})
	o := simulator.Options{Plan: plan, JobTime: time.Hour}
	bubble(t, nil, o, Options{RetryFor: time.Minute}, func(w *world) {
		s := NewConsents(w.client, Wish{Withdraw: true, By: Email, Channels: EmailMarketing, List: w.list("News")})
		for _, want := range []string{"accepted", "rejected same_profile"} {
			rows := unsubscribing("a@example.com")
			if err := s.Send(w.Context(), rows); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]int{want: 1}, statuses(rows)); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// TestUnsubscribeBefore: nobody is unsubscribed from a list when Before has an error, and that uses up no quota.
func TestUnsubscribeBefore(t *testing.T) {
	plan := given(simulator.Profile{Email: "a@example.com"})
	bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Minute, RateShare: 10}, func(w *world) {
		full := errors.New("full")
		s := NewConsents(w.client, Wish{
			Withdraw: true, By: Email, Channels: EmailMarketing, List: w.list("News"), Before: func() error { return full },
		})
		ctx, stop := context.WithTimeout(w.Context(), time.Hour)
		defer stop()
		for range 80 {
			rows := unsubscribing("a@example.com")
			if err := s.Send(ctx, rows); !errors.Is(err, full) || rows[0].Status != Unsent {
				t.Fatalf("error %v, status %d", err, rows[0].Status)
			}
		}
		full = nil
		rows := unsubscribing("a@example.com")
		if err := s.Send(ctx, rows); err != nil || rows[0].Status != Accepted {
			t.Errorf("error %v, status %d", err, rows[0].Status)
		}
	})
}

// TestUnsubscribeEverywhere: without a list the people are unsubscribed everywhere, known or not.
func TestUnsubscribeEverywhere(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddProfile("a@example.com")
		emails := []string{"a@example.com", "new@example.com"}
		s := NewConsents(w.client, Wish{Withdraw: true, By: Email, Channels: EmailMarketing})
		w.want(w.ask(s, emails, unsubscribing(emails...), time.Hour),
			"applied UNSUBSCRIBED global", "applied UNSUBSCRIBED global")
	})
}

// TestUnsubscribeOneMember: email and phone number of one member are in one element, as after the first of two requests
// that person would not be on the list any more. A second row of the same member is rejected.
func TestUnsubscribeOneMember(t *testing.T) {
	var bodies []string
	wrap := spying(isUnsubscribe, &bodies)
	bubble(t, wrap, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		both := addressed{Email: "a@example.com", PhoneNumber: "+4915112345678"}
		all := EmailMarketing | SMSMarketing
		s := NewConsents(w.client, Wish{By: Email, Channels: all, List: w.list("News")})
		w.want(w.ask(s, []string{"a@example.com"},
			[]Profile{{JSON: both.element("SUBSCRIBED", all), Channels: all}}, time.Hour), "applied SUBSCRIBED mailable")
		out := NewConsents(w.client, Wish{Withdraw: true, By: Email, Channels: all, List: w.list("News")})
		rows := []Profile{
			{JSON: []byte(`{"email":"a@example.com","phone_number":"+4915112345678"}`), Channels: all},
			{JSON: []byte(`{"phone_number":"+4915112345678"}`), Channels: SMSMarketing},
		}
		if err := out.Send(w.Context(), rows); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]int{"accepted": 1, "rejected same_profile": 1}, statuses(rows)); diff != "" {
			t.Error(diff)
		}
		if len(bodies) != 1 || strings.Count(bodies[0], `"type":"profile",`) != 1 {
			t.Errorf("requests %q", bodies)
		}
	})
}

// TestUnsubscribeOneNumber: several people may have one phone number. Its row is proved when none of them is on the
// list any more.
func TestUnsubscribeOneNumber(t *testing.T) {
	const phone = "+4915112345678"
	plan := &simulator.Plan{Profiles: []simulator.Profile{
		{Phone: phone, Lists: []string{"News"}}, {Email: "b@example.com", Phone: phone, Lists: []string{"News"}},
	}}
	bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
		s := NewConsents(w.client, Wish{Withdraw: true, By: PhoneNumber, Channels: SMSMarketing, List: w.list("News")})
		row := Profile{JSON: []byte(`{"phone_number":"` + phone + `"}`), Channels: SMSMarketing}
		// The simulator withdraws the consent of one of them.
		w.want(w.ask(s, []string{phone}, []Profile{row}, time.Hour), "accepted not_visible")
	})
}

// TestConsentByExternalID: the people's own email and phone number are what is sent, and whoever has neither is told.
func TestConsentByExternalID(t *testing.T) {
	plan := &simulator.Plan{Profiles: []simulator.Profile{
		{Email: "a@example.com", External: "1"}, {External: "2"},
	}}
	bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		s := NewConsents(w.client, Wish{By: ExternalID, Channels: EmailMarketing, List: w.list("News")})
		rows := make([]Profile, 3)
		for i := range rows {
			rows[i] = Profile{JSON: fmt.Appendf(nil, `{"external_id":"%d"}`, i+1), Channels: EmailMarketing}
		}
		read := w.ask(s, []string{"1", "2", "3"}, rows, time.Minute)
		w.want(read, "applied SUBSCRIBED mailable", "rejected channel_missing", "skipped profile_not_found")
	})
}

// TestConsentByExternalIDNeedsTheLookUp: when people cannot be looked up, nothing is sent, and nobody is skipped.
func TestConsentByExternalIDNeedsTheLookUp(t *testing.T) {
	for _, withdraw := range []bool{false, true} {
		plan := &simulator.Plan{
			Profiles: []simulator.Profile{{Email: "a@example.com", External: "1"}},
			Faults:   []simulator.Fault{{On: "GET /api/profiles", Do: "status", Status: 401, Times: -1}},
		}
		var sent []string
		wrap := spying(func(r *http.Request) bool { return isSubscribe(r) || isUnsubscribe(r) }, &sent)
		bubble(t, wrap, simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
			s := NewConsents(w.client, Wish{Withdraw: withdraw, By: ExternalID, Channels: EmailMarketing})
			rows := []Profile{{JSON: []byte(`{"external_id":"1"}`), Channels: EmailMarketing}}
			if err := s.Send(w.Context(), rows); err == nil || rows[0].Status != Unsent || len(sent) > 0 {
				t.Errorf("withdraw %t: status %v, error %v, sent %q", withdraw, rows[0].Status, err, sent)
			}
		})
	}
}

// spying keeps the bodies of the requests that match.
func spying(match func(*http.Request) bool, bodies *[]string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if match(r) {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(bytes.NewReader(body))
				*bodies = append(*bodies, string(body))
			}
			next.ServeHTTP(w, r)
		})
	}
}

// TestSettleGivesRowsBack: when a call of Settle has returned because its context ended, no other call writes into its
// rows or asks for their identifiers any more, although a look-up for both is on its way.
func TestSettleGivesRowsBack(t *testing.T) {
	slow := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/profiles") {
				time.Sleep(time.Minute)
			}
			next.ServeHTTP(w, r)
		})
	}
	bubble(t, slow, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		s := NewConsents(w.client, Wish{By: Email, Channels: EmailMarketing, List: w.list("News")})
		sent := subscribing("a@example.com", "b@example.com")
		if err := s.Send(w.Context(), sent); err != nil {
			t.Fatal(err)
		}
		s.waiting.turns = make(chan struct{}, 1) // so that the second call looks for both
		first, second := asked(sent[:1]), asked(sent[1:])
		ctx, cancel := context.WithCancel(w.Context())
		var returned bool
		var wait sync.WaitGroup
		wait.Go(func() { w.settle(s, []string{"b@example.com"}, second, time.Hour) })
		time.Sleep(time.Millisecond)
		wait.Go(func() {
			_ = s.Settle(ctx, time.Now().Add(time.Hour), first, func(uint32) string {
				if returned {
					t.Error("the identifier was asked for after the call had returned")
				}
				return "a@example.com"
			})
			returned = true
		})
		time.Sleep(10 * time.Second) // one look-up for both is on its way
		cancel()
		wait.Wait()
		w.want(first, "accepted")
		w.want(second, "applied SUBSCRIBED mailable")
	})
}

// TestConsentOfOtherNumber: a row with the email of one person and the number of another is not proved by the first
// one's SMS consent.
func TestConsentOfOtherNumber(t *testing.T) {
	bubble(t, nil, simulator.Options{}, Options{RetryFor: time.Hour}, func(w *world) {
		w.sim.AddList("News", "single_opt_in")
		all := EmailMarketing | SMSMarketing
		own := addressed{Email: "a@example.com", PhoneNumber: "+4915112345678"}
		s := NewConsents(w.client, Wish{By: Email, Channels: all, List: w.list("News")})
		sent := Profile{JSON: own.element("SUBSCRIBED", all), Channels: all}
		w.want(w.ask(s, []string{own.Email}, []Profile{sent}, time.Hour), "applied SUBSCRIBED mailable")
		for number, want := range map[string]string{
			own.PhoneNumber: "applied SUBSCRIBED mailable", "+4915187654321": "accepted not_visible", "": "accepted not_visible",
		} {
			row := Consented{Channels: all, Status: Accepted, Other: number}
			w.want(w.settle(s, []string{own.Email}, []Consented{row}, time.Minute), want)
		}
	})
}

// TestConsentOfOtherEmail: a row with the number of one person and the email of another is not proved by the email
// consent of the person with the number.
func TestConsentOfOtherEmail(t *testing.T) {
	const phone = "+4915112345678"
	plan := &simulator.Plan{Profiles: []simulator.Profile{
		{Email: "a@example.com", Phone: phone, Consent: "SUBSCRIBED", Lists: []string{"News"}},
	}}
	bubble(t, nil, simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
		s := NewConsents(w.client, Wish{By: PhoneNumber, Channels: EmailMarketing, List: w.list("News")})
		for email, want := range map[string]string{
			"A@example.com": "applied SUBSCRIBED mailable", "b@example.com": "accepted not_visible", "": "accepted not_visible",
		} {
			row := Consented{Channels: EmailMarketing, Status: Accepted, Other: email}
			w.want(w.settle(s, []string{phone}, []Consented{row}, time.Minute), want)
		}
	})
}

// TestUnsubscribeAfterRefusal: a member whose row Klaviyo has refused leaves the list by another row.
func TestUnsubscribeAfterRefusal(t *testing.T) {
	plan := &simulator.Plan{Profiles: []simulator.Profile{
		{Email: "a@example.com", Lists: []string{"News"}}, {Email: "b@example.com", Lists: []string{"News"}},
	}}
	wrap := faulty(isUnsubscribe,
		problem(400, "invalid", "/data/attributes/profiles/data/0/attributes/email", "Invalid email address"))
	bubble(t, wrap, simulator.Options{Plan: plan}, Options{RetryFor: time.Hour}, func(w *world) {
		s := NewConsents(w.client, Wish{Withdraw: true, By: Email, Channels: EmailMarketing, List: w.list("News")})
		rows := unsubscribing("a@example.com", "b@example.com")
		if err := s.Send(w.Context(), rows); err != nil {
			t.Fatal(err)
		}
		again := unsubscribing("a@example.com")
		if err := s.Send(w.Context(), again); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"accepted": 2, "rejected invalid": 1}
		if diff := cmp.Diff(want, statuses(append(rows, again...))); diff != "" {
			t.Error(diff)
		}
	})
}
