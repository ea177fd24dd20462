package schedule

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// describe says when s fires, as "fires at …".
func describe(s *times) string {
	possible := false
	for day := range allDays() {
		possible = possible || onDay(s, day.month, day.day, day.weekday)
	}
	if !possible {
		return "never fires"
	}
	text := "fires " + clocks(s)
	everyDay, everyWeekday := s.monthDay == fields[monthDay].all(), s.weekday == fields[weekday].all()
	switch {
	case everyDay && everyWeekday:
		text += ", every day"
	case everyWeekday:
		text += ", on " + days(s.monthDay) + " of the month"
	case everyDay:
		text += ", on " + weekdayNames(s.weekday)
	case s.either:
		text += ", on " + days(s.monthDay) + " of the month and on " + weekdayNames(s.weekday)
	default:
		text += ", on " + weekdayNames(s.weekday) + " that are " + days(s.monthDay) + " of the month"
	}
	if s.month != fields[month].all() {
		text += ", in " + values(s.month, monthName)
	}
	return text
}

// clocks says at which times of day s fires.
func clocks(s *times) string {
	const few = 6
	times := bits.OnesCount64(s.minute) * bits.OnesCount64(s.hour)
	everyMinute, everyHour := s.minute == fields[minute].all(), s.hour == fields[hour].all()
	switch {
	case everyMinute && everyHour:
		return "every minute"
	case times <= few:
		var list []string
		for h := range set(s.hour) {
			for m := range set(s.minute) {
				list = append(list, fmt.Sprintf("%02d:%02d", h, m))
			}
		}
		return "at " + enumerate(list)
	case everyMinute:
		return "every minute of " + numbered("hour", s.hour)
	case everyHour:
		return "at " + numbered("minute", s.minute) + " of every hour"
	}
	return "at " + numbered("minute", s.minute) + " of " + numbered("hour", s.hour)
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

// values lists those of a mask by name, three or more in sequence as "1 to 5".
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

// runs yields the first and the last value of each unbroken sequence in a mask.
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
