package job

import (
	"fmt"
	"strings"
	"testing"

	"klaviyo-export/pipeline/workflow"
)

var (
	keys    = strings.Join(workflow.Keys[:len(workflow.Keys)-1], ", ") + " or " + workflow.Keys[len(workflow.Keys)-1]
	noneOf  = "expected the settings of an export (" + strings.Join(workflow.Keys, ", ") + "), got none of them"
	aNumber = "waiting_time_for_completion_millis: expected a whole number " +
		"from 300000 to 86400000 (5 minutes to 1 day), got "
	consenting  = "type: klaviyo\noperation: subscribe_profiles\n"
	anOperation = "add, remove_profiles, subscribe_profiles or unsubscribe_profiles"
	operations  = "expected " + anOperation + ", got "
	aList       = "list_value: expected the id or one-line name of a list, got "
)

// faultCase is a file, or a txtar archive of files, and the error with its faults.
type faultCase struct {
	name, text string
	o          Options
	want       string
}

// keyFaults are faults of keys and values.
var keyFaults = []faultCase{
	{"no key of settings", "foo: bar\nbaz: 1", none, "f.yml:1: " + noneOf},
	{"more faults than an error shows", strings.Repeat("k:\n", 13), none,
		duplicates(2, 11) + "and 2 more"},
	{"misspelt keys, and a key whose value is its name",
		rest + "LIST_VALUE: L\napi_token: api_token\napi_tokens: x", none,
		"f.yml:4: LIST_VALUE: unknown key, did you mean list_value?\n" +
			"f.yml:6: api_tokens: unknown key, did you mean api_token?"},
	{"an _export in a file of settings",
		full + "_export: {a: b}", none, "f.yml:5: _export: unknown key, expected " + keys},
	{"unknown keys", full + "list_vale: L\nmode: x\nType: klaviyo\nmodes: y", none,
		"f.yml:5: list_vale: unknown key, did you mean list_value?\n" +
			"f.yml:6: mode: unknown key, expected " + keys + "\n" +
			"f.yml:7: Type: unknown key, did you mean type?\n" +
			"f.yml:8: modes: unknown key"},
	{"a misspelt key that is not missing",
		"type: klaviyo\noperation: add\nlist_identify_type: name\nlist_vale: L", none,
		"f.yml:4: list_vale: unknown key, did you mean list_value?"},
	{"keys that cannot be printed as they are",
		full + "\"a\\tb\": 1\n'': 2\nx" + strings.Repeat("é", 40) + ": 3", none,
		"f.yml:5: \"a\\tb\": unknown key, expected " + keys + "\nf.yml:6: \"\": unknown key\n" +
			"f.yml:7: x" + strings.Repeat("é", 29) + "…: unknown key"},
	{"a key of 60 bytes, which is shown whole", full + strings.Repeat("x", 60) + ": 1", none,
		"f.yml:5: " + strings.Repeat("x", 60) + ": unknown key, expected " + keys},
	{"missing keys", "type: klaviyo", none,
		"f.yml:1: operation: missing, expected " + anOperation + "\n" +
			"f.yml:1: list_identify_type: missing, expected id or name\n" +
			"f.yml:1: list_value: missing, expected the id or one-line name of a list"},
	{"keys that are not indented",
		"result_settings:\n  type: klaviyo\n  operation: add\nlist_identify_type: name\nlist_value: L", none,
		"f.yml:4: list_identify_type: expected inside result_settings, got it beside; indent it below " +
			"result_settings\n" +
			"f.yml:5: list_value: expected inside result_settings, got it beside; indent it below result_settings"},
	{"a task of another type", "+a:\n  result_settings:\n    type: s3\n    bucket: b", none,
		`f.yml:3: type: expected klaviyo, got "s3"`},
	{"a file of another type", "type: s3\nbucket: b", none, `f.yml:1: type: expected klaviyo, got "s3"`},
	{"other spellings", "type: Klaviyo\noperation: Add\nlist_identify_type: list_name\nlist_value: true", none,
		"f.yml:1: type: expected klaviyo, got \"Klaviyo\"\n" +
			"f.yml:2: operation: " + operations + "\"Add\" (did you mean add?)\n" +
			"f.yml:3: list_identify_type: expected id or name, got \"list_name\"\n" +
			"f.yml:4: list_value: expected a text in quotes, got a boolean"},
	{"an operation of Klaviyo, and an empty name",
		"type: klaviyo\noperation: add_profiles\nlist_identify_type: 1\nlist_value: ''", none,
		"f.yml:2: operation: " + operations + "\"add_profiles\" (did you mean add?)\n" +
			"f.yml:3: list_identify_type: expected id or name, got \"1\"\n" +
			"f.yml:4: " + aList + "\"\""},
	{"a list and a mapping", "type: klaviyo\noperation: remove\nlist_identify_type: [id]\nlist_value: {a: b}", none,
		"f.yml:2: operation: " + operations + "\"remove\" (did you mean remove_profiles?)\n" +
			"f.yml:3: list_identify_type: expected id or name, got a list\n" +
			"f.yml:4: " + aList + "a mapping"},
	{"nulls", "type: klaviyo\noperation: upsert\nlist_identify_type:\nlist_value: ~", none,
		"f.yml:2: operation: " + operations + "\"upsert\"\n" +
			"f.yml:3: list_identify_type: expected id or name, got nothing\n" +
			"f.yml:4: " + aList + "nothing"},
	{"a key with a blank, and a name of two lines", rest + "list_value: |\n  L\n  M\napi_token: pk hush", none,
		"f.yml:7: api_token: expected the private API key, got blanks or characters that no key has\n" +
			"f.yml:4: " + aList + "\"L\\nM\\n\""},
	{"a wait in seconds", full + "wait_for_completion: yes\nwaiting_time_for_completion_millis: 3600", none,
		"f.yml:5: wait_for_completion: expected true or false, got \"yes\"\nf.yml:6: " + aNumber + `"3600"`},
	{"a wait that is too long", full + "wait_for_completion: 1\nwaiting_time_for_completion_millis: 86400001", none,
		"f.yml:5: wait_for_completion: expected true or false, got \"1\"\nf.yml:6: " + aNumber + `"86400001"`},
	{"a wait with a unit", full + "wait_for_completion:\nwaiting_time_for_completion_millis: 1h", none,
		"f.yml:5: wait_for_completion: expected true or false, got nothing\nf.yml:6: " + aNumber + `"1h"`},
	{"a wait with an exponent",
		full + "waiting_time_for_completion_millis: 3.6e6", none, "f.yml:5: " + aNumber + `"3.6e6"`},
	{"an octal wait", full + "waiting_time_for_completion_millis: 0300000", none, "f.yml:5: " + aNumber + `"0300000"`},
	{"a boolean wait", full + "waiting_time_for_completion_millis: true", none, "f.yml:5: " + aNumber + "a boolean"},
	{"a wait that overflows", full + "waiting_time_for_completion_millis: 99999999999999999999", none,
		"f.yml:5: " + aNumber + `"99999999999999999999"`},
	{"a mapping as key",
		full + "api_token: {secret: x}", none, "f.yml:5: api_token: expected the private API key, got a mapping"},
	{"a boolean as key",
		full + "api_token: true", none, "f.yml:5: api_token: expected the private API key, got a boolean"},
	{"a merge key with a text",
		full + "<<: 1", none, "f.yml:5: <<: expected a mapping or a list of mappings, got a text"},
	{"consent without its settings", "type: klaviyo\noperation: unsubscribe_profiles", none,
		"f.yml:1: channels: missing, expected email, sms, sms-transactional, or several of them with commas"},
	{"an opt-out without a list", "type: klaviyo\noperation: unsubscribe_profiles\nchannels: email", none,
		"f.yml:1: list_value: missing, expected the id or one-line name of a list, or everywhere: true"},
	{"an opt-out of a list and everywhere", "type: klaviyo\noperation: unsubscribe_profiles\nchannels: email\n" +
		"list_identify_type: id\nlist_value: X\neverywhere: true", none,
		"f.yml:5: list_value: expected no list with everywhere: true, got one; choose one list, or the whole account"},
	{"half a list", consenting + "channels: email\nlist_identify_type: id", none,
		"f.yml:1: list_value: missing, expected the id or one-line name of a list"},
	{"the other half of a list", consenting + "channels: email\nlist_value: X", none,
		"f.yml:4: list_value: expected list_identify_type beside it, got none"},
	{"channels that are none", consenting + "channels: [email]\n", none,
		"f.yml:3: channels: expected email, sms, sms-transactional, or several of them with commas, got a list"},
	{"an unknown channel", consenting + "channels: email, push\n", none,
		"f.yml:3: channels: expected email, sms, sms-transactional, or several of them with commas, got \"email, push\""},
	{"history without times", consenting + "channels: email\nhistorical_import: true", none,
		"f.yml:1: consented_at: missing, expected the name of a column"},
	{"times without history", consenting + "channels: email\nconsented_at: at", none,
		"f.yml:4: consented_at: expected historical_import: true beside it, got none"},
	{"booleans as texts", consenting + "channels: email\nconsented_at: true\n" +
		"historical_import: 1\ncustom_source: no", none,
		"f.yml:5: historical_import: expected true or false, got \"1\"\n" +
			"f.yml:4: consented_at: expected the name of a column, got a boolean"},
	{"settings of consent with another operation", full + "channels: email\neverywhere: true\ncustom_source: x", none,
		"f.yml:5: channels: expected only with operation: subscribe_profiles or unsubscribe_profiles, got it with add\n" +
			"f.yml:6: everywhere: expected only with operation: unsubscribe_profiles, got it with add\n" +
			"f.yml:7: custom_source: expected only with operation: subscribe_profiles, got it with add"},
	{"other words for consent", "type: klaviyo\noperation: subscribe\nlist_identify_type: id\nlist_value: X", none,
		"f.yml:2: operation: " + operations + "\"subscribe\" (did you mean subscribe_profiles?)"},
	{"TD's other word for consent", "type: klaviyo\noperation: Unsubscribe_from_email\nlist_identify_type: id\n" +
		"list_value: X", none,
		"f.yml:2: operation: " + operations + "\"Unsubscribe_from_email\" (did you mean unsubscribe_profiles?)"},
	{"history as an operation",
		"type: klaviyo\noperation: import_historical_status\nlist_identify_type: id\nlist_value: X", none,
		"f.yml:2: operation: " + operations + "\"import_historical_status\" " +
			"(did you mean subscribe_profiles with historical_import: true?)"},
	{"a key of an included file", "-- f.yml --\n" + full + "!include : g.yml\n-- g.yml --\n\nwait: x", none,
		"g.yml:2: wait: unknown key, expected " + keys},
}

// variableFaults are faults of variables and secrets, apart from those that schedules share.
var variableFaults = []faultCase{
	{"unknown variables",
		"_export: {lists: L, td: {database: d}}\nresult_settings:\n  type: klaviyo\n  operation: ${op}\n" +
			"  list_identify_type: ${td.databse}\n  list_value: ${list} ${td}", none,
		"f.yml:4: operation: ${op} is not defined; define it in _export or pass --set op=VALUE\n" +
			"f.yml:5: list_identify_type: ${td.databse} is not defined (did you mean td.database?); " +
			"define it in _export or pass --set td.databse=VALUE\n" +
			"f.yml:6: list_value: ${list} is not defined (did you mean lists?); " +
			"define it in _export or pass --set list=VALUE"},
	{"variables that only digdag knows", rest + "list_value: ${next_session_time} ${td.last_results.id}", none,
		"f.yml:4: list_value: ${next_session_time} is known only to digdag; pass --set next_session_time=VALUE"},
	{"a variable that an inner _export hides",
		"_export: {td: {list: L}}\n+a:\n  _export: {td: mine}\n  result_settings:\n" +
			"    type: klaviyo\n    operation: add\n    list_identify_type: name\n    list_value: ${td.list}", none,
		"f.yml:8: list_value: ${td.list} is not defined; define it in _export or pass --set td.list=VALUE"},
	{"a long name", rest + "list_value: ${" + strings.Repeat("x", 99) + "}",
		Options{Set: map[string]string{strings.Repeat("x", 98): ""}},
		"f.yml:4: list_value: ${" + strings.Repeat("x", 60) + "…} is not defined; " +
			"define it in _export or pass --set " + strings.Repeat("x", 60) + "…=VALUE"},
	{"one fault for a variable in two values", "_export:\n  a: ${b}\nresult_settings:\n  type: klaviyo\n" +
		"  operation: ${a}\n  list_identify_type: name\n  list_value: ${a}", none,
		"f.yml:2: a: ${b} is not defined; define it in _export or pass --set b=VALUE"},
	{"a circle of three variables", "_export:\n  a: ${b}\n  b: x${c}\n  c: ${a}\nresult_settings:\n  type: klaviyo\n" +
		"  operation: add\n  list_identify_type: name\n  list_value: ${a}", none,
		"f.yml:4: c: ${a} refers to itself: a → b → c → a"},
	{"a key without a value", full + "api_token: ${secret:klaviyo.api_token}", none,
		"f.yml:5: api_token: ${secret:klaviyo.api_token} is not defined; pass --secrets FILE or " +
			"set KLAVIYO_API_TOKEN"},
	{"a key that is not in the file of secrets", "-- f.yml --\n" + full + "api_token: ${secret:klaviyo.token}\n" +
		"-- s.yml --\nklaviyo: {api_token: pk_hush}", Options{Secrets: "s.yml"},
		"f.yml:5: api_token: ${secret:klaviyo.token} is not defined; define it in s.yml or set KLAVIYO_TOKEN"},
	{"a folder of secrets", full, Options{Secrets: "."}, ".: cannot read the file: is a directory"},
}

// hiddenFaults are faults of files with the key or a secret, which "hush" is a part of.
var hiddenFaults = []faultCase{
	{"the key of another task", "+a:\n  result_settings: {api_token: &t pk_hush}\n+b:\n  result_settings: {type: *t}",
		Options{Task: "+b"}, `f.yml:4: type: expected klaviyo, got "***"`},
	{"the key in other values",
		"type: klaviyo\noperation: &t pk_hush\nlist_identify_type: *t\nlist_value: ''\napi_token: *t", none,
		"f.yml:2: operation: " + operations + "\"***\"\n" +
			"f.yml:3: list_identify_type: expected id or name, got \"***\"\n" +
			"f.yml:4: " + aList + "\"\""},
	{"the key in other values, without a use for the key",
		"type: klaviyo\noperation: &t pk_hush\nlist_identify_type: t\nlist_value: ''\napi_token: *t",
		Options{Keyless: true},
		"f.yml:2: operation: " + operations + "\"***\"\n" +
			"f.yml:3: list_identify_type: expected id or name, got \"t\"\n" +
			"f.yml:4: " + aList + "\"\""},
	{"the key from --set",
		"type: klaviyo\noperation: ${a}\nlist_identify_type: ${a}${a}\nlist_value: ''\napi_token: pk_${a}",
		Options{Set: map[string]string{"a": "hush"}},
		"f.yml:5: api_token: ${a} comes from --set, and the list of processes would show the key; " +
			"write ${secret:a} instead\n" +
			"f.yml:2: operation: " + operations + "\"***\"\n" +
			"f.yml:3: list_identify_type: expected id or name, got \"***\"\n" +
			"f.yml:4: " + aList + "\"\""},
	{"the key in an expression", "type: klaviyo\noperation: ${secret:klaviyo.api_token}\nlist_identify_type: name\n" +
		"list_value: ${'hush'}\napi_token: ${'hush'}", Options{Env: environment},
		"f.yml:5: api_token: ${***} is an expression, which only digdag evaluates; write ${secret:NAME} instead\n" +
			"f.yml:2: operation: " + operations + "\"***\"\n" +
			"f.yml:4: list_value: ${***} is an expression, which only digdag evaluates; " +
			"pass --set NAME=VALUE and write ${NAME} instead"},
	{"an unknown variable in the key", full + "api_token: pk_${a}", none,
		"f.yml:5: api_token: ${a} is not defined; define it in _export or write ${secret:a} instead"},
}

// duplicates are the lines of an error on a file that has the key k on each of its lines.
func duplicates(from, to int) (lines string) {
	for n := from; n <= to; n++ {
		lines += fmt.Sprintf("f.yml:%d: k: duplicate key, first on line 1\n", n)
	}
	return lines
}

func testFaults(t *testing.T, cases []faultCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := Read(write(t, c.text), c.o)
			if s != nil || fmt.Sprint(err) != c.want {
				t.Errorf("%.500s\ngot:\n%v\nwant:\n%s", c.text, err, c.want)
			}
		})
	}
}

// TestKeyFaults guards the exact faults of keys and values, all of a file at once.
func TestKeyFaults(t *testing.T) { testFaults(t, keyFaults) }

// TestVariableFaults guards the exact faults of variables and secrets.
func TestVariableFaults(t *testing.T) { testFaults(t, variableFaults) }

// TestHiddenFaults guards that no fault shows the key or a secret, wherever the file repeats it.
func TestHiddenFaults(t *testing.T) { testFaults(t, hiddenFaults) }
