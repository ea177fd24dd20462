package sink

import (
	"context"
	"slices"
	"time"
)

// Quiet is how long Klaviyo may ignore that a person is subscribed again (klaviyo-more.md §2.4). A request that is to
// withdraw consent again waits as long.
const Quiet = 30 * time.Minute

// Consented is a row whose consent is read back. It takes 88 bytes.
type Consented struct {
	Row      uint32   // for the caller
	Channels Channels // that Klaviyo was asked for
	Given    int64    // of a historical consent, Unix seconds, 0 when not known
	Other    string   // by Email the phone number, by PhoneNumber the email, if Channels need it: they show for no other
	Lost     *Profile // the row as it was sent, if its answer was lost and it may be sent again; nil otherwise

	// Status is Accepted or Unknown before, or Unsent for a row that is not read back. Settle sets it to Applied where the
	// consent shows. Other rows keep their status, unless they are sent again.
	Status Status
	Fault  *Fault

	// What reading the row back showed, where it is Applied.
	Mailable bool   // Klaviyo may send by all its channels
	Already  bool   // it was so before the run
	Scope    Scope  // where consent was withdrawn
	State    string // the consent of its last channel in Klaviyo's words
	At       int64  // the latest consent of its channels in Unix seconds, 0 for a withdrawal
}

// Scope is where consent was withdrawn.
type Scope uint8

// Where consent was withdrawn, as the profile shows it afterwards.
const (
	Nowhere Scope = iota
	OneList
	Everywhere
)

var notVisible = &Fault{
	Code: "not_visible",
	Detail: "Klaviyo accepted the request and does not show the consent yet: it is still working on it, " +
		"the person has not confirmed, or Klaviyo dropped the row",
}

// look reads rows back once, as many as one look-up takes.
func (s *Consents) look(ctx context.Context, looks []visited) error {
	rows, values := make([]*Consented, len(looks)), make([]string, len(looks))
	for i := range looks {
		rows[i], values[i] = &looks[i].now, looks[i].value
	}
	people := sought(values)
	on, off := s.members(rows, people)
	if err := s.lookups.find(ctx, s.client.profiles().withConsent(), s.wish.By, off); err != nil {
		return err
	}
	if len(on) > 0 {
		id, _, _ := s.wish.List.State()
		members := s.client.members(id).withConsent()
		if s.wish.By == ExternalID {
			if _, err := s.lookups.throughProfiles(ctx, s.client.profiles(), members, ExternalID, on); err != nil {
				return err
			}
		} else if err := s.lookups.find(ctx, members, s.wish.By, on); err != nil {
			return err
		}
	}
	var shown []*Consented
	var seen []*person
	for i, c := range rows {
		found := people[i].found
		shows := func(p profileResource) bool { return s.shows(c, &p) }
		if slices.ContainsFunc(found, shows) && !s.keeps(c, found) {
			shown, seen = append(shown, c), append(seen, people[i])
		}
	}
	if s.wish.Withdraw && s.wish.List != nil {
		return s.leave(ctx, shown, seen)
	}
	for _, c := range shown {
		c.Status, c.Fault = Applied, nil
	}
	return nil
}

// members divides people into those who should be on the list, and others. Transactional messages put nobody on a list
// (klaviyo-more.md §2.3).
func (s *Consents) members(rows []*Consented, people []*person) (on, off []*person) {
	if s.wish.List == nil || s.wish.Withdraw {
		return nil, people
	}
	for i, c := range rows {
		if c.Channels == SMSTransactional {
			off = append(off, people[i])
		} else {
			on = append(on, people[i])
		}
	}
	return on, off
}

// keeps reports whether one of several people with the same number still has a consent that is withdrawn everywhere.
func (s *Consents) keeps(c *Consented, people []profileResource) (keeps bool) {
	if !s.wish.Withdraw || s.wish.List != nil || len(people) < 2 {
		return false
	}
	for i := range people {
		p := &people[i].Attributes.Subscriptions
		c.Channels.each(func(one Channels) {
			state, _ := p.consent(one, "")
			scope, _ := p.withdrawn(one, "")
			keeps = keeps || state.Consent == subscribed && scope == Nowhere
		})
	}
	return keeps
}

// leave applies rows whose consent is withdrawn, as far as their people are not on the list any more.
func (s *Consents) leave(ctx context.Context, shown []*Consented, people []*person) error {
	id, _, _ := s.wish.List.State()
	steps := map[Identifier][]*person{}
	for _, p := range people {
		for i := range p.found {
			with := PhoneNumber
			if p.found[i].Attributes.Email != "" {
				with = Email
			}
			steps[with] = append(steps[with],
				&person{row: new(Profile), value: with.of(&p.found[i]), owner: p, id: p.found[i].ID})
		}
	}
	on := map[*person]bool{}
	for with, some := range steps {
		if err := s.lookups.find(ctx, s.client.members(id), with, some); err != nil {
			return err
		}
		for _, step := range some {
			for i := range step.found {
				if step.found[i].ID == step.id {
					on[step.owner] = true
				}
			}
		}
	}
	for i, c := range shown {
		if !on[people[i]] {
			c.Status, c.Fault = Applied, nil
		}
	}
	return nil
}

// since is when the run began, by Klaviyo's clock.
func (s *Consents) since() time.Time {
	if !s.wish.Since.IsZero() {
		return s.wish.Since
	}
	return s.client.Asked()
}

// shows reports whether a profile has the consent that a row asks for, and enters what it shows.
func (s *Consents) shows(c *Consented, profile *profileResource) bool {
	p := &profile.Attributes.Subscriptions
	var list string
	if s.wish.List != nil {
		list, _, _ = s.wish.List.State()
	}
	all, mailable, already := true, true, true
	switch attributes := &profile.Attributes; {
	case s.wish.By == Email && c.Channels&sms != 0 && c.Other != attributes.PhoneNumber,
		s.wish.By == PhoneNumber && c.Channels&EmailMarketing != 0 && Email.same(c.Other) != Email.same(attributes.Email):
		return false // the email of one person, and the number of another
	}
	c.Scope, c.At = Nowhere, 0
	c.Channels.each(func(one Channels) {
		state, receives := p.consent(one, list)
		c.State = known(state.Consent)
		mailable = mailable && receives
		if s.wish.Withdraw {
			scope, at := p.withdrawn(one, list)
			all, already = all && scope != Nowhere, already && at.Before(s.since())
			c.Scope = max(c.Scope, scope)
			return
		}
		at := moment(state.Given)
		all, already = all && state.Consent == subscribed, already && s.before(at, c.Given)
		c.At = max(c.At, at.Unix())
	})
	c.Mailable, c.Already = mailable, already
	return all
}

// before reports whether a consent of that time was given before the run: a historical one at another time than sent.
func (s *Consents) before(at time.Time, sent int64) bool {
	if s.wish.Historical {
		return sent != 0 && at.Unix() != sent
	}
	return at.Before(s.since())
}
