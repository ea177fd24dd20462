package sink

import (
	"context"
	"slices"
	"time"
)

const (
	// Quiet is how long Klaviyo may ignore that a person is subscribed again (klaviyo-more.md §2.4).
	Quiet = 30 * time.Minute
	// The pauses between two looks grow from firstLook to lastLook. Consent was seen to show after one to three minutes.
	firstLook, lastLook = time.Second, 30 * time.Second
)

// Consented is a row whose consent is read back.
type Consented struct {
	Value    string    // its identifier
	Channels Channels  // that Klaviyo was asked for
	Given    time.Time // of a historical consent, zero when not known
	Lost     *Profile  // the row as it was sent, if its answer was lost and it may be sent again; nil otherwise

	// Status is Accepted or Unknown before. Settle sets it to Applied where the consent shows.
	Status Status
	Fault  *Fault
	Shown  Consent // where it shows
}

// Consent is what reading a row back showed.
type Consent struct {
	State    string    // the consent of all its channels in Klaviyo's words
	Given    time.Time // the latest of its channels, for Subscribe
	Mailable bool      // Klaviyo may send by all its channels
	Already  bool      // it was so before the run
	Scope    string    // "list" or "global": where consent was withdrawn; "" for Subscribe
}

var notVisible = &Fault{
	Code: "not_visible",
	Detail: "Klaviyo accepted the request and does not show the consent yet: it may still be processing it, wait for the " +
		"person's confirmation, or have dropped the row",
}

// Settle reads the rows back until each one shows the consent, or until deadline. Rows that a person has to confirm are
// read once. A row whose answer was lost is sent again once, when nothing shows for 30 minutes. Rows that do not
// show keep their status. When ctx ends, Settle returns nil. Its error is an *Error.
func (s *Consents) Settle(ctx context.Context, deadline time.Time, rows []Consented) error {
	sent, left, pause := time.Now(), make([]*Consented, len(rows)), firstLook
	for i := range rows {
		left[i] = &rows[i]
	}
	pause = max(pause, time.Duration(s.typical.Load())*3/4)
	for {
		now := time.Now()
		if rest := deadline.Sub(now); rest > 0 {
			_ = sleep(ctx, min(pause, rest), nil)
		}
		if ctx.Err() != nil {
			return nil
		}
		pause = min(max(time.Since(sent)/2, firstLook), lastLook)
		before := len(left)
		if err := s.look(ctx, left); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		left = slices.DeleteFunc(left, s.done)
		if before > 0 && len(left) <= len(rows)/2 && before > len(rows)/2 {
			s.typical.Store(int64(time.Since(sent)))
		}
		over := !time.Now().Before(deadline)
		if len(left) == 0 || over {
			break
		}
		if time.Since(sent) >= Quiet {
			if err := s.again(ctx, left); err != nil {
				return err
			}
			left = slices.DeleteFunc(left, func(c *Consented) bool { return c.Status != Accepted && c.Status != Unknown })
		}
	}
	for _, c := range left {
		if c.Status == Accepted && c.Fault != partial {
			c.Fault = notVisible
		}
	}
	return nil
}

// done reports whether a row is not read again. One that a person has to confirm is read once.
func (s *Consents) done(c *Consented) bool {
	if c.Status == Accepted && s.confirms(c.Channels) {
		c.Fault = pending
		return true
	}
	return c.Status == Applied
}

// again sends the rows whose answers were lost, each once.
func (s *Consents) again(ctx context.Context, left []*Consented) error {
	var lost []*Consented
	var rows []Profile
	for _, c := range left {
		if c.Lost != nil {
			lost, rows = append(lost, c), append(rows, *c.Lost)
			c.Lost = nil
		}
	}
	if len(lost) == 0 {
		return nil
	}
	s.client.counters.resent.Add(1)
	for i := range rows {
		rows[i].Status, rows[i].Fault = Unsent, nil
	}
	err := s.Send(ctx, rows)
	for i, c := range lost {
		if rows[i].Status != Unsent {
			c.Status, c.Fault = rows[i].Status, rows[i].Fault
		}
	}
	return err
}

// look reads the rows back once.
func (s *Consents) look(ctx context.Context, rows []*Consented) error {
	people := make([]*person, len(rows))
	for i, c := range rows {
		people[i] = &person{row: new(Profile), value: c.Value}
	}
	// Transactional messages put nobody on a list (klaviyo-more.md §2.3).
	on, off := s.members(rows, people)
	profiles := s.client.profiles().withConsent()
	if err := s.lookups.find(ctx, profiles, s.wish.By, off); err != nil {
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
	var gone []*person
	for i, c := range rows {
		for j := range people[i].found {
			if seen, ok := s.shows(c, &people[i].found[j]); ok {
				c.Shown = seen
				shown, gone = append(shown, c), append(gone, people[i])
				break
			}
		}
	}
	if s.wish.Withdraw && s.wish.List != nil {
		return s.leftList(ctx, shown, gone)
	}
	for _, c := range shown {
		c.Status, c.Fault = Applied, nil
	}
	return nil
}

// members divides people into those who should be on the list, and others.
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

// leftList applies rows whose people have left the list too.
func (s *Consents) leftList(ctx context.Context, shown []*Consented, people []*person) error {
	id, _, _ := s.wish.List.State()
	steps := map[Identifier][]*person{}
	for _, p := range people {
		with := PhoneNumber
		if p.found[0].Attributes.Email != "" {
			with = Email
		}
		steps[with] = append(steps[with], &person{row: new(Profile), value: with.of(&p.found[0]), owner: p})
	}
	on := map[*person]bool{}
	for with, some := range steps {
		if err := s.lookups.find(ctx, s.client.members(id), with, some); err != nil {
			return err
		}
		for _, step := range some {
			for i := range step.found {
				if step.found[i].ID == step.owner.found[0].ID {
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
	return s.client.Began()
}

// shows reports whether a profile has the consent that the row asks for, and what it shows.
func (s *Consents) shows(c *Consented, p *profileResource) (seen Consent, all bool) {
	seen, all = Consent{Mailable: true, Already: true}, true
	var list string
	if s.wish.List != nil {
		list, _, _ = s.wish.List.State()
	}
	c.Channels.each(func(one Channels) {
		state, receives := p.Attributes.Subscriptions.consent(one, list)
		seen.State = state.Consent
		seen.Mailable = seen.Mailable && receives
		if s.wish.Withdraw {
			all = all && s.withdrawn(one, p, list, &seen)
			return
		}
		all = all && state.Consent == "SUBSCRIBED"
		given := moment(state.Given)
		seen.Already = seen.Already && s.before(given, c.Given)
		if given.After(seen.Given) {
			seen.Given = given
		}
	})
	return seen, all
}

// before reports whether a consent of that time was given before the run: a historical one at another time than sent.
func (s *Consents) before(given, sent time.Time) bool {
	if s.wish.Historical {
		return !sent.IsZero() && !given.Truncate(time.Second).Equal(sent.Truncate(time.Second))
	}
	return given.Before(s.since())
}

// withdrawn reports whether the consent of a channel is withdrawn, and notes where and when.
func (s *Consents) withdrawn(one Channels, p *profileResource, list string, seen *Consent) bool {
	subscriptions := &p.Attributes.Subscriptions
	state, _ := subscriptions.consent(one, list)
	at := state.Updated
	switch suppressed, so := subscriptions.unsubscribed(); {
	case state.Consent == "UNSUBSCRIBED":
		seen.Scope = "global"
	case one == EmailMarketing && so:
		seen.Scope, at = "global", suppressed
	case one == EmailMarketing && list != "" && subscriptions.leftList(list):
		if seen.Scope == "" {
			seen.Scope = "list"
		}
	default:
		return false
	}
	seen.Already = seen.Already && moment(at).Before(s.since())
	return true
}
