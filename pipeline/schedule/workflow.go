package schedule

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// FromWorkflow returns what the schedule section of a digdag workflow says, in the zone of its timezone key. An expression after cron>: is
// read as digdag does. Errors are lines of the form "FILE:LINE: what stands there, what was meant".
func FromWorkflow(file string) (*Plan, error) {
	root, err := load(file)
	if err != nil {
		return nil, err
	}
	w := &workflow{file: file, Plan: Plan{Location: time.UTC}}
	section := &yaml.Node{}
	for key, value := range members(root) {
		switch key.Value {
		case "timezone":
			w.scalar(key, value, w.timezone)
		case "schedule":
			section = value
			w.section(key, value)
		}
	}
	if section.Line == 0 {
		return nil, fmt.Errorf("%s: no schedule: stands at its top level", file)
	}
	if len(w.faults) == 0 {
		if err := w.Check(); err != nil {
			w.fault(section, err)
		}
	}
	if len(w.faults) > 0 {
		return nil, errors.Join(w.faults...)
	}
	return &w.Plan, nil
}

// maxFaults are told of one workflow.
const maxFaults = 10

// workflow is one that is being read.
type workflow struct {
	Plan
	file   string
	faults []error
}

func (w *workflow) fault(at *yaml.Node, err error) {
	if len(w.faults) < maxFaults {
		w.faults = append(w.faults, fmt.Errorf("%s:%d: %w", w.file, at.Line, err))
	}
}

// load returns the mapping that a file holds.
func load(file string) (*yaml.Node, error) {
	const most = 1 << 20
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read workflow: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("read workflow: %w", err)
	}
	if len(text) > most {
		return nil, fmt.Errorf("%s: is longer than %d bytes, a workflow was meant", file, most)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: is not a mapping, a workflow was meant", file)
	}
	return document.Content[0], nil
}

// members goes through the keys and values of a mapping.
func members(mapping *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(mapping.Content); i += 2 {
			key, value := mapping.Content[i], mapping.Content[i+1]
			if value.Kind == yaml.AliasNode {
				value = value.Alias
			}
			if !yield(key, value) {
				return
			}
		}
	}
}

// triggers say when, and options what else, each by its key.
var (
	triggers = map[string]func(*workflow, string) error{
		"hourly>": (*workflow).hourly, "daily>": (*workflow).daily, "weekly>": (*workflow).weekly, "monthly>": (*workflow).monthly,
		"minutes_interval>": (*workflow).minutesInterval, "cron>": (*workflow).cron,
	}
	options = map[string]func(*workflow, string) error{
		"start": (*workflow).start, "end": (*workflow).end, "delay": (*workflow).delay,
		"skip_on_overtime": (*workflow).skipOnOvertime, "skip_delayed_by": (*workflow).skipDelayedBy,
	}
)

// section reads the schedule section, whose key is given.
func (w *workflow) section(at, section *yaml.Node) {
	if w.Schedule != nil || section.Kind != yaml.MappingNode {
		w.fault(at, errors.New("schedule: is to hold one mapping such as \"daily>: 07:00:00\""))
		return
	}
	seen, trigger := map[string]*yaml.Node{}, ""
	for key, value := range members(section) {
		read := triggers[key.Value]
		if read == nil {
			read = options[key.Value]
		} else if trigger != "" && trigger != key.Value {
			w.fault(key, fmt.Errorf("%s: stands beside %s:, one of them was meant", key.Value, trigger))
		} else {
			trigger = key.Value
		}
		switch {
		case read == nil:
			w.fault(key, fmt.Errorf("%s: is not known, %s", shown(key.Value), nearest(key.Value)))
		case seen[key.Value] != nil:
			w.fault(key, fmt.Errorf("%s: stands here a second time", key.Value))
		default:
			w.scalar(key, value, func(text string) error { return read(w, text) })
		}
		seen[key.Value] = key
	}
	if delay := seen["delay"]; delay != nil && trigger != "" && trigger != "cron>" && trigger != "minutes_interval>" {
		w.fault(delay, fmt.Errorf("delay: goes with cron>: and minutes_interval>:, the time after %s: is a delay itself", trigger))
	}
	if trigger == "" {
		w.fault(at, fmt.Errorf("schedule: does not say when, one of %s was meant", strings.Join(slices.Sorted(maps.Keys(triggers)), ": ")+":"))
	}
}

// scalar hands a value to what reads it.
func (w *workflow) scalar(key, value *yaml.Node, read func(text string) error) {
	err := errors.New("a single value was meant")
	switch {
	case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
	case strings.Contains(value.Value, "${"):
		err = fmt.Errorf("%s is for digdag to work out, a plain value was meant", shown(value.Value))
	default:
		err = read(value.Value)
	}
	if err != nil {
		w.fault(value, fmt.Errorf("%s: %w", key.Value, err))
	}
}

func (w *workflow) timezone(text string) (err error) {
	w.Location, err = Zone(text)
	return err
}

func (w *workflow) hourly(text string) error {
	delay, ok := clockTime(text, 59, 59)
	if !ok {
		return fmt.Errorf("%s is not MM:SS", shown(text))
	}
	return w.at("0 * * * *", delay)
}

func (w *workflow) daily(text string) error {
	delay, ok := clockTime(text, 23, 59, 59)
	if !ok {
		return fmt.Errorf("%s is not HH:MM:SS", shown(text))
	}
	return w.at("0 0 * * *", delay)
}

func (w *workflow) weekly(text string) error {
	day, clock, _ := strings.Cut(text, ",")
	day = strings.TrimSpace(day)
	delay, ok := clockTime(strings.TrimSpace(clock), 23, 59, 59)
	if _, err := fields[weekday].entry(word{day, 1}); err != nil || !ok {
		return fmt.Errorf("%s is not DAY,HH:MM:SS, with a day of the week (%s)", shown(text), fields[weekday].values())
	}
	return w.at("0 0 * * "+day, delay)
}

func (w *workflow) monthly(text string) error {
	day, clock, _ := strings.Cut(text, ",")
	d, isNumber := number(strings.TrimSpace(day))
	delay, ok := clockTime(strings.TrimSpace(clock), 23, 59, 59)
	if !isNumber || d < 1 || d > 31 || !ok {
		return fmt.Errorf("%s is not D,HH:MM:SS, with a day of the month (%s)", shown(text), fields[monthDay].values())
	}
	return w.at(fmt.Sprintf("0 0 %d * *", d), delay)
}

func (w *workflow) minutesInterval(text string) error {
	if n, ok := number(text); !ok || n < 1 || n > fields[minute].high {
		return fmt.Errorf("%s is not a number of minutes (1-%d)", shown(text), fields[minute].high)
	}
	return w.at("*/"+text+" * * * *", w.Delay)
}

func (w *workflow) cron(text string) error {
	if text == "" {
		return errors.New("an expression of five fields was meant")
	}
	return w.at(text, w.Delay)
}

// at sets the times, and how much later the runs are.
func (w *workflow) at(expression string, delay time.Duration) (err error) {
	w.Schedule, err = parse(expression, cron4j)
	w.Delay = delay
	return err
}

func (w *workflow) start(text string) error { return w.Start.UnmarshalText([]byte(text)) }

func (w *workflow) end(text string) error { return w.End.UnmarshalText([]byte(text)) }

func (w *workflow) delay(text string) error {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return fmt.Errorf("%s is not a number of seconds", shown(text))
	}
	w.Delay = time.Duration(n) * time.Second
	return nil
}

func (w *workflow) skipOnOvertime(text string) error {
	switch strings.ToLower(text) {
	case "true", "yes", "on": // as YAML 1.1 has it, which digdag reads
		w.SkipOnOvertime = true
	case "false", "no", "off":
	default:
		return fmt.Errorf("%s is neither true nor false", shown(text))
	}
	return nil
}

var duration = regexp.MustCompile(`^(?i)\s*(?:(\d{1,4})\s*d)?\s*(?:(\d{1,6})\s*h)?\s*(?:(\d{1,6})\s*m)?\s*(?:(\d{1,6})\s*s)?\s*$`)

func (w *workflow) skipDelayedBy(text string) error {
	parts := duration.FindStringSubmatch(text)
	if parts == nil {
		return fmt.Errorf("%s is not a duration such as 3m or 1h 30m", shown(text))
	}
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := number(parts[1+i])
		w.SkipDelayedBy += time.Duration(n) * unit
	}
	if w.SkipDelayedBy == 0 {
		return fmt.Errorf("%s would skip every run, a longer duration was meant", shown(text))
	}
	return nil
}

// clockTime reads numbers between colons, the last ones minutes and seconds, each up to a limit.
func clockTime(text string, limits ...int) (time.Duration, bool) {
	parts := strings.Split(text, ":")
	if len(parts) != len(limits) {
		return 0, false
	}
	seconds := 0
	for i, part := range parts {
		n, ok := number(part)
		if !ok || n > limits[i] {
			return 0, false
		}
		seconds = seconds*60 + n
	}
	return time.Duration(seconds) * time.Second, true
}

// nearest names the key of the section that is most like an unknown one, or all keys where none is like it.
func nearest(key string) string {
	known := slices.Concat(slices.Sorted(maps.Keys(triggers)), slices.Sorted(maps.Keys(options)))
	best := slices.MinFunc(known, func(a, b string) int { return distance(key, a) - distance(key, b) })
	if distance(key, best) > len(best)/2 {
		return "one of " + strings.Join(known, ": ") + ": was meant"
	}
	return "did you mean " + best + ":?"
}

// distance is the number of characters to put in, take out or replace to get from one text to another.
func distance(from, to string) int {
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(from) {
		diagonal := row[0]
		row[0]++
		for j := range len(to) {
			replaced := diagonal
			if from[i] != to[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
