package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestRefused holds what is refused against the exact message.
func TestRefused(t *testing.T) {
	for expression, want := range map[string]string{
		"60 * * * *":      "column 1: 60 is not a minute (0-59)",
		"0,60 * * * *":    "column 3: 60 is not a minute (0-59)",
		"  60 * * * *":    "column 3: 60 is not a minute (0-59)",
		"* 24 * * *":      "column 3: 24 is not an hour (0-23)",
		"0 0 0 * *":       "column 5: 0 is not a day of the month (1-31)",
		"0 0 32 * *":      "column 5: 32 is not a day of the month (1-31)",
		"0 0 1-32 * *":    "column 7: 32 is not a day of the month (1-31)",
		"0 0 * 13 *":      "column 7: 13 is not a month (1-12 or jan-dec)",
		"0 0 * 0 *":       "column 7: 0 is not a month (1-12 or jan-dec)",
		"0 0 * * 8":       "column 9: 8 is not a day of the week (0-6 or sun-sat)",
		"0 0 * * mo":      "column 9: mo is not a day of the week (0-6 or sun-sat)",
		"0 0 * mon *":     "column 7: mon is not a month (1-12 or jan-dec)",
		"*/0 * * * *":     "column 3: 0 is not a step (1-59)",
		"*/60 * * * *":    "column 3: 60 is not a step (1-59)",
		"*/ * * * *":      "column 3: nothing is not a step (1-59)",
		"*/-5 * * * *":    "column 3: -5 is not a step (1-59)",
		"*/2/3 * * * *":   "column 3: 2/3 is not a step (1-59)",
		"0 */24 * * *":    "column 5: 24 is not a step (1-23)",
		"0 0 */32 * *":    "column 7: 32 is not a step (1-31)",
		"0 0 * */13 *":    "column 9: 13 is not a step (1-12)",
		"0 0 * * */7":     "column 11: 7 is not a step (1-6)",
		"1-5/0 * * * *":   "column 5: 0 is not a step (1-59)",
		"5-1 * * * *":     "column 1: the range 5-1 ends before it begins, write 5-59,0-1",
		"5-0 * * * *":     "column 1: the range 5-0 ends before it begins, write 5-59,0",
		"0 0 * * fri-mon": "column 9: the range fri-mon ends before it begins, write fri-sat,sun-mon",
		"0 0 * * Sat-1":   "column 9: the range Sat-1 ends before it begins, write Sat,0-1",
		"0 0 * * sat-sun": "column 9: the range sat-sun ends before it begins, write sat-7",
		"0 0 * * 5-0":     "column 9: the range 5-0 ends before it begins, write 5-7",
		"0 0 * * 7-tue":   "column 9: the range 7-tue ends before it begins, write sun-tue",
		"0 0 * * 7-0":     "column 9: the range 7-0 ends before it begins, write 0",
		"0 0 1 nov-feb *": "column 7: the range nov-feb ends before it begins, write nov-dec,jan-feb",
		"5/10 * * * *":    "column 1: a step follows a single value, a range was meant: 5-59/10",
		"000000000000000000000000000000005-1 * * * *": "column 1: the range 00000000000000000000… ends before it begins, write 00000000000000000000…-59,0-1",
		"* * * *":                            "column 8: 4 fields stand here, 5 were meant: minute, hour, day of the month, month, day of the week",
		" ":                                  "column 2: 0 fields stand here, 5 were meant: minute, hour, day of the month, month, day of the week",
		"* * * * * *":                        "column 11: 6 fields stand here, 5 were meant: minute, hour, day of the month, month, day of the week",
		"a-z * * * *":                        "column 1: a is not a minute (0-59)",
		"1,* * * * *":                        "column 3: * stands in a list, where it has no meaning: the field is either * alone or a list without it",
		"*,1 * * * *":                        "column 1: * stands in a list, where it has no meaning: the field is either * alone or a list without it",
		"** * * * *":                         "column 1: ** is not a minute (0-59)",
		"*5 * * * *":                         "column 1: *5 is not a minute (0-59)",
		"*-5 * * * *":                        "column 1: * is not a minute (0-59)",
		"1, * * * *":                         "column 3: a minute (0-59) is missing",
		",1 * * * *":                         "column 1: a minute (0-59) is missing",
		"1,,2 * * * *":                       "column 3: a minute (0-59) is missing",
		"1- * * * *":                         "column 3: a minute (0-59) is missing",
		"-1 * * * *":                         "column 1: a minute (0-59) is missing",
		"1-2-3 * * * *":                      "column 3: 2-3 is not a minute (0-59)",
		"+1 * * * *":                         "column 1: +1 is not a minute (0-59)",
		"1.5 * * * *":                        "column 1: 1.5 is not a minute (0-59)",
		"0x1 * * * *":                        "column 1: 0x1 is not a minute (0-59)",
		"１ * * * *":                          "column 1: １ is not a minute (0-59)",
		"0 0 1 january *":                    "column 7: january is not a month, write jan",
		"0 0 * * Monday":                     "column 9: Monday is not a day of the week, write mon",
		"0 0 L * *":                          "column 5: L (the last day) is not known here",
		"0 0 L-3 * *":                        "column 5: L (the last day) is not known here",
		"0 0 * * 5l":                         "column 10: L (the last day) is not known here",
		"0 0 15W * *":                        "column 7: W (the nearest working day) is not known here",
		"0 0 LW * *":                         "column 5: LW (the last working day) is not known here",
		"0 0 * * 5#2":                        "column 10: # (the n-th weekday of a month) is not known here",
		"0 0 * * fri#2":                      "column 12: # (the n-th weekday of a month) is not known here",
		"0 0 ? * 1":                          "column 5: ? is not known here, write *",
		"H * * * *":                          "column 1: H (any value) is not known here",
		"0~30 * * * *":                       "column 2: ~ (a random value) is not known here",
		"'0 * * * *'":                        "column 1: a quotation mark is no part of the expression",
		"0 * * *\n*":                         "column 8: the character U+000A stands here, a space was meant",
		"0\u3000* * * *":                     "column 2: the character U+3000 stands here, a space was meant",
		"0 *\x00 * * *":                      "column 4: the character U+0000 stands here, a space was meant",
		"\xff * * * *":                       "column 1: \uFFFD is not a minute (0-59)",
		"@reboot":                            "column 1: @reboot is no time",
		"@every 5m":                          "column 1: @every is not known, one of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually was meant",
		"@daily 0":                           "column 8: nothing may follow @daily",
		"0 0 31 2 *":                         "column 5: it would never fire: no day 31 in February",
		"0 0 30,31 feb *":                    "column 5: it would never fire: no days 30 and 31 in February",
		"0 0 31 4,6,9,11 *":                  "column 5: it would never fire: no day 31 in April, June, September and November",
		strings.Repeat("9", 60) + " * * * *": "column 1: 99999999999999999999… is not a minute (0-59)",
	} {
		if _, err := Parse(expression); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", expression, err, want)
		}
	}
}

// TestValues says what the fields of an expression mean.
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
		// Of two fields for days, the one without effect is as good as *.
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
		{"0 0 1,2,29-31 2 1", monthDay, "*"}, // in February the last three hardly come
	} {
		s, err := Parse(c.expression)
		if err != nil {
			t.Errorf("%q: %v", c.expression, err)
			continue
		}
		mask := []uint64{s.spec.Minute, s.spec.Hour, s.spec.Dom, s.spec.Month, s.spec.Dow}[c.which]
		got := "*"
		if mask != fields[c.which].all() {
			got = cronField(mask, weekday) // which writes no steps
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.expression, got, c.want)
		}
	}
}

// TestNever is about the expression that is no fault and never fires.
func TestNever(t *testing.T) {
	s, err := Parse("")
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := s.Next(time.Now()); ok {
		t.Errorf("fires at %v", at)
	}
}

// TestWeights are the sums that td's rule is written in, and the reason that sums by month are counted and not
// reckoned.
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
			t.Errorf("day %d: %d, want %d", d, monthDays[d], want)
		}
	}
	for w, n := range weekdays {
		if n != 20871 {
			t.Errorf("weekday %d: %d, want 20871", w, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "* * * * *", "0 0 1 * 1", "0 0 5,*/10,25 * *", "*/7 1-5/2 * jan-mar sun", "@daily", "60 * * * *", "\xff", "0 0 29 2 *"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "column ") || errors.Unwrap(err) != nil {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if _, ok := s.Next(time.Date(2096, 2, 29, 12, 0, 0, 0, time.UTC)); ok == (text == "") {
			t.Errorf("%q: fires %v", text, ok)
		}
	})
}
