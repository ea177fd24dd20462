package job

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"klaviyo-export/pipeline/workflow"
	"klaviyo-export/validate"
)

// setting is how a key of result_settings is read. Blanks around a value do not count, except in the name of a list.
type setting struct {
	expected string
	optional bool
	fits     func(value string) bool
}

const trueOrFalse = "true or false"

// known has a setting for each of workflow.Keys.
var known = map[string]setting{
	"type":                {"klaviyo", false, oneOf("klaviyo")},
	"api_token":           {"the private API key", true, printable},
	"operation":           {"add, remove_profiles, subscribe_profiles or unsubscribe_profiles", false, operation},
	"list_identify_type":  {"id or name", false, oneOf("id", "name")},
	"list_value":          {"the id or one-line name of a list", false, oneLine},
	"wait_for_completion": {trueOrFalse, true, boolean},

	"waiting_time_for_completion_millis": {
		"a whole number from 300000 to 86400000 (5 minutes to 1 day)", true, waitingTime,
	},

	"channels":          {"email, sms, sms-transactional, or several of them with commas", true, channels},
	"everywhere":        {trueOrFalse, true, boolean},
	"historical_import": {trueOrFalse, true, boolean},
	"consented_at":      {"the name of a column", true, oneLine},
	"custom_source":     {"a text of one line", true, oneLine},
}

// commands are the operations with their commands.
var commands = map[string]string{
	"add": "add", "remove_profiles": "remove", subscribing: "subscribe", unsubscribing: "unsubscribe",
}

const subscribing, unsubscribing = "subscribe_profiles", "unsubscribe_profiles"

func operation(value string) bool { return commands[value] != "" }

// ours are the settings that TD does not have, with the operations that obey them.
var ours = []struct {
	key        string
	operations []string
}{
	{"channels", []string{subscribing, unsubscribing}},
	{"everywhere", []string{unsubscribing}},
	{"historical_import", []string{subscribing}},
	{"consented_at", []string{subscribing}},
	{"custom_source", []string{subscribing}},
}

func channels(value string) bool {
	_, err := validate.ParseChannels(strings.Split(value, ",")...)
	return err == nil
}

func oneOf(words ...string) func(string) bool {
	return func(value string) bool { return slices.Contains(words, value) }
}

func printable(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' })
}

func oneLine(value string) bool {
	return strings.TrimSpace(value) != "" && !strings.ContainsFunc(value, unicode.IsControl)
}

func boolean(value string) bool {
	return strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
}

var wholeNumber = regexp.MustCompile(`^[1-9][0-9]*$`) // 0300000 is octal to TD

func waitingTime(value string) bool {
	ms, err := strconv.Atoi(value)
	return err == nil && wholeNumber.MatchString(value) && ms >= 300_000 && ms <= 86_400_000
}

// reader reads the settings of one export.
type reader struct {
	*workflow.Document
	section *workflow.Section
	keyless bool // the key is not resolved
}

// values returns the values by their keys. They all fit unless the document has a fault.
func (r *reader) values() map[string]string {
	members := map[string]workflow.Member{}
	for _, m := range r.section.Members {
		members[m.Key] = m
	}
	there := func(key string) bool { _, there := members[key]; return there }
	if !slices.ContainsFunc(workflow.Keys, there) {
		keys := strings.Join(workflow.Keys, ", ")
		r.Fault(r.section.Member, "expected the settings of an export (%s), got none of them", keys)
		return nil
	}
	values := map[string]string{}
	// The key comes first: it decides what faults must not show.
	if there("api_token") && !r.keyless {
		values["api_token"] = r.text(members["api_token"])
	}
	if there("type") {
		values["type"] = r.text(members["type"])
		if r.Failed() && !resembles(values["type"]) {
			return nil // the keys of another export
		}
	}
	misspelt := r.strangers()
	for _, key := range workflow.Keys {
		switch {
		case there(key) && key != "type" && key != "api_token":
			values[key] = r.text(members[key])
		case !there(key) && r.needs(key, values) && !slices.Contains(misspelt, key):
			r.Fault(workflow.Member{Key: key, At: r.section.At}, "missing, expected %s", known[key].expected)
		}
	}
	for _, key := range []string{"list_value", "custom_source"} {
		if token := values["api_token"]; token != "" && strings.Contains(values[key], token) {
			r.Fault(members[key], "expected %s, got a text that holds the API key", known[key].expected)
		}
	}
	if !r.Failed() {
		r.agree(members, values)
	}
	return values
}

// needs reports whether a key must be there. values has those of the keys before it. Consent needs no list.
func (r *reader) needs(key string, values map[string]string) bool {
	consent := values["operation"] == subscribing || values["operation"] == unsubscribing
	switch key {
	case "list_identify_type":
		return !consent
	case "list_value":
		return !consent || values["list_identify_type"] != ""
	case "channels":
		return consent
	case "consented_at":
		return strings.EqualFold(values["historical_import"], "true")
	}
	return !known[key].optional
}

// agree notes the settings of ours that contradict the operation or each other.
func (r *reader) agree(members map[string]workflow.Member, values map[string]string) {
	for _, own := range ours {
		if _, there := members[own.key]; there && !slices.Contains(own.operations, values["operation"]) {
			r.Fault(members[own.key], "expected only with operation: %s, got it with %s",
				strings.Join(own.operations, " or "), values["operation"])
		}
	}
	everywhere, list := strings.EqualFold(values["everywhere"], "true"), members["list_value"]
	missing := workflow.Member{Key: "list_value", At: r.section.At}
	switch {
	case values["list_value"] != "" && values["list_identify_type"] == "":
		r.Fault(list, "expected list_identify_type beside it, got none")
	case values["operation"] == unsubscribing && everywhere && values["list_value"] != "":
		r.Fault(list, "expected no list with everywhere: true, got one; choose one list, or the whole account")
	case values["operation"] == unsubscribing && !everywhere && values["list_value"] == "":
		r.Fault(missing, "missing, expected %s, or everywhere: true", known["list_value"].expected)
	}
	if values["consented_at"] != "" && !strings.EqualFold(values["historical_import"], "true") {
		r.Fault(members["consented_at"], "expected historical_import: true beside it, got none")
	}
}

// resembles reports whether a type seems to stand for klaviyo.
func resembles(kind string) bool { return workflow.Nearest(kind, []string{"klaviyo"}) != "" }

// strangers notes the keys that do not belong to the settings, and returns the keys that they seem to stand for.
func (r *reader) strangers() (misspelt []string) {
	for _, m := range r.section.Members {
		if !slices.Contains(workflow.Keys, m.Key) {
			misspelt = append(misspelt, r.Unknown(m, workflow.Keys))
		}
	}
	for _, m := range r.section.Beside {
		if m.Key != "type" && slices.Contains(workflow.Keys, m.Key) {
			misspelt = append(misspelt, m.Key)
			r.Fault(m, "expected inside result_settings, got it beside; indent it below result_settings")
		}
	}
	return misspelt
}

// text returns a setting's value. After a fault it may be one that does not fit.
func (r *reader) text(m workflow.Member) string {
	s := known[m.Key]
	switch kind := m.Kind(); {
	case kind == workflow.Nothing && m.Key == "api_token":
		return ""
	case kind == workflow.Boolean && m.Key == "list_value":
		r.Fault(m, "expected a text in quotes, got %s", kind)
		return ""
	case kind == workflow.Boolean && s.expected != trueOrFalse:
		r.Fault(m, "expected %s, got %s", s.expected, kind)
		return ""
	}
	text, ok := r.Text(m, s.expected)
	if m.Key != "list_value" {
		text = strings.TrimSpace(text)
	}
	switch {
	case !ok || s.fits(text):
	case m.Key == "api_token":
		r.Fault(m, "expected %s, got blanks or characters that no key has", s.expected)
	default:
		r.Fault(m, "expected %s, got %s%s", s.expected, r.Quote(text), instead(m.Key, text))
	}
	return text
}

// instead suggests an operation for another system's word, or returns "".
func instead(key, text string) string {
	text = strings.ToLower(text)
	switch {
	case key != "operation":
	case strings.HasPrefix(text, "add"):
		return " (did you mean add?)"
	case strings.HasPrefix(text, "remove"), strings.HasPrefix(text, "delete"):
		return " (did you mean remove_profiles?)"
	case strings.HasPrefix(text, "unsubscribe"):
		return " (did you mean " + unsubscribing + "?)"
	case strings.HasPrefix(text, "subscribe"):
		return " (did you mean " + subscribing + "?)"
	case strings.Contains(text, "historical"):
		return " (did you mean " + subscribing + " with historical_import: true?)"
	}
	return ""
}

// translate puts TD's values, which fit, into our words.
func translate(values map[string]string, private func(string) bool) *Settings {
	isTrue := func(key string) bool { return strings.EqualFold(values[key], "true") }
	s := &Settings{
		Key: values["api_token"], Operation: commands[values["operation"]], private: private,
		Everywhere: isTrue("everywhere"), Historical: isTrue("historical_import"),
		ConsentedAt: values["consented_at"], Source: values["custom_source"],
	}
	if set, err := validate.ParseChannels(strings.Split(values["channels"], ",")...); err == nil {
		s.Channels = set.Names()
	}
	if values["list_identify_type"] == "id" {
		s.ListID = strings.TrimSpace(values["list_value"])
	} else {
		s.ListName = values["list_value"]
	}
	s.Wait = isTrue("wait_for_completion")
	if ms, err := strconv.Atoi(values["waiting_time_for_completion_millis"]); err == nil && s.Wait {
		s.WaitTimeout = time.Duration(ms) * time.Millisecond
	}
	return s
}
