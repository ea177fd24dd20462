package job

import "strings"

// full is a file that nothing is missing in.
const full = rest + "list_value: L\n"

var (
	none Options
	all  = strings.Join(keyNames, ", ")
)

// faultCases are files, or txtar archives of them, and what is told of their faults.
var faultCases = []struct {
	text string
	o    Options
	want string
}{
	// The file.
	{"", none, "f.yml: is empty, a mapping is meant"},
	{"# nothing", none, "f.yml: is empty, a mapping is meant"},
	{"---\n", none, "f.yml: is empty, a mapping is meant"},
	{"- a\n- b", none, "f.yml:1: the file is a list, a mapping is meant"},
	{"just text", none, "f.yml:1: the file is a text, a mapping is meant"},
	{full + "---\n" + full, none, "f.yml:5: a second document begins, one in a file is meant"},
	{full + "\twait_for_completion: true", none, "f.yml:5:1: a tab indents this line, spaces are meant"},
	{"result_settings:\n\ttype: klaviyo", none, "f.yml:2:1: a tab indents this line, spaces are meant"},
	{"result_settings: type: klaviyo", none,
		`f.yml:1:22: a ": " too many, one in a line is meant; put a text that holds it in quotes, and look at the indentation`},
	{rest + "list_value: @vip", none, "f.yml:4:13: no text begins with this character; put the text in quotes"},
	{rest + "list_value: *vip", none, "f.yml:4:13: this alias has no anchor; put a text that begins with * in quotes"},
	{rest + "list_value: !vip", none,
		"f.yml:4: list_value is a tag (a text that begins with ! is put in quotes), the id or one-line name of a list is meant"},
	{rest + "list_value: [VIP] list", none, "f.yml:4:19: is not YAML: did not find expected key"},
	{"{type: klaviyo, list_value: ${x}}", none, "f.yml:1:30: a ${…} inside { } or [ ] is put in quotes"},
	{rest + "list_value: 'open", none, "f.yml:4:13: the quote that begins here does not end"},
	{rest + "list_value: \xff", none, "f.yml:4: holds a byte that is no UTF-8 text"},
	{rest + "list_value: \x00", none, "f.yml:4: holds a byte that is no UTF-8 text"},
	{full + "? [a]\n: b", none, "f.yml:5: a key is a list, a word is meant"},
	{full + "operation: add", none, "f.yml:5: operation is there twice, first in line 2"},
	{"foo: bar\nbaz: 1", none, "f.yml:1: none of the keys of an export is here: " + all},

	{strings.Repeat("k:\n", 13), none,
		"f.yml:2: k is there twice, first in line 1\nf.yml:3: k is there twice, first in line 1\nf.yml:4: k is there twice, first in line 1\n" +
			"f.yml:5: k is there twice, first in line 1\nf.yml:6: k is there twice, first in line 1\nf.yml:7: k is there twice, first in line 1\n" +
			"f.yml:8: k is there twice, first in line 1\nf.yml:9: k is there twice, first in line 1\nf.yml:10: k is there twice, first in line 1\n" +
			"f.yml:11: k is there twice, first in line 1\nand 2 more"},

	// The keys.
	{rest + "LIST_VALUE: L\napi_token: api_token\napi_tokens: x", none,
		"f.yml:4: unknown key LIST_VALUE, list_value is meant\nf.yml:6: unknown key api_tokens, api_token is meant"},
	{full + "_export: {a: b}", none, "f.yml:5: unknown key _export; known are " + all},
	{full + "list_vale: L\nmode: x\nType: klaviyo", none,
		"f.yml:5: unknown key list_vale, list_value is meant\n" +
			"f.yml:6: unknown key mode; known are " + all + "\n" +
			"f.yml:7: unknown key Type, type is meant"},
	{"type: klaviyo\noperation: add\nlist_identify_type: name\nlist_vale: L", none, "f.yml:4: unknown key list_vale, list_value is meant"},
	{full + "\"a\\tb\": 1\n'': 2\nx" + strings.Repeat("é", 40) + ": 3", none,
		"f.yml:5: unknown key \"a\\tb\"; known are " + all + "\nf.yml:6: unknown key \"\"\nf.yml:7: unknown key x" + strings.Repeat("é", 29) + "…"},
	{"type: klaviyo", none,
		"f.yml:1: operation is missing, add or remove_profiles is meant\n" +
			"f.yml:1: list_identify_type is missing, id or name is meant\n" +
			"f.yml:1: list_value is missing, the id or one-line name of a list is meant"},
	{"result_settings:\n  type: klaviyo\n  operation: add\nlist_identify_type: name\nlist_value: L", none,
		"f.yml:4: list_identify_type stands beside result_settings, it is meant below it and indented\n" +
			"f.yml:5: list_value stands beside result_settings, it is meant below it and indented"},
	{"+a:\n  result_settings:\n    type: s3\n    bucket: b", none, `f.yml:3: type is "s3", klaviyo is meant`},
	{"+a: !include a.dig", none, "f.yml:1: !include is a value here, a key of its own is meant: !include : 'FILE'"},
	{"type: s3\nbucket: b", none, `f.yml:1: type is "s3", klaviyo is meant`},
	{"type: Klaviyo\noperation: Add\nlist_identify_type: list_name\nlist_value: true", none,
		"f.yml:1: type is \"Klaviyo\", klaviyo is meant\n" +
			"f.yml:2: operation is \"Add\", add is meant\n" +
			"f.yml:3: list_identify_type is \"list_name\", id or name is meant\n" +
			"f.yml:4: list_value is a boolean, a text in quotes is meant"},
	{"type: klaviyo\noperation: add_profiles\nlist_identify_type: 1\nlist_value: ''", none,
		"f.yml:2: operation is \"add_profiles\", add is meant\n" +
			"f.yml:3: list_identify_type is 1, id or name is meant\n" +
			"f.yml:4: list_value is \"\", the id or one-line name of a list is meant"},
	{"type: klaviyo\noperation: remove\nlist_identify_type: [id]\nlist_value: {a: b}", none,
		"f.yml:2: operation is \"remove\", remove_profiles is meant\n" +
			"f.yml:3: list_identify_type is a list, id or name is meant\n" +
			"f.yml:4: list_value is a mapping, the id or one-line name of a list is meant"},
	{"type: klaviyo\noperation: upsert\nlist_identify_type:\nlist_value: ~", none,
		"f.yml:2: operation is \"upsert\", add or remove_profiles is meant\n" +
			"f.yml:3: list_identify_type is empty, id or name is meant\n" +
			"f.yml:4: list_value is empty, the id or one-line name of a list is meant"},
	{rest + "list_value: |\n  L\n  M\napi_token: pk hush", none,
		"f.yml:7: api_token holds blanks or characters that no key has, the private API key is meant\n" +
			"f.yml:4: list_value is \"L\\nM\\n\", the id or one-line name of a list is meant"},
	{full + "wait_for_completion: yes\nwaiting_time_for_completion_millis: 3600", none,
		"f.yml:5: wait_for_completion is \"yes\", true or false is meant\n" +
			"f.yml:6: waiting_time_for_completion_millis is 3600, a whole number from 300000 to 86400000 (5 minutes to 1 day) is meant"},
	{full + "wait_for_completion: 1\nwaiting_time_for_completion_millis: 86400001", none,
		"f.yml:5: wait_for_completion is 1, true or false is meant\n" +
			"f.yml:6: waiting_time_for_completion_millis is 86400001, a whole number from 300000 to 86400000 (5 minutes to 1 day) is meant"},
	{full + "wait_for_completion:\nwaiting_time_for_completion_millis: 1h", none,
		"f.yml:5: wait_for_completion is empty, true or false is meant\n" +
			"f.yml:6: waiting_time_for_completion_millis is \"1h\", a whole number from 300000 to 86400000 (5 minutes to 1 day) is meant"},
	{full + "waiting_time_for_completion_millis: 3.6e6", none,
		"f.yml:5: waiting_time_for_completion_millis is 3.6e6, a whole number from 300000 to 86400000 (5 minutes to 1 day) is meant"},
	{full + "waiting_time_for_completion_millis: 0300000", none,
		"f.yml:5: waiting_time_for_completion_millis is 0300000, a whole number from 300000 to 86400000 (5 minutes to 1 day) is meant"},
	{full + "waiting_time_for_completion_millis: true", none,
		"f.yml:5: waiting_time_for_completion_millis is a boolean, a whole number from 300000 to 86400000 (5 minutes to 1 day) is meant"},
	{full + "waiting_time_for_completion_millis: 99999999999999999999", none,
		"f.yml:5: waiting_time_for_completion_millis is 99999999999999999999, a whole number from 300000 to 86400000 (5 minutes to 1 day) is meant"},
	{full + "api_token: {secret: x}", none, "f.yml:5: api_token is a mapping, the private API key is meant"},
	{full + "api_token: true", none, "f.yml:5: api_token is a boolean, the private API key is meant"},

	// Variables and secrets.
	{"_export: {lists: L, td: {database: d}}\nresult_settings:\n  type: klaviyo\n  operation: ${op}\n  list_identify_type: ${td.databse}\n  list_value: ${list} ${td}", none,
		"f.yml:4: ${op} in operation is not defined; define it in _export or give --set op=…\n" +
			"f.yml:5: ${td.databse} in list_identify_type is not defined (did you mean td.database?); define it in _export or give --set td.databse=…\n" +
			"f.yml:6: ${list} in list_value is not defined (did you mean lists?); define it in _export or give --set list=…"},
	{rest + "list_value: News ${session_date}", none, "f.yml:4: ${session_date} in list_value: only digdag knows it; give --set session_date=…"},
	{rest + "list_value: ${next_session_time} ${td.last_results.id}", none,
		"f.yml:4: ${next_session_time} in list_value: only digdag knows it; give --set next_session_time=…"},
	{rest + "list_value: ${moment(session_time).format('YYYY')}", none,
		"f.yml:4: ${moment(session_time).format('YYYY')} in list_value is an expression, which only digdag works out; give --set NAME=… and write ${NAME} there"},
	{rest + "list_value: ${a b", none, "f.yml:4: ${ in list_value has no }"},
	{rest + "list_value: ${}", none, "f.yml:4: ${} in list_value names no variable"},
	{rest + "list_value: ${a}", Options{Set: map[string]string{"a": "${b}"}},
		"f.yml:4: ${a} in list_value: --set a holds a ${…} of its own, its value is meant"},
	{"_export:\n  a: ${b}\n  b: x${c}\n  c: ${a}\nresult_settings:\n  type: klaviyo\n  operation: add\n  list_identify_type: name\n  list_value: ${a}", none,
		"f.yml:4: ${a} in the variable c goes round in a circle: a → b → c → a"},
	{"_export:\n  a: ${c}\n  n:\nresult_settings:\n  type: klaviyo\n  operation: ${n}\n  list_identify_type: name\n  list_value: ${a}", none,
		"f.yml:6: ${n} in operation is empty (f.yml:3), a text is meant\n" +
			"f.yml:2: ${c} in the variable a is not defined; define it in _export or give --set c=…"},
	{"_export: [a]\nresult_settings: {}", none, "f.yml:1: _export is a list, a mapping is meant"},
	{full + "api_token: ${secret:klaviyo.api_token}", none,
		"f.yml:5: ${secret:klaviyo.api_token} in api_token: no --secrets FILE is given, and the environment does not hold it (KLAVIYO_API_TOKEN)"},
	{full + "api_token: ${secret:empty}", Options{Env: environment},
		"f.yml:5: ${secret:empty} in api_token: no --secrets FILE is given, and the environment does not hold it (EMPTY)"},
	{"-- f.yml --\n" + full + "api_token: ${secret:klaviyo.token}\n-- s.yml --\nklaviyo: {api_token: pk_hush}", Options{Secrets: "s.yml"},
		"f.yml:5: ${secret:klaviyo.token} in api_token: neither s.yml nor the environment holds it (KLAVIYO_TOKEN)"},
	{"-- f.yml --\n" + full + "api_token: ${secret:klaviyo}\n-- s.yml --\nklaviyo: {api_token: pk_hush}", Options{Secrets: "s.yml"},
		"s.yml:1: the secret klaviyo is a mapping, a text is meant"},
	{full, Options{Secrets: "."}, ".: cannot be read: is a directory"},
	{"-- f.yml --\n" + full + "-- s.yml --\npk_hush", Options{Secrets: "s.yml"}, "s.yml:1: the file is a text, a mapping is meant"},
	{full, Options{Secrets: "none.yml"}, "none.yml: cannot be read: no such file or directory"},
	{full + "api_token: ${secret:}", none, "f.yml:5: ${secret:} in api_token names no secret"},

	{"_export: {td: {list: L}}\n+a:\n  _export: {td: mine}\n  result_settings:\n    type: klaviyo\n    operation: add\n    list_identify_type: name\n    list_value: ${td.list}",
		none, "f.yml:8: ${td.list} in list_value is not defined; define it in _export or give --set td.list=…"},
	{rest + "list_value: ${" + strings.Repeat("x", 99) + "}", Options{Set: map[string]string{strings.Repeat("x", 98): ""}},
		"f.yml:4: ${" + strings.Repeat("x", 60) + "…} in list_value is not defined; define it in _export or give --set " + strings.Repeat("x", 60) + "…=…"},

	{"_export:\n  a: ${b}\nresult_settings:\n  type: klaviyo\n  operation: ${a}\n  list_identify_type: name\n  list_value: ${a}", none,
		"f.yml:2: ${b} in the variable a is not defined; define it in _export or give --set b=…"},

	// What must not be shown.
	{"+a:\n  result_settings: {api_token: &t pk_hush}\n+b:\n  result_settings: {type: *t}", Options{Task: "+b"}, `f.yml:4: type is "***", klaviyo is meant`},
	{"type: klaviyo\noperation: &t pk_hush\nlist_identify_type: *t\nlist_value: ''\napi_token: *t", none,
		"f.yml:2: operation is \"***\", add or remove_profiles is meant\n" +
			"f.yml:3: list_identify_type is \"***\", id or name is meant\n" +
			"f.yml:4: list_value is \"\", the id or one-line name of a list is meant"},
	{"type: klaviyo\noperation: ${a}\nlist_identify_type: ${a}${a}\nlist_value: ''\napi_token: pk_${a}", Options{Set: map[string]string{"a": "hush"}},
		"f.yml:5: ${a} in api_token: what --set gives stands in the list of processes, where the key must not be; write ${secret:a} in its place\n" +
			"f.yml:2: operation is \"***\", add or remove_profiles is meant\n" +
			"f.yml:3: list_identify_type is \"***\", id or name is meant\n" +
			"f.yml:4: list_value is \"\", the id or one-line name of a list is meant"},
	{"type: klaviyo\noperation: ${secret:klaviyo.api_token}\nlist_identify_type: name\nlist_value: ${'hush'}\napi_token: ${'hush'}", Options{Env: environment},
		"f.yml:5: ${***} in api_token is an expression, which only digdag works out; write ${secret:NAME} in its place\n" +
			"f.yml:2: operation is \"***\", add or remove_profiles is meant\n" +
			"f.yml:4: ${***} in list_value is an expression, which only digdag works out; give --set NAME=… and write ${NAME} there"},

	// Tasks.
	{tasks, none, "f.yml: several tasks have result_settings, --task NAME chooses one: +x (line 2), +a+x (line 4), +b+x (line 6), +b+y (line 7)"},
	{"+a:\n  +q: {result_settings: {}}\n+b: {+q: {result_settings: {}}}", Options{Task: "q"},
		"f.yml: --task q means several tasks, the whole path of one is meant: +a+q (line 2), +b+q (line 3)"},
	{"+t:\n  _do: {result_settings: {}}\n  _error: {result_settings: {}}", none,
		"f.yml: several tasks have result_settings, --task NAME chooses one: +t (line 2), +t (line 3)"},
	{tasks, Options{Task: "+a+y"},
		"f.yml: --task +a+y: no task of this name has result_settings (did you mean +a+x?); these have: +x (line 2), +a+x (line 4), +b+x (line 6), +b+y (line 7), +c+x2 (line 10)"},
	{tasks, Options{Task: "+b+z"},
		"f.yml: --task +b+z: no task of this name has result_settings (did you mean +b+x?); these have: +x (line 2), +a+x (line 4), +b+x (line 6), +b+y (line 7), +c+x2 (line 10)"},
	{tasks, Options{Task: "+x2"}, `f.yml:10: type is "s3", klaviyo is meant`},
	{full, Options{Task: "+x"}, "f.yml: --task +x: the file has no tasks"},
	{"+a:\n  td>: a.sql", none, "f.yml: has no result_settings: a mapping of them, or a workflow with a task that has them, is meant"},
	{"-- f.dig --\ntimezone: UTC", none, "f.dig: has no result_settings: a mapping of them, or a workflow with a task that has them, is meant"},
	{"+a:\n  result_settings:", none, "f.yml:2: result_settings is empty, a mapping is meant"},
	{"+a:\n  result_settings: ${s}", none, "f.yml:2: result_settings is a text, a mapping is meant"},

	// Merge keys and includes.
	{full + "<<: 1", none, "f.yml:5: << is a text, a mapping or a list of mappings is meant"},
	{full + "!include : ../x", none, `f.yml:5: !include : "../x", a file below the folder of this one is meant, written !include : 'FILE'`},
	{full + "!include : none.yml", none, "none.yml: cannot be read: no such file or directory"},
	{full + "x: !include none.yml", none, "f.yml:5: !include is a value here, a key of its own is meant: !include : 'FILE'"},
	{"-- f.yml --\n" + full + "!include : g.yml\n-- g.yml --\n!include : f.yml", none, "g.yml:1: f.yml includes itself"},
	{"-- f.yml --\n" + full + "!include : g.yml\n-- g.yml --\n\nlist: 1\nlist: 2\nwait: x", none, "g.yml:3: list is there twice, first in line 2"},
	{"-- f.yml --\n" + full + "!include : g.yml\n-- g.yml --\n\nwait: x", none, "g.yml:2: unknown key wait; known are " + all},
}
