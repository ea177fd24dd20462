package schedule

import (
	"slices"
	"strings"
	"testing"
	"time"

	"klaviyo-export/pipeline/workflow"
)

// planOf is a plan without options.
func planOf(t testing.TB, expression, zone string) *Plan {
	t.Helper()
	return &Plan{Schedule: scheduleOf(t, expression), Location: zoneOf(t, zone)}
}

var november = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// TestExplain guards every sentence that explains an expression in a zone.
func TestExplain(t *testing.T) {
	for _, c := range []struct {
		expression, zone string
		want             []string
	}{
		{"0 0 1 * 1", "UTC", []string{
			`"0 0 1 * 1" fires at 00:00, on Mondays`,
			"the time zone is UTC, and the next time is 2026-11-02T00:00:00Z",
			`"1" for the day of the month is ignored: "1" for the day of the week fires more often (in 400 ` +
				`years: day 1 4800 times, Mondays 20871 times)`,
			"Vixie cron fires at 00:00, on day 1 of the month and on Mondays",
			"digdag (cron4j) fires at 00:00, on Mondays that are day 1 of the month",
		}},
		{"0 0 1-7 * mon", "UTC", []string{
			`"0 0 1-7 * mon" fires at 00:00, on days 1 to 7 of the month`,
			"the time zone is UTC, and the next time is 2026-11-02T00:00:00Z",
			`"mon" for the day of the week is ignored: "1-7" for the day of the month fires more often (in 400 ` +
				`years: days 1 to 7 33600 times, Mondays 20871 times)`,
			"Vixie cron fires at 00:00, on days 1 to 7 of the month and on Mondays",
			"digdag (cron4j) fires at 00:00, on Mondays that are days 1 to 7 of the month",
		}},
		{"0 0 1-17 1,2,4 0,1,3,5", "UTC", []string{
			`"0 0 1-17 1,2,4 0,1,3,5" fires at 00:00, on Mondays, Wednesdays, Fridays and Sundays, in January, ` +
				`February and April`,
			"the time zone is UTC, and the next time is 2027-01-01T00:00:00Z",
			`"1-17" for the day of the month is ignored: "0,1,3,5" for the day of the week fires as often, and ` +
				`then the day of the week wins (in 400 years: days 1 to 17 20400 times, Mondays, Wednesdays, ` +
				`Fridays and Sundays 20400 times)`,
			"Vixie cron fires at 00:00, on days 1 to 17 of the month and on Mondays, Wednesdays, Fridays and " +
				"Sundays, in January, February and April",
			"digdag (cron4j) fires at 00:00, on Mondays, Wednesdays, Fridays and Sundays that are days 1 to 17 " +
				"of the month, in January, February and April",
		}},
		{"0 0 31 2 1", "UTC", []string{
			`"0 0 31 2 1" fires at 00:00, on Mondays, in February`,
			"the time zone is UTC, and the next time is 2027-02-01T00:00:00Z",
			`"31" for the day of the month is ignored: "1" for the day of the week fires more often (in 400 ` +
				`years: day 31 0 times, Mondays 1615 times)`,
			"digdag (cron4j) never fires",
			"Vixie cron fires on the same days",
		}},
		{"0 0 5,*/10,25 * *", "Asia/Tokyo", []string{
			`"0 0 5,*/10,25 * *" fires at 00:00, on days 5, 10, 20, 25 and 30 of the month`,
			"the time zone is Asia/Tokyo, and the next time is 2026-11-05T00:00:00+09:00",
			"it fires on day 30 too, because */10 means every day divisible by 10; Treasure Data's documentation " +
				"lists only 5, 10, 20 and 25 for 5,*/10,25",
			"Vixie cron fires at 00:00, on days 1, 5, 11, 21, 25 and 31 of the month",
			"digdag (cron4j) fires at 00:00, on days 1, 5, 11, 21, 25 and 31 of the month",
		}},
		{"0 0 30,*/14 * *", "UTC", []string{
			`"0 0 30,*/14 * *" fires at 00:00, on days 14, 28 and 30 of the month`,
			"the time zone is UTC, and the next time is 2026-11-14T00:00:00Z",
			"Vixie cron fires at 00:00, on days 1, 15, 29 and 30 of the month",
			"digdag (cron4j) fires at 00:00, on days 1, 15, 29 and 30 of the month",
		}},
		// Where a field begins with a star, Vixie cron wants both fields.
		{"0 0 */2 * sat,sun", "UTC", []string{
			`"0 0 */2 * sat,sun" fires at 00:00, on days 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28 and ` +
				`30 of the month`,
			"the time zone is UTC, and the next time is 2026-11-02T00:00:00Z",
			`"sat,sun" for the day of the week is ignored: "*/2" for the day of the month fires more often (in ` +
				`400 years: days 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28 and 30 71600 times, ` +
				`Saturdays and Sundays 41742 times)`,
			"Vixie cron fires at 00:00, on Saturdays and Sundays that are days 1, 3, 5, 7, 9, 11, 13, 15, 17, " +
				"19, 21, 23, 25, 27, 29 and 31 of the month",
			"digdag (cron4j) fires at 00:00, on Saturdays and Sundays that are days 1, 3, 5, 7, 9, 11, 13, 15, " +
				"17, 19, 21, 23, 25, 27, 29 and 31 of the month",
		}},
		{"30 1,2 * jan,feb-apr,nov *", "America/New_York", []string{
			`"30 1,2 * jan,feb-apr,nov *" fires at 01:30 and 02:30, every day, in January to April and November`,
			"the time zone is America/New_York, and the next time is 2026-11-01T01:30:00-04:00",
			"2026-11-01 01:30 occurs twice (the clocks go back from 02:00 to 01:00), so it fires twice",
			"2027-03-14 02:30 does not exist (the clocks go forward from 02:00 to 03:00), so it does not fire then",
			"Vixie cron and digdag (cron4j) fire on the same days",
			"Vixie cron makes up for a time that does not exist, and fires once at a time that occurs twice",
		}},
		{"*/20 9-17 1 */5 *", "UTC", []string{
			`"*/20 9-17 1 */5 *" fires at minutes 0, 20 and 40 of hours 9 to 17, on day 1 of the month, in May ` +
				`and October`,
			"the time zone is UTC, and the next time is 2027-05-01T09:00:00Z",
			"Vixie cron fires at minutes 0, 20 and 40 of hours 9 to 17, on day 1 of the month, in January, June " +
				"and November",
			"digdag (cron4j) fires at minutes 0, 20 and 40 of hours 9 to 17, on day 1 of the month, in January, " +
				"June and November",
		}},
		{"0 */1 * * *", "America/New_York", []string{
			`"0 */1 * * *" fires at minute 0 of every hour, every day`,
			"the time zone is America/New_York, and the next time is 2026-10-31T21:00:00-04:00",
			"2026-11-01 01:00 occurs twice (the clocks go back from 02:00 to 01:00), so it fires twice",
			"2027-03-14 02:00 does not exist (the clocks go forward from 02:00 to 03:00), so it does not fire then",
			"Vixie cron and digdag (cron4j) fire on the same days",
		}},
		{"* 3 * * *", "UTC", []string{
			`"* 3 * * *" fires every minute of hour 3, every day`,
			"the time zone is UTC, and the next time is 2026-11-01T03:00:00Z",
			"Vixie cron and digdag (cron4j) fire on the same days",
		}},
		{"* * * * *", "UTC", []string{
			`"* * * * *" fires every minute, every day`,
			"the time zone is UTC, and the next time is 2026-11-01T00:01:00Z",
			"Vixie cron and digdag (cron4j) fire on the same days",
		}},
		{"", "UTC", []string{`"" never fires`}},
	} {
		if got := planOf(t, c.expression, c.zone).Explain(november); !slices.Equal(got, c.want) {
			const line = "\n     "
			t.Errorf("%q in %s:\n got %s\nwant %s",
				c.expression, c.zone, strings.Join(got, line), strings.Join(c.want, line))
		}
	}
}

// TestExplainPlan guards the sentences on what a plan has beside the expression.
func TestExplainPlan(t *testing.T) {
	p := planOf(t, "@daily", "UTC")
	p.Delay, p.Start, p.End = 90*time.Minute, Date{2026, 12, 24}, Date{2026, 12, 31}
	want := []string{
		`"@daily" fires at 00:00, every day`,
		"the time zone is UTC, and the next time is 2026-12-24T00:00:00Z",
		"the first day is 2026-12-24",
		"the last day is 2026-12-31",
		"runs start 1h30m after their time, the next one at 2026-12-24T01:30:00Z",
		"Vixie cron and digdag (cron4j) fire on the same days",
	}
	if got := p.Explain(november); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	got := p.Explain(november.AddDate(1, 0, 0))
	const never = "the time zone is UTC, and there is no further time"
	if got[1] != never || got[4] != "runs start 1h30m after their time" {
		t.Errorf("after the end: %q", got)
	}
	file := dig(t, "timezone: Asia/Tokyo\nschedule:\n  weekly>: Sun,09:00:00\n")
	weekly, err := FromWorkflow(file, workflow.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[string]string{
		"2026-11-07T12:00:00+09:00": "runs start 9h after their time, the next one at 2026-11-08T09:00:00+09:00",
		"2026-11-08T08:59:00+09:00": "runs start 9h after their time, the next one at 2026-11-08T09:00:00+09:00",
		"2026-11-08T09:00:00+09:00": "runs start 9h after their time, the next one at 2026-11-15T09:00:00+09:00",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := weekly.Explain(at)[2]; got != want {
			t.Errorf("at %s: %s", now, got)
		}
	}
	for delay, want := range map[time.Duration]string{
		90 * time.Second: "1m30s", 10 * time.Minute: "10m", 20 * time.Second: "20s",
		time.Hour + 10*time.Second: "1h0m10s", 20 * time.Hour: "20h",
	} {
		p.Delay = delay
		if got := p.delayed(november); !strings.HasPrefix(got, "runs start "+want+" after their time, ") {
			t.Errorf("%v: %s", delay, got)
		}
	}
	p.Schedule, _ = parse("0 0 1 * 1", cron4j)
	want = []string{
		"Treasure Data's cron for queries fires at 00:00, on Mondays",
		"Vixie cron fires at 00:00, on day 1 of the month and on Mondays",
	}
	if got := p.Explain(november); !slices.Equal(got[len(got)-2:], want) {
		t.Errorf("as digdag reads it: %q", got)
	}
}
