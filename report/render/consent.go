package render

import (
	"strings"

	"klaviyo-export/report"
)

// consent says what consent the run set or withdrew, and what reading it back showed.
func consent(r *report.Report) string {
	c := r.Consent
	switch {
	case c == nil && r.Operation == "remove":
		return "unchanged: remove unsubscribes no one"
	case c == nil:
		return ""
	}
	text := strings.Join(c.Channels, ", ")
	switch {
	case c.Everywhere:
		text += ", for the whole account"
	case r.Operation == "unsubscribe":
		text += ", for the list"
	case c.Historical:
		text += ", with the times of the rows (historical)"
	}
	if c.Source != "" {
		text += "; source: " + Discreet(c.Source)
	}
	for _, p := range []struct {
		n    int64
		text string
	}{
		{c.Already, "were so before"}, {c.Unmailable, "subscribed, but Klaviyo may not send to them"},
		{c.ScopeList, "unsubscribed from the list alone"}, {c.ScopeGlobal, "unsubscribed from the whole account"},
		{withCode(r, report.Pending), "wait for the person's confirmation"},
		{withCode(r, "not_visible"), "not visible yet"},
	} {
		if p.n > 0 {
			text += "; " + grouped(p.n) + " " + p.text
		}
	}
	return text
}

// withCode counts the rows that have a code.
func withCode(r *report.Report, code string) (rows int64) {
	for i := range r.Reasons {
		if r.Reasons[i].Code == code {
			rows += r.Reasons[i].Rows
		}
	}
	return rows
}
