package schedule

import (
	"errors"
	"slices"
	"strings"
	"time"

	"klaviyo-export/pipeline/workflow"
)

// FromWorkflow returns what the schedule section of a digdag workflow says, in the zone of its timezone key. It
// reads an expression after cron> as digdag does. Its errors have one line for each fault, FILE:LINE: KEY: expected
// X, got Y. They never hold the key or a secret.
func FromWorkflow(file string, o workflow.Options) (*Plan, error) {
	d, err := workflow.Read(file, o)
	if err != nil {
		return nil, err
	}
	r := &reader{Document: d, plan: &Plan{Location: time.UTC}}
	if zone, ok := d.Member("timezone"); ok {
		r.value(zone, timezone)
	}
	if section := d.Section("schedule", `a mapping such as "daily>: 07:00:00"`); section != nil {
		r.section(section)
	}
	if d.Failed() {
		return nil, d.Err()
	}
	return r.plan, nil
}

// reader reads the schedule of one workflow.
type reader struct {
	*workflow.Document
	plan *Plan
}

// section reads the schedule section.
func (r *reader) section(s *workflow.Section) {
	var misspelt []string
	var trigger, delay, start workflow.Member
	for _, m := range s.Members {
		v, known := sectionValues[m.Key]
		switch {
		case !known:
			misspelt = append(misspelt, r.Unknown(m, sectionKeys))
			continue
		case slices.Contains(triggers, m.Key) && trigger.Key != "":
			r.Fault(m, "expected one of %s, got it and %s", enumerate(triggers), trigger.Key)
		case slices.Contains(triggers, m.Key):
			trigger = m
		case m.Key == "delay":
			delay = m
		case m.Key == "start":
			start = m
		}
		r.value(m, v)
	}
	if delay.Key != "" && trigger.Key != "" && trigger.Key != "cron>" && trigger.Key != "minutes_interval>" {
		r.Fault(delay, "has no effect with %s, which sets a delay itself; it works with cron> and minutes_interval>",
			trigger.Key)
	}
	isTrigger := func(key string) bool { return slices.Contains(triggers, key) }
	if trigger.Key == "" && !slices.ContainsFunc(misspelt, isTrigger) {
		r.Fault(s.Member, "expected one of %s, got none", enumerate(triggers))
	}
	if !r.Failed() {
		if err := r.plan.Check(); err != nil { // names its key, which can only be start
			r.Fault(workflow.Member{At: start.At}, "%v", err)
		}
	}
}

// value reads the value of one key.
func (r *reader) value(m workflow.Member, v value) {
	text, ok := r.Text(m, v.expected)
	if !ok {
		return
	}
	err := v.read(r.plan, text)
	switch {
	case err == nil:
	case errors.Is(err, errOther), r.Private(text): // whose error may show a part of the text
		got := r.Quote(text)
		if strings.TrimSpace(text) == "" {
			got = string(workflow.Nothing)
		}
		r.Fault(m, "expected %s, got %s", v.expected, got)
	default:
		r.Fault(m, "%v", err)
	}
}
