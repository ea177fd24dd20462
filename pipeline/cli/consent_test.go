package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

const secondSubscribe = "the first row of a person counts: Klaviyo may ignore a second subscribe within 30 minutes, " +
	"and a second unsubscribe from a list would be one from all lists"

// Consent is a legal statement: nothing about it is guessed. A flag that is missing, contradicts another one or has no
// effect ends the command before anything is read, and the error says why.
func TestConsentUsage(t *testing.T) {
	const channels = "missing flag: --channel: name the channels of the consent: email, sms, sms-transactional"
	for _, c := range []struct{ line, want string }{
		{"subscribe", channels},
		{"unsubscribe --everywhere", channels},
		{"subscribe --channel=", `--channel: expected email, sms or sms-transactional, got ""`},
		{"subscribe --channel email,push", `--channel: expected email, sms or sms-transactional, got "push"`},
		{"subscribe --channel email --historical",
			"--historical needs --consented-at COLUMN: Klaviyo records when each person consented"},
		{"subscribe --channel email --consented-at x", "--consented-at has no effect without --historical"},
		{"subscribe --channel email --source=", `--source: expected a text, got ""`},
		{"subscribe --channel email --no-create", "--no-create has no effect without --list-name"},
		{"subscribe --channel email --opt-in double", "--opt-in has no effect without --list-name"},
		{"subscribe --channel email --list-id A --opt-in double",
			"--opt-in and --list-id cannot be combined: a list given by id is never created"},
		{"subscribe --channel email --verify", "--verify has no effect with subscribe: --wait reads consent back already"},
		{"subscribe --channel email --max-open-jobs 3",
			"--max-open-jobs has no effect with subscribe: Klaviyo makes no jobs of consent that can be watched"},
		{"subscribe --channel email --state s",
			"--state has no effect with subscribe: a consent that was withdrawn meanwhile would not be seen"},
		{"subscribe --channel email --duplicates send", "--duplicates has no effect with subscribe: " + secondSubscribe},
		{"unsubscribe --channel email --everywhere --duplicates send",
			"--duplicates has no effect with unsubscribe: " + secondSubscribe},
		{"subscribe --channel email --empty null",
			"--empty has no effect with subscribe: an empty identifier counts as missing"},
		{"subscribe --channel email --default-country DE",
			"--default-country has no effect with subscribe: phone numbers are not read"},
		{"subscribe --channel sms --by external_id --bad-phone drop",
			"--bad-phone has no effect with subscribe: phone numbers are not read"},
		{"subscribe --channel email --drop plan", "--drop plan: subscribe does not read this column"},
		{"unsubscribe --channel email", "missing flag: --list-id ID, --list-name NAME or --list-column COLUMN " +
			"for lists, or --everywhere for the whole account"},
		{"unsubscribe --channel email --everywhere --list-name A",
			"--everywhere cannot be combined with --list-id or --list-name: choose one list, or the whole account"},
		{"unsubscribe --channel email --list-name A --no-create",
			"--no-create has no effect with unsubscribe: unsubscribe never creates a list"},
		{"check --operation subscribe", channels},
		{"check --channel email", "--channel has no effect with --operation add"},
		{"check --operation unsubscribe --channel email --historical --consented-at x",
			"--historical has no effect with --operation unsubscribe"},
	} {
		exit, out, errs := called(t, "", strings.Fields(c.line)...)
		if exit != exitUsage || out != "" || errs != "klaviyo-export: "+c.want+"\n" {
			t.Errorf("%s: exit %d, output %q, got\n%swant\n%s", c.line, exit, out, errs, c.want)
		}
	}
}

// check says of each row what subscribe and unsubscribe would refuse. It names a column that they do not read although
// it looks like one that they need, and the channels that no row has an identifier for.
func TestCheckConsent(t *testing.T) {
	for _, c := range []struct {
		line, rows string
		exit       int
		errs       string
		results    []string
	}{
		{"--operation subscribe --channel email,sms --historical --consented-at at",
			`{"email":"ann@example.com","at":"2024-01-08 06:30:00+09"}` + "\n" +
				`{"email":"bob@example.com","at":"2024-01-08 06:30:00"}` + "\n", 1,
			"klaviyo-export: no row has a phone_number, so no consent to sms changes\n", []string{
				`{"type":"row","row":1,"status":"valid","key":"ann@example.com","channels":["email"],` +
					`"consented_at":"2024-01-07T21:30:00Z"}`,
				`{"type":"row","row":2,"status":"rejected","key":"bob@example.com","stage":"validate",` +
					`"code":"consented_at_invalid","column":"at","detail":"\"2024-01-08 06:30:00\" has no time zone; ` +
					`name its own zone in the query, as in AT TIME ZONE 'Asia/Tokyo', or append +09:00"}`,
			}},
		{"--operation unsubscribe --channel email,sms", `{"email":"ann@example.com","Mobile":"+4930901820"}` + "\n", 0,
			`klaviyo-export: the column "Mobile" is not read; to fill phone_number, pass --map Mobile=phone_number` + "\n",
			[]string{`{"type":"row","row":1,"status":"valid","key":"ann@example.com","channels":["email"]}`}},
		{"--operation unsubscribe --channel sms", `{"email":"ann@example.com","phone_number":null}` + "\n", 1, "",
			[]string{`{"type":"row","row":1,"status":"rejected","key":"ann@example.com","stage":"validate",` +
				`"code":"channel_missing","column":"phone_number",` +
				`"detail":"no identifier for sms: column \"phone_number\" is null"}`}},
	} {
		exit, out, errs := called(t, c.rows, append([]string{"check"}, strings.Fields(c.line)...)...)
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		if exit != c.exit || !strings.Contains(errs, c.errs) {
			t.Errorf("%s: exit %d, %s", c.line, exit, errs)
		}
		if got := strings.Join(lines[:len(lines)-1], "\n"); got != strings.Join(c.results, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", c.line, got, strings.Join(c.results, "\n"))
		}
	}
}

// run translates the settings of consent, which are ours, into the command line of subscribe or unsubscribe.
func TestRunPrintsConsent(t *testing.T) {
	for _, c := range []struct{ operation, more, flags, want string }{
		{"subscribe_profiles", "channels: email, sms", "",
			"subscribe --channel email,sms --list-name News --wait --wait-timeout 10m"},
		{"subscribe_profiles", "channels: email\nhistorical_import: true\nconsented_at: agreed at\ncustom_source: -form-",
			"--no-wait --by phone_number",
			"subscribe --channel email --list-name News --historical --consented-at 'agreed at' --source=-form- " +
				"--by phone_number"},
		{"unsubscribe_profiles", "channels: email", "--list-id Abc123 --dry-run",
			"unsubscribe --channel email --list-id Abc123 --dry-run"},
	} {
		file := filepath.Join(t.TempDir(), "settings.yml")
		write(t, file, strings.Replace(settings, "OPERATION", c.operation, 1)+c.more)
		exit, line, errs := called(t, "", append([]string{"run", file, "--print"}, strings.Fields(c.flags)...)...)
		if exit != 0 || line != "klaviyo-export "+c.want+"\n" {
			t.Errorf("%s: exit %d, %s, got\n%swant\n%s", c.more, exit, errs, line, c.want)
		}
	}
}
