package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"
)

// cronObstacle: cronie makes up for times that do not exist and fires once at times that occur twice, unless the
// minute or the hour begins with *.
func cronObstacle(s *times, zone *time.Location, now time.Time) string {
	if cronField(s.minute, minute)[0] == '*' || cronField(s.hour, hour)[0] == '*' {
		return ""
	}
	for c := range ahead(zone, now) {
		if at, ok := within(s, c.before, c.after); ok {
			return at.Format("it makes up for 2006-01-02 15:04, which does not exist")
		}
		if why := repeated(s, c); why != "" {
			return why
		}
	}
	return ""
}

// crontab writes for cronie: Debian's cron has no CRON_TZ.
func crontab(e *export) (string, error) {
	if err := portable("cron", e.command[0]); err != nil {
		return "", err
	}
	var words []string
	for _, word := range e.command {
		if strings.ContainsAny(word, "\n\r") {
			return "", errors.New("cron: expected a command on one line, got a line break")
		}
		words = append(words, cronWord(word))
	}
	return fmt.Sprintf(`%s# CRON_TZ needs cronie: other crons use the machine's time zone.
# Two runs can overlap.
CRON_TZ=%v
%s %s
`, e.note, e.zone, cronFields(e.spec), strings.Join(words, " ")), nil
}

// cronWord quotes a word for the shell, and outside of quotes each %, which cron reads as a line break.
func cronWord(word string) string {
	parts := strings.Split(word, "%")
	for i, part := range parts {
		if part != "" || len(parts) == 1 {
			parts[i] = shellescape.Quote(part)
		}
	}
	return strings.Join(parts, `\%`)
}

// cronFields writes a schedule that restricts at most one field for days.
func cronFields(s *times) string {
	return strings.Join([]string{
		cronField(s.minute, minute), cronField(s.hour, hour),
		cronField(s.monthDay, monthDay), cronField(s.month, month), cronField(s.weekday, weekday),
	}, " ")
}

// cronField writes the values of a field as all crons read them.
func cronField(mask uint64, which int) string {
	f := &fields[which]
	if mask == f.all() {
		return "*"
	}
	if which == minute || which == hour {
		for n := 2; n <= f.high; n++ {
			stepped := &entry{elements: []element{{high: f.high, step: n, star: true}}}
			if every := stepped.mask(f, vixie); every == mask && every != 1 {
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
