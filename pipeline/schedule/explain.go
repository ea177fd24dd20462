package schedule

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
)

// Explain says in words, a sentence a line, when p fires and why, what the changes of the zone's clocks do to it in the year after now,
// and what other crons would make of the expression.
func (p *Plan) Explain(now time.Time) []string {
	s := p.Schedule
	if s.spec == nil {
		return []string{`"" never fires`}
	}
	lines := []string{fmt.Sprintf("%q means: %s", s.text, describe(s.spec)), p.upcoming(now)}
	if p.Start != (Date{}) {
		lines = append(lines, fmt.Sprintf("its first day is %v", p.Start))
	}
	if p.End != (Date{}) {
		lines = append(lines, fmt.Sprintf("its last day is %v", p.End))
	}
	if p.Delay > 0 {
		lines = append(lines, p.delayed(now))
	}
	lines = append(lines, s.ignored()...)
	lines = append(lines, s.omitted()...)
	changed := p.changed(now)
	lines = append(lines, changed...)
	return append(lines, s.elsewhere(len(changed) > 0)...)
}

// upcoming tells the zone and the next time.
func (p *Plan) upcoming(now time.Time) string {
	next, ok := p.Next(now)
	if !ok {
		return fmt.Sprintf("by the clocks of %v, and at no time any more", p.Location)
	}
	return fmt.Sprintf("by the clocks of %v, next at %s", p.Location, next.Format(time.RFC3339))
}

// delayed tells how much later runs are, and the time of the next one.
func (p *Plan) delayed(now time.Time) string {
	later := strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(p.Delay.String())
	at, ok := p.Next(now.Add(-p.Delay))
	if !ok {
		return fmt.Sprintf("runs start %s later", later)
	}
	return fmt.Sprintf("runs start %s later: next run at %s", later, at.Add(p.Delay).Format(time.RFC3339))
}

// ignored tells which of two fields for days is without effect.
func (s *Schedule) ignored() []string {
	if s.read != treasureData || !s.entries.conflict() {
		return nil
	}
	spec := *s.spec
	spec.Dom, spec.Dow = s.entries[monthDay].mask(&fields[monthDay], s.read), cron.NormalizeDOW(s.entries[weekday].mask(&fields[weekday], s.read))
	monthDays, weekdays := calendar().weigh(&spec)
	loser, why := monthDay, "which fires more often, wins"
	switch {
	case monthDays > weekdays:
		loser = weekday
	case monthDays == weekdays:
		why = "which fires as often, wins"
	}
	winner := monthDay + weekday - loser
	return []string{fmt.Sprintf("%q for %s is ignored: %q for %s, %s (in 400 years %s on %d days, %s on %d)",
		s.entries[loser].text, plainly(loser), s.entries[winner].text, plainly(winner), why,
		days(spec.Dom), monthDays, weekdayNames(spec.Dow), weekdays)}
}

// plainly names a field for days.
func plainly(f int) string { return "the " + strings.TrimPrefix(fields[f].noun, "a ") }

// omitted tells of the 30th, which TD's documentation leaves out of the list 5,*/10,25.
func (s *Schedule) omitted() []string {
	e := s.entries[monthDay]
	if s.read != treasureData || len(e.elements) < 2 || s.spec.Dom>>30&1 == 0 || s.spec.Dom == fields[monthDay].all() {
		return nil
	}
	for _, one := range e.elements {
		if one.star && 30%one.step == 0 {
			return []string{fmt.Sprintf("it fires on the 30th too, as */%d are all days divisible by %d: the list in Treasure Data's documentation, "+
				"5, 10, 20 and 25 for 5,*/10,25, leaves that day out", one.step, one.step)}
		}
	}
	return nil
}

// changed tells which times the zone's clocks leave out and repeat in the year after now.
func (p *Plan) changed(now time.Time) []string {
	var lines []string
	for c := range changes(p.Location, now, now.AddDate(1, 0, 0)) {
		first, last, fate := c.before, c.after, "does not exist (the clocks go from %s to %s) and is left out"
		if c.after.Before(c.before) {
			first, last, fate = c.after, c.before, "comes twice (the clocks go back from %s to %s) and fires twice"
		}
		if at, ok := within(p.Schedule.spec, first, last); ok {
			const form = "15:04"
			lines = append(lines, at.Format("on 2006-01-02 15:04 ")+fmt.Sprintf(fate, c.before.Format(form), c.after.Format(form)))
		}
	}
	return lines
}

// elsewhere tells what the expression means to other crons; changing, that the zone's clocks matter.
func (s *Schedule) elsewhere(changing bool) []string {
	var same, lines []string
	for _, other := range []struct {
		reading
		name string
	}{{treasureData, "Treasure Data's cron for queries"}, {vixie, "Vixie cron"}, {cron4j, "digdag (cron4j)"}} {
		if other.reading == s.read {
			continue
		}
		spec := s.entries.spec(other.reading)
		if sameDays(s.spec, spec) {
			same = append(same, other.name)
		} else {
			lines = append(lines, other.name+" would "+describe(spec))
		}
	}
	if len(same) > 0 {
		lines = append(lines, strings.Join(same, " and ")+" would fire on the same days")
	}
	if changing && !s.entries[minute].begins() && !s.entries[hour].begins() {
		lines = append(lines, "Vixie cron would make up for a time that is left out, and fire once at one that comes twice")
	}
	return lines
}

// sameDays tells that two readings, whose times of day never differ, fire on the same days.
func sameDays(a, b *cron.SpecSchedule) bool {
	for day := range allDays() {
		if onDay(a, day.month, day.day, day.weekday) != onDay(b, day.month, day.day, day.weekday) {
			return false
		}
	}
	return true
}

// calendarDay is a kind of day. All that allDays goes through come in every 400 years.
type calendarDay struct {
	month   time.Month
	day     int
	weekday time.Weekday
}

func allDays() iter.Seq[calendarDay] {
	return func(yield func(calendarDay) bool) {
		for m := time.January; m <= time.December; m++ {
			for d := 1; d <= 31 && calendar().monthDays[m][d] > 0; d++ {
				for w := time.Sunday; w <= time.Saturday; w++ {
					if !yield(calendarDay{m, d, w}) {
						return
					}
				}
			}
		}
	}
}

// describe says when s fires, as "fire at …".
func describe(s *cron.SpecSchedule) string {
	possible := false
	for day := range allDays() {
		possible = possible || onDay(s, day.month, day.day, day.weekday)
	}
	if !possible {
		return "never fire"
	}
	text := "fire " + clocks(s)
	everyDay, everyWeekday := s.Dom == fields[monthDay].all(), s.Dow == fields[weekday].all()
	switch {
	case everyDay && everyWeekday:
		text += ", every day"
	case everyWeekday:
		text += ", on " + days(s.Dom) + " of the month"
	case everyDay:
		text += ", on " + weekdayNames(s.Dow)
	case s.DowOrDom:
		text += ", on " + days(s.Dom) + " of the month and on " + weekdayNames(s.Dow)
	default:
		text += ", on " + weekdayNames(s.Dow) + " that are " + days(s.Dom) + " of the month"
	}
	if s.Month != fields[month].all() {
		text += ", in " + values(s.Month, monthName)
	}
	return text
}

// clocks says at which times of day s fires.
func clocks(s *cron.SpecSchedule) string {
	const few = 6
	times := bits.OnesCount64(s.Minute) * bits.OnesCount64(s.Hour)
	everyMinute, everyHour := s.Minute == fields[minute].all(), s.Hour == fields[hour].all()
	switch {
	case everyMinute && everyHour:
		return "every minute"
	case times <= few:
		var list []string
		for h := range set(s.Hour) {
			for m := range set(s.Minute) {
				list = append(list, fmt.Sprintf("%02d:%02d", h, m))
			}
		}
		return "at " + enumerate(list)
	case everyMinute:
		return "every minute of " + numbered("hour", s.Hour)
	case everyHour:
		return "at " + numbered("minute", s.Minute) + " of every hour"
	}
	return "at " + numbered("minute", s.Minute) + " of " + numbered("hour", s.Hour)
}

// days are days of the month in words.
func days(mask uint64) string { return numbered("day", mask) }

// numbered is "day 5" or "days 5 and 10".
func numbered(noun string, mask uint64) string {
	if bits.OnesCount64(mask) > 1 {
		noun += "s"
	}
	return noun + " " + values(mask, func(v int) string { return fmt.Sprint(v) })
}

// weekdayNames are weekdays in words, Sunday last.
func weekdayNames(mask uint64) string {
	return values(mask>>1|mask&1<<6, func(v int) string { return time.Weekday((v+1)%7).String() + "s" })
}

func monthName(v int) string { return time.Month(v).String() }

// values lists those of a mask by name, three and more in sequence as "1 to 5".
func values(mask uint64, name func(int) string) string {
	var list []string
	for first, last := range runs(mask) {
		switch last - first {
		case 0:
			list = append(list, name(first))
		case 1:
			list = append(list, name(first), name(last))
		default:
			list = append(list, name(first)+" to "+name(last))
		}
	}
	return enumerate(list)
}

// runs goes through the first and the last value of each unbroken sequence in a mask.
func runs(mask uint64) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		all := slices.Collect(set(mask))
		for i := 0; i < len(all); {
			first := i
			for i++; i < len(all) && all[i] == all[i-1]+1; i++ {
			}
			if !yield(all[first], all[i-1]) {
				return
			}
		}
	}
}

// enumerate is "a, b and c".
func enumerate(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
