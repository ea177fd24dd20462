package simulator

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"
)

// Consent is how an account treats requests that set or withdraw consent.
type Consent struct {
	// Time is how long a request has no effect; 0 is Options.JobTime.
	Time time.Duration `yaml:"time"`
	// Late are patterns of emails and phone numbers, where * is any text: how much longer their requests have no effect.
	Late map[string]time.Duration `yaml:"late"`
	// SingleOptIn is the default for a subscribe without a list. Otherwise people have to confirm.
	SingleOptIn bool `yaml:"single_opt_in"`
	// ListUnsubscribe says that members who unsubscribe from a list only leave that list. Otherwise they are unsubscribed
	// everywhere.
	ListUnsubscribe bool `yaml:"list_unsubscribe"`
	// NoSMS is an account without SMS. NoSender are the beginnings of phone numbers for which it has no sender.
	NoSMS    bool     `yaml:"no_sms"`
	NoSender []string `yaml:"no_sender"`
	// Dropped are patterns of emails and phone numbers whose requests are accepted and dropped.
	Dropped []string `yaml:"dropped"`
	// Quiet drops a second subscribe of a person within 30 minutes.
	Quiet bool `yaml:"quiet"`
}

// wrong returns what is wrong with it, or "".
func (c *Consent) wrong() string {
	if c.Time < 0 {
		return fmt.Sprintf("consent: time: expected 0s or more, got %v", c.Time)
	}
	for pattern, late := range c.Late {
		if late < 0 {
			return fmt.Sprintf("consent: late: %s: expected 0s or more, got %v", pattern, late)
		}
	}
	for _, prefix := range c.NoSender {
		if !strings.HasPrefix(prefix, "+") {
			return fmt.Sprintf("consent: no_sender: expected the beginning of a phone number such as +44, got %q", prefix)
		}
	}
	return ""
}

const (
	quiet = 30 * time.Minute // how long a second subscribe of a person may have no effect
	valid = 72 * time.Hour   // how long a person can confirm
)

// consentJob is an accepted request that sets or withdraws consent.
type consentJob struct {
	call       int
	sent       time.Time
	list       *list // nil for none
	withdraw   bool
	historical bool
	source     string
}

// asked is one profile of such a request.
type asked struct {
	*consentJob
	at               time.Time // of its effect
	row              int       // its place in the request, from 1
	id, email, phone string
	of               [channels]bool
	given            [channels]time.Time // of a historical import
}

// matches reports whether a pattern is one of the profile's email or phone number.
func (a *asked) matches(pattern string) bool {
	patterns := []string{pattern}
	return matchesAny(patterns, []byte(a.email)) || matchesAny(patterns, []byte(a.phone))
}

func (a *asked) cause() cause { return cause{call: a.call, row: a.row} }

// postSubscribe is POST /api/profile-subscription-bulk-create-jobs.
func (s *Simulator) postSubscribe(c *call) answer { return s.postConsent(c, false) }

// postUnsubscribe is POST /api/profile-subscription-bulk-delete-jobs.
func (s *Simulator) postUnsubscribe(c *call) answer { return s.postConsent(c, true) }

// postConsent accepts a request, or refuses it whole for one bad profile.
func (s *Simulator) postConsent(c *call, withdraw bool) answer {
	s.lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	b := consentBody{s: s, consentJob: &consentJob{sent: now, withdraw: withdraw}}
	b.read(c.body)
	if b.problems != nil {
		return b.problems.answer()
	}
	s.calls++
	b.call = s.calls
	for i := range b.profiles {
		a := &b.profiles[i]
		a.at = now.Add(s.options.Consent.Time)
		for pattern, late := range s.options.Consent.Late {
			if at := now.Add(s.options.Consent.Time + late); a.matches(pattern) && at.After(a.at) {
				a.at = at
			}
		}
	}
	s.consenting = append(s.consenting, b.profiles...)
	a := answer{status: http.StatusAccepted}
	if b.partial {
		a.header = http.Header{"X-Klaviyo-Partial-Failure": {"phone_number"}}
	}
	return a
}

// advanceConsents lets accepted profiles have their effect whose time has come, in the order of their times.
func (s *Simulator) advanceConsents(now time.Time) {
	var due []asked
	s.consenting = slices.DeleteFunc(s.consenting, func(a asked) bool {
		if now.Before(a.at) {
			return false
		}
		due = append(due, a)
		return true
	})
	sort.SliceStable(due, func(i, j int) bool { return due[i].at.Before(due[j].at) })
	for i := range due {
		switch a := &due[i]; {
		case slices.ContainsFunc(s.options.Consent.Dropped, a.matches):
		case a.withdraw:
			s.withdraw(a)
		default:
			s.subscribe(a)
		}
	}
}

// finishConsents lets accepted profiles have their effect before their time.
func (s *Simulator) finishConsents(now time.Time) {
	s.advanceConsents(now)
	for i := range s.consenting {
		s.consenting[i].at = now
	}
	s.advanceConsents(now)
}

// subscribe has its effect as far as nobody has to confirm it. Nobody confirms a historical consent, or one to
// transactional messages.
func (s *Simulator) subscribe(a *asked) {
	double := !s.options.Consent.SingleOptIn
	if a.list != nil {
		double = a.list.optIn == "double_opt_in"
	}
	if double && !a.historical && (a.of[emailMarketing] || a.of[smsMarketing]) {
		later := *a
		later.of[smsTransactional] = false
		s.unconfirmed = append(s.unconfirmed, later)
		if !a.of[smsTransactional] {
			return
		}
		a.of = [channels]bool{smsTransactional: true}
	}
	s.consent(a, a.at, false)
}

// Confirm confirms what the person with an email or phone number was asked to confirm within 72 hours. It returns how
// many subscriptions that were.
func (s *Simulator) Confirm(identifier string) (n int) {
	s.lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.unconfirmed = slices.DeleteFunc(s.unconfirmed, func(a asked) bool {
		switch {
		case now.Sub(a.at) > valid:
			return true
		case !strings.EqualFold(a.email, identifier) && a.phone != identifier || identifier == "":
			return false
		}
		s.consent(&a, now, true)
		n++
		return true
	})
	return n
}

// consent writes a subscription into a profile. An identifier without a channel is only written.
func (s *Simulator) consent(a *asked, now time.Time, confirmed bool) {
	n, ok := s.writeAsked(a, now)
	if !ok || a.of == [channels]bool{} {
		return
	}
	c := s.consentOf(n)
	if s.options.Consent.Quiet && !confirmed && !c.subscribed.IsZero() && a.sent.Sub(c.subscribed) < quiet {
		return
	}
	c.subscribed = a.sent
	for of := range channels {
		if !a.of[of] || c.of[of].state == "SUBSCRIBED" {
			continue
		}
		given := a.sent
		if a.historical {
			given = a.given[of]
		}
		c.of[of] = channelConsent{state: "SUBSCRIBED", source: a.source, given: given, updated: now, confirmed: "false"}
		if confirmed {
			c.of[of].confirmed = "true"
		}
		s.enterConsent(now, "subscribed", a, n, of)
	}
	if a.of[emailMarketing] {
		c.lift()
	}
	if a.list != nil && (a.of[emailMarketing] || a.of[smsMarketing]) {
		delete(c.lists, a.list.id)
		s.joining(a.list, n, now, a.cause())
	}
}

// withdraw has its effect for one profile. Who is not on the list is unsubscribed everywhere.
//
// Choices: without a channel to email there is no list suppression, so SMS is always withdrawn everywhere.
func (s *Simulator) withdraw(a *asked) {
	n, ok := s.writeAsked(a, a.at)
	if !ok || a.of == [channels]bool{} {
		return
	}
	c := s.consentOf(n)
	member := false
	if a.list != nil {
		_, member = a.list.at[n]
	}
	everywhere := !member || !s.options.Consent.ListUnsubscribe
	for of := range channels {
		sms := of != emailMarketing && (a.of[smsMarketing] || a.of[smsTransactional]) // both opt out together
		switch {
		case !a.of[of] && !sms:
		case everywhere || of != emailMarketing:
			c.of[of].state, c.of[of].updated = "UNSUBSCRIBED", a.at
			s.enterConsent(a.at, "unsubscribed", a, n, of)
		default:
			if c.lists == nil {
				c.lists = map[string]time.Time{}
			}
			c.lists[a.list.id], c.of[of].updated = a.at, a.at
			s.enterConsent(a.at, "left_list", a, n, of)
		}
	}
	if everywhere && a.of[emailMarketing] {
		c.suppress("UNSUBSCRIBE", a.at)
	}
	for _, l := range s.lists {
		if l == a.list || a.list == nil {
			s.leaving(l, n, a.at, a.cause())
		}
	}
}

// writeAsked returns the profile that a request names, with its identifiers, or creates it. Choice: identifiers
// of two profiles have no effect.
func (s *Simulator) writeAsked(a *asked, now time.Time) (uint32, bool) {
	sent := sentProfile{id: a.id}
	b := []byte{'{'}
	for _, one := range []struct {
		name, value string
		to          *[]byte
	}{{"email", a.email, &sent.email}, {"phone_number", a.phone, &sent.phone}} {
		if one.value != "" {
			b = append(quote(append(quote(b, one.name), ':'), one.value), ',')
			*one.to = []byte(one.value)
		}
	}
	sent.attributes = append(bytes.TrimSuffix(b, []byte{','}), '}')
	n, change, p := s.profiles.upsert(&sent, now, 1<<31|uint32(a.call)) // no import job has such a number
	if p != nil {
		return 0, false
	}
	if change != "" && change != unchanged {
		s.enter(now, change, "", n, a.cause())
	}
	return n, true
}

// enterConsent adds a consent to the ledger.
func (s *Simulator) enterConsent(at time.Time, change string, a *asked, n uint32, of channel) {
	list := ""
	if a.list != nil {
		list = a.list.id
	}
	s.enter(at, change+" "+channelNames[of], list, n, a.cause())
}
