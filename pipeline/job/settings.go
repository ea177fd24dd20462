package job

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// setting is a key of result_settings. Blanks around a value do not count, but for those of a list's name.
type setting struct {
	name     string
	meant    string
	optional bool
	fits     func(value string) bool
}

// known are all the keys, in TD's order.
var known = []setting{
	{"type", "klaviyo", false, oneOf("klaviyo")},
	{"api_token", "the private API key", true, printable},
	{"operation", "add or remove_profiles", false, oneOf("add", "remove_profiles")},
	{"list_identify_type", "id or name", false, oneOf("id", "name")},
	{"list_value", "the id or one-line name of a list", false, oneLine},
	{"wait_for_completion", "true or false", true, boolean},
	{"waiting_time_for_completion_millis", "a whole number from 300000 to 86400000 (5 minutes to 1 day)", true, waitingTime},
}

var keyNames = func() (names []string) {
	for _, s := range known {
		names = append(names, s.name)
	}
	return names
}()

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

// settings reads the settings of an export, nil after a fault.
func (x *expander) settings(e *export) *Settings {
	if e.settings.Kind != yaml.MappingNode {
		x.add(e.at, "result_settings is %s, a mapping is meant", describe(e.settings))
		return nil
	}
	members := map[string]pair{}
	for _, p := range x.pairs(e.settings) {
		members[p.key.Value] = p
	}
	if !slices.ContainsFunc(keyNames, func(name string) bool { return members[name].key != nil }) {
		x.add(e.at, "none of the keys of an export is here: %s", strings.Join(keyNames, ", "))
		return nil
	}
	values := map[string]string{}
	read := func(name string) {
		s := known[slices.Index(keyNames, name)]
		if p, there := members[name]; there {
			values[name] = x.text(s, p)
		}
	}
	// The key comes first: from then on it is known what must not be shown.
	if p, there := members["api_token"]; there && x.keyless {
		x.hide(p.value.Value)
	} else {
		x.private = true
		read("api_token")
		x.hide(values["api_token"])
		x.private = false
	}
	read("type")
	if kind, there := values["type"]; there && x.failed() && meant(kind, []string{"klaviyo"}) == "" {
		return nil // the keys of something else
	}
	misspelt := x.strangers(e)
	for _, s := range known {
		_, there := members[s.name]
		switch {
		case there && s.name != "type" && s.name != "api_token":
			read(s.name)
		case !there && !s.optional && !slices.Contains(misspelt, s.name):
			x.add(e.at, "%s is missing, %s is meant", s.name, s.meant)
		}
	}
	if x.failed() {
		return nil
	}
	return translate(values, x.document.private)
}

// strangers finds what does not belong to the settings, and returns the keys that it seems to stand for.
func (x *expander) strangers(e *export) (misspelt []string) {
	for _, p := range x.pairs(e.settings) {
		name := p.key.Value
		if slices.Contains(keyNames, name) {
			continue
		}
		near := meant(name, keyNames)
		switch {
		case near != "":
			x.add(x.at(p.key), "unknown key %s, %s is meant", x.name(name), near)
		case slices.Contains(misspelt, ""):
			x.add(x.at(p.key), "unknown key %s", x.name(name))
		default:
			x.add(x.at(p.key), "unknown key %s; known are %s", x.name(name), strings.Join(keyNames, ", "))
		}
		misspelt = append(misspelt, near)
	}
	for _, p := range e.beside {
		if name := p.key.Value; name != "type" && slices.Contains(keyNames, name) {
			misspelt = append(misspelt, name)
			x.add(x.at(p.key), "%s stands beside result_settings, it is meant below it and indented", name)
		}
	}
	return misspelt
}

// text returns a setting's value. After a fault it may be one that does not fit.
func (x *expander) text(s setting, p pair) string {
	at, n := x.at(p.key), target(p.value)
	switch {
	case n.Tag == "!!null" && s.name == "api_token":
		return ""
	case !textual(n):
		x.add(at, "%s is %s, %s is meant", s.name, describe(n), s.meant)
		return ""
	case n.Tag == "!!bool" && s.name == "list_value":
		x.add(at, "list_value is a boolean, a text in quotes is meant")
		return ""
	case n.Tag == "!!bool" && s.name != "wait_for_completion":
		x.add(at, "%s is a boolean, %s is meant", s.name, s.meant)
		return ""
	}
	text, ok := x.expand(n.Value, place{at: at, in: s.name})
	if s.name != "list_value" {
		text = strings.TrimSpace(text)
	}
	switch {
	case !ok || s.fits(text):
	case s.name == "api_token":
		x.add(at, "api_token holds blanks or characters that no key has, %s is meant", s.meant)
	default:
		found := x.value(text)
		if n.Tag != "!!str" {
			found = x.name(text)
		}
		x.add(at, "%s is %s, %s is meant", s.name, found, instead(s, text))
	}
	return text
}

// instead says what is meant in place of a value that does not fit.
func instead(s setting, text string) string {
	if s.name == "operation" {
		switch text = strings.ToLower(text); {
		case strings.HasPrefix(text, "add"):
			return "add"
		case strings.HasPrefix(text, "remove"), strings.HasPrefix(text, "delete"):
			return "remove_profiles"
		}
	}
	return s.meant
}

// translate puts TD's values, which fit, into our words.
func translate(values map[string]string, private []string) *Settings {
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
