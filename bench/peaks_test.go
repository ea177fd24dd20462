package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"
)

// shape is a row of GUIDE.md's table of memory: a command and an input that takes much of it.
type shape struct {
	command, input string                         // as in the table, without backticks
	args           string                         // after the command; URL stands for the server's
	exit           int                            // exit status
	quick, full    int                            // rows or the like: in the plain suite, and with -long
	klaviyo        func(n int) *far               // answers, or nil
	in             func(n int) source             // standard input, or nil
	files          func(n int) source             // the content of the file of args, or nil
	visits         func(line string, n int) error // called with the first line of output; then the command is interrupted
	read           int                            // rows that the report counts for each of n, or 0 for any number
}

// No command takes more memory than GUIDE.md says, on the inputs that take most of it. The table is read, so that it
// has neither other figures nor other rows. The plain suite runs smaller inputs.
func TestPeaks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("peaks are read from /proc")
	}
	table := figures(t)
	tools, err := build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shapes(tools) {
		name := s.command + " | " + s.input
		limits, ok := table[name]
		if delete(table, name); !ok {
			t.Errorf("GUIDE.md has no row %q", name)
		}
		t.Run(name, func(t *testing.T) {
			n := s.quick
			if *long {
				n = s.full
			} else {
				t.Parallel()
			}
			took := s.run(t, tools, n, nil)
			t.Logf("%.1f MB of %.0f, %d MB of output, %.1f s", took.mb, limits.most, took.bytes/1e6, took.wall.Seconds())
			if took.mb > limits.most {
				t.Errorf("expected at most %.0f MB, got %.1f", limits.most, took.mb)
			}
		})
	}
	for name := range table {
		t.Errorf("GUIDE.md has the row %q, which is not measured", name)
	}
}

// limits are the figures of a row of GUIDE.md's table, in MB.
type limits struct {
	most      float64 // resident memory
	container float64 // memory of a container in which the command has the same results, or 0
}

// figures returns the rows of GUIDE.md's table, by "command | input".
func figures(t *testing.T) map[string]limits {
	t.Helper()
	text, err := os.ReadFile("../GUIDE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n| command | input | at most | container |\n|---|---|---:|---:|\n")
	if !found {
		t.Fatal("GUIDE.md: the table of memory by command is gone")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	rows := map[string]limits{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.ReplaceAll(line, "`", ""), "| \n"), " | ")
		if len(cells) != 4 {
			t.Fatalf("GUIDE.md: expected four cells, got %q", line)
		}
		most, err := strconv.ParseFloat(strings.TrimSuffix(cells[2], " MB"), 64)
		if err != nil {
			t.Fatalf("GUIDE.md: %q: %v", line, err)
		}
		container, _ := strconv.ParseFloat(strings.TrimSuffix(cells[3], " MB"), 64)
		rows[cells[0]+" | "+cells[1]] = limits{most, container}
	}
	return rows
}

// ran is what a command did.
type ran struct {
	mb    float64 // peak of its resident memory
	wall  time.Duration
	bytes int64  // output
	hash  uint64 // of the rows' results
}

// run runs the command on an input of size n. In front is a command line that runs it, or nil.
func (s *shape) run(t *testing.T, tools *tools, n int, front []string) ran {
	t.Helper()
	line, dir := tools.klaviyo+" "+s.command+" "+s.args, t.TempDir()
	if s.klaviyo != nil {
		line = strings.ReplaceAll(line, "URL", s.klaviyo(n).start(t))
	}
	if s.files != nil {
		file := filepath.Join(dir, "results.ndjson")
		if err := copyTo(file, s.files(n)); err != nil {
			t.Fatal(err)
		}
		line = strings.ReplaceAll(line, "FILE", file)
	}
	args := append(front, strings.Fields(line)...)
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	var said tail
	out := &results{}
	visited := make(chan error, 1)
	out.first = func(line string) {
		if s.visits == nil {
			visited <- nil
			return
		}
		go func() { // the receive below waits for it
			visited <- s.visits(line, n)
			_ = cmd.Process.Signal(os.Interrupt)
		}()
	}
	cmd.Stdout, cmd.Stderr, cmd.Env = out, &said, append(os.Environ(), key, "TMPDIR="+dir, "GOMEMLIMIT=", "GOGC=")
	if s.in != nil {
		cmd.Stdin = s.in(n)
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // the loop below waits for it
	took := ran{}
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case <-tick.C:
			if _, peak, err := resident(cmd.Process.Pid); err == nil {
				took.mb = peak
			}
			continue
		case <-ended:
			tick.Stop()
		}
		break
	}
	if code := cmd.ProcessState.ExitCode(); code != s.exit {
		t.Fatalf("%q: expected exit status %d, got %d (%v): %s", args, s.exit, code, cmd.ProcessState, said.text)
	}
	if err := <-visited; err != nil {
		t.Fatal(err)
	}
	if want := int64(n * s.read); want > 0 {
		var report struct{ Rows struct{ Read int64 } }
		if err := json.Unmarshal(out.last.text, &report); err != nil || report.Rows.Read != want {
			t.Fatalf("expected %d rows in the report, got %d (%v): %s", want, report.Rows.Read, err, said.text)
		}
	}
	took.wall, took.bytes, took.hash = time.Since(begun), out.bytes, out.hash
	return took
}

// results is a writer that keeps the last line, and a hash of the lines of rows without import jobs.
type results struct {
	first func(line string) // called with the first line, without its end
	last  lastLine
	bytes int64
	hash  uint64
	rest  []byte
}

func (r *results) Write(p []byte) (int, error) {
	_, _ = r.last.Write(p)
	r.bytes += int64(len(p))
	for line := range bytes.Lines(p) {
		r.rest = append(r.rest, line...)
		if line[len(line)-1] != '\n' {
			break
		}
		if r.first != nil {
			r.first(string(bytes.TrimSpace(r.rest)))
			r.first = nil
		}
		if bytes.HasPrefix(r.rest, []byte(`{"type":"row",`)) {
			result, _, _ := bytes.Cut(r.rest, []byte(`,"job":`)) // ids go by the order of the requests
			sum := fnv.New64a()
			_, _ = sum.Write(result)
			r.hash = r.hash*31 + sum.Sum64()
		}
		r.rest = r.rest[:0]
	}
	return len(p), nil
}

func copyTo(name string, in io.Reader) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(file, in); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// shapes are the rows of the table, in its order.
func shapes(t *tools) []shape {
	const (
		some    = "--quiet --max-invalid 100%"
		toURL   = "--base-url URL --quiet"
		adding  = toURL + " --max-invalid 100% --no-rate-limit --list-id " + list
		million = 1_000_000
	)
	prompt := func(int) *far { return &far{} }
	waits := func(jobs func(n int) int) func(n int) *far {
		return func(n int) *far { return &far{rows: make([]int, jobs(n)), last: time.Now(), open: 3 * time.Second} }
	}
	reason := strings.Repeat("x", 960)
	return []shape{
		{command: "check", input: "1,000,000 rows of 264 bytes", args: some, quick: million / 10, full: million,
			in: t.generated, read: 1},
		{command: "check", input: "1,000,000 bad rows", args: some, quick: million / 5, full: million, in: badRows, read: 1},
		{command: "check", input: "1,000 rows of 1 MB", args: some, quick: 50, full: 1000, in: wideRows, read: 1},
		{command: "add", input: "1,000,000 rows of 264 bytes", args: adding, quick: million / 10, full: million,
			klaviyo: prompt, in: t.generated, read: 1},
		{command: "add", input: "1,000,000 rows, answers after 0.2 seconds", args: adding, quick: million / 10, full: million,
			klaviyo: func(int) *far { return &far{answer: 200 * time.Millisecond} }, in: t.generated, read: 1},
		{command: "add", input: "640,000 rows, refused with 1.1 kB against each", args: adding, quick: 8, full: 64,
			klaviyo: func(int) *far { return &far{refuses: reason + reason[:130]} }, in: tenThousands, read: 10_000},
		{command: "add --wait", input: "1,000,000 rows of 264 bytes", args: adding, quick: million / 10, full: million,
			klaviyo: prompt, in: t.generated, read: 1},
		{command: "add --wait", input: "3,000,000 bad rows behind an open import job", args: adding + " --batch-delay 100ms",
			quick: million / 5, full: 3 * million, read: 1,
			klaviyo: func(int) *far { return &far{open: 3 * time.Second} },
			in:      func(n int) source { return behindJob(n - 1) }},
		{command: "add --wait", input: "40 import jobs fail, 1 kB against each row, the first stays open",
			args: adding, quick: 6, full: 40, in: tenThousands, read: 10_000,
			klaviyo: func(int) *far { return &far{fails: reason, open: 5 * time.Second} }},
		{command: "add --verify", input: "100,000 rows", args: adding, quick: 10_000, full: 100_000, in: goodRows, read: 1,
			klaviyo: func(int) *far { return &far{members: 1} }},
		{command: "remove --by email", input: "100,000 rows", args: adding, quick: 2000, full: 100_000, in: goodRows, read: 1,
			klaviyo: func(n int) *far { return &far{members: n} }},
		{command: "members", input: "100,000 members", args: toURL + " --list-id " + list, quick: 5000, full: 100_000,
			klaviyo: func(n int) *far { return &far{members: n} }},
		{command: "wait", input: "40 open import jobs, 5 rejected rows behind each accepted one", args: toURL, exit: 1,
			quick: 4, full: 40, read: 8000 * 6,
			klaviyo: waits(func(n int) int { return n }), in: openJobs},
		{command: "wait", input: "1,400 lines of 1 MB behind an open import job", args: toURL, exit: 1,
			quick: 100, full: 1400, read: 1,
			klaviyo: waits(func(int) int { return 1 }), in: longLines},
		{command: "pick", input: "1,000,000 rows", args: "FILE", quick: million / 10, full: million,
			in: goodRows, files: halfRejected},
		{command: "report", input: "60 reports of 10,000 codes each", args: "FILE", quick: 60, full: 60, files: manyCodes},
		{command: "report", input: "1,000,000 rows of a run that was resumed", args: "FILE", quick: million / 10, full: million,
			files: resumedRun, read: 1},
		{command: "simulate", input: "a request of 1,600,000 empty profiles", exit: 130, quick: 1_600_000, full: 1_600_000,
			visits: emptyProfiles},
		{command: "schedule", input: "1,000 times of a schedule", args: "--next 1000 @daily", quick: 1, full: 1},
	}
}
