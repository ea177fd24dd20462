package render

import (
	"os/exec"
	"strings"
	"testing"
)

// The metrics of each kind of run stay the same, and promtool accepts them.
func TestPrometheus(t *testing.T) {
	promtool, missing := exec.LookPath("promtool")
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := Prometheus(&b, r); err != nil {
				t.Fatal(err)
			}
			if name == "merged" || name == "hostile" || name == "killed" {
				golden(t, name+".prom", b.String())
			}
			if missing != nil {
				t.Skip("promtool is not installed")
			}
			check := exec.Command(promtool, "check", "metrics")
			check.Stdin = strings.NewReader(b.String())
			if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	if err := Prometheus(full{}, samples()["zero"]); err != errFull {
		t.Error(err)
	}
}
