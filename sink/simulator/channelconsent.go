package simulator

import (
	"slices"
	"time"
)

// channel is one way to reach a profile.
type channel int

const (
	emailMarketing channel = iota
	smsMarketing
	smsTransactional
	channels
)

// channelPaths are the places of the channels in subscriptions, and channelNames their names in a ledger.
var (
	channelPaths = []string{"email/marketing", "sms/marketing", "sms/transactional"}
	channelNames = [channels]string{"email", "sms", "sms-transactional"}
)

// profileConsent is what a profile has consented to.
type profileConsent struct {
	of           [channels]channelConsent
	suppressions []suppression
	lists        map[string]time.Time // that the profile has unsubscribed from, by id
	subscribed   time.Time            // when it was subscribed last
}

// channelConsent is the consent of one channel. Its state is SUBSCRIBED, UNSUBSCRIBED, or "" for never.
type channelConsent struct {
	state, source string
	confirmed     string // whether it was a double opt-in, as JSON; "" is not known
	given         time.Time
	updated       time.Time
}

// suppression says why a profile gets no email.
type suppression struct {
	reason string
	since  time.Time
}

// consentOf returns the consent of a profile, to be changed.
func (s *Simulator) consentOf(n uint32) *profileConsent {
	c := s.consents[n]
	if c == nil {
		c = new(profileConsent)
		s.consents[n] = c
	}
	return c
}

// suppress adds a suppression, unless the profile has one for the reason.
func (c *profileConsent) suppress(reason string, since time.Time) {
	if !slices.ContainsFunc(c.suppressions, func(s suppression) bool { return s.reason == reason }) {
		c.suppressions = append(c.suppressions, suppression{reason, since})
	}
}

// lift removes the suppressions that a subscribe lifts.
func (c *profileConsent) lift() {
	c.suppressions = slices.DeleteFunc(c.suppressions, func(s suppression) bool {
		return slices.Contains([]string{"UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED"}, s.reason)
	})
}
