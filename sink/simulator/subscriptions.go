package simulator

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"
)

// neverSubscribed is the consent of somebody who never gave or withdrew one.
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
	return s.email(n) != "" && (c == nil || len(c.suppressions) == 0 && c.of[emailMarketing].state != "UNSUBSCRIBED")
}

// appendSubscriptions appends the subscriptions of a profile. Nobody has consented to push messages or WhatsApp.
//
// Choices: a profile with an email that is neither suppressed nor unsubscribed can receive marketing, SMS needs
// consent, and no consent has a method.
func (s *Simulator) appendSubscriptions(b []byte, n uint32) []byte {
	c := s.consents[n]
	if c == nil {
		c = new(profileConsent)
	}
	email := &c.of[emailMarketing]
	b = append(b, `{"email":{"marketing":{"can_receive_email_marketing":`...)
	b = email.append(append(strconv.AppendBool(b, s.mailable(n)), ','))
	b = append(b, `,"custom_method_detail":`...)
	if email.source != "" {
		b = quote(b, email.source)
	} else {
		b = append(b, "null"...)
	}
	b = append(append(b, `,"double_optin":`...), cmp.Or(email.confirmed, "null")...)
	b = append(b, `,"suppression":[`...)
	for i, one := range c.suppressions {
		if i > 0 {
			b = append(b, ',')
		}
		b = quote(append(b, `{"reason":`...), one.reason)
		b = append(append(append(b, `,"timestamp":`...), microTimeJSON(one.since)...), '}')
	}
	b = append(b, `],"list_suppressions":[`...)
	for i, id := range slices.Sorted(maps.Keys(c.lists)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = quote(append(b, `{"list_id":`...), id)
		b = append(append(append(b, `,"reason":"UNSUBSCRIBE","timestamp":`...), microTimeJSON(c.lists[id])...), '}')
	}
	b = append(b, `]}},"sms":{"marketing":{"can_receive_sms_marketing":`...)
	marketing, transactional := &c.of[smsMarketing], &c.of[smsTransactional]
	b = marketing.append(append(strconv.AppendBool(b, marketing.state == "SUBSCRIBED"), ','))
	b = append(b, `},"transactional":{"can_receive_sms_transactional":`...)
	b = transactional.append(append(strconv.AppendBool(b, transactional.state == "SUBSCRIBED"), ','))
	const never = `"consent":"` + neverSubscribed + `","consent_timestamp":null`
	return append(b, `}},"mobile_push":{"marketing":{"can_receive_push_marketing":false,`+never+`}},"whatsapp":null}`...)
}

// append appends what the consents of all channels have in common.
func (c *channelConsent) append(b []byte) []byte {
	b = quote(append(b, `"consent":`...), cmp.Or(c.state, neverSubscribed))
	for _, one := range []struct {
		name string
		at   time.Time
	}{{"consent_timestamp", c.given}, {"last_updated", c.updated}} {
		b = append(append(append(b, `,"`...), one.name...), `":`...)
		if one.at.IsZero() {
			b = append(b, "null"...)
		} else {
			b = append(b, microTimeJSON(one.at)...)
		}
	}
	return append(b, `,"method":null,"method_detail":null`...)
}
