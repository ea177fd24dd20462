package render

import (
	"testing"

	"klaviyo-export/report"
)

// The first sentences say where people are now, for every kind of run. They count no row as done that is accepted,
// unknown, checked or not sent, and they say so when a run is simulated.
func TestPeople(t *testing.T) {
	type (
		rows    = report.Rows
		reasons = []report.Reason
	)
	estimate := int64(1961)
	for name, c := range map[string]struct {
		report report.Report
		want   string
	}{
		"all": {report.Report{Operation: "add", List: newsletter(), Rows: rows{Read: 2000, Applied: 2000}},
			`The people of all 2,000 rows are on the list "Newsletter".`},
		"the only one": {report.Report{Operation: "add", List: newsletter(), Rows: rows{Read: 1, Applied: 1}},
			`The person of the only row is on the list "Newsletter".`},
		"some": {report.Report{Operation: "remove", List: newsletter(),
			Rows:    rows{Read: 7, Applied: 1, Skipped: 4, Rejected: 2},
			Reasons: reasons{{Code: "not_on_list", Rows: 2}, {Code: report.Duplicate, Rows: 1}}},
			`The person of 1 of 7 rows is no longer on the list "Newsletter". 2 rows name people who were not on the list. ` +
				`1 row repeats an earlier row. 1 row did not need to be sent. 2 rows were refused.`},
		"nobody": {report.Report{Operation: "add", List: newsletter(), ExitCode: 130, Unread: true,
			Rows: rows{Read: 2, Unsent: 2}},
			`Nobody was added to the list "Newsletter". 2 rows were not sent. The run ended before it had read all rows.`},
		"in doubt": {report.Report{Operation: "unsubscribe", List: newsletter(), ExitCode: 1,
			Rows: rows{Read: 2, Unknown: 2}},
			`It is not certain that anybody was unsubscribed from the list "Newsletter". ` +
				`The outcome of 2 rows is not certain.`},
		"everywhere": {report.Report{Operation: "unsubscribe", Consent: &report.Consents{Everywhere: true},
			Rows: rows{Read: 2, Applied: 2}}, "The people of all 2 rows are unsubscribed everywhere."},
		"several lists": {report.Report{Operation: "add", Lists: make([]report.ListRows, 2), Rows: rows{Read: 2, Applied: 2}},
			"The people of all 2 rows are on their list."},
		"accepted": {report.Report{Operation: "add", Rows: rows{Read: 3, Accepted: 2, Rejected: 1}},
			"Klaviyo accepted 2 of 3 rows, but their outcome is not known yet. 1 row was refused."},
		"asked": {report.Report{Operation: "subscribe", Rows: rows{Read: 3, Accepted: 3},
			Reasons: reasons{{Code: report.Pending, Rows: 3}}},
			"Nobody has confirmed yet; Klaviyo asked the people of all 3 rows."},
		"some confirmed": {report.Report{Operation: "subscribe", Rows: rows{Read: 3, Applied: 1, Accepted: 2},
			Reasons: reasons{{Code: report.Pending, Rows: 2}}},
			"The person of 1 of 3 rows is subscribed. 2 rows wait until their people confirm."},
		"unchanged": {report.Report{Operation: "add", Rows: rows{Read: 9, Applied: 2, Skipped: 7},
			Reasons: reasons{{Code: report.Unchanged, Rows: 7}}},
			"The people of 2 new or changed rows are on their list. 7 rows are the same as in the last run."},
		"resumed": {report.Report{Operation: "add", Rows: rows{Read: 9, Resumed: 9}},
			"In this run nobody was added to their list. 9 rows have their results from an earlier run."},
		"mirror": {report.Report{Operation: "mirror", ExitCode: 1, Rows: rows{Read: 9, Applied: 9},
			Members: &report.Members{Mirrored: &report.Mirrored{Extras: 3, Removed: 1}}},
			"The people of all 9 rows are on their list. 1 person without a row was removed. " +
				"2 people without a row may still be on the list."},
		"plan": {report.Report{Operation: "mirror", Simulated: true, Rows: rows{Read: 9, Valid: 9},
			Members: &report.Members{Mirrored: &report.Mirrored{Added: 1, Extras: 3}}},
			"This is a plan: 1 person would join their list, and 3 people would be removed."},
		"check": {report.Report{Operation: "add", ExitCode: 1, Rows: rows{Read: 9, Valid: 8, Rejected: 1}},
			"This was a check: 8 of 9 rows are valid, and nothing was sent. 1 row was refused."},
		"error":   {report.Report{Operation: "add", ExitCode: 2}, "No row was sent."},
		"refused": {report.Report{Operation: "add", ExitCode: 2, Error: "resume: answers are lost"}, ""},
		"empty":   {report.Report{Operation: "add"}, "There were no rows, so nothing changed."},
		"killed":  {report.Report{ExitCode: 143}, ""},
		"merged": {report.Report{Operation: "several", Runs: 2, Simulated: true, Rows: rows{Read: 9, Applied: 4, Valid: 5}},
			"4 of 9 rows are done. 5 rows were only checked."},
		"sent": {report.Report{Operation: "add", Simulated: true, Rows: rows{Read: 9, Applied: 9},
			Campaign: &report.Campaign{ID: "01X", Status: "Sent", EstimatedRecipients: &estimate}},
			"In the simulation, the campaign 01X was sent to about 1,961 people. The people of all 9 rows are on their list."},
		"cancelled": {report.Report{Campaign: &report.Campaign{ID: "01X", Status: "Cancelled"}, ExitCode: 143},
			`The campaign 01X has the status "Cancelled".`},
		"not sent": {report.Report{Campaign: &report.Campaign{ID: "01X", Status: report.CampaignNotSent}, ExitCode: 143},
			"The campaign 01X was not sent."},
		"perhaps sent": {report.Report{Campaign: &report.Campaign{ID: "01X", Status: report.CampaignUnknown}, ExitCode: 143},
			"It is not known whether the campaign 01X was sent."},
	} {
		if got := sentences(people(&c.report)); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}
