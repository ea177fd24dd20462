package job

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"klaviyo-export/pipeline/workflow"
)

// setting is how a key of result_settings is read. Blanks around a value do not count, except in the name of a list.
type setting struct {
	expected string
	optional bool
	fits     func(value string) bool
}

// known has a setting for each of workflow.Keys.
var known = map[string]setting{
	"type":                {"klaviyo", false, oneOf("klaviyo")},
	"api_token":           {"the private API key", true, printable},
	"operation":           {"add or remove_profiles", false, oneOf("add", "remove_profiles")},
	"list_identify_type":  {"id or name", false, oneOf("id", "name")},
	"list_value":          {"the id or one-line name of a list", false, oneLine},
	"wait_for_completion": {"true or false", true, boolean},

	"waiting_time_for_completion_millis": {
		"a whole number from 300000 to 86400000 (5 minutes to 1 day)", true, waitingTime,
	},
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
		switch setting := known[key]; {
		case there(key) && key != "type" && key != "api_token":
			values[key] = r.text(members[key])
		case !there(key) && !setting.optional && !slices.Contains(misspelt, key):
			r.Fault(workflow.Member{Key: key, At: r.section.At}, "missing, expected %s", setting.expected)
		}
	}
	if token := values["api_token"]; token != "" && strings.Contains(values["list_value"], token) {
		r.Fault(members["list_value"], "expected %s, got a text that holds the API key", known["list_value"].expected)
	}
	return values
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
	case kind == workflow.Boolean && m.Key != "wait_for_completion":
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
	}
	return ""
}

// translate puts TD's values, which fit, into our words.
func translate(values map[string]string, private func(string) bool) *Settings {
	s := &Settings{Key: values["api_token"], Operation: "add", private: private}
	if values["operation"] == "remove_profiles" {
		s.Operation = "remove"
	}
	if values["list_identify_type"] == "id" {
		s.ListID = strings.TrimSpace(values["list_value"])
	} else {
		s.ListName = values["list_value"]
	}
	s.Wait = strings.EqualFold(values["wait_for_completion"], "true")
	if ms, err := strconv.Atoi(values["waiting_time_for_completion_millis"]); err == nil && s.Wait {
		s.WaitTimeout = time.Duration(ms) * time.Millisecond
	}
	return s
}
