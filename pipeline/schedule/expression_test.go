package schedule

import (
	"strings"
	"testing"
	"time"
)

// TestValues guards what the fields of an expression mean.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		expression string
		which      int
		want       string
	}{
		{"*/7 * * * *", minute, "0,7,14,21,28,35,42,49,56"},
		{"3-20/7 * * * *", minute, "3,10,17"},
		{"1-5/59 * * * *", minute, "1"},
		{"05,5,10-12 * * * *", minute, "5,10-12"},
		{"0 */23 * * *", hour, "0,23"},
		{"0 0 */5 * *", monthDay, "5,10,15,20,25,30"},
		{"0 0 */31 * *", monthDay, "31"},
		{"0 0 5,*/10,25 * *", monthDay, "5,10,20,25,30"},
		{"0 0 1-31/5 * *", monthDay, "1,6,11,16,21,26,31"},
		{"0 0 1 */5 *", month, "5,10"},
		{"0 0 1 */12 *", month, "12"},
		{"0 0 1 JAN-mar,Dec *", month, "1-3,12"},
		{"0 0 * * */2", weekday, "0,2,4,6"},
		{"0 0 * * 7", weekday, "0"},
		{"0 0 * * 5-7", weekday, "0,5-6"},
		{"0 0 * * 0-7", weekday, "*"},
		{"0 0 * * Sun,tue-5", weekday, "0,2-5"},
		{"@weekly", weekday, "0"},
		{"@YEARLY", month, "1"},
		{" @annually\t", monthDay, "1"},
		{"@midnight", hour, "0"},
		{strings.Repeat(" ", maxLength-len("7 * * * *")) + "7 * * * *", minute, "7"},
		// Of two fields for days, the one without effect counts as *.
		{"0 0 1 * 1", monthDay, "*"},
		{"0 0 1 * 1", weekday, "1"},
		{"0 0 1-4 * 1", monthDay, "*"},
		{"0 0 1-5 * 1", monthDay, "1-5"},
		{"0 0 1-5 * 1", weekday, "*"},
		{"0 0 */1 * 1", weekday, "*"},
		{"0 0 1 * */1", monthDay, "*"},
		{"0 0 1-17 1,2,4 0,1,3,5", monthDay, "*"}, // a tie: 20400 days each
		{"0 0 1-17 1,2,4 0,1,3,5", weekday, "0-1,3,5"},
		{"0 0 31 2 1", weekday, "1"},
		{"0 0 29-31 2 0", monthDay, "*"},
		{"0 0 1,2,29-31 * 1", monthDay, "1-2,29-31"},
		{"0 0 1,2,29-31 2 1", monthDay, "*"}, // February hardly has the last three
	} {
		s, err := Parse(c.expression)
		if err != nil {
			t.Errorf("%q: %v", c.expression, err)
			continue
		}
		mask := []uint64{s.spec.minute, s.spec.hour, s.spec.monthDay, s.spec.month, s.spec.weekday}[c.which]
		got := "*"
		if mask != fields[c.which].all() {
			got = cronField(mask, weekday) // which writes no steps
		}
		if got != c.want {
			t.Errorf("%q: got %s, want %s", c.expression, got, c.want)
		}
	}
}

// TestNever guards that "" is no error and never fires.
func TestNever(t *testing.T) {
	s, err := Parse("")
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := s.Next(time.Time{}); ok {
		t.Errorf("fires at %v", at)
	}
}

// TestWeights guards the sums of TD's rule for two fields for days: no sum may come from a month's share of the year.
func TestWeights(t *testing.T) {
	c := calendar()
	var monthDays [32]int
	var weekdays [7]int
	for m := range c.monthDays {
		for d, n := range c.monthDays[m] {
			monthDays[d] += n
		}
		for w, n := range c.weekdays[m] {
			weekdays[w] += n
		}
	}
	for d := 1; d <= 31; d++ {
		want := map[bool]int{true: 4800, false: map[int]int{29: 4497, 30: 4400, 31: 2800}[d]}[d <= 28]
		if monthDays[d] != want {
			t.Errorf("day %d: got %d, want %d", d, monthDays[d], want)
		}
	}
	for w, n := range weekdays {
		if n != 20871 {
			t.Errorf("weekday %d: got %d, want 20871", w, n)
		}
	}
}
