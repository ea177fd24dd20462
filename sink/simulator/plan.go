package simulator

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Plan is what goes wrong in a Simulator. Several may use one Plan; each counts for itself.
//
// Faults are gone through in their order. Several may act on one request; the first one that gives an answer of its own, or none, is
// the last of them. So a delay stands before what it delays.
type Plan struct {
	Faults []Fault `yaml:"faults"`
	// Others are other clients of the account, by endpoint, written as in Fault.On. They use up the rate limits.
	Others map[string]Others `yaml:"others"`
	// Seed is that of Fault.Percent: the same requests in the same order meet the same faults.
	Seed uint64 `yaml:"seed"`
}

// Fault is one thing that goes wrong: on which requests, and what. testdata/plan.yaml shows every kind.
// The zero value of a parameter is its default, and a kind takes no parameters but its own.
type Fault struct {
	// On is the method and path of an operation as in Requests, or "*" for every request. The kinds that concern imports need none.
	On string `yaml:"on"`
	// Skip lets so many matching requests pass first. The kinds that concern imports count those imports alone that would be
	// accepted and have a profile that the fault is about; all others count every request, whatever another fault does to it.
	Skip int `yaml:"skip"`
	// Times is how often the fault acts: 0 is once, -1 for ever.
	Times int `yaml:"times"`
	// Every is 5 to act on every fifth matching request.
	Every int `yaml:"every"`
	// Percent is the chance to act on a matching request; 0 is always.
	Percent float64 `yaml:"percent"`
	// Do is the kind.
	Do string `yaml:"do"`

	// Of the kinds that answer.
	Status  int               `yaml:"status"`
	As      string            `yaml:"as"`      // error, page, empty, text or no_id
	Body    string            `yaml:"body"`    // in place of As
	Type    string            `yaml:"type"`    // the media type
	Headers map[string]string `yaml:"headers"` // more of them
	To      string            `yaml:"to"`      // a URL

	RetryAfter time.Duration `yaml:"retry_after"` // of throttle; 0 is a second
	Form       string        `yaml:"form"`        // of Retry-After: seconds, date or none
	Window     string        `yaml:"window"`      // second, minute or day: Retry-After is its end

	Processed bool          `yaml:"processed"` // of reset: it comes after the request has had its effect
	Before    time.Duration `yaml:"before"`    // of delay: before the request has its effect
	After     time.Duration `yaml:"after"`     // of delay: then, before the answer; of cancel: in processing; of expire: since the import

	// Of the kinds that concern imports. Without Addresses and Indexes all profiles of an import are meant.
	Addresses []string `yaml:"addresses"` // patterns of emails: * is any text; case doesn't matter
	Indexes   []int    `yaml:"indexes"`   // places in the request, from 0
	Phones    []string `yaml:"phones"`    // patterns of phone numbers
	Naming    string   `yaml:"naming"`    // of refuse: all, rounds (the first one alone in each answer) or unnamed
	Code      string   `yaml:"code"`      // of the error, of kind status too
	Detail    string   `yaml:"detail"`    // of the error, of kind status too
	Attribute string   `yaml:"attribute"` // that refuse points at
	Profiles  int      `yaml:"profiles"`  // of too_large: the most that pass
	Bytes     int      `yaml:"bytes"`     // of too_large: the most that pass; of truncate: what is sent, 0 is half
	Payload   string   `yaml:"payload"`   // original_payload of fail: full, none or attributes (below a member of this name)
	Pointer   string   `yaml:"pointer"`   // of fail: index or data
	Report    *int     `yaml:"report"`    // of fail: only so many errors of the job can be read
	Uppercase bool     `yaml:"uppercase"` // of fail: the address in original_payload is in upper case
}

// Others is what other clients use of one endpoint: Minute requests in every minute, in bursts of Second, evenly
// spread. Either may be 0: with Minute alone requests come one by one, with Second alone so many evenly in every second.
type Others struct {
	Minute int `yaml:"minute"`
	Second int `yaml:"second"`
}

// ReadPlan reads a Plan in YAML and checks it. Its errors name the lines.
func ReadPlan(r io.Reader) (*Plan, error) {
	const most = 1 << 20
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading the plan of faults: %w", err)
	}
	if len(text) > most {
		return nil, fmt.Errorf("reading the plan of faults: it is longer than %d bytes", most)
	}
	var p Plan
	if err := yaml.Load(text, &p, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("reading the plan of faults: %s", explain(err))
	}
	var document yaml.Node
	if err := yaml.Load(text, &document); err != nil {
		return nil, fmt.Errorf("reading the plan of faults: %w", err)
	}
	lines := faultLines(&document)
	if len(lines) != len(p.Faults) {
		return nil, errors.New("reading the plan of faults: a fault is empty")
	}
	if err := p.check(func(i int) string { return fmt.Sprintf("line %d", lines[i]) }); err != nil {
		return nil, fmt.Errorf("reading the plan of faults: %w", err)
	}
	return &p, nil
}

// faultLines returns the line on which each fault begins.
func faultLines(document *yaml.Node) (lines []int) {
	root := document.Content[0]
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "faults" {
			for _, fault := range root.Content[i+1].Content {
				lines = append(lines, fault.Line)
			}
		}
	}
	return lines
}

var unknownMember = regexp.MustCompile(`^field (.*) not found in type .*\.(\w+)$`)

// explain tells the errors of the YAML package in the words of a plan.
func explain(err error) string {
	var all *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = &yaml.LoadErrors{Errors: []*yaml.LoadError{one}}
	default:
		return err.Error()
	}
	var told []string
	for _, e := range all.Errors {
		text := strings.TrimPrefix(e.Message, "yaml: ")
		if m := unknownMember.FindStringSubmatch(text); m != nil {
			names := map[string][]string{"Plan": memberNames[Plan](), "Fault": memberNames[Fault](), "Others": memberNames[Others]()}[m[2]]
			text = unknown("member", m[1], names)
		}
		if e.Mark.Line > 0 {
			text = fmt.Sprintf("line %d: %s", e.Mark.Line, text)
		}
		told = append(told, text)
	}
	return strings.Join(told, "; ")
}

// memberNames returns the names in YAML of a struct's members.
func memberNames[T any]() (names []string) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		names = append(names, field.Tag.Get("yaml"))
	}
	return names
}

// unknown says that there is no such name, and which one may have been meant.
func unknown(what, name string, known []string) string {
	text := fmt.Sprintf("there is no %s %q", what, name)
	nearest := slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
	if d := distance(name, nearest); d < len(name) && d <= 2 {
		text += fmt.Sprintf(" (did you mean %q?)", nearest)
	}
	return text + "; known are " + strings.Join(known, ", ")
}

// distance is the number of bytes to insert, delete or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
