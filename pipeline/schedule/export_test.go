package schedule

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"
)

// command is one that each system quotes in its own way.
var command = []string{"/opt/bin/Export_All.sh", "--list", `50% "off" $HOME`, "it's", `a\b`, "", "x;y"}

// TestExport guards the bytes of a whole configuration for each system.
func TestExport(t *testing.T) {
	for to, want := range map[string]string{
		"crontab": `# "30 6 * jan */5" in Asia/Tokyo fires at 06:30, on Fridays and Sundays, in January.
# SCHEDULED_TIME is not set here, and missed runs are not made up for.
# CRON_TZ needs cronie: other crons use the machine's time zone.
# Two runs can overlap.
CRON_TZ=Asia/Tokyo
30 6 * 1 0,5 /opt/bin/Export_All.sh --list 50\%' "off" $HOME' 'it'"'"'s' 'a\b' '' 'x;y'
`,
		"systemd": `# "30 6 * jan */5" in Asia/Tokyo fires at 06:30, on Fridays and Sundays, in January.
# SCHEDULED_TIME is not set here, and missed runs are not made up for.
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
		"kubernetes": `# "30 6 * jan */5" in Asia/Tokyo fires at 06:30, on Fridays and Sundays, in January.
# SCHEDULED_TIME is not set here, and missed runs are not made up for.
# A run that cannot start within 60 seconds of its time is skipped,
# also because another run is still going.
# A failed run is not repeated.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: export-all-sh
spec:
  schedule: "30 6 * 1 0,5"
  timeZone: "Asia/Tokyo"
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 60
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: export-all-sh
              image: IMAGE # fill in an image that has the command
              command: ["/opt/bin/Export_All.sh","--list","50% \"off\" $$HOME","it's","a\\b","","x;y"]
`,
	} {
		got, err := planOf(t, "30 6 * jan */5", "Asia/Tokyo").Export(to, november, command)
		if err != nil || got != want {
			t.Errorf("%s: %v\n%s", to, err, got)
		}
	}
}

// TestExportKubernetes guards what a YAML reader finds in a CronJob: each time starts the command once, at most a
// minute late, with each word as it was given.
func TestExportKubernetes(t *testing.T) {
	text, err := planOf(t, "30 6 * jan */5", "Asia/Tokyo").Export("kubernetes", november, command)
	if err != nil {
		t.Fatal(err)
	}
	var got, want struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		Spec       struct {
			Schedule                string
			TimeZone                string `yaml:"timeZone"`
			ConcurrencyPolicy       string `yaml:"concurrencyPolicy"`
			StartingDeadlineSeconds int    `yaml:"startingDeadlineSeconds"`
			JobTemplate             struct {
				Spec struct {
					BackoffLimit *int `yaml:"backoffLimit"`
					Template     struct {
						Spec struct {
							RestartPolicy string `yaml:"restartPolicy"`
							Containers    []struct {
								Name, Image string
								Command     []string
							}
						}
					}
				}
			} `yaml:"jobTemplate"`
		}
	}
	if err := yaml.Load([]byte(text), &got, yaml.WithKnownFields()); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	want.APIVersion, want.Kind, want.Metadata.Name = "batch/v1", "CronJob", "export-all-sh"
	want.Spec.Schedule, want.Spec.TimeZone = "30 6 * 1 0,5", "Asia/Tokyo"
	want.Spec.ConcurrencyPolicy, want.Spec.StartingDeadlineSeconds = "Forbid", 60
	want.Spec.JobTemplate.Spec.BackoffLimit = new(int)
	pod := &want.Spec.JobTemplate.Spec.Template.Spec
	pod.RestartPolicy = "Never"
	pod.Containers = append(pod.Containers, struct {
		Name, Image string
		Command     []string
	}{"export-all-sh", "IMAGE", []string{
		"/opt/bin/Export_All.sh", "--list", `50% "off" $$HOME`, "it's", `a\b`, "", "x;y", // Kubernetes reads $$ as $
	}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestExportTimes guards the line with the times that each system gets, or the reason why it gets none.
func TestExportTimes(t *testing.T) {
	const differs = " does not fire at the same times in "
	for _, c := range []struct{ to, expression, zone, want string }{
		{"crontab", "0 0 5,*/10,25 */5 *", "UTC", "0 0 5,10,20,25,30 5,10 *"},
		{"crontab", "0 0 1 * 1", "UTC", "0 0 * * 1"},
		{"crontab", "0 0 1-5 * 1", "UTC", "0 0 1-5 * *"},
		{"crontab", "0,30 */12 * * 1-5", "UTC", "*/30 */12 * * 1-5"},
		{"crontab", "@hourly", "America/New_York", "0 * * * *"},
		{"crontab", "*/15 1 * * *", "America/New_York", "*/15 1 * * *"},
		{"crontab", "0 5 * * *", "America/New_York", "0 5 * * *"},
		{"crontab", "30 2 * * *", "America/New_York",
			"cron" + differs + "America/New_York: it makes up for 2027-03-14 02:30, which does not exist"},
		{"crontab", "30 1 * * *", "America/New_York",
			"cron" + differs + "America/New_York: it fires once at 2026-11-01 01:30, which occurs twice"},
		{"crontab", "30 2 14 3 *", "America/New_York",
			"cron" + differs + "America/New_York: it makes up for 2027-03-14 02:30, which does not exist"},
		{"systemd", "0 0 5,*/10,25 */5 *", "UTC", "OnCalendar=*-05,10-05,10,20,25,30 00:00:00 UTC"},
		{"systemd", "30 2 * * *", "America/New_York", "OnCalendar=*-*-* 02:30:00 America/New_York"},
		{"systemd", "30 1 * * *", "America/New_York",
			"systemd" + differs + "America/New_York: it fires once at 2026-11-01 01:30, which occurs twice"},
		{"systemd", "10 * * * *", "America/St_Johns",
			"systemd" + differs + "America/St_Johns: it fires once at 2026-11-01 01:10, which occurs twice"},
		{"systemd", "40 * * * *", "Australia/Lord_Howe",
			"systemd" + differs + "Australia/Lord_Howe: it fires once at 2027-04-04 01:40, which occurs twice"},
		{"systemd", "10 * * * *", "Asia/Kathmandu", "OnCalendar=*-*-* *:10:00 Asia/Kathmandu"},
		{"kubernetes", "30 1,2 * * *", "America/New_York", `schedule: "30 1-2 * * *"`},
		{"kubernetes", "0 6 * * 5", "Africa/Cairo",
			"Kubernetes" + differs + "Africa/Cairo: it gets 2027-04-30 wrong, which has no midnight"},
		{"kubernetes", "0 6 * * *", "Africa/Cairo", `schedule: "0 6 * * *"`},
		{"kubernetes", "0 6 * * *", "Australia/Lord_Howe",
			"Kubernetes" + differs + "Australia/Lord_Howe: it counts in whole hours, " +
				"and the clocks change by minutes on 2027-04-04"},
		{"crontab", "", "UTC", `"" never fires, so there is nothing to export`},
		{"launchd", "@daily", "UTC", `expected crontab, kubernetes or systemd, got "launchd"`},
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

// timesLine is the line of an export that has the times.
func timesLine(export string) string {
	for line := range strings.Lines(export) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "OnCalendar=") || strings.HasPrefix(line, "schedule:") {
			return line
		}
		named := strings.HasPrefix(line, "name:") || strings.HasPrefix(line, "- name:")
		if fields, is := strings.CutSuffix(line, " true"); is && !named {
			return fields
		}
	}
	return ""
}

// TestExportRefused guards the exact error for everything that another scheduler would not do exactly.
func TestExportRefused(t *testing.T) {
	const program = ": expected a command's name or its absolute path, got "
	with := func(change func(p *Plan)) *Plan {
		p := planOf(t, "@daily", "UTC")
		change(p)
		return p
	}
	daily := with(func(*Plan) {})
	both, err := parse("0 0 1 * 1", cron4j)
	if err != nil {
		t.Fatal(err)
	}
	bothDays := &Plan{Schedule: both, Location: time.UTC}
	for _, c := range []struct {
		name    string
		plan    *Plan
		to      string
		command []string
		want    string
	}{
		{"no command", daily, "crontab", nil, "expected a command, got none"},
		{"a line break", daily, "crontab", []string{"echo", "a\nb"},
			"cron: expected a command on one line, got a line break"},
		{"a path from a folder", daily, "crontab", []string{"./run.sh"},
			"cron" + program + `"./run.sh"; write "$PWD/…"`},
		{"a path below a folder", daily, "crontab", []string{"bin/run", "/"},
			"cron" + program + `"bin/run"; write "$PWD/…"`},
		{"an empty program", daily, "crontab", []string{""},
			"cron" + program + `nothing; write "$PWD/…"`},
		{"a path from a folder", daily, "systemd", []string{"./run.sh"},
			"systemd" + program + `"./run.sh"; write "$PWD/…"`},
		{"a name with a prefix", daily, "systemd", []string{"-run"},
			"systemd" + program + `"-run"; write "$PWD/…"`},
		{"an empty program", daily, "systemd", []string{""},
			"systemd" + program + `nothing; write "$PWD/…"`},
		{"no UTF-8", daily, "kubernetes", []string{"echo", "\xff"},
			"kubernetes: expected a command in UTF-8, got other bytes"},
		{"a delay", with(func(p *Plan) { p.Delay = time.Second }), "crontab", []string{"true"},
			"cron cannot start runs later than their time"},
		{"an end", with(func(p *Plan) { p.End = Date{2027, 1, 1} }), "kubernetes", []string{"true"},
			"Kubernetes has no first or last day of a schedule"},
		{"skips on overtime", with(func(p *Plan) { p.SkipOnOvertime = true }), "kubernetes", []string{"true"},
			"Kubernetes cannot skip runs whose time comes during another run"},
		{"skips of late runs", with(func(p *Plan) { p.SkipDelayedBy = time.Minute }), "systemd", []string{"true"},
			"systemd cannot skip runs that are more than 1m0s late"},
		{"both fields for days", bothDays, "crontab", []string{"true"},
			"cron cannot fire only on Mondays that are day 1 of the month"},
	} {
		t.Run(c.to+" "+c.name, func(t *testing.T) {
			text, err := c.plan.Export(c.to, november, c.command)
			if text != "" || err == nil || err.Error() != c.want {
				t.Errorf("got  %s, %v\nwant %s", text, err, c.want)
			}
		})
	}
	got, err := bothDays.Export("systemd", november, []string{"true"})
	if err != nil || timesLine(got) != "OnCalendar=Mon *-*-01 00:00:00 UTC" {
		t.Errorf("systemd, with both fields for days: %v %s", err, got)
	}
}

// TestCronWord guards that a word reaches the program as it is, through cron's line breaks at % and through the
// shell.
func TestCronWord(t *testing.T) {
	for _, c := range []struct{ name, word, want string }{
		{"a plain word", "/opt/x", "/opt/x"},
		{"an empty word", "", "''"},
		{"a percent sign alone", "%", `\%`},
		{"a percentage", "50%", `50\%`},
		{"a format", "+%Y-%m-%d", `+\%Y-\%m-\%d`},
		{"blanks and a percent sign", "5 % off", `'5 '\%' off'`},
		{"a backslash before a percent sign", `a\%b`, `'a\'\%b`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := cronWord(c.word)
			if got != c.want {
				t.Fatalf("got %s, want %s", got, c.want)
			}
			read := strings.ReplaceAll(got, `\%`, "%") // as cronie does
			out, err := exec.Command("sh", "-c", "printf %s "+read).Output()
			if err != nil || string(out) != c.word {
				t.Errorf("%s becomes %q, %v", got, out, err)
			}
		})
	}
}

// TestExportCron guards that cron and Kubernetes, which read fields as cron does, fire when the schedule does.
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
			if other.spec.minute != s.spec.minute || other.spec.hour != s.spec.hour || !sameDays(other.spec, s.spec) {
				t.Fatalf("%q became %q", s.text, text)
			}
		}
	})
}
