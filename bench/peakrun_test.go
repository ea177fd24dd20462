package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/encoding/json"
)

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
	line = strings.ReplaceAll(line, "DIR", dir)
	var in source
	if s.in != nil {
		in = s.in(n)
	}
	if s.klaviyo != nil {
		k := s.klaviyo(n)
		line = strings.ReplaceAll(line, "URL", k.start(t))
		if rows, ok := in.(*made); ok {
			rows.end = func() { k.reading.Store(false) }
		}
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
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &said
	cmd.Env = append(os.Environ(), key, "TMPDIR="+dir, "GOMEMLIMIT=", "GOGC=")
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

// results is a writer that keeps the last line, and a hash of the rows, statuses, keys and codes.
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
			// What Klaviyo says about a row, and how much of it there is room for, goes by the order of its answers.
			result, _, _ := bytes.Cut(r.rest, []byte(`,"job":`))
			result, _, _ = bytes.Cut(result, []byte(`,"detail":`))
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
