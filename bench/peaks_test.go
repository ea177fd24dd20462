package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// shape is a row of GUIDE.md's table of memory: a command and an input that takes much of it.
type shape struct {
	command, input string                         // as in the table, without backticks
	args           string                         // after the command; URL stands for the server's, DIR for a folder's
	exit           int                            // exit status
	quick, full    int                            // rows or the like: in the plain suite, and with -full
	klaviyo        func(n int) *far               // answers, or nil
	in             func(n int) source             // standard input, or nil
	files          func(n int) source             // the content of the file of args, or nil
	visits         func(line string, n int) error // called with the first line of output; then the command is interrupted
	read           int                            // rows that the report counts for each of n, or 0 for any number
}

// No command takes more memory than GUIDE.md says, on the inputs that take most of it. The table is read, so that it
// has neither other figures nor other rows. In a container of the memory that it says, the results are the same. The
// plain suite runs smaller inputs.
func TestPeaks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("peaks are read from /proc")
	}
	table := figures(t)
	tools, err := build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shapes(tools, *full) {
		name := s.command + " | " + s.input
		limits, ok := table[name]
		if delete(table, name); !ok {
			t.Errorf("GUIDE.md has no row %q", name)
		}
		t.Run(name, func(t *testing.T) {
			n := s.quick
			if *full {
				n = s.full
			} else {
				t.Parallel()
			}
			took := s.run(t, tools, n, nil)
			t.Logf("%.1f MB of %.0f, %d MB of output, %.1f s", took.mb, limits.most, took.bytes/1e6, took.wall.Seconds())
			if took.mb > limits.most {
				t.Errorf("expected at most %.0f MB, got %.1f", limits.most, took.mb)
			}
			if limits.container == 0 || limits.container > 80 && !*full {
				return
			}
			t.Run("container", func(t *testing.T) {
				if within := s.within(t, limits.container, tools, n); within.hash != took.hash {
					t.Error("the results differ")
				}
			})
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
		most, err := megabytesOf(cells[2])
		container := 0.0
		if err == nil && cells[3] != "–" {
			container, err = megabytesOf(cells[3])
		}
		if err != nil {
			t.Fatalf("GUIDE.md: %q: %v", line, err)
		}
		rows[cells[0]+" | "+cells[1]] = limits{most, container}
	}
	return rows
}

func megabytesOf(cell string) (float64, error) {
	return strconv.ParseFloat(strings.TrimSuffix(cell, " MB"), 64)
}

// shapes are the rows of the table, in its order. At full size, an import job is open for longer.
func shapes(t *tools, full bool) []shape {
	const (
		some    = "--quiet --max-invalid 100%"
		toURL   = "--base-url URL --quiet"
		listing = "list " + toURL + " --no-rate-limit"
		adding  = toURL + " --max-invalid 100% --no-rate-limit --list-id " + list
		million = 1_000_000
	)
	prompt := func(int) *far { return &far{} }
	waits := func(jobs int) *far {
		k := &far{rows: make([]int, jobs)}
		k.reading.Store(true)
		return k
	}
	open := time.Second
	if full {
		open = 5 * time.Second
	}
	reason := strings.Repeat("x", 960)
	return []shape{
		{command: "check", input: "1,000,000 rows of 264 bytes", args: some, quick: million / 10, full: million,
			in: t.generated, read: 1},
		{command: "check", input: "1,000,000 bad rows", args: some, quick: million / 5, full: million, in: badRows, read: 1},
		{command: "check", input: "1,000 rows of 1 MB", args: some, quick: 50, full: 1000, in: wideRows, read: 1},
		{command: "add", input: "1,000,000 rows of 264 bytes", args: adding, quick: million / 10, full: million,
			klaviyo: prompt, in: t.generated, read: 1},
		{command: "add", input: "1,000,000 rows, answers after 0.2 seconds", args: adding,
			quick: million / 10, full: million,
			klaviyo: func(int) *far { return &far{answer: 200 * time.Millisecond} }, in: t.generated, read: 1},
		{command: "add", input: "320,000 rows, refused with 1.1 kB against each", args: adding, quick: 2, full: 32,
			klaviyo: func(int) *far { return &far{refuses: reason + reason[:130]} }, in: tenThousands, read: 10_000},
		{command: "add --wait", input: "1,000,000 rows of 264 bytes", args: adding, quick: million / 10, full: million,
			klaviyo: prompt, in: t.generated, read: 1},
		{command: "add --wait", input: "3,000,000 bad rows behind an open import job", args: adding + " --batch-delay 100ms",
			quick: million / 5, full: 3 * million, read: 1,
			klaviyo: func(int) *far { return &far{open: open} },
			in:      func(n int) source { return behindJob(n - 1) }},
		{command: "add --wait", input: "40 import jobs fail, 1 kB against each row, the first stays open",
			args: adding, quick: 2, full: 40, in: tenThousands, read: 10_000,
			klaviyo: func(int) *far { return &far{fails: reason, open: open} }},
		{command: "add --wait", input: "a row whose import job has 1 kB errors without end", args: adding, quick: 1, full: 1,
			in: goodRows, read: 1,
			klaviyo: func(int) *far { return &far{fails: reason, endless: true} }},
		{command: "add --list-column", input: "1,000,000 rows of 264 bytes for 10 lists", args: listing,
			quick: million / 10, full: million, klaviyo: prompt, in: rowsFor(10), read: 1},
		{command: "add --list-column", input: "1,000,000 rows of 264 bytes for 1,000 lists", args: listing,
			quick: million / 10, full: million, klaviyo: prompt, in: rowsFor(1000), read: 1},
		{command: "add --verify", input: "100,000 rows", args: adding, quick: 10_000, full: 100_000, in: goodRows, read: 1,
			klaviyo: func(int) *far { return &far{members: 1} }},
		{command: "add --state", input: "1,000,000 rows of 264 bytes, a new file", args: "DIR/state " + adding,
			quick: million / 10, full: million, klaviyo: prompt, in: t.generated, read: 1},
		{command: "remove --by email", input: "100,000 rows", args: adding,
			quick: 2000, full: 100_000, in: goodRows, read: 1,
			klaviyo: func(n int) *far { return &far{members: n} }},
		{command: "mirror", input: "100,000 rows, 100,000 members", args: "--max-removals 100% " + adding,
			quick: 5000, full: 100_000, in: goodRows, read: 1,
			klaviyo: func(n int) *far { return &far{members: n} }},
		{command: "members", input: "100,000 members", args: toURL + " --list-id " + list, quick: 5000, full: 100_000,
			klaviyo: func(n int) *far { return &far{members: n} }},
		{command: "wait", input: "40 open import jobs, 5 rejected rows behind each accepted one", args: toURL, exit: 1,
			quick: 4, full: 40, read: 8000 * 6,
			klaviyo: waits, in: openJobs},
		{command: "wait", input: "1,400 lines of 1 MB behind an open import job", args: toURL, exit: 1,
			quick: 100, full: 1400, read: 1,
			klaviyo: func(int) *far { return waits(1) }, in: longLines},
		{command: "wait", input: "250 open import jobs of 7,500 rows, 2 rejected rows behind each accepted one", args: toURL,
			exit: 1, quick: 25, full: 250, read: 7500 * 3, in: openKeys,
			klaviyo: waits},
		{command: "pick", input: "1,000,000 rows", args: "FILE", quick: million / 10, full: million,
			in: goodRows, files: halfRejected},
		{command: "report", input: "60 reports of 10,000 codes each", args: "FILE", quick: 10, full: 60, files: manyCodes},
		{command: "report", input: "1,000,000 rows of a run that was resumed", args: "FILE",
			quick: million / 10, full: million,
			files: resumedRun, read: 1},
		{command: "simulate", input: "a request of 1,600,000 empty profiles", exit: 130, quick: 1_600_000, full: 1_600_000,
			visits: emptyProfiles},
		{command: "schedule", input: "1,000 times of a schedule", args: "--next 1000 @daily", quick: 1, full: 1},
	}
}
