package schedule

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"klaviyo-export/pipeline/workflow"
)

// dig writes a workflow and returns its path.
func dig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "export.dig")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// summary is a plan's expression, its options, and the next time after 2026-01-01 12:00 UTC.
func summary(p *Plan) string {
	text := fmt.Sprintf("%s +%v ", p.Schedule.text, p.Delay)
	if p.Start != (Date{}) {
		text += fmt.Sprintf("%v..%v ", p.Start, p.End)
	}
	if p.SkipOnOvertime {
		text += "overtime "
	}
	if p.SkipDelayedBy != 0 {
		text += fmt.Sprintf("%v ", p.SkipDelayedBy)
	}
	next, _ := p.Next(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	return text + next.Format(time.RFC3339)
}

// TestFromWorkflow guards that each key of a schedule section means what it means to digdag, in the section itself
// and behind an alias.
func TestFromWorkflow(t *testing.T) {
	for _, c := range []struct{ name, schedule, want string }{
		{"hourly", "hourly>: 30:05", "0 * * * * +30m5s 2026-01-01T22:00:00+09:00"},
		{"daily", "daily>: 07:00:00", "0 0 * * * +7h0m0s 2026-01-02T00:00:00+09:00"},
		{"daily in quotes, one digit", `daily>: "7:0:30"`, "0 0 * * * +7h0m30s 2026-01-02T00:00:00+09:00"},
		{"weekly by name", "weekly>: Sun,09:00:00", "0 0 * * Sun +9h0m0s 2026-01-04T00:00:00+09:00"},
		{"weekly by number, with a blank", "weekly>: 7, 23:59:59", "0 0 * * 7 +23h59m59s 2026-01-04T00:00:00+09:00"},
		{"weekly by a range", "weekly>: mon-fri,00:00:00", "0 0 * * mon-fri +0s 2026-01-02T00:00:00+09:00"},
		{"monthly", "monthly>: 31,09:00:00", "0 0 31 * * +9h0m0s 2026-01-31T00:00:00+09:00"},
		{"minutes", "minutes_interval>: 7", "*/7 * * * * +0s 2026-01-01T21:07:00+09:00"},
		{"minutes with a delay", "minutes_interval>: 30\n  delay: 90",
			"*/30 * * * * +1m30s 2026-01-01T21:30:00+09:00"},
		{"cron after its delay", "delay: 5\n  cron>: 42 4 1 * *", "42 4 1 * * +5s 2026-02-01T04:42:00+09:00"},
		{"cron in quotes", `cron>: "*/5 * * * *"`, "*/5 * * * * +0s 2026-01-01T21:05:00+09:00"},
		// As digdag's cron reads them, unlike TD's own: both fields for days, and steps from the lowest value.
		{"cron with both fields for days", "cron>: 0 0 1 * 1", "0 0 1 * 1 +0s 2026-06-01T00:00:00+09:00"},
		{"cron with steps", "cron>: 0 0 */5 * *", "0 0 */5 * * +0s 2026-01-06T00:00:00+09:00"},
		{"start and end", "daily>: 07:00:00\n  start: 2026-03-01\n  end: 2026-03-31",
			"0 0 * * * +7h0m0s 2026-03-01..2026-03-31 2026-03-01T00:00:00+09:00"},
		{"skips", "daily>: 07:00:00\n  skip_on_overtime: true\n  skip_delayed_by: 3m",
			"0 0 * * * +7h0m0s overtime 3m0s 2026-01-02T00:00:00+09:00"},
		{"a boolean of YAML 1.1", "daily>: 07:00:00\n  skip_on_overtime: on",
			"0 0 * * * +7h0m0s overtime 2026-01-02T00:00:00+09:00"},
		{"a duration of four units", "daily>: 07:00:00\n  skip_on_overtime: No\n  skip_delayed_by: 1D 2h30 m 4s",
			"0 0 * * * +7h0m0s 26h30m4s 2026-01-02T00:00:00+09:00"},
	} {
		for name, text := range map[string]string{
			"in place":        "timezone: Asia/Tokyo\nschedule:\n  %s\n+task:\n  td>: export.sql\n",
			"behind an alias": "+task:\n  echo>: ${x}\n_export: &s\n  %s\nschedule: *s\ntimezone: Asia/Tokyo\n",
		} {
			t.Run(c.name+" "+name, func(t *testing.T) {
				p, err := FromWorkflow(dig(t, fmt.Sprintf(text, c.schedule)), workflow.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if got := summary(p); got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
			})
		}
	}
	t.Run("without a zone", func(t *testing.T) {
		p, err := FromWorkflow(dig(t, "schedule:\n  daily>: 00:00:00\n"), workflow.Options{})
		if err != nil || p.Location != time.UTC {
			t.Errorf("%v, %v", p, err)
		}
	})
	t.Run("a zone in a variable", func(t *testing.T) {
		text := "_export: {zone: Asia/Tokyo}\ntimezone: ${zone}\nschedule:\n  daily>: 00:00:00\n"
		p, err := FromWorkflow(dig(t, text), workflow.Options{})
		if err != nil || p.Location.String() != "Asia/Tokyo" {
			t.Errorf("%v, %v", p, err)
		}
	})
}

// TestFromWorkflowRefused guards the exact fault of everything that a schedule section must not hold.
func TestFromWorkflowRefused(t *testing.T) {
	const triggers = "cron>, daily>, hourly>, minutes_interval>, monthly> and weekly>"
	section := func(lines string) string { return "schedule:\n  " + lines + "\n" }
	daily := func(line string) string { return section("daily>: 07:00:00\n  " + line) }
	for _, c := range []struct{ name, text, want string }{
		{"no section", "+task:\n  echo>: a\n", ": expected schedule: at the top level, got none"},
		{"a section inside a task", "+a:\n  schedule:\n    cron>: 0\n",
			": expected schedule: at the top level, got none"},
		{"an empty section", "schedule:\n",
			`:1: schedule: expected a mapping such as "daily>: 07:00:00", got nothing`},
		{"a text as section", "schedule: daily\n",
			`:1: schedule: expected a mapping such as "daily>: 07:00:00", got a text`},
		{"a section without members", "schedule: {}\n", ":1: schedule: expected one of " + triggers + ", got none"},
		{"a delay alone", section("delay: 5"), ":1: schedule: expected one of " + triggers + ", got none"},
		{"a start alone", section("start: 2026-01-01"), ":1: schedule: expected one of " + triggers + ", got none"},
		{"two triggers", daily("hourly>: 00:00"), ":3: hourly>: expected one of " + triggers + ", got it and daily>"},
		{"a key of another system", daily("skip_on_overlap: true"),
			":3: skip_on_overlap: unknown key, did you mean skip_on_overtime?"},
		{"a trigger without >", section("daily: 07:00:00"), ":2: daily: unknown key, did you mean daily>?"},
		{"unknown keys", daily("timezone: Asia/Tokyo\n  parallel: true"),
			":3: timezone: unknown key, expected cron>, daily>, delay, end, hourly>, minutes_interval>, monthly>, " +
				"skip_delayed_by, skip_on_overtime, start or weekly>\nFILE:4: parallel: unknown key"},
		{"a delay beside daily", daily("delay: 5"),
			":3: delay: has no effect with daily>, which sets a delay itself; " +
				"it works with cron> and minutes_interval>"},
		{"daily without seconds", section("daily>: 07:00"), `:2: daily>: expected HH:MM:SS, got "07:00"`},
		{"daily at 24 hours", section("daily>: 24:00:00"), `:2: daily>: expected HH:MM:SS, got "24:00:00"`},
		{"daily at 60 minutes", section("daily>: 07:60:00"), `:2: daily>: expected HH:MM:SS, got "07:60:00"`},
		{"daily without a value", section("daily>:"), ":2: daily>: expected HH:MM:SS, got nothing"},
		{"daily with an empty text", section("daily>: ''"), ":2: daily>: expected HH:MM:SS, got nothing"},
		{"daily with a list", section("daily>: [7]"), ":2: daily>: expected HH:MM:SS, got a list"},
		{"hourly at 60 minutes", section("hourly>: 60:00"), `:2: hourly>: expected MM:SS, got "60:00"`},
		{"weekly on a long name", section("weekly>: Sunday,09:00:00"),
			`:2: weekly>: expected DAY,HH:MM:SS with a day of the week (0-6 or sun-sat), got "Sunday,09:00:00"`},
		{"weekly without a day", section("weekly>: 09:00:00"),
			`:2: weekly>: expected DAY,HH:MM:SS with a day of the week (0-6 or sun-sat), got "09:00:00"`},
		{"monthly on day 32", section("monthly>: 32,09:00:00"),
			`:2: monthly>: expected D,HH:MM:SS with a day of the month (1-31), got "32,09:00:00"`},
		{"90 minutes", section("minutes_interval>: 90"),
			`:2: minutes_interval>: expected a number of minutes (1-59), got "90"`},
		{"an empty cron", section(`cron>: ""`), ":2: cron>: expected a cron expression of 5 fields, got nothing"},
		{"cron at hour 25", section("cron>: 0 25 * * *"), `:2: cron>: column 3: expected an hour (0-23), got "25"`},
		{"cron that never fires", section("cron>: 0 0 31 2 1"),
			":2: cron>: column 5: expected a day that exists, got day 31 in February"},
		{"half a second", section("cron>: 0 0 * * *\n  delay: 1.5"),
			`:3: delay: expected a number of seconds, got "1.5"`},
		{"a duration without unit", daily("skip_delayed_by: 3"),
			`:3: skip_delayed_by: expected a duration over 0s, such as 3m or 1h 30m, got "3"`},
		{"a duration of 0s", daily("skip_delayed_by: 0s"),
			`:3: skip_delayed_by: expected a duration over 0s, such as 3m or 1h 30m, got "0s"`},
		{"a number for a boolean", daily("skip_on_overtime: 1"),
			`:3: skip_on_overtime: expected true or false, got "1"`},
		{"a day that does not exist", daily("start: 2026-02-30"),
			`:3: start: expected a day of the calendar, got "2026-02-30"`},
		{"a word for a date", daily("end: tomorrow"), `:3: end: expected a date as YYYY-MM-DD, got "tomorrow"`},
		{"an end before the start", daily("start: 2026-03-02\n  end: 2026-03-01"),
			":3: start: expected the end, 2026-03-01, or earlier, got 2026-03-02"},
		{"two faults", "timezone: JST\n" + section("daily>: 07:00"),
			`:1: timezone: expected an IANA name such as Asia/Tokyo, got the abbreviation "JST"` +
				"\nFILE:3: daily>: expected HH:MM:SS, got \"07:00\""},
		{"a zone that is a list", "timezone: [UTC]\n" + daily("end: 2026-03-01"),
			":1: timezone: expected an IANA name such as Asia/Tokyo or UTC, got a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := dig(t, c.text)
			want := file + strings.ReplaceAll(c.want, "FILE", file)
			if p, err := FromWorkflow(file, workflow.Options{}); p != nil || err == nil || err.Error() != want {
				t.Errorf("got  %v, %v\nwant %s", p, err, want)
			}
		})
	}
}

// TestFromWorkflowShowsNoSecret guards that no fault of a schedule shows the key or a secret, whole or in part.
func TestFromWorkflowShowsNoSecret(t *testing.T) {
	const key = "0 25 hush"
	env := func(string) (string, bool) { return key, true }
	for _, c := range []struct{ name, text, want string }{
		{"a secret as daily", "schedule:\n  daily>: ${secret:a}\n", `:2: daily>: expected HH:MM:SS, got "***"`},
		{"a secret as cron", "schedule:\n  cron>: ${secret:a} * *\n",
			`:2: cron>: expected a cron expression of 5 fields, got "***"`},
		{"the key behind an alias", "+t: {api_token: &k " + key + "}\nschedule:\n  cron>: *k\n",
			`:3: cron>: expected a cron expression of 5 fields, got "***"`},
		{"a secret as date", "schedule:\n  daily>: 07:00:00\n  start: ${secret:a}\n",
			`:3: start: expected a date as YYYY-MM-DD, got "***"`},
		{"a secret as zone", "timezone: ${secret:a}\nschedule:\n  daily>: 07:00:00\n",
			`:1: timezone: expected an IANA name such as Asia/Tokyo or UTC, got "***"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := dig(t, c.text)
			if _, err := FromWorkflow(file, workflow.Options{Env: env}); err == nil || err.Error() != file+c.want {
				t.Errorf("got  %v\nwant %s", err, file+c.want)
			}
		})
	}
}
