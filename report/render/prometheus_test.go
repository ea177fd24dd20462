package render

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

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
			if name == "merged" || name == "hostile" || name == "killed" || name == "mirrors" || name == "sent" {
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

// No series stands twice in a file, which Prometheus would refuse: reasons whose labels are equal after escaping and
// cutting are added up, and the sums pick the 50 that are shown.
func TestPrometheusSeriesAreUnique(t *testing.T) {
	r := &report.Report{List: &report.List{Name: strings.Repeat("長", 150)}, Operation: "add"}
	for i := range int64(49) {
		r.Reasons = append(r.Reasons, report.Reason{Code: "c" + strconv.FormatInt(i, 10), Rows: 100 - i})
	}
	long := strings.Repeat("x", 300)
	r.Reasons = append(r.Reasons,
		report.Reason{Code: "a\nb", Stage: "import", Rows: 50}, report.Reason{Code: `a\nb`, Stage: "import", Rows: 49},
		report.Reason{Code: "few", Rows: 45},
		report.Reason{Code: long + "1", Rows: 30}, report.Reason{Code: long + "2", Rows: 30},
	)
	var b strings.Builder
	if err := Prometheus(&b, r); err != nil {
		t.Fatal(err)
	}
	common := `{list="` + strings.Repeat("長", 99) + `…",operation="add",`
	var got []string
	seen := map[string]bool{}
	for line := range strings.Lines(b.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if seen[name] && !strings.HasPrefix(line, "#") {
			t.Errorf("twice: %s", line)
		}
		seen[name] = true
		if rest, ok := strings.CutPrefix(name, "klaviyo_export_reason_rows"+common); ok {
			got = append(got, rest+" "+value)
		}
	}
	want := []string{`code="c0",stage="" 100`, `code="c1",stage="" 99`, `code="a\\nb",stage="import" 99`}
	if len(got) != 50 || !slices.Equal(got[:3], want) || got[49] != `code="c47",stage="" 53` ||
		!slices.Contains(got, `code="`+strings.Repeat("x", 198)+`…",stage="" 60`) {
		t.Errorf("got %d series:\n%s\nexpected the first ones:\n%s",
			len(got), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
