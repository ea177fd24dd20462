package job

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"
)

// write puts the files of a txtar archive, or a text as f.yml, into a new directory, makes that the working directory
// and returns the first file's name.
func write(t *testing.T, text string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	if !strings.HasPrefix(text, "-- ") {
		text = "-- f.yml --\n" + text
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

// environment is what tests have in place of the environment: secrets only.
func environment(name string) (string, bool) {
	value, there := map[string]string{"KLAVIYO_API_TOKEN": "pk_hush", "LIST_NO_1": "hushList", "EMPTY": ""}[name]
	return value, there
}

func TestExamplesOfTheReference(t *testing.T) {
	for file, want := range map[string]string{
		"add-by-id.dig":      "klaviyo-export add --list-id id_value --wait --wait-timeout 1h",
		"add-by-name.dig":    "klaviyo-export add --list-name name_value --wait --wait-timeout 1h",
		"remove-by-id.dig":   "klaviyo-export remove --list-id id_value",
		"remove-by-name.dig": "klaviyo-export remove --list-name name_value",
	} {
		s, err := Read(filepath.Join("testdata", file), Options{Env: environment})
		if err != nil {
			t.Errorf("%s: %v", file, err)
		} else if got := s.CommandLine(s.Args()); got != want || s.Key != "pk_hush" {
			t.Errorf("%s: %s with key %q, want %s with pk_hush", file, got, s.Key, want)
		}
	}
}

// rest are the keys that most files below need beside their own.
const rest = "type: klaviyo\noperation: add\nlist_identify_type: name\n"

// named are the settings of an addition to a list by name, and keyed those of one with a key.
func named(name string) Settings { return Settings{Operation: "add", ListName: name} }

func keyed(key string) Settings { return Settings{Operation: "add", ListName: "L", Key: key} }

var readCases = []struct {
	text string
	o    Options
	want Settings
}{
	{rest + "list_value: My list", none, named("My list")},
	{rest + "list_value: 123456", none, named("123456")},
	{rest + "list_value: 007", none, named("007")},
	{rest + "list_value: 1e5", none, named("1e5")},
	{rest + "list_value: 2024-01-01", none, named("2024-01-01")},
	{rest + "list_value: 1_000", none, named("1_000")},
	{rest + "list_value: .inf", none, named(".inf")},
	{rest + "list_value: yes", none, named("yes")},
	{rest + "list_value: 'true'", none, named("true")},
	{rest + "list_value: <<", none, named("<<")},
	{rest + "list_value: ' 顧客 VIP '", none, named(" 顧客 VIP ")},
	{"type: klaviyo\noperation: ' remove_profiles '\nlist_identify_type: id\nlist_value: ' Y6nRLr '", none, Settings{Operation: "remove", ListID: "Y6nRLr"}},
	{"\ufeff---\r\n{type: klaviyo, operation: add, list_identify_type: id, list_value: X}\r\n...", none, Settings{Operation: "add", ListID: "X"}},
	{rest + "list_value: L\nwait_for_completion: 'TRUE'\nwaiting_time_for_completion_millis: '300000'", none,
		Settings{Operation: "add", ListName: "L", Wait: true, WaitTimeout: 5 * time.Minute}},
	{rest + "list_value: L\nwait_for_completion: True\nwaiting_time_for_completion_millis: 86400000", none,
		Settings{Operation: "add", ListName: "L", Wait: true, WaitTimeout: 24 * time.Hour}},
	{rest + "list_value: L\nwait_for_completion: 'False'\nwaiting_time_for_completion_millis: 300000", none, named("L")},
	{"type: klaviyo\noperation: remove_profiles\nlist_identify_type: name\nlist_value: L\nwait_for_completion: true", none,
		Settings{Operation: "remove", ListName: "L", Wait: true}},
	{rest + "list_value: L\napi_token:", none, keyed("")},
	{rest + "list_value: L\napi_token: ' pk_1 '", none, keyed("pk_1")},
	{rest + "list_value: L\napi_token: 007", none, keyed("007")},

	// Secrets: the file, nested or flat, then the environment.
	{rest + "list_value: L\napi_token: '${secret: klaviyo.api_token }'", Options{Env: environment}, keyed("pk_hush")},
	{"-- f.yml --\n" + rest + "list_value: L\napi_token: ${secret:klaviyo.api_token}\n-- s.yml --\nklaviyo:\n  api_token: pk_file",
		Options{Secrets: "s.yml", Env: environment}, keyed("pk_file")},
	{"-- f.yml --\n" + rest + "list_value: L\napi_token: ${secret:klaviyo.api_token}\n-- s.yml --\n{\"klaviyo.api_token\": 12345678}",
		Options{Secrets: "s.yml"}, keyed("12345678")},
	{"-- f.yml --\n" + rest + "list_value: L\napi_token: ${secret:klaviyo.api_token}\n-- s.yml --\nklaviyo: {api_token: ''}",
		Options{Secrets: "s.yml", Env: environment}, keyed("pk_hush")},
	{rest + "list_value: VIP ${secret:list.no-1}!", Options{Env: environment}, named("VIP hushList!")},

	// Variables: --set, then the innermost _export.
	{rest + "list_value: ${a}-${td.database}", Options{Set: map[string]string{"a": "1", "td.database": "db"}}, named("1-db")},
	{"_export: {list: out, td: {database: db}, pre: '${list}'}\nresult_settings: {type: klaviyo, operation: add, list_identify_type: name, list_value: '${ pre } ${td.database}'}",
		none, named("out db")},
	{"_export: {list: out, td: {database: db}}\n+a:\n  _export: {list: in, td: {engine: presto}}\n  +b:\n    _export: {list: sibling}\n  +c:\n" +
		"    result_settings: {type: klaviyo, operation: add, list_identify_type: name, list_value: '${list} ${td.database}'}", none, named("in db")},
	{"_export: {pre: '${list}', list: out}\n+a:\n  _export: {list: in}\n  _do:\n    result_settings: {type: klaviyo, operation: add, list_identify_type: name, list_value: '${pre}'}",
		Options{Set: map[string]string{"list": "set"}}, named("set")},
	{rest + "list_value: News ${session_date}", Options{Set: map[string]string{"session_date": "2024-01-01"}}, named("News 2024-01-01")},
	{"_export: {op: add, kind: klaviyo, ms: 600000, yes: true}\n+a:\n  td>: ${nothing}\n  database: ${moment()}\n  result_settings:\n    type: ${kind}\n    operation: ${op}\n" +
		"    list_identify_type: name\n    list_value: L\n    wait_for_completion: ${yes}\n    waiting_time_for_completion_millis: ${ms}", none,
		Settings{Operation: "add", ListName: "L", Wait: true, WaitTimeout: 10 * time.Minute}},

	// Tasks.
	{tasks, Options{Task: "x"}, named("x")},
	{tasks, Options{Task: "+a+x"}, named("ax")},
	{tasks, Options{Task: "b+x"}, named("bx")},
	{tasks, Options{Task: "+y"}, named("by")},
	{tasks, Options{Task: "+x"}, named("x")},
	{"+s:\n  result_settings: {type: s3}\n+k:\n  result_settings: {type: klaviyo, operation: add, list_identify_type: name, list_value: L}", none, named("L")},

	{"_export: {kind: klaviyo}\n+s:\n  result_settings: {type: s3}\n+k:\n  result_settings: {type: '${kind}', operation: add, list_identify_type: name, list_value: L}", none, named("L")},
	{"_export: {}\n+a:\n  _export: {}\n  +b:\n    _export: {}\n    +c:\n      _export: {list: c}\n" +
		"      result_settings: {type: klaviyo, operation: add, list_identify_type: name, list_value: '${list}'}\n    +d:\n      _export: {list: d}", none, named("c")},

	// Anchors, merge keys, includes.
	{"base: &b {<<: {type: klaviyo, list_value: deep}, operation: add}\nresult_settings:\n  <<: [*b, {operation: x, list_identify_type: name}]\n  list_value: L", none, named("L")},
	{"-- f.dig --\n_export:\n  !include : 'v.yml'\n  list: own\n+a:\n  result_settings:\n    !include : \"s.yml\"\n    operation: add\n-- v.yml --\nlist: theirs\n" +
		"-- s.yml --\ntype: klaviyo\noperation: remove_profiles\nlist_identify_type: name\nlist_value: ${list}", none, named("own")},
	{"-- f.yml --\n!include : sub/a.yml\n-- sub/a.yml --\n!include : b.yml\n-- sub/b.yml --\n" + rest + "list_value: L", none, named("L")},
	{"-- f.dig --\n_export: {td: {a: A, b: B}}\n!include : v.yml\n!include : t.dig\n-- v.yml --\n_export: {td: {b: C}}\n" +
		"-- t.dig --\n+t:\n  result_settings: {type: klaviyo, operation: add, list_identify_type: name, list_value: '${td.a}${td.b}'}", none, named("AC")},
}

func TestRead(t *testing.T) {
	for _, c := range readCases {
		got, err := Read(write(t, c.text), c.o)
		if err != nil {
			t.Errorf("%s\n%v", c.text, err)
		} else if diff := cmp.Diff(&c.want, got, cmpopts.IgnoreUnexported(Settings{})); diff != "" {
			t.Errorf("%s\n%s", c.text, diff)
		}
	}
}

// tasks has several of one name.
const tasks = `+x:
  result_settings: &s {type: klaviyo, operation: add, list_identify_type: name, list_value: x}
+a:
  +x: {result_settings: {<<: *s, list_value: ax}}
+b:
  +x: {result_settings: {<<: *s, list_value: bx}}
  +y: {result_settings: {<<: *s, list_value: by}}
  +z: {td>: z.sql}
+c:
  +x2: {result_settings: {type: s3}}
`

func TestFaults(t *testing.T) {
	for _, c := range faultCases {
		s, err := Read(write(t, c.text), c.o)
		if s != nil || fmt.Sprint(err) != c.want {
			t.Errorf("%s\ngot:\n%v\nwant:\n%s", c.text, err, c.want)
		}
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		s    Settings
		want string
	}{
		{Settings{Operation: "add", ListName: "My list", Wait: true, WaitTimeout: time.Hour},
			"klaviyo-export add --list-name 'My list' --wait --wait-timeout 1h"},
		{Settings{Operation: "remove", ListID: "Y6nRLr", Wait: true}, "klaviyo-export remove --list-id Y6nRLr --wait"},
		{named("it's"), `klaviyo-export add --list-name 'it'\''s'`},
		{named("$(x)"), "klaviyo-export add --list-name '$(x)'"},
		{named("~"), "klaviyo-export add --list-name '~'"},
		{named("顧客"), "klaviyo-export add --list-name '顧客'"},
		{named("-x y"), "klaviyo-export add '--list-name=-x y'"},
		{named("--wait"), "klaviyo-export add --list-name=--wait"},
	} {
		if got := c.s.CommandLine(c.s.Args()); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestCommandLineTellsNoSecret(t *testing.T) {
	o := Options{Env: environment}
	for _, more := range []string{
		"list_value: ${secret:list.no-1}",
		"list_value: VIP ${secret:klaviyo.api_token}",
		"api_token: &t pk_hush\nlist_value: *t",
	} {
		s, err := Read(write(t, rest+more), o)
		if want := "klaviyo-export add --list-name '***'"; err != nil || s.CommandLine(s.Args()) != want {
			t.Errorf("%s\n%+v, %v", more, s, err)
		}
	}
}

// TestBombs reads small files that would be huge if all in them were written out, and large ones.
func TestBombs(t *testing.T) {
	const ends = "result_settings: {type: klaviyo, operation: add, list_identify_type: name, list_value: '${z}'}\n"
	// chain repeats a line, each time one letter on: Y comes before Z.
	chain := func(line string) string {
		var b strings.Builder
		for i := 'b'; i <= 'z'; i++ {
			b.WriteString(strings.NewReplacer("Z", string(i), "Y", string(i-1)).Replace(line))
		}
		return b.String()
	}
	merges := "m0: &m0 {k0: v}\n"
	for i := range 2000 {
		merges += fmt.Sprintf("m%d: &m%[1]d {<<: *m%d, k%[1]d: v}\n", i+1, i)
	}
	includes := "-- f.yml --\n!include : b\n!include : b\n"
	for i := 'b'; i < 'i'; i++ {
		includes += fmt.Sprintf("-- %c --\n!include : %c\n!include : %[2]c\n", i, i+1)
	}
	late := time.AfterFunc(15*time.Second, func() { panic("Read does not end") })
	defer late.Stop()
	var subtasks []string
	for i := range 60_000 {
		subtasks = append(subtasks, fmt.Sprintf("+%d", i))
	}
	many, told := "", ""
	for i := range 21 {
		many += fmt.Sprintf("+t%d: {result_settings: {}}\n", i)
		if i < 20 {
			told += fmt.Sprintf("+t%d (line %d), ", i, i+1)
		}
	}
	for _, c := range []struct{ text, want string }{
		{many, "f.yml: several tasks have result_settings, --task NAME chooses one: " + told + "…"},
		{"a: &a {k: v}\n" + chain("Z: &Z [*Y, *Y, *Y]\n") + full, "f.yml:1: unknown key a; known are " + all + "\nf.yml:2: unknown key b\n"},
		{"_export:\n  a: &a {k: v}\n" + chain("  Z: &Z {p: *Y, q: *Y}\n") + ends, "f.yml:28: ${z} in list_value is a mapping (f.yml:27), a text is meant"},
		{"_export:\n  a: &a {}\n" + chain("  Z: &Z {p: *Y, q: *Y, r: *Y}\n") + strings.Replace(ends, "{z}", "{z.p.x}", 1),
			"f.yml:28: ${z.p.x} in list_value is not defined; define it in _export or give --set z.p.x=…"},
		{"_export:\n  a: ''\n" + chain("  Z: ${Y}${Y}\n") + ends, "f.yml:3: the variable b needs more than 1000 variables"},
		{"_export:\n  a: " + strings.Repeat("x", 1<<15) + "\n" + chain("  Z: ${Y}${Y}\n") + ends, "f.yml:4: the variable c is over 65536 bytes"},
		{"+a: &a {+k: {}}\n" + chain("+Z: &Z {+p: *Y, +q: *Y}\n"), "f.yml: is too large, a workflow of at most 1000 tasks is meant"},
		{"+a: &a {" + strings.Join(subtasks, ": *a, ") + ": *a}",
			"f.yml: is too large, a workflow of at most 1000 tasks is meant"},
		{"+a: &a {+b: *a, <<: *a, result_settings: *a}", "f.yml: is too large, a workflow of at most 1000 tasks is meant"},
		{merges + "result_settings: *m2000", "f.yml: merge keys bring in more than 100000 members"},
		{"a: &a {k: v}\n" + chain("Z: &Z {<<: [*Y, *Y, *Y]}\n") + "result_settings: *z", "f.yml:27: none of the keys of an export is here: " + all},
		{includes + "-- i --\na: b", "f.yml: includes more than 100 files"},
		{"-- f.yml --\n!include : b\n#" + strings.Repeat("#", 1<<19) + "\n-- b --\n#" + strings.Repeat("#", 1<<19), "b: is over 1 MiB, a file of settings is meant"},
		{strings.Repeat("[", 20_000), "f.yml:1:10001: is not YAML: exceeded max depth of 10000"},
		{strings.Repeat("#", 1<<20), "f.yml: is over 1 MiB, a file of settings is meant"}, // with its newline
		{strings.Repeat("k: v\n", 1000), "f.yml:2: k is there twice, first in line 1"},
	} {
		_, err := Read(write(t, c.text), none)
		if !strings.HasPrefix(fmt.Sprint(err), c.want) || strings.Count(err.Error(), "\n") > maxFaults {
			t.Errorf("%.200s\ngot:\n%v\nwant:\n%s", c.text, err, c.want)
		}
	}
}
