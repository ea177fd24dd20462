package schedule

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// suits is TD's rule for one field, applied value by value.
func suits(field string, value, low, high int, names string) bool {
	if field == "*" {
		return true
	}
	read := func(text string) int {
		if i := slices.Index(strings.Fields(names), strings.ToLower(text)); i >= 0 {
			return i + low
		}
		n, _ := strconv.Atoi(text)
		return n
	}
	for part := range strings.SplitSeq(field, ",") {
		part, step, _ := strings.Cut(part, "/")
		n := max(1, read(step))
		first, last, ranged := strings.Cut(part, "-")
		switch {
		case part == "*":
			if value%n == 0 {
				return true
			}
		case ranged:
			for v := read(first); v <= read(last); v += n {
				if v == value || v == 7 && high == 6 && value == 0 {
					return true
				}
			}
		case read(part) == value || read(part) == 7 && high == 6 && value == 0:
			return true
		}
	}
	return false
}

// naive is a schedule as TD defines it, without any of the package's shortcuts.
type naive struct {
	hours, minutes, monthDays, months, weekdays [60]bool
}

func newNaive(expression string) *naive {
	n := new(naive)
	f := strings.Fields(expression)
	for v := range 60 {
		n.minutes[v] = suits(f[0], v, 0, 59, "")
		n.hours[v] = suits(f[1], v, 0, 23, "")
		n.monthDays[v] = suits(f[2], v, 1, 31, "")
		n.months[v] = suits(f[3], v, 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec")
		n.weekdays[v] = suits(f[4], v, 0, 6, "sun mon tue wed thu fri sat")
	}
	if f[2] == "*" || f[4] == "*" {
		return n
	}
	byMonthDay, byWeekday := 0, 0
	for _, day := range fourCenturies {
		if n.months[day.month] && n.monthDays[day.day] {
			byMonthDay++
		}
		if n.months[day.month] && n.weekdays[day.weekday] {
			byWeekday++
		}
	}
	all := [60]bool{}
	for v := range all {
		all[v] = true
	}
	if byMonthDay > byWeekday {
		n.weekdays = all
	} else {
		n.monthDays = all
	}
	return n
}

// fourCenturies are the days of the years 2000 to 2399.
var fourCenturies = func() []calendarDay {
	var days []calendarDay
	for t := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); t.Year() < 2400; t = t.AddDate(0, 0, 1) {
		days = append(days, calendarDay{t.Month(), t.Day(), t.Weekday()})
	}
	return days
}()

func (n *naive) fires(t time.Time) bool {
	h, m, sec := t.Clock()
	_, month, day := t.Date()
	return sec == 0 && n.minutes[m] && n.hours[h] && n.months[month] && n.monthDays[day] && n.weekdays[t.Weekday()]
}

// anyExpression draws an expression that Parse accepts, unless it can never fire.
func anyExpression(t *rapid.T) string {
	var words []string
	for i, f := range fields {
		// Fields do not restrict half of the times, so that most expressions fire within a day or two.
		if rapid.IntRange(0, 3).Draw(t, "star") < []int{1, 3, 2, 3, 2}[i] {
			words = append(words, "*")
			continue
		}
		var parts []string
		for range rapid.IntRange(1, 4).Draw(t, "elements") {
			value := func(from, to int) string {
				v := rapid.IntRange(from, to).Draw(t, "value")
				if f.names != nil && v <= f.high && rapid.Bool().Draw(t, "name") {
					return f.names[v-f.low]
				}
				return strconv.Itoa(v)
			}
			step := "/" + strconv.Itoa(rapid.IntRange(1, f.high).Draw(t, "step"))
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				parts = append(parts, "*"+step)
			case 1:
				parts = append(parts, value(f.low, f.top))
			default:
				low := rapid.IntRange(f.low, f.top).Draw(t, "low")
				high := rapid.IntRange(low, f.top).Draw(t, "high")
				part := strconv.Itoa(low) + "-" + strconv.Itoa(high)
				if rapid.Bool().Draw(t, "stepped") {
					part += step
				}
				parts = append(parts, part)
			}
		}
		words = append(words, strings.Join(parts, ","))
	}
	return strings.Join(words, " ")
}

// zones are plain ones and ones with odd changes of their clocks.
var zones = strings.Fields(`UTC Asia/Tokyo Asia/Kolkata America/New_York Europe/Berlin America/Sao_Paulo
	Australia/Lord_Howe Pacific/Apia Africa/Cairo Africa/Casablanca America/Havana America/St_Johns Asia/Tehran
	Antarctica/Troll Asia/Kathmandu Pacific/Chatham America/Scoresbysund Asia/Gaza`)

// TestMinuteByMinute guards that Next agrees with a walk through the minutes of a day and a half: 100 expressions,
// each at 8 moments of zones, most of them near a change of clocks.
func TestMinuteByMinute(t *testing.T) {
	const moments, window = 8, 36 * time.Hour
	rapid.Check(t, func(t *rapid.T) {
		expression := anyExpression(t)
		s, err := Parse(expression)
		if err != nil {
			if !strings.Contains(err.Error(), "expected a day that exists") {
				t.Fatalf("%q: %v", expression, err)
			}
			return
		}
		n := newNaive(expression)
		for range moments {
			zone, err := Zone(rapid.SampledFrom(zones).Draw(t, "zone"))
			if err != nil {
				t.Fatal(err)
			}
			seconds, nanoseconds := rapid.Int64Range(1<<28, 1<<33), rapid.Int64Range(0, 1e9-1)
			from := time.Unix(seconds.Draw(t, "from"), nanoseconds.Draw(t, "nanosecond")).In(zone)
			for c := range changes(zone, from, from.AddDate(1, 0, 0)) {
				if rapid.IntRange(0, 3).Draw(t, "at the change") > 0 {
					before := rapid.IntRange(-60, 24*60*60).Draw(t, "before")
					from = c.at.Add(-time.Duration(before) * time.Second)
				}
				break
			}
			end := from.Add(window)
			at := from
			first := from.Truncate(time.Minute).Add(time.Minute)
			for minute := first; minute.Before(end); minute = minute.Add(time.Minute) {
				if !n.fires(minute) {
					continue
				}
				next, ok := s.Next(at)
				if !ok || !next.Equal(minute) {
					t.Fatalf("%q in %v after %v: %v, want %v", expression, zone, at, next, minute)
				}
				at = minute
			}
			if next, ok := s.Next(at); ok && next.Before(end) {
				t.Fatalf("%q in %v after %v: %v, want none before %v", expression, zone, at, next, end)
			}
		}
	})
}

// TestDayByDay guards that the days of Next agree, over years, with a walk through the calendar.
func TestDayByDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expression := "0 0 " + strings.Join(strings.Fields(anyExpression(t))[2:], " ")
		s, err := Parse(expression)
		n := newNaive(expression)
		at := time.Date(rapid.IntRange(1990, 2200).Draw(t, "year"), 1, 1, 0, 0, 0, 0, time.UTC)
		for day := at.AddDate(0, 0, 1); day.Before(at.AddDate(12, 0, 0)); day = day.AddDate(0, 0, 1) {
			if !n.fires(day) {
				continue
			}
			if err != nil {
				t.Fatalf("%q: %v, but it fires on %v", expression, err, day)
			}
			next, ok := s.Next(day.AddDate(0, 0, -1))
			if !ok || !next.Equal(day) {
				t.Fatalf("%q after the day before %v: %v", expression, day, next)
			}
		}
	})
}
