package schedule

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestParseRefused guards the exact error of every expression that is refused.
func TestParseRefused(t *testing.T) {
	const five = "expected 5 fields (minute, hour, day of the month, month, day of the week), got "
	const aliases = "expected @hourly, @daily, @midnight, @weekly, @monthly, @yearly or @annually"
	for expression, want := range map[string]string{
		"60 * * * *":      `column 1: expected a minute (0-59), got "60"`,
		"0,60 * * * *":    `column 3: expected a minute (0-59), got "60"`,
		"  60 * * * *":    `column 3: expected a minute (0-59), got "60"`,
		"* 24 * * *":      `column 3: expected an hour (0-23), got "24"`,
		"0 0 0 * *":       `column 5: expected a day of the month (1-31), got "0"`,
		"0 0 32 * *":      `column 5: expected a day of the month (1-31), got "32"`,
		"0 0 1-32 * *":    `column 7: expected a day of the month (1-31), got "32"`,
		"0 0 * 13 *":      `column 7: expected a month (1-12 or jan-dec), got "13"`,
		"0 0 * 0 *":       `column 7: expected a month (1-12 or jan-dec), got "0"`,
		"0 0 * * 8":       `column 9: expected a day of the week (0-6 or sun-sat), got "8"`,
		"0 0 * * mo":      `column 9: expected a day of the week (0-6 or sun-sat), got "mo"`,
		"0 0 * mon *":     `column 7: expected a month (1-12 or jan-dec), got "mon"`,
		"*/0 * * * *":     `column 3: expected a step (1-59), got "0"`,
		"*/60 * * * *":    `column 3: expected a step (1-59), got "60"`,
		"*/ * * * *":      "column 3: expected a step (1-59), got nothing",
		"*/-5 * * * *":    `column 3: expected a step (1-59), got "-5"`,
		"*/2/3 * * * *":   `column 3: expected a step (1-59), got "2/3"`,
		"0 */24 * * *":    `column 5: expected a step (1-23), got "24"`,
		"0 0 */32 * *":    `column 7: expected a step (1-31), got "32"`,
		"0 0 * */13 *":    `column 9: expected a step (1-12), got "13"`,
		"0 0 * * */7":     `column 11: expected a step (1-6), got "7"`,
		"1-5/0 * * * *":   `column 5: expected a step (1-59), got "0"`,
		"5-1 * * * *":     `column 1: expected a range from low to high, got "5-1"; write 5-59,0-1`,
		"5-0 * * * *":     `column 1: expected a range from low to high, got "5-0"; write 5-59,0`,
		"0 0 * * fri-mon": `column 9: expected a range from low to high, got "fri-mon"; write fri-sat,sun-mon`,
		"0 0 * * Sat-1":   `column 9: expected a range from low to high, got "Sat-1"; write Sat,0-1`,
		"0 0 * * sat-sun": `column 9: expected a range from low to high, got "sat-sun"; write sat-7`,
		"0 0 * * 5-0":     `column 9: expected a range from low to high, got "5-0"; write 5-7`,
		"0 0 * * 7-tue":   `column 9: expected a range from low to high, got "7-tue"; write sun-tue`,
		"0 0 * * 7-0":     `column 9: expected a range from low to high, got "7-0"; write 0`,
		"0 0 1 nov-feb *": `column 7: expected a range from low to high, got "nov-feb"; write nov-dec,jan-feb`,
		"5/10 * * * *":    `column 1: expected a range before the step, got "5"; write 5-59/10`,
		"000000000000000000000000000000005-1 * * * *": "column 1: " + `expected a range from low to high, ` +
			`got "00000000000000000000…"; write 00000000000000000000…-59,0-1`,
		"* * * *":         "column 8: " + five + "4",
		" ":               "column 2: " + five + "0",
		"* * * * * *":     "column 11: " + five + "6",
		"a-z * * * *":     `column 1: expected a minute (0-59), got "a"`,
		"1,* * * * *":     "column 3: expected * alone or a list without *, got * in a list",
		"*,1 * * * *":     "column 1: expected * alone or a list without *, got * in a list",
		"** * * * *":      `column 1: expected a minute (0-59), got "**"`,
		"*5 * * * *":      `column 1: expected a minute (0-59), got "*5"`,
		"*-5 * * * *":     `column 1: expected a minute (0-59), got "*"`,
		"1, * * * *":      "column 3: expected a minute (0-59), got nothing",
		",1 * * * *":      "column 1: expected a minute (0-59), got nothing",
		"1,,2 * * * *":    "column 3: expected a minute (0-59), got nothing",
		"1- * * * *":      "column 3: expected a minute (0-59), got nothing",
		"-1 * * * *":      "column 1: expected a minute (0-59), got nothing",
		"1-2-3 * * * *":   `column 3: expected a minute (0-59), got "2-3"`,
		"+1 * * * *":      `column 1: expected a minute (0-59), got "+1"`,
		"1.5 * * * *":     `column 1: expected a minute (0-59), got "1.5"`,
		"0x1 * * * *":     `column 1: expected a minute (0-59), got "0x1"`,
		"１ * * * *":       `column 1: expected a minute (0-59), got "１"`,
		"0 0 1 january *": `column 7: expected a month, got "january"; write jan`,
		"0 0 * * Monday":  `column 9: expected a day of the week, got "Monday"; write mon`,
		"0 0 L * *":       "column 5: L (the last day) is not supported",
		"0 0 L-3 * *":     "column 5: L (the last day) is not supported",
		"0 0 * * 5l":      "column 10: L (the last day) is not supported",
		"0 0 15W * *":     "column 7: W (the nearest working day) is not supported",
		"0 0 LW * *":      "column 5: LW (the last working day) is not supported",
		"0 0 * * 5#2":     "column 10: # (the n-th weekday of a month) is not supported",
		"0 0 * * fri#2":   "column 12: # (the n-th weekday of a month) is not supported",
		"0 0 ? * 1":       "column 5: ? is not supported, write *",
		"H * * * *":       "column 1: H (any value) is not supported",
		"0~30 * * * *":    "column 2: ~ (a random value) is not supported",
		"'0 * * * *'":     "column 1: remove the quotation mark",
		"0 * * *\n*":      "column 8: expected a space, got the character U+000A",
		"0\u3000* * * *":  "column 2: expected a space, got the character U+3000",
		"0 *\x00 * * *":   "column 4: expected a space, got the character U+0000",
		"\xff * * * *":    `column 1: expected a minute (0-59), got "` + "\uFFFD" + `"`,
		"@reboot":         "column 1: " + aliases + `, got "@reboot"`,
		"@every 5m":       "column 1: " + aliases + `, got "@every"`,
		"@daily 0":        `column 8: expected nothing after @daily, got "0"`,
		"0 0 31 2 *":      "column 5: expected a day that exists, got day 31 in February",
		"0 0 30,31 feb *": "column 5: expected a day that exists, got days 30 and 31 in February",
		"0 0 31 4,6,9,11 *": "column 5: expected a day that exists, got day 31 in April, " +
			"June, September and November",
		strings.Repeat("9", 60) + " * * * *":      `column 1: expected a minute (0-59), got "99999999999999999999…"`,
		strings.Repeat(" ", 992) + "* * * * *":    "column 1001: expected at most 1000 characters, got 1001",
		strings.Repeat("\u3000", 1001):            "column 1001: expected at most 1000 characters, got 1001",
		strings.Repeat("1,", 200_000) + "1 * * *": "column 1001: expected at most 1000 characters, got 400007",
	} {
		if _, err := Parse(expression); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", expression, err, want)
		}
	}
}

// FuzzParse guards that any text is either refused with a column or fires, except for "", which never does.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "* * * * *", "0 0 1 * 1", "0 0 5,*/10,25 * *", "*/7 1-5/2 * jan-mar sun", "@daily",
		"60 * * * *", "\xff", "0 0 29 2 *",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		s, err := Parse(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "column ") || errors.Unwrap(err) != nil {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if _, ok := s.Next(time.Date(2096, 2, 29, 12, 0, 0, 0, time.UTC)); ok == (text == "") {
			t.Errorf("%q: it fires: %v", text, ok)
		}
	})
}
