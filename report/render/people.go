package render

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"klaviyo-export/report"
)

// people says in sentences where the people of the rows are now, for readers who know no statuses. Accepted rows are
// not done. It returns no sentence for a killed run without results.
func people(r *report.Report) (says []string) {
	add := func(n int64, one, many string) {
		if n > 0 {
			says = append(says, grouped(n)+verb(n, one, many))
		}
	}
	for _, text := range []string{sent(r.Campaign), done(r)} {
		if text != "" {
			says = append(says, text)
		}
	}
	rows := &r.Rows
	if len(says) > 0 && r.Simulated && r.Runs < 2 && rows.Read > rows.Valid {
		says[0] = "in the simulation, " + says[0]
	}
	if r.Runs > 1 {
		add(rows.Valid, " row was only checked", " rows were only checked")
	}
	pending := min(withCode(r, report.Pending), rows.Accepted)
	if rows.Applied > 0 {
		add(rows.Accepted-pending, " row waits for the result", " rows wait for the result")
	}
	if rows.Applied > 0 || pending < rows.Accepted {
		add(pending, " row waits until its person confirms", " rows wait until their people confirm")
	}
	skipped(r, add)
	if m := mirrored(r); m != nil && rows.Valid == 0 {
		add(m.Removed, " person without a row was removed", " people without a row were removed")
		add(m.Extras-m.Removed, " person without a row may still be on the list",
			" people without a row may still be on the list")
	}
	add(rows.Resumed, " row has its result from an earlier run", " rows have their results from an earlier run")
	add(rows.Rejected, " row was refused", " rows were refused")
	if rows.Unknown > 0 {
		says = append(says, "the outcome of "+numbered(rows.Unknown, "row")+" is not certain")
	}
	add(rows.Unsent, " row was not sent", " rows were not sent")
	if r.Unread && rows.Read > 0 {
		says = append(says, "the run ended before it had read all rows")
	}
	return says
}

// skipped says why rows were not sent.
func skipped(r *report.Report, add func(n int64, one, many string)) {
	left := r.Rows.Skipped
	with := func(code string) int64 {
		n := min(withCode(r, code), left)
		left -= n
		return n
	}
	add(with(report.Unchanged), " row is the same as in the last run", " rows are the same as in the last run")
	if away(r) {
		add(with("not_on_list"), " row names a person who was not on the list", " rows name people who were not on the list")
	}
	add(with(report.Duplicate), " row repeats an earlier row", " rows repeat earlier rows")
	add(left, " row did not need to be sent", " rows did not need to be sent")
}

// done says for how many rows the run did what it should.
func done(r *report.Report) string {
	rows, m := &r.Rows, mirrored(r)
	switch {
	case rows.Read == 0 && r.ExitCode == 0:
		return "there were no rows, so nothing changed"
	case rows.Read == 0 && (r.ExitCode > 4 || resumes(r)):
		return ""
	case rows.Read == 0:
		return "no row was sent"
	case rows.Valid > 0 && r.Runs < 2 && m != nil:
		return "this is a plan: " + persons(m.Added) + " would join " + onList(r) + ", and " + persons(m.Extras) +
			" would be removed"
	case rows.Valid > 0 && r.Runs < 2:
		return "this was a check: " + ofAll(rows.Valid, rows.Read) + verb(rows.Valid, " is", " are") +
			" valid, and nothing was sent"
	}
	state, change := aim(r)
	switch {
	case state == "" && rows.Applied > 0:
		return ofAll(rows.Applied, rows.Read) + verb(rows.Applied, " is", " are") + " done"
	case rows.Applied > 0 && unchanged(r) > 0:
		return verb(rows.Applied, "the person", "the people") + " of " + grouped(rows.Applied) + " new or changed " +
			verb(rows.Applied, "row is ", "rows are ") + state
	case rows.Applied > 0:
		return verb(rows.Applied, "the person", "the people") + " of " + ofAll(rows.Applied, rows.Read) +
			verb(rows.Applied, " is ", " are ") + state
	case rows.Accepted > 0 && withCode(r, report.Pending) >= rows.Accepted:
		return "nobody has confirmed yet; Klaviyo asked the " + verb(rows.Accepted, "person", "people") + " of " +
			ofAll(rows.Accepted, rows.Read)
	case rows.Accepted > 0:
		return "Klaviyo accepted " + ofAll(rows.Accepted, rows.Read) + ", but their outcome is not known yet"
	case state == "":
		return "no row is done for certain"
	case rows.Unknown > 0:
		return "it is not certain that anybody was " + change
	case rows.Resumed > 0:
		return "in this run nobody was " + change
	}
	return "nobody was " + change
}

// aim says where the people of a row should be after the run, and what happens to them. It returns "" for several runs.
func aim(r *report.Report) (state, change string) {
	switch r.Operation {
	case "add", "mirror":
		return "on " + onList(r), "added to " + onList(r)
	case "remove":
		return "no longer on " + onList(r), "removed from " + onList(r)
	case "subscribe":
		return "subscribed", "subscribed"
	case "unsubscribe":
		if r.Consent != nil && r.Consent.Everywhere {
			return "unsubscribed everywhere", "unsubscribed"
		}
		return "unsubscribed from " + onList(r), "unsubscribed from " + onList(r)
	}
	return "", ""
}

// onList names the list of a run.
func onList(r *report.Report) string {
	if r.List == nil || r.List.Name == "" || r.List.Name == "several" || len(r.Lists) > 0 {
		return "their list"
	}
	return `the list "` + shown(r.List.Name) + `"`
}

// sent says whether the campaign was sent, "" for no campaign or several.
func sent(c *report.Campaign) string {
	if c == nil || c.ID == "several" || c.Status == "several" {
		return ""
	}
	text := "the campaign " + shown(c.ID)
	switch strings.ToLower(c.Status) {
	case report.CampaignNotSent:
		return text + " was not sent"
	case report.CampaignUnknown:
		return "it is not known whether " + text + " was sent"
	case report.CampaignSending:
		text += " is being sent"
	case "sent":
		text += " was sent"
	default:
		return text + ` has the status "` + shown(c.Status) + `"`
	}
	if c.EstimatedRecipients != nil {
		text += " to about " + persons(*c.EstimatedRecipients)
	}
	return text
}

// persons writes a number of people.
func persons(n int64) string { return grouped(n) + verb(n, " person", " people") }

// ofAll writes a part of all rows.
func ofAll(n, all int64) string {
	switch {
	case n == all && all == 1:
		return "the only row"
	case n == all:
		return "all " + numbered(all, "row")
	}
	return grouped(n) + " of " + numbered(all, "row")
}

// sentences writes sentences one after the other.
func sentences(all []string) string {
	var b strings.Builder
	for i, text := range all {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(capital(text) + ".")
	}
	return b.String()
}

// capital writes the first letter in upper case.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}
