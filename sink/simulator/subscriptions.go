package simulator

import (
	"slices"
	"strconv"
	"time"
)

// emailConsent is a profile's consent to marketing by email.
type emailConsent struct {
	state       string // SUBSCRIBED, UNSUBSCRIBED or NEVER_SUBSCRIBED
	suppression string // its reason, or ""
	at          time.Time
}

// The texts of consents and of reasons for a suppression.
const neverSubscribed = "NEVER_SUBSCRIBED"

var (
	consentStates      = []string{"SUBSCRIBED", "UNSUBSCRIBED", neverSubscribed}
	suppressionReasons = []string{
		"HARD_BOUNCE", "INVALID_EMAIL", "SPAM_COMPLAINT", "UNSUBSCRIBE", "USER_SUPPRESSED",
	}
)

// subscriptionFields are the names of a profile's subscriptions in a sparse fieldset, without those of WhatsApp and of
// the tracking of opened mails.
var subscriptionFields = slices.Concat(
	[]string{"subscriptions", "subscriptions.email", "subscriptions.sms", "subscriptions.mobile_push",
		"subscriptions.whatsapp"},
	fieldsOf("subscriptions.email.marketing", "can_receive_email_marketing", "consent", "consent_timestamp",
		"custom_method_detail", "double_optin", "last_updated", "list_suppressions", "method", "method_detail",
		"suppression"),
	fieldsOf("subscriptions.sms.marketing", "can_receive_sms_marketing", "consent", "consent_timestamp",
		"last_updated", "method", "method_detail"),
	fieldsOf("subscriptions.sms.transactional", "can_receive_sms_transactional", "consent", "consent_timestamp",
		"last_updated", "method", "method_detail"),
	fieldsOf("subscriptions.mobile_push.marketing", "can_receive_push_marketing", "consent", "consent_timestamp"),
)

// fieldsOf returns the names of an object and of its members in a sparse fieldset.
func fieldsOf(path string, members ...string) []string {
	names := []string{path}
	for _, member := range members {
		names = append(names, path+"."+member)
	}
	return names
}

// mailable reports whether a profile can be sent marketing by email.
func (s *Simulator) mailable(n uint32) bool {
	c := s.consents[n]
	return s.email(n) != "" && c.suppression == "" && c.state != "UNSUBSCRIBED"
}

// appendSubscriptions appends the subscriptions of a profile. Nobody has consented to anything but email.
//
// Choices: a profile with an email that is neither suppressed nor unsubscribed can receive marketing, and no consent
// has a method.
func (s *Simulator) appendSubscriptions(b []byte, n uint32) []byte {
	c, known := s.consents[n]
	if !known {
		c.state = neverSubscribed
	}
	receives := s.mailable(n)
	b = append(b, `{"email":{"marketing":{"can_receive_email_marketing":`...)
	b = quote(append(strconv.AppendBool(b, receives), `,"consent":`...), c.state)
	at, given := []byte("null"), []byte("null")
	if known {
		at = microTimeJSON(c.at)
	}
	if known && c.state != neverSubscribed {
		given = at
	}
	b = append(append(b, `,"consent_timestamp":`...), given...)
	b = append(append(b, `,"last_updated":`...), at...)
	b = append(b, `,"method":null,"method_detail":null,"custom_method_detail":null,"double_optin":null`...)
	b = append(b, `,"suppression":[`...)
	if c.suppression != "" {
		b = quote(append(b, `{"reason":`...), c.suppression)
		b = append(append(append(b, `,"timestamp":`...), at...), '}')
	}
	const never = `"consent":"` + neverSubscribed + `","consent_timestamp":null`
	const rest = `,"method":null,"method_detail":null,"last_updated":null}`
	return append(b, `],"list_suppressions":[]}},`+
		`"sms":{"marketing":{"can_receive_sms_marketing":false,`+never+rest+
		`,"transactional":{"can_receive_sms_transactional":false,`+never+rest+`},`+
		`"mobile_push":{"marketing":{"can_receive_push_marketing":false,`+never+`}},"whatsapp":null}`...)
}
