package render

import (
	"regexp"
	"strings"
	"sync"

	"klaviyo-export/report"
)

// told is what people read of a code: a sentence on what it means and one on what to do. Remedy is "" where nothing
// needs doing.
type told struct{ Means, Remedy string }

const (
	fixRow  = "Fix the row, then send it again."
	askSend = "Run the same command with --resume. It sends these rows again."
	askWait = "Run klaviyo-export wait, or half an hour after the run the same command with --resume."
)

// codes holds every code of klaviyo-export. Rejections by Klaviyo have Klaviyo's own codes: see tell.
var codes = map[string]told{
	"json_invalid":        {"The row is not valid JSON.", fixRow},
	"row_too_long":        {"The row is too long.", "Shorten it, then send it again."},
	"row_too_deep":        {"The row nests too many values in each other.", "Flatten it, then send it again."},
	"not_an_object":       {"The row is not a JSON object.", fixRow},
	"duplicate_member":    {"The row has the same column twice.", "Keep one of them, then send the row again."},
	"column_name_invalid": {"A column has a name that cannot be sent.", "Rename the column, then send the row again."},
	"email_missing":       {"The row has no email address.", "Add it, then send the row again."},
	"email_invalid":       {"The email address is not valid.", "Correct it, then send the row again."},
	"profile_id_missing":  {"The row has no profile id.", "Add it, then send the row again."},
	"profile_id_invalid":  {"The profile id is not valid.", "Correct it, then send the row again."},
	"phone_missing":       {"The row has no phone number.", "Add it, then send the row again."},
	"phone_invalid":       {"The phone number is not valid.", "Correct it, then send the row again."},
	"phone_ambiguous": {"The phone number can be read in two ways.",
		"Write it as +14155550123, then send the row again."},
	"external_id_missing":  {"The row has no external id.", "Add it, then send the row again."},
	"external_id_invalid":  {"The external id is not valid.", "Correct it, then send the row again."},
	"list_missing":         {"The row names no list.", "Add its list, then send the row again."},
	"list_not_found":       {"Klaviyo has no list of that name or id.", "Create the list or correct its name."},
	"type_wrong":           {"A value has the wrong type.", "Correct the value, then send the row again."},
	"name_reserved":        {"Klaviyo reserves the name of a column.", "Rename the column, then send the row again."},
	"profile_too_large":    {"The profile is larger than Klaviyo allows.", "Leave out columns, then send the row again."},
	"consented_at_invalid": {"The time of the consent is not valid.", "Correct it, then send the row again."},
	"channel_missing": {"The row has no email or phone number for the consent asked for.",
		"Add it, then send the row again."},

	"answer_lost":       {"The answer of Klaviyo was lost: the row may have arrived.", askSend},
	"job_cancelled":     {"Klaviyo cancelled the import job: the row may have arrived.", askSend},
	"job_expired":       {"Klaviyo does not know the import job any more: the row may have arrived.", askSend},
	"error_unmatched":   {"Klaviyo refused a row, but did not say which one.", askSend},
	"errors_incomplete": {"Klaviyo did not list all errors of the import job.", askSend},
	"not_on_list":       {"The person is not on the list.", askSend},
	"still_on_list":     {"The person is still on the list.", askSend},
	"not_cleared":       {"The profile still has a value that the row clears.", askSend},
	"partial_failure":   {"Klaviyo refused a part of the request.", askSend},
	"several_profiles":  {"Several profiles match the row.", "Merge them in Klaviyo, or name one by its profile id."},
	"same_profile":      {"Another row names the same person.", "Keep one of the rows, then send it again."},

	"stopped":     {"The run stopped before it sent the row.", askSend},
	"interrupted": {"The run was interrupted before it sent the row.", askSend},
	"outage":      {"Klaviyo or the network failed before the row was sent.", askSend},

	report.Duplicate:    {"An earlier row is the same.", ""},
	report.Unchanged:    {"Nothing changed since the last run.", ""},
	"profile_not_found": {"Klaviyo has no such profile.", ""},
	report.Pending: {"Klaviyo waits for the person to confirm.",
		"Run klaviyo-export wait later. It shows who confirmed."},
	"not_visible": {"Klaviyo does not show the consent yet.", "Run klaviyo-export wait later."},
	"other":       {"These rows have further codes.", "List them with klaviyo-export report --rejected csv."},
}

// tell explains a reason. A code that is not ours is Klaviyo's.
func tell(r *report.Report, reason *report.Reason) told {
	if t, ok := codes[reason.Code]; ok {
		if !needed(r, reason) && !waits(reason) {
			t.Remedy = ""
		} else if t.Remedy == askSend && ofConsent(r) {
			t.Remedy = askWait
		}
		return t
	}
	if reason.Stage == "" && reason.Code == "" {
		return told{"The row has no code.", "List the rows with klaviyo-export report --rejected csv."}
	}
	return told{"Klaviyo refused the row.", "Correct what Klaviyo names, then send the row again."}
}

// ofConsent reports whether the run set or withdrew consent. Klaviyo may still act on its lost requests for half an
// hour.
func ofConsent(r *report.Report) bool {
	return r.Consent != nil || r.Operation == "subscribe" || r.Operation == "unsubscribe"
}

// needed reports whether someone has to do something about a reason. A person who is not on the list is where a
// removal wants them.
func needed(r *report.Report, reason *report.Reason) bool {
	switch reason.Code {
	case "not_on_list", "profile_not_found":
		return !away(r) || reason.Stage != ""
	}
	return reason.Fault() && !waits(reason)
}

// away reports whether people who are not on the list are where the run wants them. Merged runs may hide a removal:
// their rows are in doubt only when some are unknown for no other reason.
func away(r *report.Report) bool {
	if r.Operation == "remove" || r.Operation == "unsubscribe" || r.Runs < 2 {
		return r.Operation == "remove" || r.Operation == "unsubscribe"
	}
	lost := int64(0)
	for _, code := range []string{"answer_lost", "job_cancelled", "job_expired", "error_unmatched", "errors_incomplete"} {
		lost += withCode(r, code)
	}
	return lost >= r.Rows.Unknown
}

// waits reports whether rows are accepted and wait for Klaviyo or for people.
func waits(reason *report.Reason) bool {
	return reason.Code == report.Pending || reason.Code == "not_visible"
}

// example shows the first row of a reason: its number, its masked key and the masked detail.
func example(reason *report.Reason) string {
	text := "First: row " + grouped(reason.FirstRow) + ofFile(reason.FirstFile)
	if reason.FirstKey != "" {
		text += ", " + discreetKey(reason.FirstKey)
	}
	if _, ours := codes[reason.Code]; !ours && reason.Detail != "" {
		text += ". Klaviyo's words: " + private(reason.Detail)
	}
	return clipped(visible(strings.TrimSuffix(text, ".")), pageExample)
}

// private masks phone numbers too: only their first two and last two characters stay.
func private(text string) string {
	return numbers().ReplaceAllStringFunc(Discreet(text), func(number string) string {
		return number[:2] + "***" + number[len(number)-2:]
	})
}

// numbers matches phone numbers: digits after a +, or many digits in a row.
var numbers = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\+[0-9][0-9 ().-]{5,}[0-9]|\b[0-9]{9,15}\b`)
})

// discreetKey masks a key. A key without an @ is a phone number, an id or a broken address: only its first two and
// last two characters stay.
func discreetKey(key string) string {
	if masked := Discreet(key); strings.Contains(masked, "***@") {
		return masked
	}
	runes := []rune(key)
	if len(runes) < 8 {
		return "***"
	}
	return visible(string(runes[:2]) + "***" + string(runes[len(runes)-2:]))
}
