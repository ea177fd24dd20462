package pipeline

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An announcement is in the output at once, and the results are what they would be without it. It is made again when
// nothing was written for a minute, and behind every line before the first one with consent.
func TestAnnouncer(t *testing.T) {
	var out bytes.Buffer
	a := &announcer{out: &out}
	for _, step := range []struct {
		name, write, want string
		later             bool // a minute has passed
	}{
		{"a bad row", "{0}\n", "{0}\n", false},
		{"the first request", "", "{0}\n{", false},
		{"another one", "", "{0}\n{", false},
		{"two more bad rows", "{1}\n{2}\n", "{0}\n{1}\n{2}\n{", false},
		{"a request after them", "", "{0}\n{1}\n{2}\n{", false},
		{"a result", `{"channels":3}` + "\n", "{0}\n{1}\n{2}\n" + `{"channels":3}` + "\n", false},
		{"another result", "{4}\n", "{0}\n{1}\n{2}\n" + `{"channels":3}` + "\n{4}\n", false},
		{"a request right after it", "", "{0}\n{1}\n{2}\n" + `{"channels":3}` + "\n{4}\n", false},
		{"a request later", "", "{0}\n{1}\n{2}\n" + `{"channels":3}` + "\n{4}\n{", true},
		{"one much later", "", "{0}\n{1}\n{2}\n" + `{"channels":3}` + "\n{4}\n{ ", true},
		{"two results", "{5}\n{6}\n", "{0}\n{1}\n{2}\n" + `{"channels":3}` + "\n{4}\n{ 5}\n{6}\n", false},
	} {
		if step.later {
			a.last = a.last.Add(-time.Minute)
		}
		if step.write == "" {
			if err := a.unsubscribing(); err != nil {
				t.Fatal(err)
			}
		} else if n, err := a.Write([]byte(step.write)); n != len(step.write) || err != nil {
			t.Fatalf("%s: %d bytes written, error %v", step.name, n, err)
		}
		if diff := cmp.Diff(step.want, out.String()); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
	a = &announcer{out: &full{}}
	if err := a.unsubscribing(); err == nil || a.begun {
		t.Errorf("a full output: error %v, begun %v", err, a.begun)
	}
}
