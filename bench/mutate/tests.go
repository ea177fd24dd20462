//go:build unix

package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// binaries are the test binaries with all mutants. Each lane has its own, and a file that says which mutant is on.
type binaries struct {
	work     string // the folder of everything
	dir      string // the folder of the results of this code
	mutants  int
	packages []*testPackage
}

// testPackage is a package whose tests judge mutants.
type testPackage struct {
	ImportPath, Dir string
	tested          []string // names of files
	tests           []*test
	known           string // the file of tests
}

// test is one test, or a subtest of one that takes long.
type test struct {
	Name     string // TestX or TestX/sub
	Seconds  float64
	Unstable bool  // it fails without a mutant
	Reaches  []int // mutants, in ascending order

	of *testPackage
}

// build writes the files' new text beside the module and compiles the test binaries.
func (s *settings) build(files map[string]string, mutants int) (*binaries, error) {
	b := &binaries{work: s.work, mutants: mutants}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, text := range files {
		to := filepath.Join(s.work, "code", strings.ReplaceAll(strings.TrimPrefix(path, s.dir+"/"), "/", "_"))
		if err := write(to, text); err != nil {
			return nil, err
		}
		overlay.Replace[path] = to
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(s.work, "overlay.json")
	if err := write(config, string(text)); err != nil {
		return nil, err
	}
	const tested = "{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}} {{.Module.Path}}" +
		"{{range .TestGoFiles}} {{.}}{{end}}{{range .XTestGoFiles}} {{.}}{{end}}{{end}}"
	list := exec.Command("go", append([]string{"list", "-f", tested}, s.tests...)...)
	list.Dir, list.Stderr = s.dir, os.Stderr
	said, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var module string
	var paths []string
	for line := range strings.Lines(string(said)) {
		column := strings.Fields(line)
		b.packages = append(b.packages, &testPackage{ImportPath: column[0], Dir: column[1], tested: column[3:]})
		paths, module = append(paths, column[0]), column[2]
	}
	if err := b.digest(files); err != nil {
		return nil, err
	}
	for lane := range s.lanes {
		built := b.lane(lane, "built") // names the code of the binaries
		if text, err := os.ReadFile(built); err == nil && string(text) == b.dir {
			continue
		}
		if err := os.MkdirAll(b.lane(lane, "tmp"), 0o700); err != nil {
			return nil, err
		}
		flags := fmt.Sprintf("-X %s/mutant.dir=%s", module, b.lane(lane))
		args := []string{"test", "-c", "-vet=off", "-overlay", config, "-ldflags", flags, "-o", b.lane(lane) + "/"}
		build := exec.Command("go", append(args, paths...)...)
		build.Dir = s.dir
		if said, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("go test -c: %w: %s", err, said)
		}
		if err := write(built, b.dir); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// digest names the folder of the results after the code, and a package's file of tests after what its tests read too.
func (b *binaries) digest(files map[string]string) error {
	code, all := sha256.New(), sha256.New()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintln(code, path, files[path])
	}
	for _, p := range b.packages {
		sum := sha256.New()
		sum.Write(code.Sum(nil))
		for _, name := range append(p.tested, "testdata") {
			err := filepath.WalkDir(filepath.Join(p.Dir, name), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				text, err := os.ReadFile(path)
				fmt.Fprintf(sum, "%s %s\n", path, text)
				return err
			})
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		name := sum.Sum(nil)
		all.Write(name)
		p.known = filepath.Join(b.work, "tests", fmt.Sprintf("%x.json", name[:8]))
	}
	b.dir = filepath.Join(b.work, fmt.Sprintf("%x", all.Sum(nil)[:8]))
	return os.MkdirAll(b.dir, 0o700)
}

// write writes a file and makes its folder.
func write(path, text string) error {
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600))
}

func (b *binaries) lane(lane int, name ...string) string {
	return filepath.Join(append([]string{b.work, fmt.Sprint("lane", lane)}, name...)...)
}

func (p *testPackage) binary(b *binaries, lane int) string {
	return b.lane(lane, filepath.Base(p.ImportPath)+".test")
}

// errTime is the error of a baseline that the next call goes on with.
var errTime = errors.New("the time is over before every test has run without a mutant: run it again to go on")

// baseline runs every test twice without a mutant: all of a package at once, then each alone. The second time it
// records which mutants the test reaches. A package's tests are known until its binary changes.
func (b *binaries) baseline(lanes int, ends time.Time) error {
	for _, p := range b.packages {
		if text, err := os.ReadFile(p.known); err == nil {
			if err := json.Unmarshal(text, &p.tests); err != nil {
				return fmt.Errorf("%s: %w", p.known, err)
			}
		} else if err := p.list(b); err != nil {
			return err
		}
		errs := make([]error, lanes)
		var wg sync.WaitGroup
		queue := make(chan *test, len(p.tests))
		for _, t := range p.tests {
			if t.of = p; t.Reaches == nil {
				queue <- t
			}
		}
		close(queue)
		for lane := range lanes {
			wg.Go(func() {
				for t := range queue {
					if time.Now().After(ends) {
						errs[lane] = errTime
					}
					if errs[lane] == nil {
						errs[lane] = b.reach(lane, t)
					}
				}
			})
		}
		wg.Wait()
		if err := cmp.Or(append(errs, p.save())...); err != nil {
			return err
		}
	}
	return nil
}

func (p *testPackage) save() error {
	text, err := json.Marshal(p.tests)
	return errors.Join(err, write(p.known, string(text)))
}

// patience bounds a run without a mutant.
const patience = 10 * time.Minute

var resultLine = regexp.MustCompile(`(?m)^( {4})?--- (PASS|FAIL): (\S+) \(([0-9.]+)s\)$`)

// list runs all tests of the package and notes their names. The subtests of a test that takes more than 2 seconds
// count as tests.
func (p *testPackage) list(b *binaries) error {
	said, _ := b.start(0, p, 0, "^(Test|Example|Fuzz)", patience)
	parts := map[string][]*test{}
	var whole []*test
	for _, m := range resultLine.FindAllStringSubmatch(said, -1) {
		t := &test{Name: m[3], Unstable: m[2] == "FAIL"}
		t.Seconds, _ = strconv.ParseFloat(m[4], 64)
		if parent, sub, isSub := strings.Cut(t.Name, "/"); !isSub {
			whole = append(whole, t)
		} else if !strings.Contains(sub, "/") {
			parts[parent] = append(parts[parent], t)
		}
	}
	if len(whole) == 0 {
		return fmt.Errorf("%s: no test ran: %s", p.ImportPath, said)
	}
	for _, t := range whole {
		sum := t.Seconds
		for _, part := range parts[t.Name] {
			sum += part.Seconds
		}
		if sum > 2 && len(parts[t.Name]) > 1 {
			p.tests = append(p.tests, parts[t.Name]...)
		} else {
			p.tests = append(p.tests, t)
		}
	}
	return nil
}

// reach runs a test alone and notes how long it takes and which mutants it reaches.
func (b *binaries) reach(lane int, t *test) error {
	file := b.lane(lane, "reached")
	if err := os.WriteFile(file, make([]byte, b.mutants+1), 0o600); err != nil {
		return err
	}
	started := time.Now()
	if _, passed := b.start(lane, t.of, -1, pattern([]*test{t}), patience); !passed {
		t.Unstable = true
	}
	t.Seconds = time.Since(started).Seconds()
	reached, err := os.ReadFile(file)
	t.Reaches = []int{}
	for number, yes := range reached {
		if yes != 0 {
			t.Reaches = append(t.Reaches, number)
		}
	}
	return err
}

// unstable returns the names of the tests that judge no mutant.
func (b *binaries) unstable() []string {
	var names []string
	for _, p := range b.packages {
		for _, t := range p.tests {
			if t.Unstable {
				names = append(names, p.ImportPath+" "+t.Name)
			}
		}
	}
	return names
}
