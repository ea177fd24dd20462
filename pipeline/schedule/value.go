package schedule

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is how the value of a workflow's key is read into a plan.
type value struct {
	expected string
	read     func(p *Plan, text string) error
}

// errOther is the error of a value that is not what was expected, where there is no more to say.
var errOther = errors.New("not what was expected")

// timezone is the value of a key beside the schedule section.
var timezone = value{"an IANA name such as Asia/Tokyo or UTC", func(p *Plan, text string) (err error) {
	p.Location, err = Zone(text)
	return err
}}

// sectionValues are the values of the schedule section. Those whose keys end in > say when (td-semantics.md section
// 2.3).
var sectionValues = map[string]value{
	"hourly>":           {"MM:SS", readHourly},
	"daily>":            {"HH:MM:SS", readDaily},
	"weekly>":           {"DAY,HH:MM:SS with " + fields[weekday].expected(), readWeekly},
	"monthly>":          {"D,HH:MM:SS with " + fields[monthDay].expected(), readMonthly},
	"minutes_interval>": {fmt.Sprintf("a number of minutes (1-%d)", fields[minute].high), readMinutesInterval},
	"cron>":             {"a cron expression of 5 fields", readCron},
	"start":             {"a date as YYYY-MM-DD", readStart},
	"end":               {"a date as YYYY-MM-DD", readEnd},
	"delay":             {"a number of seconds", readDelay},
	"skip_on_overtime":  {"true or false", readSkipOnOvertime},
	"skip_delayed_by":   {"a duration over 0s, such as 3m or 1h 30m", readSkipDelayedBy},
}

var (
	sectionKeys = slices.Sorted(maps.Keys(sectionValues))
	triggers    = slices.DeleteFunc(slices.Clone(sectionKeys), func(key string) bool {
		return !strings.HasSuffix(key, ">")
	})
)

func readHourly(p *Plan, text string) error {
	delay, ok := clockTime(text, 59, 59)
	if !ok {
		return errOther
	}
	return p.at("0 * * * *", delay)
}

func readDaily(p *Plan, text string) error {
	delay, ok := clockTime(text, 23, 59, 59)
	if !ok {
		return errOther
	}
	return p.at("0 0 * * *", delay)
}

func readWeekly(p *Plan, text string) error {
	day, clock, _ := strings.Cut(text, ",")
	day = strings.TrimSpace(day)
	delay, ok := clockTime(strings.TrimSpace(clock), 23, 59, 59)
	if _, err := fields[weekday].entry(word{day, 1}); err != nil || !ok {
		return errOther
	}
	return p.at("0 0 * * "+day, delay)
}

func readMonthly(p *Plan, text string) error {
	day, clock, _ := strings.Cut(text, ",")
	d, isNumber := number(strings.TrimSpace(day))
	delay, ok := clockTime(strings.TrimSpace(clock), 23, 59, 59)
	if !isNumber || d < 1 || d > 31 || !ok {
		return errOther
	}
	return p.at(fmt.Sprintf("0 0 %d * *", d), delay)
}

func readMinutesInterval(p *Plan, text string) error {
	if n, ok := number(text); !ok || n < 1 || n > fields[minute].high {
		return errOther
	}
	return p.at("*/"+text+" * * * *", p.Delay)
}

func readCron(p *Plan, text string) error {
	if text == "" {
		return errOther
	}
	return p.at(text, p.Delay)
}

// at sets the times, and how much later runs start.
func (p *Plan) at(expression string, delay time.Duration) (err error) {
	p.Schedule, err = parse(expression, cron4j)
	p.Delay = delay
	return err
}

func readStart(p *Plan, text string) error { return p.Start.UnmarshalText([]byte(text)) }

func readEnd(p *Plan, text string) error { return p.End.UnmarshalText([]byte(text)) }

func readDelay(p *Plan, text string) error {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return errOther
	}
	p.Delay = time.Duration(n) * time.Second
	return nil
}

func readSkipOnOvertime(p *Plan, text string) error {
	switch strings.ToLower(text) {
	case "true", "yes", "on": // as in YAML 1.1, which digdag reads
		p.SkipOnOvertime = true
	case "false", "no", "off":
	default:
		return errOther
	}
	return nil
}

var duration = regexp.MustCompile(
	`^(?i)\s*(?:(\d{1,4})\s*d)?\s*(?:(\d{1,6})\s*h)?\s*(?:(\d{1,6})\s*m)?\s*(?:(\d{1,6})\s*s)?\s*$`)

func readSkipDelayedBy(p *Plan, text string) error {
	parts := duration.FindStringSubmatch(text)
	if parts == nil {
		return errOther
	}
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := number(parts[1+i])
		p.SkipDelayedBy += time.Duration(n) * unit
	}
	if p.SkipDelayedBy == 0 { // which would skip every run
		return errOther
	}
	return nil
}

// clockTime reads numbers between colons, each up to a limit. The last two are minutes and seconds.
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
