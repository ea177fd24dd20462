package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"klaviyo-export/sink/simulator"
)

// A key is read from whatever an editor saves. A file or variable with more than the key is refused, with a reason
// that says what to take away and shows nothing of the key.
func TestKey(t *testing.T) {
	sim := simulator.New(simulator.Options{Wrap: described(t)})
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sim.Close() }()
	const key = "pk_0123456789abcdef0123456789abcdef01"
	const named, quoted = "has a name in front, as in NAME=KEY", "has quotes"
	const blanks = "has blanks or other characters that no key has"
	const header = "has the name of a header in front"
	const long = "has more than 200 characters"
	for _, c := range []struct{ name, text, refused, hint string }{
		{"alone", key, "", ""},
		{"with a line end", key + "\n", "", ""},
		{"with Windows' line end", key + "\r\n", "", ""},
		{"with a byte order mark", "\ufeff" + key + "\r\n", "", ""},
		{"with blanks around", " \t" + key + "  \n\n", "", ""},
		{"empty", "\ufeff\r\n", "is empty or not set", "--api-key-file FILE"},
		{"as a variable", "KLAVIYO_API_KEY=" + key + "\n", named, "without NAME="},
		{"as a variable with blanks", "klaviyo_key = " + key, named, "without NAME="},
		{"as an exported variable", "export KLAVIYO_API_KEY='" + key + "'\n", named, "without NAME="},
		{"as a variable of PowerShell", `$env:KLAVIYO_API_KEY="` + key + `"`, named, "without NAME="},
		{"as YAML", "api_token: " + key + "\n", named, "without NAME="},
		{"named after itself", key + "=" + key, named, "without NAME="},
		{"as a header", "Authorization: Klaviyo-API-Key " + key, header, "without the header"},
		{"as a header's value", "Klaviyo-API-Key " + key, header, "without the header"},
		{"in quotes", `"` + key + `"` + "\n", quoted, "without quotes"},
		{"in single quotes", "'" + key + "'", quoted, "without quotes"},
		{"in a mail's quotes", "“" + key + "”", quoted, "without quotes"},
		{"on two lines", key + "\n" + key + "\n", "has several lines", "on one line"},
		{"with a comment", key + " # production", blanks, "on one line"},
		{"with an invisible blank", key + "\u200b", blanks, "on one line"},
		{"as a property", "klaviyo.api-key=" + key, named, "without NAME="},
		{"as JSON", `{"api_key":"` + key + `"}`, quoted, "without quotes"},
		{"of 200 characters", key + strings.Repeat("a", 200-len(key)), "", ""},
		{"of 201 characters", key + strings.Repeat("a", 201-len(key)), long, "on one line"},
		{"of another server", "0123456789abcdef", "", ""},
		{"in UTF-16", "\xff\xfep\x00k\x00_\x001\x00", "is in UTF-16", "save the file as UTF-8"},
	} {
		for _, from := range []string{"file", "variable"} {
			if from == "variable" && strings.Contains(c.text, "\x00") {
				continue // no variable holds it
			}
			t.Run(from+" "+c.name, func(t *testing.T) {
				args := []string{"doctor", "--base-url", url}
				if from == "file" {
					t.Setenv("KLAVIYO_API_KEY", "")
					file := filepath.Join(t.TempDir(), "key")
					write(t, file, c.text)
					args = append(args, "--api-key-file", file)
				} else {
					t.Setenv("KLAVIYO_API_KEY", c.text)
				}
				exit, out, errs := called(t, "", args...)
				if c.refused == "" && (exit != 0 || errs != "") {
					t.Errorf("exit %d, %s", exit, errs)
				}
				reason, hint, _ := strings.Cut(errs, "\nhint: ")
				if c.refused != "" && (exit != 2 || out != "" || !strings.HasSuffix(reason, c.refused) ||
					!strings.Contains(hint, c.hint)) {
					t.Errorf("exit %d, output %q, %s", exit, out, errs)
				}
				if strings.Contains(out+errs, "0123456789abcdef") {
					t.Errorf("the key is shown: %s%s", out, errs)
				}
			})
		}
	}
}

// What is no private key of Klaviyo is not sent to Klaviyo, wherever it comes from, and is not shown.
func TestNoPrivateKey(t *testing.T) {
	const why = " does not begin with pk_, as Klaviyo's private keys do\nhint: create a private API key in the " +
		"account's settings; the public key, or site ID, cannot be used\n"
	for _, text := range []string{"Ab0Cd1", "/run/secrets/Ab0Cd1", "PK_Ab0Cd1", "sk_Ab0Cd1"} {
		folder := t.TempDir()
		file, settings := filepath.Join(folder, "key"), filepath.Join(folder, "settings.yml")
		write(t, file, text+"\n")
		write(t, settings, "type: klaviyo\napi_token: "+text+
			"\noperation: add\nlist_identify_type: name\nlist_value: News\n")
		for _, c := range []struct{ from, line string }{
			{"the environment variable KLAVIYO_API_KEY", "add --list-name News"},
			{"the environment variable KLAVIYO_API_KEY", "wait --base-url https://A.Klaviyo.com.:443/"},
			{"the file " + file, "remove --list-name News --api-key-file " + file},
			{"the settings", "run " + settings},
		} {
			t.Setenv("KLAVIYO_API_KEY", text)
			exit, out, errs := called(t, "", strings.Fields(c.line)...)
			if want := "klaviyo-export: the API key in " + c.from + why; exit != 2 || errs != want ||
				strings.Contains(out, "Ab0Cd1") {
				t.Errorf("%s: exit %d, output %s, got\n%swant\n%s", c.line, exit, out, errs, want)
			}
		}
	}
}
