package render

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/report"
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

// Codes that look the same once their control characters are escaped are one series with the sum of their rows:
// Prometheus refuses two series with the same labels.
func TestPrometheusSumsWhatLooksTheSame(t *testing.T) {
	var b strings.Builder
	r := &report.Report{Operation: "add", Reasons: []report.Reason{
		{Code: "a\nb", Stage: "request", Rows: 5}, {Code: "c", Stage: "request", Rows: 4},
		{Code: `a\nb`, Stage: "request", Rows: 3}, {Code: `a\nb`, Stage: "import", Rows: 2},
	}}
	if err := Prometheus(&b, r); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "klaviyo_export_reason_rows{") {
			got = append(got, line)
		}
	}
	const series = `klaviyo_export_reason_rows{list="",operation="add",code=`
	want := []string{
		series + `"a\\nb",stage="request"} 8` + "\n", series + `"c",stage="request"} 4` + "\n",
		series + `"a\\nb",stage="import"} 2` + "\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
