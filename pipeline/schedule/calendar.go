package schedule

import (
	"iter"
	"math/bits"
	"sync"
	"time"
)

// census counts, by month, the days of the 400 years after which the calendar repeats itself, weekdays included.
type census struct {
	monthDays [13][32]int
	weekdays  [13][7]int
}

var calendar = sync.OnceValue(func() *census {
	c := new(census)
	for first := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); first.Year() < 2400; first = first.AddDate(0, 1, 0) {
		month, weekday := first.Month(), int(first.Weekday())
		for d := range first.AddDate(0, 1, -1).Day() {
			c.monthDays[month][d+1]++
			c.weekdays[month][(weekday+d)%7]++
		}
	}
	return c
})

// weigh returns on how many days of 400 years each of the two fields for days fires alone, in the months of s.
func (c *census) weigh(s *times) (monthDays, weekdays int) {
	for m := range set(s.month) {
		for d := range set(s.monthDay) {
			monthDays += c.monthDays[m][d]
		}
		for w := range set(s.weekday) {
			weekdays += c.weekdays[m][w]
		}
	}
	return monthDays, weekdays
}

// set yields the values of a field in ascending order.
func set(mask uint64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for ; mask != 0; mask &= mask - 1 {
			if !yield(bits.TrailingZeros64(mask)) {
				return
			}
		}
	}
}

// calendarDay is a kind of day. Each kind that allDays yields occurs within 400 years.
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

// sameDays reports whether two readings fire on the same days. Their times of day never differ.
func sameDays(a, b *times) bool {
	for day := range allDays() {
		if onDay(a, day.month, day.day, day.weekday) != onDay(b, day.month, day.day, day.weekday) {
			return false
		}
	}
	return true
}
