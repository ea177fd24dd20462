package cli

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// A wrong command line ends with exit status 2 and an empty standard output. The error names the flag, what was
// expected and what was there, and the hint says what to type instead.
func TestUsageErrors(t *testing.T) {
	for _, c := range []struct{ name, line, err, hint string }{
		{"no command", "", "missing command", "run klaviyo-export --help"},
		{"unknown command", "nonsense", "unexpected argument nonsense", "run klaviyo-export --help"},
		{"help as a command", "help", "unexpected argument help", "run klaviyo-export --help"},
		{"help of a command", "help add", "unexpected argument help", "run klaviyo-export add --help"},
		{"help of a command after it", "add help", "unexpected argument help", "run klaviyo-export add --help"},
		{"help of nothing", "help nonsense", "unexpected argument help", "run klaviyo-export --help"},
		{"version as a command", "version", "unexpected argument version", "run klaviyo-export --version"},
		{"short list flag", "add -l News", "unknown flag -l", "use --list-name NAME or --list-id ID"},
		{"short list flag first", "-l News add", "unknown flag -l", "use --list-name NAME or --list-id ID"},
		{"short list flag with its value", "doctor -lNews", "unknown flag -l", "use --list-name NAME or --list-id ID"},
		{"short list flag where no list is", "check -l News", "unknown flag -l", "run klaviyo-export check --help"},
		{"list as an argument", "add News", "unexpected argument News", "use --list-name NAME or --list-id ID for a list"},
		{"flag before its command", "--list-name News add", "unknown flag --list-name",
			"put the command first, as in klaviyo-export add --list-name"},
		{"flag of other commands", "wait --dry-run", "unknown flag --dry-run",
			"wait has no --dry-run; it is a flag of add, remove, subscribe, unsubscribe, run, send"},
		{"other command", "delete", "unexpected argument delete", "use klaviyo-export remove"},
		{"other name of a flag", "add --country DE", "unknown flag --country", "use --default-country CC"},
		{"other name where the flag is not", "report --debug", "unknown flag --debug", "run klaviyo-export report --help"},
		{"port of simulate", "simulate --port 80", "unknown flag --port", "use --addr 127.0.0.1:PORT"},
		{"missing value", "report --format", "--format: expected a value, got none", "run klaviyo-export report --help"},
		{"value of a switch", "add --wait=1h", `--wait: expected no value, got "1h"`, "run klaviyo-export add --help"},
		{"format as an argument", "report html", "read a report: open html: no such file or directory",
			"use --format html"},
		{"table as a flag", "report --csv", "unknown flag --csv", "use --rejected csv"},
		{"format as a flag", "report --html", "unknown flag --html", "use --format html"},
		{"misspelt flag", "add --list-nam News", `unknown flag --list-nam, did you mean "--list-name"?`,
			"run klaviyo-export add --help"},
		{"key as a flag", "add --api-key secret", `unknown flag --api-key`,
			"set KLAVIYO_API_KEY or pass --api-key-file FILE: no flag takes the key itself"},
		{"rows as an argument", "add rows.ndjson", "unexpected argument rows.ndjson",
			"pass rows or results on standard input: klaviyo-export add … < FILE"},
		{"rows as a flag", "check --file rows.ndjson", "unknown flag --file",
			"pass rows or results on standard input: klaviyo-export check … < FILE"},
		{"argument of simulate", "simulate rows.ndjson", "unexpected argument rows.ndjson",
			"run klaviyo-export simulate --help"},
		{"schedule of a workflow", "run x.dig --schedule", "unknown flag --schedule",
			"use klaviyo-export schedule --workflow FILE -- COMMAND"},
		{"one of several words", "add --duplicates last", `--duplicates: expected first or send, got "last"`,
			"run klaviyo-export add --help"},
		{"one of many words", "report --format xml", `--format: expected json, text, html or prometheus, got "xml"`,
			"run klaviyo-export report --help"},
		{"an optional word", "add --opt-in triple", `--opt-in: expected single or double, got "triple"`,
			"run klaviyo-export add --help"},
		{"number without a unit", "schedule --delay 30 x", `--delay: expected a duration such as 30s or 5m, got "30"`,
			"run klaviyo-export schedule --help"},
		{"no number", "add --concurrency x", `--concurrency: expected a whole number, got "x"`,
			"run klaviyo-export add --help"},
		{"no pair", "add --map x", `--map: expected NAME=VALUE, got "x"`, "run klaviyo-export add --help"},
		{"flag as a value", "add --list-name --wait", `--list-name: expected a value, got "--wait"`,
			"run klaviyo-export add --help"},
		{"missing argument", "run", "missing argument: <settings>", "run klaviyo-export run --help"},
		{"channels", "subscribe --channels email", "unknown flag --channels",
			"use --channel email,sms,sms-transactional"},
		{"a list for all lists", "unsubscribe --all", "unknown flag --all", "use --everywhere"},
		{"a flag of subscribe", "unsubscribe --historical", "unknown flag --historical",
			"unsubscribe has no --historical; it is a flag of subscribe, check"},
		{"another word for a command", "unsub", "unexpected argument unsub", "use klaviyo-export unsubscribe"},
		{"an operation of check", "check --operation send",
			`--operation: expected add, remove, mirror, subscribe or unsubscribe, got "send"`,
			"run klaviyo-export check --help"},
		{"unknown status", "pick --status lost r", "--status: expected applied, accepted, skipped, rejected, unknown, " +
			`unsent, valid or missing, got "lost"`, "run klaviyo-export pick --help"},
	} {
		t.Run(c.name, func(t *testing.T) {
			exit, out, errs := called(t, "", strings.Fields(c.line)...)
			want := "klaviyo-export: " + c.err + "\nhint: " + c.hint + "\n"
			if exit != exitUsage || out != "" || errs != want {
				t.Errorf("exit %d, output %q, got\n%swant\n%s", exit, out, errs, want)
			}
		})
	}
}

// Of several flags without effect, the error names the same one in every run.
func TestFirstIdleFlag(t *testing.T) {
	const want = "klaviyo-export: --default-country has no effect with remove: phone numbers are not read\n"
	args := strings.Fields("remove --simulate --list-name A --empty null --bad-phone drop --default-country de")
	for range 20 {
		if exit, out, errs := called(t, "", args...); exit != exitUsage || out != "" || errs != want {
			t.Fatalf("exit %d, output %q, got\n%swant\n%s", exit, out, errs, want)
		}
	}
}

// Every flag has a sentence of help, and the help fits into 80 columns, its examples included.
func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	err := kong.Visit(Model(), func(node kong.Visitable, next kong.Next) error {
		if f, ok := node.(*kong.Flag); ok && !f.Hidden && !strings.HasSuffix(f.Help, ".") {
			t.Errorf("--%s: expected a sentence of help, got %q", f.Name, f.Help)
		}
		return next(nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range Model().Children {
		exit, out, errs := called(t, "", command.Name, "--help")
		if exit != 0 || errs != "" {
			t.Errorf("%s: exit %d, %s", command.Name, exit, errs)
		}
		for line := range strings.Lines(out) {
			if len([]rune(line)) > 81 {
				t.Errorf("%s: %d columns: %s", command.Name, len([]rune(line))-1, line)
			}
		}
	}
}
