package job

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// write puts the files of a txtar archive, or a text as f.yml, into a new folder, makes that the working directory
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

// environment stands in for the environment, and holds secrets alone.
func environment(name string) (string, bool) {
	value, there := map[string]string{"KLAVIYO_API_TOKEN": "pk_hush", "LIST_NO_1": "hushList", "EMPTY": ""}[name]
	return value, there
}

// rest are the keys that most files of these tests need beside their own, and full is a file with all that it needs.
const (
	rest = "type: klaviyo\noperation: add\nlist_identify_type: name\n"
	full = rest + "list_value: L\n"
)

var none Options

// line returns the command line that does what the settings say.
func line(s *Settings) string { return s.CommandLine(s.Args()) }

// TestExamplesOfTheReference guards that the four examples of TD's reference become the right command lines, with
// their key.
func TestExamplesOfTheReference(t *testing.T) {
	for file, want := range map[string]string{
		"add-by-id.dig":      "klaviyo-export add --list-id id_value --wait --wait-timeout 1h",
		"add-by-name.dig":    "klaviyo-export add --list-name name_value --wait --wait-timeout 1h",
		"remove-by-id.dig":   "klaviyo-export remove --list-id id_value",
		"remove-by-name.dig": "klaviyo-export remove --list-name name_value",
	} {
		t.Run(file, func(t *testing.T) {
			s, err := Read(filepath.Join("testdata", file), Options{Env: environment})
			if err != nil {
				t.Fatal(err)
			}
			if got := line(s); got != want || s.Key != "pk_hush" {
				t.Errorf("got %s with key %q, want %s with key pk_hush", got, s.Key, want)
			}
		})
	}
}

// TestCommandLine guards that a shell reads the words of Args from the line, whatever a list is called.
func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Settings
		want string
	}{
		{"a name with a blank", Settings{Operation: "add", ListName: "My list", Wait: true, WaitTimeout: time.Hour},
			"klaviyo-export add --list-name 'My list' --wait --wait-timeout 1h"},
		{"an id", Settings{Operation: "remove", ListID: "Y6nRLr", Wait: true},
			"klaviyo-export remove --list-id Y6nRLr --wait"},
		{"a time of minutes and seconds",
			Settings{Operation: "add", ListID: "X", Wait: true, WaitTimeout: 330 * time.Second},
			"klaviyo-export add --list-id X --wait --wait-timeout 5m30s"},
		{"consent", Settings{Operation: "unsubscribe", Channels: []string{"email", "sms"}, Everywhere: true},
			"klaviyo-export unsubscribe --channel email,sms --everywhere"},
		{"a history", Settings{Operation: "subscribe", Channels: []string{"email"}, Historical: true, ConsentedAt: "at",
			Source: "Form 7"}, "klaviyo-export subscribe --channel email --historical --consented-at at --source 'Form 7'"},
		{"an apostrophe", named("it's"), `klaviyo-export add --list-name 'it'"'"'s'`},
		{"a command of a shell", named("$(x)"), "klaviyo-export add --list-name '$(x)'"},
		{"a home folder", named("~"), "klaviyo-export add --list-name '~'"},
		{"Japanese", named("顧客"), "klaviyo-export add --list-name '顧客'"},
		{"a dash and a blank", named("-x y"), "klaviyo-export add '--list-name=-x y'"},
		{"a flag", named("--wait"), "klaviyo-export add --list-name=--wait"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := line(&c.s); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestCommandLineShowsNoSecret guards that *** takes the place of each word with the key or a secret, also of words
// that the user adds, and that the command stays readable.
func TestCommandLineShowsNoSecret(t *testing.T) {
	for _, c := range []struct {
		name, text string
		o          Options
		more       []string
		want       string
	}{
		{"a secret as list", "list_value: ${secret:list.no-1}", Options{Env: environment}, nil, "--list-name '***'"},
		{"the key in a list's name", "list_value: VIP ${secret:klaviyo.api_token}", Options{Env: environment}, nil,
			"--list-name '***'"},
		{"the key as list, without a use for the key",
			"api_token: &t pk_hush\nlist_value: *t", Options{Keyless: true}, nil,
			"--list-name '***'"},
		{"the key in another flag",
			"api_token: pk_hush\nlist_value: L", none, []string{"--map=x=pk_hush", "--drop", "y z"},
			"--list-name L '***' --drop 'y z'"},
		{"a short key that the command contains", "api_token: dd\nlist_value: L", none, nil, "--list-name L"},
		{"an alias of one letter, without a use for the key",
			"list_value: &L pk_hush\napi_token: *L", Options{Keyless: true},
			[]string{"--drop", "L"}, "--list-name '***' --drop L"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Read(write(t, rest+c.text), c.o)
			if err != nil {
				t.Fatal(err)
			}
			got := s.CommandLine(slices.Concat(s.Args(), c.more))
			if want := "klaviyo-export add " + c.want; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
