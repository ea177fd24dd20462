package schedule

import (
	"errors"
	"fmt"
	"iter"
	"path"
	"regexp"
	"strings"
	"time"
)

// system is another scheduler.
type system struct {
	title string
	// obstacle returns why it does not fire at the times of a schedule when the zone's clocks change after now, or
	// "".
	obstacle func(s *times, zone *time.Location, now time.Time) string
	bothDays bool // it can fire on days that match both fields for days
	write    func(e *export) (string, error)
}

var systems = map[string]*system{
	"crontab":    {"cron", cronObstacle, false, crontab},
	"systemd":    {"systemd", systemdObstacle, true, systemd},
	"kubernetes": {"Kubernetes", kubernetesObstacle, false, kubernetes},
}

// export is what a system needs to know.
type export struct {
	spec    *times
	zone    *time.Location
	note    string // comment lines
	command []string
}

// Export returns the configuration with which another scheduler runs a command at the times of p after now, for
// ever: "crontab" for cronie, "systemd" or "kubernetes". It refuses, with the reason, what that scheduler does not
// do exactly. Only times count: those schedulers do not make up for missed runs.
func (p *Plan) Export(to string, now time.Time, command []string) (string, error) {
	system, known := systems[to]
	s := p.Schedule
	switch {
	case !known:
		return "", fmt.Errorf("expected crontab, kubernetes or systemd, got %q", to)
	case s.spec == nil:
		return "", errors.New(`"" never fires, so there is nothing to export`)
	case p.Start != (Date{}) || p.End != (Date{}):
		return "", fmt.Errorf("%s has no first or last day of a schedule", system.title)
	case p.Delay > 0:
		return "", fmt.Errorf("%s cannot start runs later than their time", system.title)
	case p.SkipOnOvertime:
		return "", fmt.Errorf("%s cannot skip runs whose time comes during another run", system.title)
	case p.SkipDelayedBy > 0:
		return "", fmt.Errorf("%s cannot skip runs that are more than %v late", system.title, p.SkipDelayedBy)
	case len(command) == 0:
		return "", errors.New("expected a command, got none")
	}
	e := &export{spec: s.spec, zone: p.Location, command: command}
	if !system.bothDays && e.spec.monthDay != fields[monthDay].all() && e.spec.weekday != fields[weekday].all() {
		return "", fmt.Errorf("%s cannot fire only on %s that are %s of the month",
			system.title, weekdayNames(e.spec.weekday), days(e.spec.monthDay))
	}
	if why := system.obstacle(e.spec, e.zone, now); why != "" {
		return "", fmt.Errorf("%s does not fire at the same times in %v: %s", system.title, e.zone, why)
	}
	e.note = fmt.Sprintf("# %q in %v %s.\n# SCHEDULED_TIME is not set here, and missed runs are not made up for.\n",
		s.text, p.Location, describe(s.spec))
	return system.write(e)
}

// ahead yields the changes of a zone's clocks after now, until its rules and the calendar repeat themselves.
func ahead(zone *time.Location, now time.Time) iter.Seq[change] {
	return changes(zone, now, now.AddDate(400, 0, 0))
}

// repeated returns why a system is no match that fires once at a time which the clocks repeat, or "".
func repeated(s *times, c change) string {
	if at, ok := within(s, c.after, c.before); ok {
		return at.Format("it fires once at 2006-01-02 15:04, which occurs twice")
	}
	return ""
}

// portable returns an error unless a program starts from any folder.
func portable(title, program string) error {
	if program != "" && (path.IsAbs(program) || !strings.Contains(program, "/")) {
		return nil
	}
	return unportable(title, program)
}

func unportable(title, program string) error {
	return fmt.Errorf("%s: expected a command's name or its absolute path, got %s; write \"$PWD/…\"",
		title, quoted(program))
}

var unnamable = regexp.MustCompile(`[^a-z0-9]+`)

// unitName is a name for what runs program, in the letters that Kubernetes and systemd allow.
func unitName(program string) string {
	name := unnamable.ReplaceAllString(strings.ToLower(path.Base(program)), "-")
	if name = strings.Trim(name[:min(len(name), 52)], "-"); name == "" {
		return "scheduled"
	}
	return name
}
