package simulator_test

import (
	"testing"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

const neverMarketing = `{"can_receive_email_marketing":true,"consent":"NEVER_SUBSCRIBED","consent_timestamp":null,` +
	`"last_updated":null,"method":null,"method_detail":null,"custom_method_detail":null,"double_optin":null,` +
	`"suppression":[],"list_suppressions":[]}`

// A profile shows its consent where additional-fields asks for it, and with a sparse fieldset only what that names.
func TestSubscriptions(t *testing.T) {
	now := newClock()
	c := start(t, simulator.Options{Now: now.now, Plan: readPlan(t, `profiles:
  - {email: never@example.org, lists: [News]}
  - {email: bounced@example.org, suppression: HARD_BOUNCE, lists: [News]}
  - {email: out@example.org, consent: UNSUBSCRIBED, suppression: UNSUBSCRIBE, lists: [News]}
  - {email: in@example.org, consent: SUBSCRIBED, lists: [News]}
  - {phone_number: "+4915112345678", lists: [News]}
`)})
	list := c.want(200, "GET", "/api/lists", "").resources[0].ID
	const asked = "additional-fields[profile]"
	marketing := func(receives, consent, at, updated, suppression string) map[string]any {
		m := decode(t, neverMarketing).(map[string]any)
		m["can_receive_email_marketing"], m["consent"] = receives == "yes", consent
		if at != "" {
			m["consent_timestamp"] = at
		}
		if updated != "" {
			m["last_updated"] = updated
		}
		if suppression != "" {
			m["suppression"] = []any{map[string]any{"reason": suppression, "timestamp": updated}}
		}
		return m
	}
	const at = "2026-09-04T13:40:00.123456+00:00"
	var want []any
	for _, m := range []map[string]any{
		marketing("yes", "NEVER_SUBSCRIBED", "", "", ""),
		marketing("no", "NEVER_SUBSCRIBED", "", at, "HARD_BOUNCE"),
		marketing("no", "UNSUBSCRIBED", at, at, "UNSUBSCRIBE"),
		marketing("yes", "SUBSCRIBED", at, at, ""),
		marketing("no", "NEVER_SUBSCRIBED", "", "", ""),
	} {
		all := decode(t, `{"sms":{"marketing":{"can_receive_sms_marketing":false,"consent":"NEVER_SUBSCRIBED",`+
			`"consent_timestamp":null,"method":null,"method_detail":null,"last_updated":null},"transactional":{`+
			`"can_receive_sms_transactional":false,"consent":"NEVER_SUBSCRIBED","consent_timestamp":null,"method":null,`+
			`"method_detail":null,"last_updated":null}},"mobile_push":{"marketing":{"can_receive_push_marketing":false,`+
			`"consent":"NEVER_SUBSCRIBED","consent_timestamp":null}},"whatsapp":null}`).(map[string]any)
		all["email"] = map[string]any{"marketing": m}
		want = append(want, all)
	}
	for _, path := range []string{"/api/lists/" + list + "/profiles", "/api/profiles"} {
		d := c.want(200, "GET", path+query(asked, "subscriptions"), "")
		same(t, path, d.each("subscriptions"), want)
		id := d.resources[1].ID
		same(t, "one", c.want(200, "GET", "/api/profiles/"+id+query(asked, "subscriptions"), "").each("subscriptions"),
			want[1:2])
		for _, params := range []string{"", query("fields[profile]", "email,subscriptions"),
			query("fields[profile]", "email", asked, "subscriptions")} {
			for _, r := range c.want(200, "GET", path+params, "").resources {
				if _, shown := r.Attributes["subscriptions"]; shown {
					t.Errorf("%s shows subscriptions", path+params)
				}
			}
		}
		for fields, want := range map[string]string{
			"subscriptions.email.marketing.suppression,email": `{"email":{"marketing":{"suppression":[]}}}`,
			"subscriptions.email.marketing":                   `{"email":{"marketing":` + neverMarketing + `}}`,
			"subscriptions.sms.marketing.consent,subscriptions.whatsapp": `{"sms":{"marketing":{"consent":` +
				`"NEVER_SUBSCRIBED"}},"whatsapp":null}`,
		} {
			d := c.want(200, "GET", path+query("fields[profile]", fields, asked, "subscriptions"), "")
			same(t, fields, d.resources[0].Attributes["subscriptions"], decode(t, want))
		}
		c.want(400, "GET", path+query(asked, "predictive_analytics,subscriptions"), "")
	}
}

// decode reads JSON.
func decode(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}
