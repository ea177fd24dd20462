package sink

import "time"

// subscriptions are the consents of a profile (klaviyo-more.md §2.7).
type subscriptions struct {
	Email struct {
		Marketing struct {
			consentState
			CanReceive       bool          `json:"can_receive_email_marketing"`
			Suppression      []suppression `json:"suppression"`
			ListSuppressions []suppression `json:"list_suppressions"`
		} `json:"marketing"`
	} `json:"email"`
	SMS struct {
		Marketing struct {
			consentState
			CanReceive bool `json:"can_receive_sms_marketing"`
		} `json:"marketing"`
		Transactional struct {
			consentState
			CanReceive bool `json:"can_receive_sms_transactional"`
		} `json:"transactional"`
	} `json:"sms"`
}

// consentState is the consent of one channel. Times are RFC 3339, or empty.
type consentState struct {
	Consent string `json:"consent"`
	Given   string `json:"consent_timestamp"`
	Updated string `json:"last_updated"`
}

// suppression is why nothing is sent to an email. Its list is "" where it holds everywhere.
type suppression struct {
	Reason string `json:"reason"`
	At     string `json:"timestamp"`
	List   string `json:"list_id"`
}

// mailable reports whether marketing by email may be sent to the profile.
func (s *subscriptions) mailable() bool {
	return s.Email.Marketing.CanReceive && len(s.Email.Marketing.Suppression) == 0
}

// consent is the state of one channel, and whether messages may be sent by it. On a list, list suppressions of that
// list count.
func (s *subscriptions) consent(c Channels, list string) (state *consentState, receives bool) {
	switch c {
	case SMSMarketing:
		return &s.SMS.Marketing.consentState, s.SMS.Marketing.CanReceive
	case SMSTransactional:
		return &s.SMS.Transactional.consentState, s.SMS.Transactional.CanReceive
	}
	return &s.Email.Marketing.consentState, s.mailable() && !s.leftList(list)
}

// leftList reports whether the profile's email has unsubscribed from the list.
func (s *subscriptions) leftList(list string) bool {
	for _, one := range s.Email.Marketing.ListSuppressions {
		if one.List == list {
			return true
		}
	}
	return false
}

// withdrawn is where the consent of a channel is withdrawn, for that list if it is not "", and when.
func (s *subscriptions) withdrawn(c Channels, list string) (Scope, time.Time) {
	state, _ := s.consent(c, list)
	if state.Consent == unsubscribed {
		return Everywhere, moment(state.Updated)
	}
	if c != EmailMarketing {
		return Nowhere, time.Time{}
	}
	for _, one := range s.Email.Marketing.Suppression {
		if one.Reason == "UNSUBSCRIBE" {
			return Everywhere, moment(one.At)
		}
	}
	if list != "" && s.leftList(list) {
		return OneList, moment(state.Updated)
	}
	return Nowhere, time.Time{}
}

// The consents in Klaviyo's words.
const subscribed, unsubscribed, never = "SUBSCRIBED", "UNSUBSCRIBED", "NEVER_SUBSCRIBED"

// known is a consent without the memory of its answer: rows keep it.
func known(consent string) string {
	for _, one := range []string{subscribed, unsubscribed, never} {
		if consent == one {
			return one
		}
	}
	return "OTHER"
}

// moment reads a time of Klaviyo, zero for none.
func moment(text string) time.Time {
	at, _ := time.Parse(time.RFC3339, text)
	return at
}
