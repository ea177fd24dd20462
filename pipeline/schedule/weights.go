package schedule

import (
	"iter"
	"math/bits"
	"sync"
	"time"

	"github.com/netresearch/go-cron"
)

// census counts the days of the 400 years after which the calendar repeats itself, weekdays included, by month.
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

// weigh returns on how many days of 400 years each of the two fields for days would fire alone, in the months of s.
func (c *census) weigh(s *cron.SpecSchedule) (monthDays, weekdays int) {
	for m := range set(s.Month) {
		for d := range set(s.Dom) {
			monthDays += c.monthDays[m][d]
		}
		for w := range set(s.Dow) {
			weekdays += c.weekdays[m][w]
		}
	}
	return monthDays, weekdays
}

// set goes through the values of a field in ascending order.
func set(mask uint64) iter.Seq[int] {
	return func(yield func(int) bool) {
		for ; mask != 0; mask &= mask - 1 {
			if !yield(bits.TrailingZeros64(mask)) {
				return
			}
		}
	}
}
