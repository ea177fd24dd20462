package schedule

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// systemdObstacle: a timer of systemd fires once at a time that occurs twice (tried with systemd 252).
func systemdObstacle(s *times, zone *time.Location, now time.Time) string {
	for c := range ahead(zone, now) {
		if why := repeated(s, c); why != "" {
			return why
		}
	}
	return ""
}

// systemd writes a timer and its service, which are two files.
func systemd(e *export) (string, error) {
	program := e.command[0]
	if err := portable("systemd", program); err != nil {
		return "", err
	}
	if !plain.MatchString(program[:1]) || strings.ContainsAny(program[:1], "@+:-") { // which have a meaning there
		return "", unportable("systemd", program)
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

// onCalendar writes a schedule in the form of systemd.time(7).
func onCalendar(s *times, zone *time.Location) string {
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
	if s.weekday != fields[weekday].all() {
		var names []string
		for w := range set(s.weekday) {
			names = append(names, time.Weekday(w).String()[:3])
		}
		weekdays = strings.Join(names, ",") + " "
	}
	return fmt.Sprintf("%s*-%s-%s %s:%s:00 %v", weekdays, list(s.month, month, "%02d"), list(s.monthDay, monthDay, "%02d"),
		list(s.hour, hour, "%02d"), list(s.minute, minute, "%02d"), zone)
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_@+=:,./-]+$`)

var systemdEscapes = strings.NewReplacer(
	`\`, `\\`, `"`, `\"`, "%", "%%", "$", "$$", "\n", `\n`, "\r", `\r`, "\t", `\t`)

// systemdWord quotes a word of a command line in a unit, whose rules are not a shell's.
func systemdWord(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return `"` + systemdEscapes.Replace(word) + `"`
}
