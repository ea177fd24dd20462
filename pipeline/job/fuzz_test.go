package job

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// maxFaults is the number of faults that an error names.
const maxFaults = 10

// FuzzRead guards that no error and no command line shows the key: it puts the key, in one of several ways, before
// any text. It also guards that reading ends and that settings are complete.
func FuzzRead(f *testing.F) {
	const key = "pk_hush0123"
	begins := []string{
		"",
		"api_token: &t " + key + "\n",
		"api_token: ${secret:a.b}-${hidden}\n",
		"result_settings:\n  api_token: &t " + key + "\n",
		"+a:\n  result_settings:\n    api_token: x${hidden}\n",
	}
	for _, c := range readCases {
		f.Add(c.text, byte(0))
	}
	for i, c := range slices.Concat(keyFaults, variableFaults, hiddenFaults, taskFaults) {
		f.Add(c.text, byte(i))
		f.Add("  "+strings.ReplaceAll(c.text, "\n", "\n  "), byte(3))
	}
	f.Add("operation: *t\nlist_value: *t\ntype: *t\n*t : *t\n? *t\n", byte(1))
	f.Add("+b:\n  result_settings: {<<: *t, type: *t}\n_export: {a: *t, b: '${a}'}\n", byte(3))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, begin byte) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		if strings.Contains(text, "hush") || strings.Contains(text, "!include") ||
			begin%5 > 1 && strings.Contains(text, "result_settings") {
			t.Skip()
		}
		file := filepath.Join(dir, []string{"f.yml", "f.dig"}[begin/128])
		if err := os.WriteFile(file, []byte(begins[begin%5]+text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Read(file, Options{
			Set:     map[string]string{"hidden": key},
			Env:     func(string) (string, bool) { return key, true },
			Keyless: begin%2 == 1 && strings.Contains(begins[begin%5], key), // the key is in the file itself
		})
		if err != nil {
			lines := strings.Split(err.Error(), "\n")
			if s != nil || begin%5 > 0 && strings.Contains(err.Error(), "hush") || len(lines) > maxFaults+1 {
				t.Errorf("%+v, %v", s, err)
			}
			placed := func(l string) bool { return strings.HasPrefix(l, file+":") }
			if slices.ContainsFunc(lines[:min(len(lines), maxFaults)], func(l string) bool { return !placed(l) }) {
				t.Errorf("a line without the file: %v", err)
			}
			return
		}
		consent := s.Operation == "subscribe" || s.Operation == "unsubscribe"
		lists := 0
		for _, list := range []string{s.ListID, s.ListName} {
			if list != "" {
				lists++
			}
		}
		if s.Everywhere {
			lists++
		}
		if !consent && s.Operation != "add" && s.Operation != "remove" || consent != (len(s.Channels) > 0) ||
			lists > 1 || lists == 0 && s.Operation != "subscribe" || s.Historical != (s.ConsentedAt != "") ||
			s.WaitTimeout != 0 && (!s.Wait || s.WaitTimeout < 5*time.Minute || s.WaitTimeout > 24*time.Hour) {
			t.Errorf("%+v", s)
		}
		if got := line(s); begin%5 > 0 && strings.Contains(got, "hush") || strings.ContainsAny(got, "\n\x00") {
			t.Error(got)
		}
	})
}
