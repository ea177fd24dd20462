package simulator_test

import (
	"os"
	"strings"
	"testing"

	"klaviyo-export/sink/simulator"
)

// readPlan reads a plan that is right.
func readPlan(t *testing.T, text string) *simulator.Plan {
	t.Helper()
	p, err := simulator.ReadPlan(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const kindNames = "cancel, challenge, delay, drop_phone, expire, fail, lose, redirect, refuse, relink, reset, status, stuck, throttle, too_large, truncate, twice"

// TestExamplePlan: the example shows every kind, with every parameter and what it may be.
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
	same(t, "kinds", len(shown), 17)
	for _, word := range strings.Fields("on skip times every percent status as body type headers code detail retry_after form window processed before after to bytes " +
		"addresses indexes naming attribute profiles payload pointer report uppercase phones minute second seed " +
		"error page empty text no_id date none day all rounds unnamed full attributes index data") {
		if !strings.Contains(string(text), word) {
			t.Errorf("the example does not name %s", word)
		}
	}
	start(t, simulator.Options{Plan: p}).want(404, "GET", "/api/nope", "")
}

func TestPlanRefused(t *testing.T) {
	const imports = "POST /api/profile-bulk-import-jobs"
	for _, test := range []struct{ plan, want string }{
		{"", "no documents in stream"},
		{"5", "line 1: cannot construct !!int `5` into simulator.Plan"},
		{"faults: [", "line 2: did not find expected node content"},
		{"seed: 1\nfaulst: []", `line 2: there is no member "faulst" (did you mean "faults"?); known are faults, others, seed`},
		{"faults:\n- on: '*'\n  do: status\n  statsu: 500", `line 4: there is no member "statsu" (did you mean "status"?); known are on, skip, times, every, percent, do, status,`},
		{"faults:\n- on: '*'\n  colour: red", `line 3: there is no member "colour"; known are on,`},
		{"others:\n  GET /api/lists: {minutes: 5}", `line 2: there is no member "minutes" (did you mean "minute"?); known are minute, second`},
		{"faults:\n- on: '*'\n  do: status\n  status: many", "line 4: cannot construct !!str `many` into int"},
		{"faults:\n- do: delay\n  on: '*'\n  before: 2", "line 4: cannot construct !!int `2` into time.Duration"},
		{"faults:\n- do: stuck\n  do: cancel", `line 3: mapping key "do" already defined at line 2`},
		{"faults:\n-\n", "a fault is empty"},
		{"faults:\n- do: stuck\n- do: stats\n  on: '*'", `line 3: there is no kind of fault "stats" (did you mean "status"?); known are ` + kindNames},
		{"faults:\n- do: explode\n  on: '*'", `line 2: there is no kind of fault "explode"; known are ` + kindNames},
		{"faults:\n- on: '*'", "line 2: do is missing; the kinds are: " + kindNames},
		{"faults:\n- do: challenge", `line 2: on is missing: a method and path such as GET /api/lists/{id}, or "*"`},
		{"faults:\n- do: challenge\n  on: GET /api/list", `line 2: there is no operation "GET /api/list" (did you mean "GET /api/lists"?); known are GET /api/accounts,`},
		{"faults:\n- do: refuse\n  on: GET /api/lists", "line 2: refuse acts on " + imports + " alone"},
		{"faults:\n- {do: challenge, on: '*', skip: -1}", "line 2: skip and every must not be negative, nor times but for -1"},
		{"faults:\n- {do: challenge, on: '*', every: -1}", "line 2: skip and every must not be negative, nor times but for -1"},
		{"faults:\n- {do: challenge, on: '*', times: -2}", "line 2: skip and every must not be negative, nor times but for -1"},
		{"faults:\n- {do: challenge, on: '*', percent: 101}", "line 2: percent must be from 0 to 100"},
		{"faults:\n- {do: challenge, on: '*', percent: -1}", "line 2: percent must be from 0 to 100"},
		{"faults:\n- {do: challenge, on: '*', status: 403}", "line 2: challenge: takes no status"},
		{"faults:\n- {do: stuck, addresses: [a]}", "line 2: stuck: takes no addresses"},
		{"faults:\n- {do: status, on: '*'}", "line 2: status: status is missing"},
		{"faults:\n- {do: status, on: '*', status: 199}", "line 2: status: status must be from 200 to 599"},
		{"faults:\n- {do: lose, on: '*', status: 600}", "line 2: lose: status must be from 200 to 599"},
		{"faults:\n- {do: status, on: '*', status: 500, as: html}", "line 2: status: as is one of error, page, empty, text"},
		{"faults:\n- {do: status, on: '*', status: 500, as: page, body: x}", "line 2: status: body and as exclude each other"},
		{"faults:\n- {do: status, on: '*', status: 500, body: x, code: x}", "line 2: status: code and detail are those of as: error"},
		{"faults:\n- {do: lose, on: '*', detail: x}", "line 2: lose: code and detail are those of as: error"},
		{"faults:\n- {do: throttle, on: '*', form: http}", "line 2: throttle: form is one of seconds, date, none"},
		{"faults:\n- {do: throttle, on: '*', window: hour}", "line 2: throttle: window is one of second, minute, day"},
		{"faults:\n- {do: throttle, on: '*', window: day, retry_after: 1s}", "line 2: throttle: retry_after and window exclude each other"},
		{"faults:\n- {do: throttle, on: '*', retry_after: -1s}", "line 2: throttle: retry_after must not be negative"},
		{"faults:\n- {do: delay, on: '*'}", "line 2: delay: before or after is missing, such as 2s"},
		{"faults:\n- {do: redirect, on: '*', to: /elsewhere}", "line 2: redirect: to must be a URL with a host"},
		{"faults:\n- {do: redirect, on: '*', to: 'http://x/', status: 200}", "line 2: redirect: status must be from 300 to 399"},
		{"faults:\n- {do: relink, on: '*'}", "line 2: relink: to must be a URL with a host"},
		{"faults:\n- {do: refuse, naming: some}", "line 2: refuse: naming is one of all, rounds, unnamed"},
		{"faults:\n- {do: too_large}", "line 2: too_large: profiles or bytes is missing"},
		{"faults:\n- {do: fail, payload: half}", "line 2: fail: payload is one of full, none, attributes"},
		{"faults:\n- {do: fail, pointer: row}", "line 2: fail: pointer is one of index, data"},
		{"faults:\n- {do: fail, report: -1}", "line 2: fail: report must not be negative"},
		{"faults:\n- {do: drop_phone}", "line 2: drop_phone: phones is missing"},
		{"others: {GET /api/listen: {minute: 1}}", `others: there is no operation "GET /api/listen" (did you mean "GET /api/lists"?); known are`},
		{"others: {GET /api/lists: {minute: -1}}", "others: GET /api/lists: a number is negative"},
		{"others: {GET /api/lists: {minute: 61, second: 1}}", "others: GET /api/lists: 61 a minute are more than 1 a second"},
	} {
		_, err := simulator.ReadPlan(strings.NewReader(test.plan))
		if err == nil || !strings.HasPrefix(err.Error(), "reading the plan of faults: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.plan, err, test.want)
		}
	}
}

// TestWrongPlan: a plan that ReadPlan would refuse is not taken in silence.
func TestWrongPlan(t *testing.T) {
	defer func() {
		same(t, "panic", recover(), any("the plan of a simulator: fault 1: reset: takes no status"))
	}()
	simulator.New(simulator.Options{Plan: &simulator.Plan{Faults: []simulator.Fault{{Do: "stuck"}, {On: "*", Do: "reset", Status: 500}}}})
	t.Error("the plan was taken")
}

// TestPlanIsShared: simulators with the same plan each have all of its faults.
func TestPlanIsShared(t *testing.T) {
	p := readPlan(t, "faults: [{on: '*', do: challenge}]")
	for range 2 {
		c := startBare(t, simulator.Options{Plan: p})
		same(t, "status", []int{c.do("GET", "/api/lists", "").status, c.do("GET", "/api/lists", "").status}, []int{403, 200})
	}
}

// FuzzPlan: what ReadPlan takes, a simulator takes.
func FuzzPlan(f *testing.F) {
	for _, text := range []string{"~", "# nothing", "{}", "faults: []", "faults: ~", "faults: &a [{do: stuck}]\nothers: ~", "faults: [&a {do: stuck}, *a, {<<: *a}]",
		"x: &a [{do: stuck}]\nfaults: *a", "faults: [~]", "---\n---\n", "others: {~: {}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := simulator.ReadPlan(strings.NewReader(text)); err == nil {
			simulator.New(simulator.Options{Plan: p})
		}
	})
}
