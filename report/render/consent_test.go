package render

import (
	"testing"

	"klaviyo-export/report"
)

// The text says who was not on the list, whether people left one list or everything, and who still has to confirm.
func TestConsentWords(t *testing.T) {
	type reasons = []report.Reason
	left := report.Rows{Read: 250, Applied: 218, Skipped: 32}
	for _, c := range []struct {
		name                     string
		report                   report.Report
		outcome, skipped, people string
	}{
		{"unsubscribed from a list", report.Report{
			Operation: "unsubscribe", Rows: left,
			Reasons: reasons{{Code: "not_on_list", Rows: 30}, {Code: "duplicate", Rows: 2}},
			Consent: &report.Consents{Channels: []string{"email"}, ScopeList: 8, ScopeGlobal: 210},
		}, "every row is applied or skipped", "not sent: 30 not on the list, 2 others",
			"email, for the list; 8 unsubscribed from the list alone; 210 unsubscribed from the whole account"},
		{"unsubscribed everywhere", report.Report{
			Operation: "unsubscribe", Rows: left, Reasons: reasons{{Code: "duplicate", Rows: 32}},
			Consent: &report.Consents{Channels: []string{"email"}, Everywhere: true, ScopeGlobal: 218},
		}, "every row is applied or skipped", "not sent: a duplicate of an earlier row",
			"email, for the whole account; 218 unsubscribed from the whole account"},
		{"have to confirm", report.Report{
			Operation: "subscribe", Rows: report.Rows{Read: 20, Applied: 1, Accepted: 19},
			Reasons: reasons{{Code: report.Pending, Rows: 19}}, Consent: &report.Consents{Channels: []string{"email"}},
		}, "no row failed; 19 rows wait for people to confirm, and klaviyo-export wait shows who did",
			"not sent: a duplicate of an earlier row", "email; 19 wait for the person's confirmation"},
		{"confirm and more", report.Report{
			Operation: "subscribe", Rows: report.Rows{Read: 20, Accepted: 20},
			Reasons: reasons{{Code: report.Pending, Rows: 19}},
			Consent: &report.Consents{Channels: []string{"email"}},
		}, "Klaviyo accepted every row, but the outcome is not known yet: klaviyo-export wait finds it out",
			"not sent: a duplicate of an earlier row", "email; 19 wait for the person's confirmation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, said := range [][2]string{
				{outcome(&c.report), c.outcome}, {meaning(&c.report, report.Skipped), c.skipped}, {consent(&c.report), c.people},
			} {
				if said[0] != said[1] {
					t.Errorf("got  %s\nwant %s", said[0], said[1])
				}
			}
		})
	}
}
