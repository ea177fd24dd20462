package simulator

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v4"
)

// ReadPlan reads a Plan in YAML and checks it. name is the file's name for its errors, which read FILE:LINE: TEXT,
// one line for each error.
func ReadPlan(name string, r io.Reader) (*Plan, error) {
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("read the plan of faults: %w", err)
	}
	if len(text) > most {
		return nil, fmt.Errorf("%s: expected at most %d bytes, got more", name, most)
	}
	var p Plan
	if err := yaml.Load(text, &p, yaml.WithKnownFields()); err != nil {
		return nil, explain(name, err)
	}
	var document yaml.Node
	if err := yaml.Load(text, &document); err != nil {
		return nil, explain(name, err)
	}
	lines := linesOf(&document)
	if lines.empty != 0 {
		return nil, fmt.Errorf("%s:%d: expected a fault, got nothing", name, lines.empty)
	}
	for part, n := range map[string]int{
		"faults": len(p.Faults), "profiles": len(p.Profiles), "campaigns": len(p.Campaigns),
	} {
		if len(lines.parts[part]) != n {
			return nil, fmt.Errorf("%s: expected only %s in %s", name, part, part)
		}
	}
	var wrong *wrongPlan
	switch err := p.check(); {
	case err == nil:
		return &p, nil
	case !errors.As(err, &wrong):
		return nil, fmt.Errorf("%s: %w", name, err)
	case wrong.part != "":
		return nil, fmt.Errorf("%s:%d: %s", name, lines.parts[wrong.part][wrong.index], wrong.text)
	case lines.others[wrong.endpoint] > 0:
		return nil, fmt.Errorf("%s:%d: %s", name, lines.others[wrong.endpoint], wrong.text)
	}
	return nil, fmt.Errorf("%s: %w", name, wrong)
}

// lines are the lines on which the parts of a plan start.
type lines struct {
	parts  map[string][]int // of the elements of faults, profiles and campaigns
	others map[string]int
	empty  int // the line of the first fault that is null; 0: no fault is
}

func linesOf(document *yaml.Node) (l lines) {
	l.others, l.parts = map[string]int{}, map[string][]int{}
	root := document.Content[0]
	for i := 0; i+1 < len(root.Content); i += 2 {
		value := root.Content[i+1]
		switch part := root.Content[i].Value; part {
		case "faults", "profiles", "campaigns":
			for _, element := range value.Content {
				l.parts[part] = append(l.parts[part], element.Line)
				if l.empty == 0 && element.Tag == "!!null" && part == "faults" {
					l.empty = element.Line
				}
			}
		case "others":
			for k := 0; k+1 < len(value.Content); k += 2 {
				l.others[value.Content[k].Value] = value.Content[k].Line
			}
		}
	}
	return l
}

// explain puts the errors of the YAML package into the words of a plan.
func explain(name string, err error) error {
	var all *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = &yaml.LoadErrors{Errors: []*yaml.LoadError{one}}
	default:
		return fmt.Errorf("%s: %w", name, err)
	}
	var texts []string
	for _, e := range all.Errors {
		place := name
		if e.Mark.Line > 0 {
			place = fmt.Sprintf("%s:%d", name, e.Mark.Line)
		}
		texts = append(texts, place+": "+reword(strings.TrimPrefix(e.Message, "yaml: ")))
	}
	return errors.New(strings.Join(texts, "\n"))
}

// The messages of the YAML package that name Go's types.
var (
	unknownKey = regexp.MustCompile(`^field (.*) not found in type .*\.(\w+)$`)
	wrongValue = regexp.MustCompile("^cannot construct !!(\\w+)(?: `(.*)`)? into (.*)$")
)

// valueNames are the words for the types of a plan's values.
var valueNames = map[string]string{
	"simulator.Plan":              "keys such as faults",
	"simulator.Fault":             "a fault with keys such as do",
	"[]simulator.Fault":           "a list of faults",
	"simulator.Profile":           "a profile with keys such as email",
	"[]simulator.Profile":         "a list of profiles",
	"simulator.Campaign":          "a campaign with keys such as name",
	"[]simulator.Campaign":        "a list of campaigns",
	"*simulator.Consent":          "keys such as single_opt_in",
	"simulator.Consent":           "keys such as single_opt_in",
	"simulator.Others":            "minute and second",
	"map[string]simulator.Others": "operations with minute and second",
	"map[string]string":           "names with texts",
	"string":                      "a text",
	"[]string":                    "a list of texts",
	"bool":                        "true or false",
	"int":                         "a whole number",
	"[]int":                       "a list of whole numbers",
	"uint64":                      "a whole number of 0 or more",
	"float64":                     "a number",
	"time.Duration":               "a duration such as 2s",
}

// reword puts one message of the YAML package into the words of a plan. It returns other messages unchanged.
func reword(text string) string {
	if text == "no documents in stream" {
		return "expected keys such as faults, got an empty file"
	}
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		known := keyNames[Fault]()
		switch m[2] {
		case "Plan":
			known = keyNames[Plan]()
		case "Others":
			known = keyNames[Others]()
		case "Profile":
			known = keyNames[Profile]()
		case "Consent":
			known = keyNames[Consent]()
		case "Campaign":
			known = keyNames[Campaign]()
		}
		return fmt.Sprintf("unknown key %q%s", m[1], suggest(m[1], known))
	}
	m := wrongValue.FindStringSubmatch(text)
	if m == nil || valueNames[m[3]] == "" {
		return text
	}
	got := fmt.Sprintf("%q", m[2])
	switch m[1] {
	case "seq":
		got = "a list"
	case "map":
		got = "keys with values"
	}
	return fmt.Sprintf("expected %s, got %s", valueNames[m[3]], got)
}

// keyNames returns the YAML keys of a struct.
func keyNames[T any]() (names []string) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		names = append(names, field.Tag.Get("yaml"))
	}
	return names
}

// suggest names the known name that is closest to a misspelt one, if it is close, and then all known names.
func suggest(name string, known []string) string {
	text := ""
	distance := func(other string) int { return levenshtein.ComputeDistance(name, other) }
	nearest := slices.MinFunc(known, func(a, b string) int { return distance(a) - distance(b) })
	if d := distance(nearest); d < len(name) && d <= 2 {
		text = fmt.Sprintf(" (did you mean %s?)", nearest)
	}
	return text + "; known are " + strings.Join(known, ", ")
}
