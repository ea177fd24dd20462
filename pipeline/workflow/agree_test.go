package workflow_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"klaviyo-export/pipeline/job"
	"klaviyo-export/pipeline/schedule"
	"klaviyo-export/pipeline/workflow"
)

// reader is one of the two that read workflows. Cases have SECTION, KEY, REST, TEXT and KEYS in place of its words.
type reader struct {
	name, section, key, rest string
	text, keys               string // what is expected as the value, and as keys
	read                     func(file string, o workflow.Options) (value string, err error)
}

// readers return the value of KEY, which is a time of day and also the name of a list.
var readers = []reader{
	{"settings", "result_settings", "list_value", "{type: klaviyo, operation: add, list_identify_type: name}",
		"the id or one-line name of a list", "type, api_token, operation, list_identify_type, list_value, " +
			"wait_for_completion, waiting_time_for_completion_millis, channels, everywhere, historical_import, " +
			"consented_at or custom_source",
		func(file string, o workflow.Options) (string, error) {
			s, err := job.Read(file, job.Options{Set: o.Set, Secrets: o.Secrets, Env: o.Env})
			if err != nil {
				return "", err
			}
			return s.ListName, nil
		}},
	{"schedule", "schedule", "daily>", "{skip_on_overtime: true}",
		"HH:MM:SS", "cron>, daily>, delay, end, hourly>, minutes_interval>, monthly>, " +
			"skip_delayed_by, skip_on_overtime, start or weekly>",
		func(file string, o workflow.Options) (string, error) {
			p, err := schedule.FromWorkflow(file, o)
			if err != nil {
				return "", err
			}
			if !p.SkipOnOvertime {
				return "", fmt.Errorf("the rest of the section is missing")
			}
			return time.Time{}.Add(p.Delay).Format(time.TimeOnly), nil
		}},
}

// write puts the files of a txtar archive, or a text as f.dig, into a new folder, makes that the working directory
// and returns the first file's name.
func write(t testing.TB, text string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if !strings.HasPrefix(text, "-- ") {
		text = "-- f.dig --\n" + text
	}
	files := txtar.Parse([]byte(text)).Files
	for _, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files[0].Name
}

// agree runs a case with each of the readers, which both have to give the answer: a value or an error.
func agree(t *testing.T, text string, o workflow.Options, want string) {
	t.Helper()
	for _, r := range readers {
		t.Run(r.name, func(t *testing.T) {
			colon := strconv.Itoa(len(r.section + ": " + r.key + ":"))
			words := strings.NewReplacer("SECTION", r.section, "KEYS", r.keys, "KEY", r.key, "REST", r.rest,
				"TEXT", r.text, "COLON", colon)
			got, err := r.read(write(t, words.Replace(text)), o)
			if err != nil {
				got = err.Error()
			}
			if want := words.Replace(want); got != want {
				t.Errorf("%.500s\ngot:\n%s\nwant:\n%s", words.Replace(text), got, want)
			}
		})
	}
}

var (
	none workflow.Options
	at   = func(name, value string) workflow.Options {
		return workflow.Options{Set: map[string]string{name: value}}
	}
	clock = workflow.Options{Env: func(name string) (string, bool) {
		value, there := map[string]string{"AT_NOON": "12:00:00", "EMPTY": ""}[name]
		return value, there
	}}
)

// end ends a file that needs no more than a value.
func end(value string) string { return "SECTION:\n  <<: REST\n  KEY: " + value + "\n" }

// TestSameValue guards that includes, merge keys, aliases, variables and secrets give the same value in settings
// and in a schedule.
func TestSameValue(t *testing.T) {
	for _, c := range []struct {
		name, text string
		o          workflow.Options
		want       string
	}{
		{"as it is", end("07:00:00"), none, "07:00:00"},
		{"in quotes", end("'07:00:00'"), none, "07:00:00"},
		{"from an alias", "at: &a 07:00:00\n" + end("*a"), none, "07:00:00"},
		{"the section from an alias", "base: &b {<<: REST, KEY: 07:00:00}\nSECTION: *b\n", none, "07:00:00"},
		{"from a merge key", "base: &b {KEY: 07:00:00}\nSECTION:\n  <<: [*b, REST]\n", none, "07:00:00"},
		{"over a merge key", "base: &b {KEY: 07:00:00}\nSECTION:\n  <<: [*b, REST]\n  KEY: 08:00:00\n", none,
			"08:00:00"},
		{"from a merge key in a merge key",
			"base: &b {<<: {KEY: 07:00:00}, x: y}\nSECTION: {<<: [{<<: {KEY: 06:00:00}}, REST]}\n",
			none, "06:00:00"},
		{"the section's members from a file",
			"-- f.dig --\nSECTION:\n  !include : part.yml\n  <<: REST\n-- part.yml --\nKEY: 07:00:00\n",
			none, "07:00:00"},
		{"the section from a file", "-- f.dig --\n!include : sub/part.yml\n-- sub/part.yml --\n!include : more.yml\n" +
			"-- sub/more.yml --\n" + end("07:00:00"), none, "07:00:00"},
		{"over a file",
			"-- f.dig --\nSECTION:\n  !include : part.yml\n  KEY: 08:00:00\n-- part.yml --\nKEY: 07:00:00\n<<: REST\n",
			none, "08:00:00"},
		{"from _export", "_export: {at: 07:00:00}\n" + end("${at}"), none, "07:00:00"},
		{"from an included _export",
			"-- f.dig --\n_export:\n  !include : v.yml\n" + end("${at}") + "-- v.yml --\nat: 07:00:00\n",
			none, "07:00:00"},
		{"from a nested variable", "_export: {run: {at: {hour: 7}}}\n" + end("0${ run.at.hour }:00:00"), none,
			"07:00:00"},
		{"from a variable of variables", "_export: {at: '${h}:${m}:00', h: '07', m: 15}\n" + end("${at}"), none,
			"07:15:00"},
		{"from a variable behind a merge key", "base: &b {at: 07:00:00}\n_export: {<<: *b}\n" + end("${at}"), none,
			"07:00:00"},
		{"from --set", end("${at}"), at("at", "07:00:00"), "07:00:00"},
		{"from --set over _export", "_export: {at: 08:00:00}\n" + end("${at}"), at("at", "07:00:00"), "07:00:00"},
		{"from --set with dots", end("${run.at}"), at("run.at", "07:00:00"), "07:00:00"},
		{"from --set for what only digdag knows", end("${session_time}"), at("session_time", "07:00:00"), "07:00:00"},
		{"not from the _export of a task", "_export: {at: 07:00:00}\n+t:\n  _export: {at: 08:00:00}\n" + end("${at}"),
			none, "07:00:00"},
		{"from the environment", end("${secret:at.noon}"), clock, "12:00:00"},
		{"from a file of secrets", "-- f.dig --\n" + end("${secret:at.noon}") + "-- s.yml --\nat: {noon: 13:00:00}\n",
			workflow.Options{Secrets: "s.yml", Env: clock.Env}, "13:00:00"},
		{"from a file of secrets, flat",
			"-- f.dig --\n" + end("${secret:at.noon}") + "-- s.yml --\nat.noon: 13:00:00\n",
			workflow.Options{Secrets: "s.yml"}, "13:00:00"},
	} {
		t.Run(c.name, func(t *testing.T) { agree(t, c.text, c.o, c.want) })
	}
}

// TestSameFault guards that faults of a file, its includes, variables and secrets have the same words and the same
// places in settings and in a schedule.
func TestSameFault(t *testing.T) {
	const more = "f.dig:3: KEY: "
	const good = "07:00:00"
	for _, c := range []struct {
		name, text string
		o          workflow.Options
		want       string
	}{
		// Files.
		{"an empty file", "", none, "f.dig: expected a mapping, got an empty file"},
		{"a comment alone", "# nothing\n", none, "f.dig: expected a mapping, got an empty file"},
		{"a document without a value", "---\n", none, "f.dig: expected a mapping, got an empty file"},
		{"a list", "- a\n- b\n", none, "f.dig:1: expected a mapping, got a list"},
		{"a text", "just text\n", none, "f.dig:1: expected a mapping, got a text"},
		{"two documents", end(good) + "---\n" + end(good), none,
			"f.dig:4: expected one document in the file, got a second one"},
		{"a tab", "SECTION:\n\tKEY: " + good + "\n", none, "f.dig:2:1: expected spaces as indentation, got a tab"},
		{"two colons", "SECTION: KEY: " + good + "\n", none,
			`f.dig:1:COLON: expected one ": " in a line, got two; ` +
				`put a text that has ": " in quotes, and check the indentation`},
		{"an at sign", end("\n    @vip"), none,
			"f.dig:4:5: no plain text begins with this character; put the text in quotes"},
		{"an asterisk", end("\n    *vip"), none,
			"f.dig:4:5: this alias has no anchor; put a text that begins with * in quotes"},
		{"a variable without quotes", "{SECTION: {KEY:\n  ${x}}}\n", none,
			"f.dig:2:4: inside { } or [ ], put ${…} in quotes"},
		{"an open quote", end("\n    'open"), none, "f.dig:4:5: the quote that begins here has no end"},
		{"text after a list", end("\n    [7] and"), none, "f.dig:4:9: expected YAML: did not find expected key"},
		{"a byte of another encoding", end("\xff"), none, "f.dig:3: expected UTF-8 text, got the byte 0xff"},
		{"a control character", end("\x00"), none, "f.dig:3: expected UTF-8 text, got the byte 0x00"},
		{"a list as key", end(good) + "? [a]\n: b\n", none, "f.dig:4: expected a word as a key, got a list"},
		{"a duplicate key", end(good) + "  KEY: 08:00:00\n", none, "f.dig:4: KEY: duplicate key, first on line 3"},
		{"a duplicate section", end(good) + end(good), none, "f.dig:4: SECTION: duplicate key, first on line 1"},
		{"a duplicate key elsewhere", end(good) + "+t: {a: 1, a: 2}\n", none,
			"f.dig:4: a: duplicate key, first on line 4"},
		{"a file over 1 MiB", strings.Repeat("#", 1<<20) + "\n" + end(good), none,
			"f.dig: expected at most 1 MiB with all includes, got more"},
		{"files over 1 MiB",
			"-- f.dig --\n!include : b\n#" + strings.Repeat("#", 1<<19) + "\n-- b --\n#" + strings.Repeat("#", 1<<19),
			none, "b: expected at most 1 MiB with all includes, got more"},

		// Values.
		{"no value", end(""), none, more + "expected TEXT, got nothing"},
		{"a list as value", end("[7]"), none, more + "expected TEXT, got a list"},
		{"a mapping as value", end("{a: b}"), none, more + "expected TEXT, got a mapping"},
		{"a tag", end("!vip"), none, more + "expected TEXT, got a tag (put a text that begins with ! in quotes)"},
		{"an unknown key", end(good) + "  parallel: 1\n", none, "f.dig:4: parallel: unknown key, expected KEYS"},

		// Merge keys and includes.
		{"a merge key of a list of texts", "SECTION:\n  <<: [REST, 1]\n  KEY: " + good + "\n", none,
			"f.dig:2: <<: expected a mapping or a list of mappings, got a text"},
		{"an include from above", end(good) + "  !include : ../x\n", none,
			`f.dig:4: !include: expected a file below the folder of this one, got "../x"; write !include : 'FILE'`},
		{"an include of no file", end(good) + "  !include : none.yml\n", none,
			"none.yml: cannot read the file: no such file or directory"},
		{"an include as value", "SECTION: !include part.yml\n", none,
			"f.dig:1: SECTION: expected !include as a key of its own, got it as a value; write !include : 'FILE'"},
		{"a circle of includes",
			"-- f.dig --\n" + end(good) + "!include : g.yml\n-- g.yml --\n!include : f.dig\n", none,
			"g.yml:1: !include: f.dig includes itself"},
		{"a fault in an included file",
			"-- f.dig --\nSECTION:\n  !include : g.yml\n  <<: REST\n-- g.yml --\n\nKEY: ${x}\n", none,
			"g.yml:2: KEY: ${x} is not defined; define it in _export or pass --set x=VALUE"},
		{"a duplicate key in an included file",
			"-- f.dig --\n" + end(good) + "  !include : g.yml\n-- g.yml --\n\na: 1\na: 2\n", none,
			"g.yml:3: a: duplicate key, first on line 2"},

		// Variables and secrets.
		{"an unknown variable", end("${at}"), none,
			more + "${at} is not defined; define it in _export or pass --set at=VALUE"},
		{"a misspelt variable", "_export: {run: {hour: 7}}\n" + end("${run.hours}"), none,
			"f.dig:4: KEY: ${run.hours} is not defined (did you mean run.hour?); " +
				"define it in _export or pass --set run.hours=VALUE"},
		{"a variable of a task", "+t:\n  _export: {at: 07:00:00}\n" + end("${at}"), none,
			"f.dig:5: KEY: ${at} is not defined; define it in _export or pass --set at=VALUE"},
		{"a variable that only digdag knows", end("${session_time}"), none,
			more + "${session_time} is known only to digdag; pass --set session_time=VALUE"},
		{"an expression",
			end("${moment().format('HH')}:00:00"), none, more +
				"${moment().format('HH')} is an expression, which only " +
				"digdag evaluates; pass --set NAME=VALUE and write ${NAME} instead"},
		{"a variable without end", end("${at"), none, more + "${ has no }"},
		{"a variable without name", end("${}"), none, more + "${} names no variable"},
		{"a variable in --set", end("${at}"), at("at", "${b}"),
			more + "${at}: expected a plain value from --set, got one with ${…}"},
		{"a circle of variables", "_export:\n  a: ${b}\n  b: ${a}\n" + end("${a}"), none,
			"f.dig:3: b: ${a} refers to itself: a → b → a"},
		{"a variable that is a mapping", "_export: {at: {hour: 7}}\n" + end("${at}"), none,
			"f.dig:4: KEY: ${at}: expected a text, got a mapping (f.dig:1)"},
		{"a variable that is null", "_export: {at: }\n" + end("${at}"), none,
			"f.dig:4: KEY: ${at}: expected a text, got nothing (f.dig:1)"},
		{"an _export that is a list", "_export: [a]\n" + end(good), none,
			"f.dig:1: _export: expected a mapping, got a list"},
		{"an unknown secret", end("${secret:at.noon}"), none,
			more + "${secret:at.noon} is not defined; pass --secrets FILE or set AT_NOON"},
		{"an empty secret", end("${secret:empty}"), clock,
			more + "${secret:empty} is not defined; pass --secrets FILE or set EMPTY"},
		{"a secret without name", end("${secret:}"), none, more + "${secret:} names no secret"},
		{"a secret that is a mapping", "-- f.dig --\n" + end("${secret:at}") + "-- s.yml --\nat: {noon: 1}\n",
			workflow.Options{Secrets: "s.yml"}, "s.yml:1: at: expected a text, got a mapping"},
		{"a secret that the file lacks", "-- f.dig --\n" + end("${secret:at}") + "-- s.yml --\na: 1\n",
			workflow.Options{Secrets: "s.yml"}, more + "${secret:at} is not defined; define it in s.yml or set AT"},
		{"no file of secrets", end(good), workflow.Options{Secrets: "none.yml"},
			"none.yml: cannot read the file: no such file or directory"},
		{"a file of secrets that is a text",
			"-- f.dig --\n" + end(good) + "-- s.yml --\npk_hush\n", workflow.Options{Secrets: "s.yml"},
			"s.yml:1: expected a mapping, got a text"},
	} {
		t.Run(c.name, func(t *testing.T) { agree(t, c.text, c.o, c.want) })
	}
}
