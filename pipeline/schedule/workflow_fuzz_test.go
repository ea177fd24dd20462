package schedule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"klaviyo-export/pipeline/workflow"
)

// FuzzFromWorkflow guards that reading a schedule ends, that a plan without a fault has a schedule and a zone, and
// that no error shows the key or a secret, wherever the text repeats it.
func FuzzFromWorkflow(f *testing.F) {
	const key = "pk_hush0123"
	for _, text := range []string{
		"schedule:\n  daily>: 07:00:00\n", "schedule:\n  cron>: ${secret:a} * * *\n", "schedule: {weekly>: *t}\n",
		"timezone: *t\nschedule: {monthly>: '1,${secret:b}', start: *t, skip_delayed_by: ${a}}\n_export: {a: *t}\n",
		"schedule: &s {<<: *s, minutes_interval>: 7, delay: *t}\n", "schedule:\n  *t : 1\n", "*t : 1\n? *t\n",
	} {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		if strings.Contains(text, "hush") || strings.Contains(text, "!include") {
			t.Skip()
		}
		file := filepath.Join(dir, "f.dig")
		if err := os.WriteFile(file, []byte("+t: {api_token: &t "+key+"}\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := FromWorkflow(file, workflow.Options{Env: func(string) (string, bool) { return key, true }})
		switch {
		case err == nil && (p.Schedule == nil || p.Location == nil || p.Check() != nil):
			t.Errorf("%+v", p)
		case err != nil && (p != nil || strings.Contains(err.Error(), "hush")):
			t.Errorf("%+v, %v", p, err)
		case err != nil && !strings.HasPrefix(err.Error(), file+":"):
			t.Errorf("an error without the file: %v", err)
		}
	})
}
