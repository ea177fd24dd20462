package simulator_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink/simulator"
)

// readPlan reads a plan that is right.
func readPlan(t *testing.T, text string) *simulator.Plan {
	t.Helper()
	p, err := simulator.ReadPlan("plan.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const planKeys = "faults, others, retirement, profiles, campaigns, consent, also_found, cursors, seed"

const kindNames = "cancel, challenge, delay, delete_list, delete_profile, drop_phone, expire, fail, hide, join, " +
	"keep_properties, leave, loop, lose, merge, redirect, refuse, rejoin, relink, rename_list, reset, status, " +
	"stuck, throttle, too_large, truncate, twice, unname"

// The example plan shows every kind, every parameter and every value that a parameter can have.
func TestExamplePlan(t *testing.T) {
	text, err := os.ReadFile("../../testdata/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := readPlan(t, string(text))
	shown := map[string]bool{}
	for _, f := range p.Faults {
		shown[f.Do] = true
	}
	for _, kind := range strings.Split(kindNames, ", ") {
		same(t, kind, shown[kind], true)
	}
	same(t, "kinds", len(shown), 28)
	const words = "on skip times every percent status as body type headers code detail retry_after form window " +
		"processed before after to bytes addresses indexes naming attribute profiles payload pointer report " +
		"uppercase phones minute second seed retirement error page empty text legacy no_id date none day all rounds " +
		"unnamed full attributes index data same first email phone_number external_id also old_id consent suppression " +
		"lists joined also_found any equals never into forget name newest drawn cursors stable shifting " +
		"SUBSCRIBED UNSUBSCRIBED HARD_BOUNCE id status archived channel excluded messages lacks template subject " +
		"from_email time late single_opt_in list_unsubscribe no_sms no_sender dropped quiet " +
		"strategy send_in ignore_unsubscribes estimate_after no_estimate recipients becomes Draft"
	for _, word := range strings.Fields(words) {
		if !strings.Contains(string(text), word) {
			t.Errorf("the example plan does not mention %s", word)
		}
	}
	start(t, simulator.Options{Plan: p}).want(404, "GET", "/api/nope", "")
}

// A wrong plan is refused. The error names the file and the line, what was expected and what the plan has.
func TestPlanRefused(t *testing.T) {
	const imports = "POST /api/profile-bulk-import-jobs"
	for _, test := range []struct{ name, plan, want string }{
		{"an empty file", "", ": expected keys such as faults, got an empty file"},
		{"a number", "5", `:1: expected keys such as faults, got "5"`},
		{"broken YAML", "faults: [", ":2: did not find expected node content"},
		{"an unknown key of the plan", "seed: 1\nfaulst: []",
			`:2: unknown key "faulst" (did you mean faults?); known are ` + planKeys},
		{"a misspelt key of a fault", "faults:\n- on: '*'\n  do: status\n  statsu: 500",
			`:4: unknown key "statsu" (did you mean status?); known are on, skip, times, every, percent, do, status,`},
		{"an unknown key of a fault", "faults:\n- on: '*'\n  colour: red", `:3: unknown key "colour"; known are on,`},
		{"an unknown key of others", "others:\n  GET /api/lists: {minutes: 5}",
			`:2: unknown key "minutes" (did you mean minute?); known are minute, second`},
		{"two unknown keys", "sed: 1\nfaulst: []",
			`:1: unknown key "sed" (did you mean seed?); known are ` + planKeys + "\n" + `plan.yaml:2: unknown key "faulst"`},

		{"a text for a number", "faults:\n- on: '*'\n  do: status\n  status: many",
			`:4: expected a whole number, got "many"`},
		{"a duration without a unit", "faults:\n- do: delay\n  on: '*'\n  before: 2",
			`:4: expected a duration such as 2s, got "2"`},
		{"a list for a text", "faults:\n- do: [delay]", ":2: expected a text, got a list"},
		{"keys for a list", "faults: {do: stuck}", ":1: expected a list of faults, got keys with values"},
		{"a text for a fault", "faults:\n- stuck", `:2: expected a fault with keys such as do, got "stuck"`},
		{"a negative seed", "seed: -1", `:1: expected a whole number of 0 or more, got "-1"`},
		{"a key given twice", "faults:\n- do: stuck\n  do: cancel", `:3: mapping key "do" already defined at line 2`},

		{"an empty fault", "faults:\n- do: stuck\n-\n", ":3: expected a fault, got nothing"},
		{"a misspelt kind", "faults:\n- do: stuck\n- do: stats\n  on: '*'",
			`:3: do: unknown kind "stats" (did you mean status?); known are ` + kindNames},
		{"an unknown kind", "faults:\n- do: explode\n  on: '*'",
			`:2: do: unknown kind "explode"; known are ` + kindNames},
		{"no kind", "faults:\n- on: '*'", ":2: do is missing: expected one of " + kindNames},
		{"no operation", "faults:\n- do: challenge",
			`:2: on is missing: expected a method and path such as GET /api/lists/{id}, or "*"`},
		{"a misspelt operation", "faults:\n- do: challenge\n  on: GET /api/list",
			`:2: on: unknown operation "GET /api/list" (did you mean GET /api/lists?); known are GET /api/accounts,`},
		{"an import fault on another operation", "faults:\n- do: refuse\n  on: GET /api/lists",
			":2: on: expected " + imports + ` for refuse, got "GET /api/lists"`},
		{"skip below 0", "faults:\n- {do: challenge, on: '*', skip: -1}", ":2: skip: expected 0 or more, got -1"},
		{"every below 0", "faults:\n- {do: challenge, on: '*', every: -1}", ":2: every: expected 0 or more, got -1"},
		{"times below -1", "faults:\n- {do: challenge, on: '*', times: -2}", ":2: times: expected -1 or more, got -2"},
		{"percent above 100", "faults:\n- {do: challenge, on: '*', percent: 101}",
			":2: percent: expected 0 to 100, got 101"},
		{"percent below 0", "faults:\n- {do: challenge, on: '*', percent: -1}",
			":2: percent: expected 0 to 100, got -1"},

		{"an unknown key of a profile", "profiles:\n- emial: a@example.org",
			`:2: unknown key "emial" (did you mean email?); known are email, phone_number, external_id, also,`},
		{"a profile that is none", "profiles:\n- ann",
			`:2: expected a profile with keys such as email, got "ann"`},
		{"profiles that are no list", "profiles: {email: a@example.org}",
			":1: expected a list of profiles, got keys with values"},
		{"a profile without an identifier", "seed: 1\nprofiles:\n- {email: a@example.org}\n- lists: [x]",
			":4: expected email, phone_number or external_id"},
		{"other addresses without a first", "profiles:\n- {phone_number: '+4915112345678', also: [a@example.org]}",
			":2: also, consent and suppression need email"},
		{"six addresses", "profiles:\n- {email: a@example.org, also: [a, b, c, d, e]}",
			":2: also: expected at most 4 addresses, got 5"},
		{"a wrong address", "profiles:\n- {email: a@example.org, also: [b@]}",
			`:2: expected an email address, got "b@"`},
		{"an unknown key of a campaign", "campaigns:\n- nmae: Sale",
			`:2: unknown key "nmae" (did you mean name?); known are id, name, status, archived,`},
		{"a campaign that is none", "campaigns:\n- Sale",
			`:2: expected a campaign with keys such as name, got "Sale"`},
		{"a campaign without a name", "campaigns:\n- {name: a}\n- {id: X}", ":3: name is missing"},
		{"a status of no campaign", "campaigns:\n- {name: a, status: draft}", ":2: status: expected one of Draft,"},
		{"a part of no message", "campaigns:\n- {name: a, lacks: [body]}",
			`:2: lacks: expected one of template, subject, from_email, got "body"`},
		{"a later status", "campaigns:\n- {name: a, becomes: [Sending, sent]}", ":2: becomes: expected one of Draft,"},
		{"fewer than no messages", "campaigns:\n- {name: a, messages: -1}", ":2: messages: expected 0 or more, got -1"},
		{"fewer than nobody", "campaigns:\n- {name: a, recipients: -1}", ":2: recipients: expected 0 or more, got -1"},
		{"an estimation before its job", "campaigns:\n- {name: a, estimate_after: -1s}",
			":2: estimate_after: expected 0s or more, got -1s"},
		{"a time that has no effect", "campaigns:\n- {name: a, send_in: 1h}",
			":2: send_in needs the strategy static or throttled"},
		{"one id twice", "campaigns:\n- {name: a, id: X}\n- {name: b, id: X}", `:3: two campaigns have the id "X"`},
		{"an unknown key of consent", "consent: {single_optin: true}",
			`:1: unknown key "single_optin" (did you mean single_opt_in?); known are time, late,`},
		{"consents before their requests", "consent: {time: -1s}", ": consent: time: expected 0s or more, got -1s"},
		{"late before its time", "consent: {late: {'a*': -1s}}", ": consent: late: a*: expected 0s or more, got -1s"},
		{"the beginning of no number", "consent: {no_sender: ['44']}",
			`: consent: no_sender: expected the beginning of a phone number such as +44, got "44"`},
		{"one address twice", "profiles:\n- email: a@example.org\n- {email: b@example.org, also: [A@example.org]}",
			`:3: two profiles have "A@example.org"`},
		{"a wrong number", "profiles:\n- phone_number: 0151123",
			`:2: phone_number: expected a number such as +4915112345678, got "0151123"`},
		{"an unknown consent", "profiles:\n- {email: a@example.org, consent: yes}",
			`:2: consent: expected one of SUBSCRIBED, UNSUBSCRIBED, NEVER_SUBSCRIBED, got "yes"`},
		{"an unknown suppression", "profiles:\n- {email: a@example.org, suppression: TIRED}",
			`:2: suppression: expected one of HARD_BOUNCE, INVALID_EMAIL, SPAM_COMPLAINT, UNSUBSCRIBE, USER_SUPPRESSED, ` +
				`got "TIRED"`},
		{"joined nothing", "profiles:\n- {email: a@example.org, joined: 1h}", ":2: joined has no effect without lists"},
		{"joined in the future", "profiles:\n- {email: a@example.org, joined: -1h, lists: [x]}",
			":2: joined: expected 0s or more, got -1h0m0s"},
		{"an unknown way to be found", "also_found: some",
			`: also_found: expected one of any, equals, never, got "some"`},

		{"join without addresses", "faults:\n- {do: join, on: '*'}",
			":2: kind join: addresses is missing: expected emails such as late*@example.com, where * becomes a number"},
		{"join with a pattern", "faults:\n- {do: join, on: '*', addresses: ['*@*']}",
			`:2: kind join: addresses: expected emails with at most one *, got "*@*"`},
		{"join of several that are one", "faults:\n- {do: join, on: '*', addresses: [a@example.org], profiles: 2}",
			":2: kind join: profiles has no effect without an address with *"},
		{"the end of a list without a list", "faults:\n- {do: delete_list, on: GET /api/lists}",
			`:2: kind delete_list: on: expected an operation on /api/lists/{id}, got "GET /api/lists"`},
		{"the end of a list on any request", "faults:\n- {do: delete_list, on: '*'}",
			`:2: kind delete_list: on: expected an operation on /api/lists/{id}, got "*"`},
		{"the name of a list that is not there", "faults:\n- {do: rename_list, on: 'DELETE /api/lists/{id}', name: ' '}",
			":2: kind rename_list: name is missing: expected the list's new name"},
		{"a name for no list", "faults:\n- {do: rename_list, on: '*', name: x}",
			`:2: kind rename_list: on: expected an operation on /api/lists/{id}, got "*"`},
		{"a merge without a survivor", "faults:\n- {do: merge, on: '*'}",
			":2: kind merge: into is missing: expected the email of the survivor, or as: drawn"},
		{"a merge into no address", "faults:\n- {do: merge, on: '*', into: ann}",
			`:2: kind merge: into: expected an email, got "ann"`},
		{"an unknown choice", "faults:\n- {do: rejoin, on: '*', as: last}",
			`:2: kind rejoin: as: expected one of drawn, got "last"`},
		{"another time of joining", "faults:\n- {do: join, on: '*', addresses: [a@example.org], as: first}",
			`:2: kind join: as: expected one of newest, got "first"`},
		{"unknown cursors", "cursors: moving", `: cursors: expected one of stable, shifting, got "moving"`},
		{"an unknown loop", "faults:\n- {do: loop, on: '*', as: back}",
			`:2: kind loop: as: expected one of same, first, got "back"`},

		{"a parameter of other kinds", "faults:\n- {do: challenge, on: '*', status: 403}",
			":2: kind challenge: does not take status"},
		{"a parameter of another import fault", "faults:\n- {do: stuck, addresses: [a]}",
			":2: kind stuck: does not take addresses"},
		{"status without status", "faults:\n- {do: status, on: '*'}",
			":2: kind status: status is missing: expected 200 to 599"},
		{"status below 200", "faults:\n- {do: status, on: '*', status: 199}",
			":2: kind status: status: expected 200 to 599, got 199"},
		{"status above 599", "faults:\n- {do: lose, on: '*', status: 600}",
			":2: kind lose: status: expected 200 to 599, got 600"},
		{"an unknown form of answer", "faults:\n- {do: status, on: '*', status: 500, as: html}",
			`:2: kind status: as: expected one of error, page, empty, text, legacy, got "html"`},
		{"as with body", "faults:\n- {do: status, on: '*', status: 500, as: page, body: x}",
			":2: kind status: as and body cannot be combined"},
		{"code with body", "faults:\n- {do: status, on: '*', status: 500, body: x, code: x}",
			":2: kind status: code has no effect without as: error"},
		{"detail of a page", "faults:\n- {do: lose, on: '*', detail: x}",
			":2: kind lose: detail has no effect without as: error or legacy"},
		{"code of a legacy API", "faults:\n- {do: status, on: '*', status: 410, as: legacy, code: x}",
			":2: kind status: code has no effect without as: error"},
		{"an unknown form of Retry-After", "faults:\n- {do: throttle, on: '*', form: http}",
			`:2: kind throttle: form: expected one of seconds, date, none, got "http"`},
		{"an unknown window", "faults:\n- {do: throttle, on: '*', window: hour}",
			`:2: kind throttle: window: expected one of second, minute, day, got "hour"`},
		{"window with retry_after", "faults:\n- {do: throttle, on: '*', window: day, retry_after: 1s}",
			":2: kind throttle: retry_after and window cannot be combined"},
		{"a negative retry_after", "faults:\n- {do: throttle, on: '*', retry_after: -1s}",
			":2: kind throttle: retry_after: expected 0 or more, got -1s"},
		{"a delay of nothing", "faults:\n- {do: delay, on: '*'}",
			":2: kind delay: expected before or after, such as before: 2s"},
		{"a redirect without a host", "faults:\n- {do: redirect, on: '*', to: /elsewhere}",
			`:2: kind redirect: to: expected a URL with a host, got "/elsewhere"`},
		{"a redirect with another status", "faults:\n- {do: redirect, on: '*', to: 'http://x/', status: 200}",
			":2: kind redirect: status: expected 300 to 399, got 200"},
		{"relink without a target", "faults:\n- {do: relink, on: '*'}",
			":2: kind relink: to is missing: expected a URL with a host"},
		{"an unknown naming", "faults:\n- {do: refuse, naming: some}",
			`:2: kind refuse: naming: expected one of all, rounds, unnamed, got "some"`},
		{"too_large without a size", "faults:\n- {do: too_large}",
			":2: kind too_large: expected profiles or bytes, such as profiles: 1000"},
		{"an unknown payload", "faults:\n- {do: fail, payload: half}",
			`:2: kind fail: payload: expected one of full, none, attributes, got "half"`},
		{"an unknown pointer", "faults:\n- {do: fail, pointer: row}",
			`:2: kind fail: pointer: expected one of index, data, got "row"`},
		{"report below 0", "faults:\n- {do: fail, report: -1}", ":2: kind fail: report: expected 0 or more, got -1"},
		{"drop_phone without phones", "faults:\n- {do: drop_phone}",
			`:2: kind drop_phone: phones is missing: expected patterns such as "+1900*"`},

		{"a retirement that is no date", "retirement: soon",
			`: retirement: expected a date such as 2028-07-15, got "soon"`},
		{"others of an unknown operation", "seed: 1\nothers:\n  GET /api/listen: {minute: 1}",
			`:3: others: unknown operation "GET /api/listen" (did you mean GET /api/lists?); known are`},
		{"others below 0 a minute", "others: {GET /api/lists: {minute: -1}}",
			":1: others: GET /api/lists: minute: expected 0 or more, got -1"},
		{"others below 0 a second", "others: {GET /api/lists: {second: -2}}",
			":1: others: GET /api/lists: second: expected 0 or more, got -2"},
		{"more others a minute than a second", "others: {GET /api/lists: {minute: 61, second: 1}}",
			":1: others: GET /api/lists: minute: expected at most 60 with second: 1, got 61"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := simulator.ReadPlan("plan.yaml", strings.NewReader(test.plan))
			if err == nil || !strings.HasPrefix(err.Error(), "plan.yaml"+test.want) {
				t.Errorf("%q: error %v, want plan.yaml%s", test.plan, err, test.want)
			}
		})
	}
}

// A plan of more than 1 MiB is refused before it is parsed.
func TestLongPlan(t *testing.T) {
	_, err := simulator.ReadPlan("plan.yaml", strings.NewReader(strings.Repeat("#", 1<<20+1)))
	if err == nil || err.Error() != "plan.yaml: expected at most 1048576 bytes, got more" {
		t.Error(err)
	}
}

// New panics on a plan that ReadPlan refuses, and names the fault.
func TestWrongPlan(t *testing.T) {
	defer func() {
		same(t, "panic", recover(), any("check the plan of a simulator: fault 1: kind reset: does not take status"))
	}()
	faults := []simulator.Fault{{Do: "stuck"}, {On: "*", Do: "reset", Status: 500}}
	simulator.New(simulator.Options{Plan: &simulator.Plan{Faults: faults}})
	t.Error("New accepted the plan")
}

// Simulators that share a plan each meet all of its faults.
func TestPlanIsShared(t *testing.T) {
	p := readPlan(t, "faults: [{on: '*', do: challenge}]")
	for range 2 {
		c := startBare(t, simulator.Options{Plan: p})
		statuses := []int{c.do("GET", "/api/lists", "").status, c.do("GET", "/api/lists", "").status}
		same(t, "statuses", statuses, []int{403, 200})
	}
}

// New accepts every plan that ReadPlan accepts.
func FuzzPlan(f *testing.F) {
	for _, text := range []string{
		"~", "# nothing", "{}", "faults: []", "faults: ~", "faults: &a [{do: stuck}]\nothers: ~",
		"faults: [&a {do: stuck}, *a, {<<: *a}]", "x: &a [{do: stuck}]\nfaults: *a", "faults: [~]", "---\n---\n",
		"others: {~: {}}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		if p, err := simulator.ReadPlan("plan.yaml", strings.NewReader(text)); err == nil {
			simulator.New(simulator.Options{Plan: p})
		}
	})
}
