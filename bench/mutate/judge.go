//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// judge tries a mutant on the tests that reach it. They run in batches: the first takes a second, each of the others
// four times as long.
func (b *binaries) judge(lane int, m mutant, most time.Duration) result {
	started := time.Now()
	r := result{mutant: m, Status: "not covered"}
	tests := b.reaching(m)
	size, left := 1.0, most.Seconds()
	for len(tests) > 0 && r.Test == "" && tests[0].Seconds <= left {
		n, seconds := 0, 0.0
		for n < len(tests) && (n == 0 || seconds+tests[n].Seconds <= min(size, left)) {
			seconds += tests[n].Seconds
			n++
		}
		r.Status, r.Test = b.try(lane, m, tests[:n])
		tests, size, left = tests[n:], size*4, left-seconds
	}
	if r.Test == "" && len(tests) > 0 {
		r.Status, r.Untried = "survived", len(tests)
	}
	r.Seconds = time.Since(started).Round(time.Millisecond).Seconds()
	return r
}

// reaching returns the tests that reach a mutant: those of its own package first, the fastest first.
func (b *binaries) reaching(m mutant) []*test {
	var near, far []*test
	for _, p := range b.packages {
		for _, t := range p.tests {
			_, found := slices.BinarySearch(t.Reaches, m.number)
			switch {
			case !found || t.Unstable:
			case strings.HasSuffix(p.Dir, "/"+filepath.Dir(m.File)):
				near = append(near, t)
			default:
				far = append(far, t)
			}
		}
	}
	for _, tests := range [][]*test{near, far} {
		slices.SortStableFunc(tests, func(x, y *test) int { return int(1000 * (x.Seconds - y.Seconds)) })
	}
	return append(near, far...)
}

// stopped is a line about a test that failed, or that ran when the time was over.
var stopped = regexp.MustCompile(`(?m)^\s*(?:--- FAIL: |\t)(\S+) \([0-9.hms]+\)$`)

// try runs a batch with the mutant on. It returns the mutant's status and the test that killed it: one that fails in
// the batch, then fails alone, then passes without the mutant.
func (b *binaries) try(lane int, m mutant, batch []*test) (status, killer string) {
	for _, p := range b.packages {
		var tests []*test
		for _, t := range batch {
			if t.of == p {
				tests = append(tests, t)
			}
		}
		if len(tests) == 0 {
			continue
		}
		said, passed := b.start(lane, p, m.number, pattern(tests), limit(tests))
		if passed {
			continue
		}
		var suspects []*test
		for _, line := range stopped.FindAllStringSubmatch(said, -1) {
			for _, t := range tests {
				if (line[1] == t.Name || strings.HasPrefix(line[1], t.Name+"/")) && !slices.Contains(suspects, t) {
					suspects = append(suspects, t)
				}
			}
		}
		if len(suspects) == 0 {
			suspects = tests // the process died
		}
		for _, t := range suspects {
			alone := []*test{t}
			said, passed := b.start(lane, p, m.number, pattern(alone), limit(alone))
			if passed {
				continue
			}
			if _, passed := b.start(lane, p, 0, pattern(alone), limit(alone)); !passed {
				fmt.Fprintf(os.Stderr, "mutate: %s %s failed without a mutant\n", p.ImportPath, t.Name)
				continue
			}
			name := p.ImportPath + " " + t.Name
			if strings.Contains(said, "panic: test timed out after") || said == "" {
				return "timeout", name
			}
			return "killed", name
		}
	}
	return "survived", ""
}

// limit returns how long tests may take with a mutant on.
func limit(tests []*test) time.Duration {
	seconds := 5.0
	for _, t := range tests {
		seconds += 10 * t.Seconds
	}
	return time.Duration(seconds * float64(time.Second))
}

// pattern returns the value of -test.run for tests.
func pattern(tests []*test) string {
	var names []string
	for _, t := range tests {
		name, sub, isSub := strings.Cut(t.Name, "/")
		name = "^" + regexp.QuoteMeta(name) + "$"
		if isSub {
			name += "/^" + regexp.QuoteMeta(sub) + "$"
		}
		names = append(names, name)
	}
	return strings.Join(names, "|")
}

// start runs tests of a package with a mutant on. It returns the end of their output, which is empty when they had
// to be killed, and whether they passed.
func (b *binaries) start(lane int, p *testPackage, number int, run string, limit time.Duration) (string, bool) {
	last := limit + 5*time.Second
	if err := write(b.lane(lane, "mutant"), fmt.Sprintf("%d %d\n", number, int(last.Seconds()))); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), last)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.binary(b, lane), "-test.run", run, "-test.v", "-test.paniconexit0",
		"-test.timeout", limit.String(), "-test.failfast="+strconv.FormatBool(number > 0))
	cmd.Dir, cmd.Env = p.Dir, append(os.Environ(), "TMPDIR="+b.lane(lane, "tmp"), "RAPID_NOFAILFILE=true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // a process that a test started may outlive it
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	_ = os.RemoveAll(b.lane(lane, "tmp")) // what a killed test left there
	if err := os.Mkdir(b.lane(lane, "tmp"), 0o700); err != nil {
		panic(err)
	}
	if ctx.Err() != nil {
		return "", false
	}
	return string(said.text), err == nil
}

// tail is a writer that keeps the last megabyte.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	const size = 1 << 20
	if t.text = append(t.text, p...); len(t.text) > 2*size {
		t.text = append(t.text[:0], t.text[len(t.text)-size:]...)
	}
	return len(p), nil
}
