package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink/simulator"
)

// A clock that jumps forward by two hours four times a second, and back in the end, neither ends a run nor delays
// it. The report has the true duration.
func TestClockSteps(t *testing.T) {
	if !*long {
		t.Skip("only with -long: it builds the standard library")
	}
	stepped := filepath.Join(t.TempDir(), "klaviyo-export")
	buildStepped(t, stepped)
	plan := &simulator.Plan{Faults: []simulator.Fault{
		{On: "POST /api/profile-bulk-import-jobs", Do: "status", Status: 503, Times: 3},
		{On: "POST /api/profile-bulk-import-jobs", Do: "throttle", Skip: 3},
		{On: "GET /api/profile-bulk-import-jobs/{id}", Do: "status", Status: 500, Times: 2},
	}}
	sim := simulator.New(simulator.Options{Wrap: described(t), JobTime: time.Second, Plan: plan})
	defer func() { _ = sim.Close() }()
	list := sim.AddList("News", "single_opt_in")
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := killRows(50_000)
	command := exec.Command(stepped, "add", "--base-url", url, "--list-id", list, "--wait", "--concurrency", "1",
		"--max-invalid", "1%")
	command.Env = append(os.Environ(), "KLAVIYO_API_KEY=pk_script")
	command.Stdin = strings.NewReader(rows)
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	started := time.Now()
	err = command.Run()
	took := time.Since(started)
	rep, _, notRead := report.ReadStream("results", &out)
	if err != nil || notRead != nil {
		t.Fatalf("%v, %v: %s", err, notRead, &said)
	}
	if rep.Rows.Applied != 49_900 || rep.Requests.Retried != 4 || rep.Requests.Resent != 4 {
		t.Errorf("rows %+v, requests %+v: %s", rep.Rows, rep.Requests, &said)
	}
	if took > time.Minute || rep.Seconds < 3 || rep.Seconds > took.Seconds() {
		t.Errorf("the run took %v, its report says %v s", took, rep.Seconds)
	}
}

// buildStepped builds the program with a time.Now whose wall clock jumps. Tools that intercept system calls cannot
// do that: the runtime reads the clock in the vdso.
func buildStepped(t *testing.T, binary string) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	const read = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(text), read) != 1 {
		t.Fatalf("%s: expected one %q", original, read)
	}
	dir := t.TempDir()
	patched := filepath.Join(dir, "time.go")
	const step = "\tsec += 7200 * min(mono/250e6%40, 9*(39-mono/250e6%40))\n"
	write(t, patched, strings.Replace(string(text), read, read+step, 1))
	overlay := filepath.Join(dir, "overlay.json")
	write(t, overlay, fmt.Sprintf(`{"Replace":{%q:%q}}`, original, patched))
	build := exec.Command("go", "build", "-overlay", overlay, "-o", binary, "../..")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
}
