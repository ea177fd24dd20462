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

// describe says when s fires, as "fires at …".
func describe(s *cron.SpecSchedule) string {
	possible := false
	for day := range allDays() {
		possible = possible || onDay(s, day.month, day.day, day.weekday)
	}
	if !possible {
		return "never fires"
	}
	text := "fires " + clocks(s)
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
