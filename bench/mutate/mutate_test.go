//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sample is a module whose test notices some faults. It has a mutant of each kind.
var sample = map[string]string{
	"go.mod": "module sample\n\ngo 1.26\n",
	"sample.go": `package sample

import ("errors"; "io"; "time")

const most = 10

var errLate = errors.New("late")

func check(n int, calls *int) (string, error) {
	called := func() bool { *calls++; return true }
	if n > most && called() {
		return "", errLate
	}
	switch n {
	case 3:
		return "three", nil
	case 8:
		return "ten", nil
	}
	for range 2 {
		if n == 7 { break }
		n++
	}
	return "some", nil
}

func wait(d time.Duration) time.Duration { return d + 5*time.Second }

func unused(w io.Writer) bool { return w == nil }
`,
	"sample_test.go": `package sample

import ("os"; "os/exec"; "testing")

func TestCheck(t *testing.T) {
	calls := 0
	if _, err := check(12, &calls); err != errLate || calls != 1 { t.Error(err, calls) }
	if text, _ := check(3, &calls); text != "three" { t.Error(text) }
	if text, _ := check(4, &calls); text == "" { t.Error(text) }
}

// TestWait runs wait in another process.
func TestWait(t *testing.T) {
	if os.Getenv("CHILD") != "" {
		os.Exit(int(wait(0).Seconds()))
	}
	cmd := exec.Command(os.Args[0], "-test.run=TestWait")
	cmd.Env = []string{"CHILD=yes"}
	if _ = cmd.Run(); cmd.ProcessState.ExitCode() != 5 { t.Error(cmd.ProcessState) }
}

// TestBroken fails with and without faults.
func TestBroken(t *testing.T) { calls := 0; check(12, &calls); t.Error("broken") }
`,
}

// Each kind of fault has the effect that its name says, at one place only; the test that notices it is named, also
// when the fault is in another process. What no test notices survives, what no test reaches is not covered, and a
// test that always fails notices nothing.
func TestMutants(t *testing.T) {
	dir := t.TempDir()
	for name, text := range sample {
		if err := write(filepath.Join(dir, "sample", name), text); err != nil {
			t.Fatal(err)
		}
	}
	survivors := "# a comment\nequivalent\tsample.go\tcheck\tn++ → \tno effect here\n"
	if err := write(filepath.Join(dir, "survivors"), survivors); err != nil {
		t.Fatal(err)
	}
	s := settings{
		n: 100, lanes: 2, bound: time.Hour, most: time.Hour, targets: []string{"./..."}, tests: []string{"./..."},
		work: filepath.Join(dir, "work"), dir: filepath.Join(dir, "sample"), survivors: filepath.Join(dir, "survivors"),
	}
	var out bytes.Buffer
	if err := s.run(&out); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	lines := json.NewDecoder(strings.NewReader(out.String()))
	for lines.More() {
		var r struct {
			result
			LeftOut string `json:"left_out"`
		}
		if err := lines.Decode(&r); err != nil {
			t.Fatal(err)
		}
		if r.LeftOut != "" {
			got["left out"] = r.LeftOut
			continue
		}
		key := r.Kind + ": " + r.Before + " → " + r.After
		if got[key] != "" {
			t.Errorf("%s: two lines", key)
		}
		got[key] = strings.TrimSpace(r.Status + " " + r.Test + r.Reason)
	}
	const check, child = "killed sample TestCheck", "killed sample TestWait"
	want := map[string]string{
		"case: case 3: return \"three\", nil → ":            check,
		"case: case 8: return \"ten\", nil → ":              "survived",
		"drop: *calls++ → ":                                 check,
		"drop: break → ":                                    "not covered",
		"drop: n++ → ":                                      "equivalent no effect here",
		"empty: return \"some\", nil → return \"\", nil":    check,
		"empty: return \"ten\", nil → return \"\", nil":     "not covered",
		"empty: return \"three\", nil → return \"\", nil":   check,
		"flip: true → false":                                check,
		"more: 2 → 3":                                       "survived",
		"more: 3 → 4":                                       check,
		"more: 8 → 9":                                       "survived",
		"more: 7 → 8":                                       "survived",
		"more: most → most + 1":                             "survived",
		"negate: called() → !called()":                      check,
		"no error: return \"\", errLate → return \"\", nil": check,
		"more: 5 → 6":                                       child,
		"swap: n == 7 → n != 7":                             "survived",
		"swap: n > most && called() → n > most || called()": check,
		"swap: n > most → n >= most":                        "survived",
		"swap: w == nil → w != nil":                         "not covered",
		"left out":                                          "sample TestBroken",
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s: expected %q, got %q", key, value, got[key])
		}
	}
	if len(got) != len(want) {
		t.Errorf("expected %d lines, got %d: %s", len(want), len(got), &out)
	}
}
