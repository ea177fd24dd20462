package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Each program handles every operation: what reaches the server and what is printed are exactly as expected.
func TestOperations(t *testing.T) {
	dir := t.TempDir()
	built, err := build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	peers := []*peer{{name: ours}}
	if path, err := exec.LookPath("python3"); err == nil {
		p, err := built.python(t.Context(), []string{path})
		if err != nil {
			t.Fatal(err)
		}
		p.name = "Python by hand"
		peers = append(peers, p)
	}
	installed, missing := sdkModules()
	if path, err := exec.LookPath("node"); err == nil && missing == nil {
		if err := os.Symlink(installed, filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
		p, err := built.script(path)
		if err != nil {
			t.Fatal(err)
		}
		p.name = "Node with klaviyo-api"
		peers = append(peers, p)
	}
	crowd, err := gather(dir, 2000)
	if err != nil {
		t.Fatal(err)
	}
	for i := range operations {
		for _, p := range peers {
			t.Run(operations[i].name+" "+p.name, func(t *testing.T) {
				t.Parallel() // they mostly wait for import jobs
				own := *built
				own.dir = t.TempDir()
				s := &survey{comparison: &comparison{tools: &own, log: io.Discard, rounds: 1}}
				r := s.reading(&operations[i], crowd, p)
				if err := s.run(t.Context(), r, crowd); err != nil {
					t.Fatal(err)
				}
				if one := r.runs[0]; one.wall <= 0 || one.cpu <= 0 || one.server <= 0 || one.rss < 1e6 {
					t.Errorf("expected time and memory, got %+v", one)
				}
			})
		}
	}
}

// A run whose output or whose effect on the server is not as expected is an error, so no figure comes from it.
func TestOperationsAreChecked(t *testing.T) {
	dir := t.TempDir()
	crowd, err := gather(dir, 1000)
	if err != nil {
		t.Fatal(err)
	}
	s := &survey{comparison: &comparison{tools: &tools{dir: dir}, log: io.Discard}}
	quiet := &peer{name: "nothing", args: []string{"true"}}
	for i := range operations {
		err := s.run(t.Context(), s.reading(&operations[i], crowd, quiet), crowd)
		if err == nil || !strings.Contains(err.Error(), " and the lines map[") {
			t.Errorf("%s: expected an error that says what is missing, got %v", operations[i].name, err)
		}
	}
}

// The table names each program that ran, and growth and goals are from the runs of one operation.
func TestOperationTables(t *testing.T) {
	c := madeUp()
	s := &survey{comparison: c}
	o := &operations[1]
	for _, one := range c.series[:2] {
		s.readings = append(s.readings, &reading{series: *one, operation: o})
	}
	for _, one := range c.by(c.peers[0]) {
		s.growth = append(s.growth, &reading{series: *one, operation: o, file: int64(one.rows.count) * 50})
	}
	text := s.operationsText("abc")
	for _, want := range []string{
		"| add --state, unchanged | klaviyo-export | 0.01–0.01 | 83 | 1.00 | 12.00 | 0.00 | 50.0 |\n",
		"| add --state, unchanged | Python <by> hand | 0.06–0.06 | 17 | 5.00 | 60.00 | 0.00 | 250.0 |\n",
		"| unchanged rows/s, state of 1,000,000 rows | ≥ 400000 | 497512 | met |\n",
		"| bytes a row in the file, state of 1,000,000 rows | ≤ 60.0 | 50.0 | met |\n",
		"| add --state, unchanged | 1,000–1,000,000 | 10 | 2.000 | 10 | 2.000 | 50.0, 50.0 |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("expected the line %q in\n%s", want, text)
		}
	}
}
