package schedule

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

func TestFromWorkflow(t *testing.T) {
	for _, c := range []struct {
		schedule, want string // the expression, the plan's options and the next time after 2026-01-01 12:00 UTC
	}{
		{"hourly>: 30:05", "0 * * * * +30m5s 2026-01-01T22:00:00+09:00"},
		{"daily>: 07:00:00", "0 0 * * * +7h0m0s 2026-01-02T00:00:00+09:00"},
		{`daily>: "7:0:30"`, "0 0 * * * +7h0m30s 2026-01-02T00:00:00+09:00"},
		{"weekly>: Sun,09:00:00", "0 0 * * Sun +9h0m0s 2026-01-04T00:00:00+09:00"},
		{"weekly>: 7, 23:59:59", "0 0 * * 7 +23h59m59s 2026-01-04T00:00:00+09:00"},
		{"weekly>: mon-fri,00:00:00", "0 0 * * mon-fri +0s 2026-01-02T00:00:00+09:00"},
		{"monthly>: 31,09:00:00", "0 0 31 * * +9h0m0s 2026-01-31T00:00:00+09:00"},
		{"minutes_interval>: 7", "*/7 * * * * +0s 2026-01-01T21:07:00+09:00"},
		{"minutes_interval>: 30\n  delay: 90", "*/30 * * * * +1m30s 2026-01-01T21:30:00+09:00"},
		{"delay: 5\n  cron>: 42 4 1 * *", "42 4 1 * * +5s 2026-02-01T04:42:00+09:00"},
		{`cron>: "*/5 * * * *"`, "*/5 * * * * +0s 2026-01-01T21:05:00+09:00"},
		// As digdag's cron has it, unlike TD's own: both fields, and steps from the lowest value.
		{"cron>: 0 0 1 * 1", "0 0 1 * 1 +0s 2026-06-01T00:00:00+09:00"},
		{"cron>: 0 0 */5 * *", "0 0 */5 * * +0s 2026-01-06T00:00:00+09:00"},
		{"daily>: 07:00:00\n  start: 2026-03-01\n  end: 2026-03-31", "0 0 * * * +7h0m0s 2026-03-01..2026-03-31 2026-03-01T00:00:00+09:00"},
		{"daily>: 07:00:00\n  skip_on_overtime: true\n  skip_delayed_by: 3m", "0 0 * * * +7h0m0s overtime 3m0s 2026-01-02T00:00:00+09:00"},
		{"daily>: 07:00:00\n  skip_on_overtime: on", "0 0 * * * +7h0m0s overtime 2026-01-02T00:00:00+09:00"},
		{"daily>: 07:00:00\n  skip_on_overtime: No\n  skip_delayed_by: 1D 2h30 m 4s", "0 0 * * * +7h0m0s 26h30m4s 2026-01-02T00:00:00+09:00"},
	} {
		for _, text := range []string{"timezone: Asia/Tokyo\nschedule:\n  %s\n+task:\n  td>: export.sql\n", "+task:\n  echo>: ${x}\n_export: &s\n  %s\nschedule: *s\ntimezone: Asia/Tokyo\n"} {
			p, err := FromWorkflow(dig(t, fmt.Sprintf(text, c.schedule)))
			if err != nil {
				t.Errorf("%s: %v", c.schedule, err)
				continue
			}
			got := fmt.Sprintf("%v +%v ", p.Schedule, p.Delay)
			if p.Start != (Date{}) {
				got += fmt.Sprintf("%v..%v ", p.Start, p.End)
			}
			if p.SkipOnOvertime {
				got += "overtime "
			}
			if p.SkipDelayedBy != 0 {
				got += fmt.Sprintf("%v ", p.SkipDelayedBy)
			}
			next, _ := p.Next(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
			if got += next.Format(time.RFC3339); got != c.want {
				t.Errorf("%s:\n got %s\nwant %s", c.schedule, got, c.want)
			}
		}
	}
	p, err := FromWorkflow(dig(t, "schedule:\n  daily>: 00:00:00\n"))
	if err != nil || p.Location != time.UTC {
		t.Errorf("without a zone: %v, %v", p, err)
	}
}

func TestWorkflowRefused(t *testing.T) {
	const known = "one of cron>: daily>: hourly>: minutes_interval>: monthly>: weekly>: delay: end: skip_delayed_by: skip_on_overtime: start: was meant"
	const triggers = "one of cron>: daily>: hourly>: minutes_interval>: monthly>: weekly>: was meant"
	section := func(lines string) string { return "schedule:\n  " + lines + "\n" }
	for text, want := range map[string]string{
		"":                                 ": is not a mapping, a workflow was meant",
		"- a\n":                            ": is not a mapping, a workflow was meant",
		"+task:\n  echo>: a\n":             ": no schedule: stands at its top level",
		"+a:\n  schedule:\n    cron>: 0\n": ": no schedule: stands at its top level",
		"schedule:\n":                      `:1: schedule: is to hold one mapping such as "daily>: 07:00:00"`,
		"schedule: daily\n":                `:1: schedule: is to hold one mapping such as "daily>: 07:00:00"`,
		"schedule: {}\n":                   ":1: schedule: does not say when, " + triggers,
		section("delay: 5"):                ":1: schedule: does not say when, " + triggers,
		section("start: 2026-01-01"):       ":1: schedule: does not say when, " + triggers,
		section("daily>: 07:00:00\n  hourly>: 00:00"):                       ":3: hourly>: stands beside daily>:, one of them was meant",
		section("daily>: 07:00:00\n  daily>: 08:00:00"):                     ":3: daily>: stands here a second time",
		section("daily>: 07:00:00\n  skip_on_overlap: true"):                ":3: skip_on_overlap: is not known, did you mean skip_on_overtime:?",
		section("daily: 07:00:00"):                                          ":2: daily: is not known, did you mean daily>:?\nFILE:1: schedule: does not say when, " + triggers,
		section("daily>: 07:00:00\n  timezone: Asia/Tokyo"):                 ":3: timezone: is not known, " + known,
		section("daily>: 07:00:00\n  delay: 5"):                             ":3: delay: goes with cron>: and minutes_interval>:, the time after daily>: is a delay itself",
		section("daily>: 07:00"):                                            ":2: daily>: 07:00 is not HH:MM:SS",
		section("daily>: 24:00:00"):                                         ":2: daily>: 24:00:00 is not HH:MM:SS",
		section("daily>:"):                                                  ":2: daily>: a single value was meant",
		section("daily>: [7]"):                                              ":2: daily>: a single value was meant",
		section("daily>: ${at}"):                                            ":2: daily>: ${at} is for digdag to work out, a plain value was meant",
		section("hourly>: 60:00"):                                           ":2: hourly>: 60:00 is not MM:SS",
		section("weekly>: Sunday,09:00:00"):                                 ":2: weekly>: Sunday,09:00:00 is not DAY,HH:MM:SS, with a day of the week (0-6 or sun-sat)",
		section("weekly>: 09:00:00"):                                        ":2: weekly>: 09:00:00 is not DAY,HH:MM:SS, with a day of the week (0-6 or sun-sat)",
		section("monthly>: 32,09:00:00"):                                    ":2: monthly>: 32,09:00:00 is not D,HH:MM:SS, with a day of the month (1-31)",
		section("minutes_interval>: 90"):                                    ":2: minutes_interval>: 90 is not a number of minutes (1-59)",
		section(`cron>: ""`):                                                ":2: cron>: an expression of five fields was meant",
		section("cron>: 0 25 * * *"):                                        ":2: cron>: column 3: 25 is not an hour (0-23)",
		section("cron>: 0 0 31 2 1"):                                        ":2: cron>: column 5: it would never fire: no day 31 in February",
		section("cron>: 0 0 * * *\n  delay: 1.5"):                           ":3: delay: 1.5 is not a number of seconds",
		section("daily>: 07:00:00\n  skip_delayed_by: 3"):                   ":3: skip_delayed_by: 3 is not a duration such as 3m or 1h 30m",
		section("daily>: 07:00:00\n  skip_delayed_by: 0s"):                  ":3: skip_delayed_by: 0s would skip every run, a longer duration was meant",
		section("daily>: 07:00:00\n  skip_on_overtime: 1"):                  ":3: skip_on_overtime: 1 is neither true nor false",
		section("daily>: 07:00:00\n  start: 2026-02-30"):                    `:3: start: "2026-02-30" is not a day of the calendar`,
		section("daily>: 07:00:00\n  end: tomorrow"):                        `:3: end: "tomorrow" is not a date, YYYY-MM-DD was meant`,
		section("daily>: 07:00:00\n  start: 2026-03-02\n  end: 2026-03-01"): ":2: the schedule starts on 2026-03-02, after its end on 2026-03-01",
		"timezone: JST\n" + section("daily>: 07:00"): `:1: timezone: time zone "JST" is an abbreviation, an area and a city, such as Asia/Tokyo, was meant` +
			"\nFILE:3: daily>: 07:00 is not HH:MM:SS",
		section("daily>: 07:00:00") + section("daily>: 08:00:00"): `:3: schedule: is to hold one mapping such as "daily>: 07:00:00"`,
		"# " + strings.Repeat("x", 1<<20):                         ": is longer than 1048576 bytes, a workflow was meant",
	} {
		file := dig(t, text)
		want = file + strings.ReplaceAll(want, "FILE", file)
		if p, err := FromWorkflow(file); err == nil || err.Error() != want {
			t.Errorf("%.60q: %v, %v\nwant %s", text, p, err, want)
		}
	}
	if _, err := FromWorkflow(filepath.Join(t.TempDir(), "none.dig")); err == nil || !strings.HasPrefix(err.Error(), "read workflow: open ") {
		t.Errorf("no file: %v", err)
	}
	if _, err := FromWorkflow(t.TempDir()); err == nil || !strings.HasPrefix(err.Error(), "read workflow: read ") {
		t.Errorf("a folder: %v", err)
	}
}

// TestWorkflowYAML is about texts that are no YAML, or wild YAML.
func TestWorkflowYAML(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for name := 'b'; name < 'k'; name++ {
		bomb += fmt.Sprintf("%[1]c: &%[1]c [%[2]s*%[3]c]\n", name, strings.Repeat(fmt.Sprintf("*%c,", name-1), 9), name-1)
	}
	if _, err := FromWorkflow(dig(t, bomb+"schedule:\n  daily>: 07:00:00\n")); err != nil {
		t.Errorf("aliases: %v", err)
	}
	if _, err := FromWorkflow(dig(t, "!include : 'common.dig'\nschedule:\n  daily>: 07:00:00\n")); err != nil {
		t.Errorf("an include beside the schedule: %v", err)
	}
	file := dig(t, "schedule:\n\tdaily>: 07:00:00\n")
	if _, err := FromWorkflow(file); err == nil || !strings.HasPrefix(err.Error(), file+": yaml: ") {
		t.Errorf("a tab: %v", err)
	}
}
