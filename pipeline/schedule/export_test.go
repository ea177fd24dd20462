package schedule

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// command is one that every system has to quote in another way.
var command = []string{"/opt/bin/Export_All.sh", "--list", `50% "off" $HOME`, "it's", `a\b`, "", "x;y"}

func TestExport(t *testing.T) {
	for to, want := range map[string]string{
		"crontab": `# "30 6 * jan */5" in Asia/Tokyo: fire at 06:30, on Fridays and Sundays, in January.
# Here SCHEDULED_TIME is not set, and runs that were missed are not caught up.
# CRON_TZ is cronie's: other crons go by the clocks of the machine.
# Two runs may overlap.
CRON_TZ=Asia/Tokyo
30 6 * 1 0,5 /opt/bin/Export_All.sh --list '50'\%' "off" $HOME' 'it'\''s' 'a\b' '' 'x;y'
`,
		"systemd": `# "30 6 * jan */5" in Asia/Tokyo: fire at 06:30, on Fridays and Sundays, in January.
# Here SCHEDULED_TIME is not set, and runs that were missed are not caught up.
# export-all-sh.timer
[Timer]
OnCalendar=Sun,Fri *-01-* 06:30:00 Asia/Tokyo
AccuracySec=1s

[Install]
WantedBy=timers.target

# export-all-sh.service
[Service]
Type=oneshot
ExecStart=/opt/bin/Export_All.sh --list "50%% \"off\" $$HOME" "it's" "a\\b" "" "x;y"
`,
		"kubernetes": `# "30 6 * jan */5" in Asia/Tokyo: fire at 06:30, on Fridays and Sundays, in January.
# Here SCHEDULED_TIME is not set, and runs that were missed are not caught up.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: export-all-sh
spec:
  schedule: "30 6 * 1 0,5"
  timeZone: "Asia/Tokyo"
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: export-all-sh
              image: IMAGE # one that holds the command
              command: ["/opt/bin/Export_All.sh","--list","50% \"off\" $$HOME","it's","a\\b","","x;y"]
`,
	} {
		if got, err := planOf(t, "30 6 * jan */5", "Asia/Tokyo").Export(to, november, command); err != nil || got != want {
			t.Errorf("%s: %v\n%s", to, err, got)
		}
	}
}

// TestExportTimes holds the line of each system in which the times stand, or the reason why there is none.
func TestExportTimes(t *testing.T) {
	deadline(t)
	for _, c := range []struct{ to, expression, zone, want string }{
		{"crontab", "0 0 5,*/10,25 */5 *", "UTC", "0 0 5,10,20,25,30 5,10 *"},
		{"crontab", "0 0 1 * 1", "UTC", "0 0 * * 1"},
		{"crontab", "0 0 1-5 * 1", "UTC", "0 0 1-5 * *"},
		{"crontab", "0,30 */12 * * 1-5", "UTC", "*/30 */12 * * 1-5"},
		{"crontab", "@hourly", "America/New_York", "0 * * * *"},
		{"crontab", "*/15 1 * * *", "America/New_York", "*/15 1 * * *"},
		{"crontab", "0 5 * * *", "America/New_York", "0 5 * * *"},
		{"crontab", "30 2 * * *", "America/New_York", "cron would not fire at the same times in America/New_York: it makes up for 2027-03-14 02:30, which the clocks leave out"},
		{"crontab", "30 1 * * *", "America/New_York", "cron would not fire at the same times in America/New_York: it fires once at 2026-11-01 01:30, which comes twice"},
		{"crontab", "30 2 14 3 *", "America/New_York", "cron would not fire at the same times in America/New_York: it makes up for 2027-03-14 02:30, which the clocks leave out"},
		{"systemd", "0 0 5,*/10,25 */5 *", "UTC", "OnCalendar=*-05,10-05,10,20,25,30 00:00:00 UTC"},
		{"systemd", "30 2 * * *", "America/New_York", "OnCalendar=*-*-* 02:30:00 America/New_York"},
		{"systemd", "30 1 * * *", "America/New_York", "systemd would not fire at the same times in America/New_York: it fires once at 2026-11-01 01:30, which comes twice"},
		{"systemd", "10 * * * *", "America/St_Johns", "systemd would not fire at the same times in America/St_Johns: it fires once at 2026-11-01 01:10, which comes twice"},
		{"systemd", "40 * * * *", "Australia/Lord_Howe", "systemd would not fire at the same times in Australia/Lord_Howe: it fires once at 2027-04-04 01:40, which comes twice"},
		{"systemd", "10 * * * *", "Asia/Kathmandu", "OnCalendar=*-*-* *:10:00 Asia/Kathmandu"},
		{"kubernetes", "30 1,2 * * *", "America/New_York", `schedule: "30 1-2 * * *"`},
		{"kubernetes", "0 6 * * 5", "Africa/Cairo", "Kubernetes would not fire at the same times in Africa/Cairo: it errs on 2027-04-30, which has no midnight"},
		{"kubernetes", "0 6 * * *", "Africa/Cairo", `schedule: "0 6 * * *"`},
		{"kubernetes", "0 6 * * *", "Australia/Lord_Howe", "Kubernetes would not fire at the same times in Australia/Lord_Howe: its clocks change by other than whole hours on 2027-04-04"},
		{"crontab", "", "UTC", `"" never fires, there is nothing to export`},
		{"launchd", "@daily", "UTC", `"launchd" is not known, one of crontab, kubernetes, systemd was meant`},
	} {
		got, err := planOf(t, c.expression, c.zone).Export(c.to, november, []string{"true"})
		if err != nil {
			got = err.Error()
		} else {
			got = timesLine(got)
		}
		if got != c.want {
			t.Errorf("%s %q in %s:\n got %s\nwant %s", c.to, c.expression, c.zone, got, c.want)
		}
	}
}

// timesLine is the line of an export in which the times stand.
func timesLine(export string) string {
	for line := range strings.Lines(export) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "OnCalendar=") || strings.HasPrefix(line, "schedule:") {
			return line
		}
		if fields, is := strings.CutSuffix(line, " true"); is && !strings.HasPrefix(line, "name:") && !strings.HasPrefix(line, "- name:") {
			return fields
		}
	}
	return ""
}

// TestExportRefused is about what is no matter of the times.
func TestExportRefused(t *testing.T) {
	refused := func(want string, p *Plan, to string, command ...string) {
		t.Helper()
		if _, err := p.Export(to, november, command); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	daily := planOf(t, "@daily", "UTC")
	refused("the command is missing", daily, "crontab")
	refused("a line of a crontab cannot hold a command with a line break", daily, "crontab", "echo", "a\nb")
	refused("systemd starts a command by its name or its absolute path, not ./run.sh: write \"$PWD/…\"", daily, "systemd", "./run.sh")
	refused("systemd starts a command by its name or its absolute path, not -run: write \"$PWD/…\"", daily, "systemd", "-run")
	refused("systemd starts a command by its name or its absolute path, not nothing: write \"$PWD/…\"", daily, "systemd", "")
	refused("cron starts a command by its name or its absolute path, not ./run.sh: write \"$PWD/…\"", daily, "crontab", "./run.sh")
	refused("cron starts a command by its name or its absolute path, not bin/run: write \"$PWD/…\"", daily, "crontab", "bin/run", "/")
	refused("cron starts a command by its name or its absolute path, not nothing: write \"$PWD/…\"", daily, "crontab", "")
	refused("a CronJob cannot hold a command that is not UTF-8 text", daily, "kubernetes", "echo", "\xff")
	delayed := *daily
	delayed.Delay = time.Second
	refused("cron has no delay after the scheduled time", &delayed, "crontab", "true")
	ending := *daily
	ending.End = Date{2027, 1, 1}
	refused("Kubernetes has no first and last day of a schedule", &ending, "kubernetes", "true")
	skipping := *daily
	skipping.SkipOnOvertime = true
	refused("Kubernetes cannot be told to leave out runs whose time comes while another one is under way", &skipping, "kubernetes", "true")
	skipping = *daily
	skipping.SkipDelayedBy = time.Minute
	refused("systemd cannot be told to leave out runs that are later than 1m0s", &skipping, "systemd", "true")
	both, err := parse("0 0 1 * 1", cron4j)
	if err != nil {
		t.Fatal(err)
	}
	p := &Plan{Schedule: both, Location: time.UTC}
	refused("cron cannot fire on Mondays that are day 1 of the month alone", p, "crontab", "true")
	if got, err := p.Export("systemd", november, []string{"true"}); err != nil || timesLine(got) != "OnCalendar=Mon *-*-01 00:00:00 UTC" {
		t.Errorf("systemd: %v %s", err, got)
	}
}

// TestExportCron reads what is exported to cron as cron does, and holds it against the schedule.
func TestExportCron(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := Parse(anyExpression(t))
		if err != nil {
			return
		}
		for _, to := range []string{"crontab", "kubernetes"} {
			text, err := (&Plan{Schedule: s, Location: time.UTC}).Export(to, november, []string{"true"})
			if err != nil {
				t.Fatal(err)
			}
			text = strings.Trim(strings.TrimPrefix(timesLine(text), "schedule: "), `"`)
			other, err := parse(text, vixie)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if other.spec.Minute != s.spec.Minute || other.spec.Hour != s.spec.Hour || !sameDays(other.spec, s.spec) {
				t.Fatalf("%q became %q", s.text, text)
			}
		}
	})
}
