package job

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// named are the settings that add to a list by name, and keyed those with a key.
func named(name string) Settings { return Settings{Operation: "add", ListName: name} }

func keyed(key string) Settings { return Settings{Operation: "add", ListName: "L", Key: key} }

// byName are the settings of an addition to a list by name, on one line.
func byName(list string) string {
	return "{type: klaviyo, operation: add, list_identify_type: name, list_value: " + list + "}"
}

// readCases are files, or txtar archives of them, and their settings.
var readCases = []struct {
	name, text string
	o          Options
	want       Settings
}{
	{"a name", rest + "list_value: My list", none, named("My list")},
	{"a number as name", rest + "list_value: 123456", none, named("123456")},
	{"a number with zeros as name", rest + "list_value: 007", none, named("007")},
	{"an exponent as name", rest + "list_value: 1e5", none, named("1e5")},
	{"a date as name", rest + "list_value: 2024-01-01", none, named("2024-01-01")},
	{"a number with an underscore as name", rest + "list_value: 1_000", none, named("1_000")},
	{"an infinity as name", rest + "list_value: .inf", none, named(".inf")},
	{"yes as name", rest + "list_value: yes", none, named("yes")},
	{"true in quotes as name", rest + "list_value: 'true'", none, named("true")},
	{"a merge key as name", rest + "list_value: <<", none, named("<<")},
	{"blanks around a name", rest + "list_value: ' 顧客 VIP '", none, named(" 顧客 VIP ")},
	{"blanks around other values",
		"type: klaviyo\noperation: ' remove_profiles '\nlist_identify_type: id\nlist_value: ' Y6nRLr '",
		none, Settings{Operation: "remove", ListID: "Y6nRLr"}},
	{"a byte order mark and CRLF",
		"\ufeff---\r\n{type: klaviyo, operation: add, list_identify_type: id, list_value: X}\r\n...",
		none, Settings{Operation: "add", ListID: "X"}},
	{"the shortest wait, in quotes",
		rest + "list_value: L\nwait_for_completion: 'TRUE'\nwaiting_time_for_completion_millis: '300000'",
		none, Settings{Operation: "add", ListName: "L", Wait: true, WaitTimeout: 5 * time.Minute}},
	{"the longest wait",
		rest + "list_value: L\nwait_for_completion: True\nwaiting_time_for_completion_millis: 86400000",
		none, Settings{Operation: "add", ListName: "L", Wait: true, WaitTimeout: 24 * time.Hour}},
	{"no wait", rest + "list_value: L\nwait_for_completion: 'False'\nwaiting_time_for_completion_millis: 300000",
		none, named("L")},
	{"a removal with a wait",
		"type: klaviyo\noperation: remove_profiles\nlist_identify_type: name\nlist_value: L\n" +
			"wait_for_completion: true",
		none, Settings{Operation: "remove", ListName: "L", Wait: true}},
	{"an empty key", rest + "list_value: L\napi_token:", none, keyed("")},
	{"blanks around a key", rest + "list_value: L\napi_token: ' pk_1 '", none, keyed("pk_1")},
	{"a number as key", rest + "list_value: L\napi_token: 007", none, keyed("007")},
	{"a key that is not resolved", full + "api_token: ${secret:none}", Options{Keyless: true}, named("L")},

	// Consent, whose settings are ours.
	{"a subscription without a list", consenting + "channels: ' sms-transactional, email'",
		none, Settings{Operation: "subscribe", Channels: []string{"email", "sms-transactional"}}},
	{"a history", consenting + "list_identify_type: id\nlist_value: X\nchannels: email\n" +
		"historical_import: 'True'\nconsented_at: agreed\ncustom_source: Form 7", none, Settings{Operation: "subscribe",
		ListID: "X", Channels: []string{"email"}, Historical: true, ConsentedAt: "agreed", Source: "Form 7"}},
	{"an opt-out everywhere", "type: klaviyo\noperation: unsubscribe_profiles\neverywhere: true\nchannels: sms\n" +
		"wait_for_completion: true", none,
		Settings{Operation: "unsubscribe", Channels: []string{"sms"}, Everywhere: true, Wait: true}},
	{"an opt-out of a list", "type: klaviyo\noperation: unsubscribe_profiles\neverywhere: false\nchannels: sms\n" +
		"list_identify_type: name\nlist_value: L", none,
		Settings{Operation: "unsubscribe", Channels: []string{"sms"}, ListName: "L"}},

	// Secrets: the file, nested or flat, then the environment.
	{"a key from the environment", full + "api_token: '${secret: klaviyo.api_token }'", Options{Env: environment},
		keyed("pk_hush")},
	{"a key from a file", "-- f.yml --\n" + full + "api_token: ${secret:klaviyo.api_token}\n" +
		"-- s.yml --\nklaviyo:\n  api_token: pk_file", Options{Secrets: "s.yml", Env: environment}, keyed("pk_file")},
	{"a key from a flat file", "-- f.yml --\n" + full + "api_token: ${secret:klaviyo.api_token}\n" +
		"-- s.yml --\n{\"klaviyo.api_token\": 12345678}", Options{Secrets: "s.yml"}, keyed("12345678")},
	{"an empty key in a file", "-- f.yml --\n" + full + "api_token: ${secret:klaviyo.api_token}\n" +
		"-- s.yml --\nklaviyo: {api_token: ''}", Options{Secrets: "s.yml", Env: environment}, keyed("pk_hush")},
	{"a secret in a name",
		rest + "list_value: VIP ${secret:list.no-1}!", Options{Env: environment}, named("VIP hushList!")},

	// Variables: --set, then the innermost _export.
	{"variables from --set", rest + "list_value: ${a}-${td.database}",
		Options{Set: map[string]string{"a": "1", "td.database": "db"}}, named("1-db")},
	{"variables from _export", "_export: {list: out, td: {database: db}, pre: '${list}'}\n" +
		"result_settings: " + byName("'${ pre } ${td.database}'"), none, named("out db")},
	{"the innermost _export", "_export: {list: out, td: {database: db}}\n+a:\n" +
		"  _export: {list: in, td: {engine: presto}}\n  +b:\n    _export: {list: sibling}\n  +c:\n" +
		"    result_settings: " + byName("'${list} ${td.database}'"), none, named("in db")},
	{"--set over _export", "_export: {pre: '${list}', list: out}\n+a:\n  _export: {list: in}\n  _do:\n" +
		"    result_settings: " + byName("'${pre}'"), Options{Set: map[string]string{"list": "set"}}, named("set")},
	{"--set for what only digdag knows", rest + "list_value: News ${session_date}",
		Options{Set: map[string]string{"session_date": "2024-01-01"}}, named("News 2024-01-01")},
	{"variables for every key, and others elsewhere", "_export: {op: add, kind: klaviyo, ms: 600000, yes: true}\n" +
		"+a:\n  td>: ${nothing}\n  database: ${moment()}\n  result_settings:\n    type: ${kind}\n" +
		"    operation: ${op}\n" +
		"    list_identify_type: name\n    list_value: L\n    wait_for_completion: ${yes}\n" +
		"    waiting_time_for_completion_millis: ${ms}", none,
		Settings{Operation: "add", ListName: "L", Wait: true, WaitTimeout: 10 * time.Minute}},
	{"no _export of a later task",
		"_export: {}\n+a:\n  _export: {}\n  +b:\n    _export: {}\n    +c:\n      _export: {list: c}\n" +
			"      result_settings: " + byName("'${list}'") + "\n    +d:\n      _export: {list: d}", none, named("c")},

	// Tasks.
	{"a task by its name", tasks, Options{Task: "x"}, named("x")},
	{"a task by its path", tasks, Options{Task: "+a+x"}, named("ax")},
	{"a task by its path without +", tasks, Options{Task: "b+x"}, named("bx")},
	{"a task by the end of its path", tasks, Options{Task: "+y"}, named("by")},
	{"the task of that path, not those that end in it", tasks, Options{Task: "+x"}, named("x")},
	{"the only export to Klaviyo",
		"+s:\n  result_settings: {type: s3}\n+k:\n  result_settings: " + byName("L"), none, named("L")},
	{"the only export that may go to Klaviyo", "_export: {kind: klaviyo}\n+s:\n  result_settings: {type: s3}\n+k:\n" +
		"  result_settings: {type: '${kind}', operation: add, list_identify_type: name, list_value: L}",
		none, named("L")},

	// Merge keys and includes.
	{"merge keys", "base: &b {<<: {type: klaviyo, list_value: deep}, operation: add}\nresult_settings:\n" +
		"  <<: [*b, {operation: x, list_identify_type: name}]\n  list_value: L", none, named("L")},
	{"included parts", "-- f.dig --\n_export:\n  !include : 'v.yml'\n  list: own\n+a:\n  result_settings:\n" +
		"    !include : \"s.yml\"\n    operation: add\n-- v.yml --\nlist: theirs\n" +
		"-- s.yml --\ntype: klaviyo\noperation: remove_profiles\nlist_identify_type: name\nlist_value: ${list}", none,
		named("own")},
	{"an include in an include",
		"-- f.yml --\n!include : sub/a.yml\n-- sub/a.yml --\n!include : b.yml\n-- sub/b.yml --\n" + full,
		none, named("L")},
	{"included mappings that are merged",
		"-- f.dig --\n_export: {td: {a: A, b: B}}\n!include : v.yml\n!include : t.dig\n" +
			"-- v.yml --\n_export: {td: {b: C}}\n-- t.dig --\n+t:\n  result_settings: " + byName("'${td.a}${td.b}'"),
		none, named("AC")},
}

// TestRead guards what each form of a value means.
func TestRead(t *testing.T) {
	for _, c := range readCases {
		t.Run(c.name, func(t *testing.T) {
			got, err := Read(write(t, c.text), c.o)
			if err != nil {
				t.Fatalf("%s\n%v", c.text, err)
			}
			if diff := cmp.Diff(&c.want, got, cmpopts.IgnoreUnexported(Settings{})); diff != "" {
				t.Errorf("%s\n%s", c.text, diff)
			}
		})
	}
}

// The API key is never taken for the name or id of a list, nor for the source of consent: it would be shown, and
// become a list.
func TestKeyAsList(t *testing.T) {
	const source = "type: klaviyo\napi_token: pk_hush\noperation: subscribe_profiles\nchannels: email\n" +
		"custom_source: pk_hush"
	if _, err := Read(write(t, source), Options{}); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("a source: %v", err)
	}
	for _, kind := range []string{"name", "id"} {
		text := "type: klaviyo\napi_token: pk_hush\noperation: add\nlist_identify_type: " + kind + "\nlist_value: x pk_hush\n"
		_, err := Read(write(t, text), Options{})
		if err == nil || !strings.Contains(err.Error(), "list_value: expected") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
