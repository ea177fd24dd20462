package schedule

import (
	"math/bits"
	"time"
)

// lastYear is the last one that RFC 3339 can write.
const lastYear = 9999

// Next returns the first time strictly after the given one at which s fires, by the clocks of its location and in
// it. A local time that does not exist is skipped, and one that occurs twice fires twice. It is false when there is
// no such time.
func (s *Schedule) Next(after time.Time) (time.Time, bool) {
	if s.spec == nil {
		return time.Time{}, false
	}
	zone, horizon := after.Location(), after.AddDate(400, 0, 0) // then the calendar repeats itself
	at := after.Round(0).Add(1)
	for at.Before(horizon) && at.Year() <= lastYear {
		offset, end := span(at)
		if end.IsZero() || end.After(horizon) {
			end = horizon
		}
		if found, ok := within(s.spec, at.UTC().Add(offset), end.UTC().Add(offset)); ok {
			next := found.Add(-offset).In(zone)
			return next, next.Year() <= lastYear
		}
		at = end
	}
	return time.Time{}, false
}

// within returns the first reading of a clock, not before from and before to, at which s fires. Readings are times
// in UTC, whatever the clock's zone.
func within(s *times, from, to time.Time) (time.Time, bool) {
	at := from.Truncate(time.Minute)
	if at.Before(from) {
		at = at.Add(time.Minute)
	}
	for at.Before(to) {
		year, month, day := at.Date()
		switch {
		case s.month>>month&1 == 0:
			at = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		case onDay(s, month, day, at.Weekday()):
			if h, m, ok := onClock(s, at.Hour(), at.Minute()); ok {
				at = time.Date(year, month, day, h, m, 0, 0, time.UTC)
				return at, at.Before(to)
			}
		}
		at = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
	}
	return time.Time{}, false
}

// onDay reports whether s fires on a day.
func onDay(s *times, month time.Month, day int, weekday time.Weekday) bool {
	d, w := s.monthDay>>day&1 != 0, s.weekday>>weekday&1 != 0
	return s.month>>month&1 != 0 && (d && w || s.either && (d || w))
}

// onClock returns the first time of day, not before h:m, at which s fires.
func onClock(s *times, h, m int) (int, int, bool) {
	if rest := s.minute >> m; s.hour>>h&1 != 0 && rest != 0 {
		return h, m + bits.TrailingZeros64(rest), true
	}
	rest := s.hour >> (h + 1)
	if rest == 0 {
		return 0, 0, false
	}
	return h + 1 + bits.TrailingZeros64(rest), bits.TrailingZeros64(s.minute), true
}
