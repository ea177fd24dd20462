package schedule

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/netresearch/go-cron"
	"github.com/segmentio/encoding/json"
)

// system is another scheduler.
type system struct {
	title string
	// hindrance returns why it would not fire at the times of a schedule while the zone's clocks change from now on, or "".
	hindrance func(s *cron.SpecSchedule, zone *time.Location, now time.Time) string
	bothDays  bool // it can fire on days that suit both fields for days
	write     func(e *export) (string, error)
}

var systems = map[string]*system{
	"crontab":    {"cron", cronHindrance, false, crontab},
	"systemd":    {"systemd", systemdHindrance, true, systemd},
	"kubernetes": {"Kubernetes", kubernetesHindrance, false, kubernetes},
}

// export is what a system is told.
type export struct {
	spec    *cron.SpecSchedule
	zone    *time.Location
	note    string // comment lines
	command []string
}

// Export returns the configuration with which another scheduler ("crontab" for cronie, "systemd" or "kubernetes") runs a command at the
// times of p from now on, for ever. What that one would not do exactly is refused, with the reason. Times alone are the subject: runs that
// were missed are not caught up there.
func (p *Plan) Export(to string, now time.Time, command []string) (string, error) {
	system, known := systems[to]
	s := p.Schedule
	switch {
	case !known:
		return "", fmt.Errorf("%q is not known, one of %s was meant", to, strings.Join(slices.Sorted(maps.Keys(systems)), ", "))
	case s.spec == nil:
		return "", errors.New(`"" never fires, there is nothing to export`)
	case p.Start != (Date{}) || p.End != (Date{}):
		return "", fmt.Errorf("%s has no first and last day of a schedule", system.title)
	case p.Delay > 0:
		return "", fmt.Errorf("%s has no delay after the scheduled time", system.title)
	case p.SkipOnOvertime:
		return "", fmt.Errorf("%s cannot be told to leave out runs whose time comes while another one is under way", system.title)
	case p.SkipDelayedBy > 0:
		return "", fmt.Errorf("%s cannot be told to leave out runs that are later than %v", system.title, p.SkipDelayedBy)
	case len(command) == 0:
		return "", errors.New("the command is missing")
	}
	e := &export{spec: s.spec, zone: p.Location, command: command}
	if !system.bothDays && e.spec.Dom != fields[monthDay].all() && e.spec.Dow != fields[weekday].all() {
		return "", fmt.Errorf("%s cannot fire on %s that are %s of the month alone", system.title, weekdayNames(e.spec.Dow), days(e.spec.Dom))
	}
	if why := system.hindrance(e.spec, e.zone, now); why != "" {
		return "", fmt.Errorf("%s would not fire at the same times in %v: %s", system.title, e.zone, why)
	}
	e.note = fmt.Sprintf("# %q in %v: %s.\n# Here SCHEDULED_TIME is not set, and runs that were missed are not caught up.\n", s.text, p.Location, describe(s.spec))
	return system.write(e)
}

// ahead are the changes of a zone's clocks from now on, until its rules and the calendar repeat themselves.
func ahead(zone *time.Location, now time.Time) iter.Seq[change] {
	return changes(zone, now, now.AddDate(400, 0, 0))
}

// cronHindrance: cronie makes up for times that are left out and does not repeat any, unless minute or hour begins with *.
func cronHindrance(s *cron.SpecSchedule, zone *time.Location, now time.Time) string {
	if cronField(s.Minute, minute)[0] == '*' || cronField(s.Hour, hour)[0] == '*' {
		return ""
	}
	for c := range ahead(zone, now) {
		if at, ok := within(s, c.before, c.after); ok {
			return at.Format("it makes up for 2006-01-02 15:04, which the clocks leave out")
		}
		if at, ok := within(s, c.after, c.before); ok {
			return at.Format("it fires once at 2006-01-02 15:04, which comes twice")
		}
	}
	return ""
}

// systemdHindrance: a timer of systemd fires once at a time that comes twice. systemd 252 was tried.
func systemdHindrance(s *cron.SpecSchedule, zone *time.Location, now time.Time) string {
	for c := range ahead(zone, now) {
		if at, ok := within(s, c.after, c.before); ok {
			return at.Format("it fires once at 2006-01-02 15:04, which comes twice")
		}
	}
	return ""
}

// kubernetesHindrance: Kubernetes' library, robfig/cron v3, counts in hours, and when it looks for a day it goes from midnight
// to midnight and errs where there is none. Otherwise it does as TD; v3.0.1 was tried.
func kubernetesHindrance(s *cron.SpecSchedule, zone *time.Location, now time.Time) string {
	anyDay := s.Dom == fields[monthDay].all() && s.Dow == fields[weekday].all() && s.Month == fields[month].all()
	midnight := *s
	midnight.Minute, midnight.Hour, midnight.Dom, midnight.Dow, midnight.Month = 1, 1, fields[monthDay].all(), fields[weekday].all(), fields[month].all()
	for c := range ahead(zone, now) {
		if c.after.Sub(c.before)%time.Hour != 0 {
			return c.before.Format("its clocks change by other than whole hours on 2006-01-02")
		}
		if at, ok := within(&midnight, c.before, c.after); ok && !anyDay {
			return at.Format("it errs on 2006-01-02, which has no midnight")
		}
	}
	return ""
}

// cronField writes the values of a field as all crons read them.
func cronField(mask uint64, which int) string {
	f := &fields[which]
	if mask == f.all() {
		return "*"
	}
	if which == minute || which == hour {
		for n := 2; n <= f.high; n++ {
			if every := (&entry{elements: []element{{high: f.high, step: n, star: true}}}).mask(f, vixie); every == mask && every != 1 {
				return fmt.Sprintf("*/%d", n)
			}
		}
	}
	var list []string
	for first, last := range runs(mask) {
		if first == last {
			list = append(list, fmt.Sprint(first))
		} else {
			list = append(list, fmt.Sprintf("%d-%d", first, last))
		}
	}
	return strings.Join(list, ",")
}

// cronFields writes a schedule that restricts one field for days at most.
func cronFields(s *cron.SpecSchedule) string {
	return strings.Join([]string{
		cronField(s.Minute, minute), cronField(s.Hour, hour), cronField(s.Dom, monthDay), cronField(s.Month, month), cronField(s.Dow, weekday),
	}, " ")
}

// crontab writes for cronie: the cron of Debian has no CRON_TZ.
func crontab(e *export) (string, error) {
	if !found(e.command[0]) {
		return "", fmt.Errorf("cron starts a command by its name or its absolute path, not %s: write \"$PWD/…\"", shown(e.command[0]))
	}
	var words []string
	for _, word := range e.command {
		if strings.ContainsAny(word, "\n\r") {
			return "", errors.New("a line of a crontab cannot hold a command with a line break")
		}
		words = append(words, strings.ReplaceAll(shellWord(word), "%", `'\%'`)) // cron takes a bare % for a line break
	}
	return fmt.Sprintf("%s# CRON_TZ is cronie's: other crons go by the clocks of the machine.\n# Two runs may overlap.\nCRON_TZ=%v\n%s %s\n", e.note, e.zone, cronFields(e.spec), strings.Join(words, " ")), nil
}

// found tells that a program does not depend on the folder in which it is started.
func found(program string) bool {
	return program != "" && (path.IsAbs(program) || !strings.Contains(program, "/"))
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_@+=:,./-]+$`)

// shellWord quotes a word for a shell.
func shellWord(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// systemd writes a timer and its service, which are two files.
func systemd(e *export) (string, error) {
	program := e.command[0]
	if !found(program) || !plain.MatchString(program[:1]) || strings.ContainsAny(program[:1], "@+:-") {
		return "", fmt.Errorf("systemd starts a command by its name or its absolute path, not %s: write \"$PWD/…\"", shown(program))
	}
	name := unitName(program)
	var words []string
	for _, word := range e.command {
		words = append(words, systemdWord(word))
	}
	return fmt.Sprintf(`%[1]s# %[2]s.timer
[Timer]
OnCalendar=%[3]s
AccuracySec=1s

[Install]
WantedBy=timers.target

# %[2]s.service
[Service]
Type=oneshot
ExecStart=%[4]s
`, e.note, name, onCalendar(e.spec, e.zone), strings.Join(words, " ")), nil
}

// onCalendar is a schedule as systemd.time(7) writes it.
func onCalendar(s *cron.SpecSchedule, zone *time.Location) string {
	list := func(mask uint64, which int, format string) string {
		if mask == fields[which].all() {
			return "*"
		}
		var values []string
		for v := range set(mask) {
			values = append(values, fmt.Sprintf(format, v))
		}
		return strings.Join(values, ",")
	}
	weekdays := ""
	if s.Dow != fields[weekday].all() {
		var names []string
		for w := range set(s.Dow) {
			names = append(names, time.Weekday(w).String()[:3])
		}
		weekdays = strings.Join(names, ",") + " "
	}
	return fmt.Sprintf("%s*-%s-%s %s:%s:00 %v", weekdays, list(s.Month, month, "%02d"), list(s.Dom, monthDay, "%02d"),
		list(s.Hour, hour, "%02d"), list(s.Minute, minute, "%02d"), zone)
}

// systemdWord quotes a word of a command line in a unit.
func systemdWord(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$", "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(word) + `"`
}

// kubernetes writes a CronJob, whose image has to be filled in.
func kubernetes(e *export) (string, error) {
	var words []string
	for _, word := range e.command {
		if !utf8.ValidString(word) {
			return "", errors.New("a CronJob cannot hold a command that is not UTF-8 text")
		}
		words = append(words, strings.ReplaceAll(word, "$", "$$"))
	}
	command, err := json.Append(nil, words, 0)
	if err != nil {
		return "", err
	}
	name := unitName(e.command[0])
	return fmt.Sprintf(`%[1]sapiVersion: batch/v1
kind: CronJob
metadata:
  name: %[2]s
spec:
  schedule: "%[3]s"
  timeZone: "%[4]v"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: %[2]s
              image: IMAGE # one that holds the command
              command: %[5]s
`, e.note, name, cronFields(e.spec), e.zone, command), nil
}

var unnamable = regexp.MustCompile(`[^a-z0-9]+`)

// unitName is a name for what runs program, as Kubernetes and systemd allow it.
func unitName(program string) string {
	name := unnamable.ReplaceAllString(strings.ToLower(path.Base(program)), "-")
	if name = strings.Trim(name[:min(len(name), 52)], "-"); name == "" {
		return "scheduled"
	}
	return name
}
