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

// unsubscribed is when the profile's email was suppressed everywhere because it unsubscribed, "" when it was not.
func (s *subscriptions) unsubscribed() (at string, so bool) {
	for _, one := range s.Email.Marketing.Suppression {
		if one.Reason == "UNSUBSCRIBE" {
			return one.At, true
		}
	}
	return "", false
}

// moment reads a time of Klaviyo, zero for none.
func moment(text string) time.Time {
	at, _ := time.Parse(time.RFC3339, text)
	return at
}
