package cli

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const settings = `type: klaviyo
api_token: pk_0123456789
operation: OPERATION
list_identify_type: name
list_value: News
wait_for_completion: true
waiting_time_for_completion_millis: 600000
`

// run does exactly what the line does that --print prints: the results are the same, except for ids and times.
func TestRunDoesWhatItPrints(t *testing.T) {
	const people = `{"email":"ann@example.com","mail":"x@example.com"}
{"email":"bo@"}
{"email":"ANN@example.com"}
`
	const ids = `{"profile_id":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}` + "\n"
	for _, c := range []struct{ name, operation, rows, flags, want string }{
		{"settings alone", "add", people, "", "add --list-name News --wait --wait-timeout 10m --simulate"},
		{"flags win", "add", people, "--list-id Abc123 --wait-timeout 5m --max-invalid 50%",
			"add --list-id Abc123 --wait --wait-timeout 5m --simulate --max-invalid 50%"},
		{"no waiting", "add", people, "--no-wait --duplicates=send --drop mail --drop note",
			"add --list-name News --simulate --duplicates=send --drop mail --drop note"},
		{"a dry run", "add", people, "--dry-run", "add --list-name News --simulate --dry-run"},
		{"a removal", "remove_profiles", ids, "--concurrency 2",
			"remove --list-name News --simulate --concurrency 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // import jobs take their time
			file := filepath.Join(t.TempDir(), "settings.yml")
			write(t, file, strings.Replace(settings, "OPERATION", c.operation, 1))
			args := append([]string{"run", file, "--simulate"}, strings.Fields(c.flags)...)
			exit, line, errs := called(t, "", append(slices.Clip(args), "--print")...)
			if exit != 0 || line != "klaviyo-export "+c.want+"\n" {
				t.Fatalf("exit %d, %s, got\n%swant\n%s", exit, errs, line, c.want)
			}
			exit, out, errs := called(t, c.rows, args...)
			printedExit, printedOut, printedErrs := called(t, c.rows, strings.Fields(line)[1:]...)
			if exit != printedExit || unvaried(errs) != unvaried(printedErrs) || unvaried(out) != unvaried(printedOut) {
				t.Errorf("run: exit %d, %s%s\nits line: exit %d, %s%s", exit, errs, out, printedExit, printedErrs, printedOut)
			}
		})
	}
}

var varied = regexp.MustCompile(`"(job|id|started_at|finished_at|seconds)":("[^"]*"|[0-9.]+)|` +
	`"(timeline|latency|open)":\[[^\]]*\]|created list "News" \([^)]*\)`)

// unvaried is output without what differs from run to run.
func unvaried(out string) string { return varied.ReplaceAllString(out, "") }

// --print refuses what executing refuses, in the same words.
func TestPrintRefusesWhatRunRefuses(t *testing.T) {
	for _, c := range []struct{ name, operation, flags, want string }{
		{"waiting time", "add", "--wait-timeout 1m", "--wait-timeout: expected 5m to 24h, got 1m"},
		{"waiting time without waiting", "add", "--no-wait --wait-timeout 1h", "--wait-timeout has no effect without --wait"},
		{"dry run", "add", "--dry-run --wait", "--wait has no effect with --dry-run: nothing is sent"},
		{"opt-in of a list by id", "add", "--list-id X --opt-in single",
			"--opt-in and --list-id cannot be combined: a list given by id is never created"},
		{"opt-in of a removal", "remove_profiles", "--opt-in single",
			"--opt-in has no effect with remove: remove never creates a list"},
		{"two lists", "add", "--list-id X --list-name Y", "--list-id and --list-name cannot be combined"},
		{"empty list", "add", "--list-name=", `--list-name: expected the name of a list, got ""`},
		{"address", "add", "--base-url http://klaviyo.example", "--allow-insecure"},
		{"column", "add", "--map a=firstname", "properties.firstname"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "settings.yml")
			write(t, file, strings.Replace(settings, "OPERATION", c.operation, 1))
			args := append([]string{"run", file}, strings.Fields(c.flags)...)
			exit, out, errs := called(t, "", args...)
			if exit != exitUsage || out != "" || !strings.Contains(errs, c.want) {
				t.Errorf("run: exit %d, output %q, %s", exit, out, errs)
			}
			printExit, out, printErrs := called(t, "", append(args, "--print")...)
			if printExit != exit || out != "" || printErrs != errs {
				t.Errorf("run --print: exit %d, output %q, %s", printExit, out, printErrs)
			}
		})
	}
}
