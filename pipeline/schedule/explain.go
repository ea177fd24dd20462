package schedule

import (
	"fmt"
	"strings"
	"time"
)

// Explain says in words, one sentence a line, when p fires and why. It also says what changes of the zone's clocks
// do to it in the year after now, and how other crons read the expression.
func (p *Plan) Explain(now time.Time) []string {
	s := p.Schedule
	if s.spec == nil {
		return []string{`"" never fires`}
	}
	lines := []string{fmt.Sprintf("%q %s", s.text, describe(s.spec)), p.upcoming(now)}
	if p.Start != (Date{}) {
		lines = append(lines, fmt.Sprintf("the first day is %v", p.Start))
	}
	if p.End != (Date{}) {
		lines = append(lines, fmt.Sprintf("the last day is %v", p.End))
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

// upcoming names the zone and the next time.
func (p *Plan) upcoming(now time.Time) string {
	next, ok := p.Next(now)
	if !ok {
		return fmt.Sprintf("the time zone is %v, and there is no further time", p.Location)
	}
	return fmt.Sprintf("the time zone is %v, and the next time is %s", p.Location, next.Format(time.RFC3339))
}

// delayed says how much later runs start, and when the next one does.
func (p *Plan) delayed(now time.Time) string {
	later := strings.NewReplacer("h0m0s", "h", "m0s", "m").Replace(p.Delay.String())
	at, ok := p.Next(now.Add(-p.Delay))
	if !ok {
		return fmt.Sprintf("runs start %s after their time", later)
	}
	next := at.Add(p.Delay).Format(time.RFC3339)
	return fmt.Sprintf("runs start %s after their time, the next one at %s", later, next)
}

// ignored says which of two fields for days has no effect.
func (s *Schedule) ignored() []string {
	if s.read != treasureData || !s.entries.conflict() {
		return nil
	}
	spec := s.entries.unweighed(s.read)
	monthDays, weekdays := calendar().weigh(spec)
	loser, why := monthDay, "fires more often"
	switch {
	case monthDays > weekdays:
		loser = weekday
	case monthDays == weekdays:
		why = "fires as often, and then the day of the week wins"
	}
	winner := monthDay + weekday - loser
	return []string{fmt.Sprintf("%q for %s is ignored: %q for %s %s (in 400 years: %s %d times, %s %d times)",
		s.entries[loser].text, plainly(loser), s.entries[winner].text, plainly(winner), why,
		days(spec.monthDay), monthDays, weekdayNames(spec.weekday), weekdays)}
}

// plainly names a field for days.
func plainly(f int) string { return "the " + strings.TrimPrefix(fields[f].noun, "a ") }

// omitted points out the 30th, which TD's documentation leaves out of the list 5,*/10,25.
func (s *Schedule) omitted() []string {
	e, days := s.entries[monthDay], s.spec.monthDay
	if s.read != treasureData || len(e.elements) < 2 || days>>30&1 == 0 || days == fields[monthDay].all() {
		return nil
	}
	for _, one := range e.elements {
		if one.star && 30%one.step == 0 {
			return []string{fmt.Sprintf("it fires on day 30 too, because */%d means every day divisible by %d; "+
				"Treasure Data's documentation lists only 5, 10, 20 and 25 for 5,*/10,25", one.step, one.step)}
		}
	}
	return nil
}

// changed says which times the zone's clocks skip and repeat in the year after now.
func (p *Plan) changed(now time.Time) []string {
	var lines []string
	for c := range changes(p.Location, now, now.AddDate(1, 0, 0)) {
		first, last := c.before, c.after
		effect := "does not exist (the clocks go forward from %s to %s), so it does not fire then"
		if last.Before(first) {
			first, last = last, first
			effect = "occurs twice (the clocks go back from %s to %s), so it fires twice"
		}
		if at, ok := within(p.Schedule.spec, first, last); ok {
			effect = fmt.Sprintf(effect, c.before.Format("15:04"), c.after.Format("15:04"))
			lines = append(lines, at.Format("2006-01-02 15:04 ")+effect)
		}
	}
	return lines
}

// elsewhere says how other crons read the expression. Changing means that the zone's clocks matter.
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
			lines = append(lines, other.name+" "+describe(spec))
		}
	}
	switch len(same) {
	case 1:
		lines = append(lines, same[0]+" fires on the same days")
	case 2:
		lines = append(lines, enumerate(same)+" fire on the same days")
	}
	if changing && !s.entries[minute].starred() && !s.entries[hour].starred() {
		lines = append(lines,
			"Vixie cron makes up for a time that does not exist, and fires once at a time that occurs twice")
	}
	return lines
}
