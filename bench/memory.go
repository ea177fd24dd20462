package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"
)

// The bound on klaviyo-export's memory in MB: with instant answers, and for each request that waits for its answer.
const (
	baseMB    = 80
	requestMB = 6
)

// memory pipes rows to klaviyo-export while the server is slow and prints its resident memory over time. It fails
// when the memory exceeds its bound or grows.
func memory(ctx context.Context, args []string, std stdio) error {
	flags := flag.NewFlagSet("memory", flag.ContinueOnError)
	rows := flags.Int("rows", 20_000_000, "rows to send")
	delay := flags.Duration("delay", 200*time.Millisecond, "time that the server takes to answer an import")
	concurrency := flags.Int("concurrency", 4, "requests in flight at once")
	bound := flags.Float64("bound", 0, "limit on resident memory in MB (default 80 plus 6 for each request)")
	every := flags.Duration("every", 5*time.Second, "time between printed lines")
	if err := parse(flags, args, std); err != nil {
		return err
	}
	if *bound == 0 {
		*bound = baseMB + requestMB*float64(*concurrency)
	}
	dir, err := os.MkdirTemp("", "klaviyo-export-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tools, err := release(ctx, dir)
	if err != nil {
		return err
	}
	server, err := startServer(ctx, *delay)
	if err != nil {
		return err
	}
	p := &peer{args: tools.add("--concurrency", strconv.Itoa(*concurrency))}
	w := &watch{every: *every, out: std.out}
	if w.cmd, err = p.command(ctx, server.url); err == nil {
		err = w.run(exec.CommandContext(ctx, tools.gen, "-n", strconv.Itoa(*rows)))
	}
	counts, stopped := server.stop()
	if err := errors.Join(err, stopped); err != nil {
		return err
	}
	return w.conclude(int64(*rows), counts, *bound)
}

// watch samples the memory of a run of klaviyo-export.
type watch struct {
	cmd     *exec.Cmd
	every   time.Duration
	out     io.Writer
	samples []float64 // MB, every sampling
	peak    float64   // MB
	end     lastLine
}

const sampling = 250 * time.Millisecond

// run pipes the rows of gen into w.cmd and samples w.cmd until it ends.
func (w *watch) run(gen *exec.Cmd) error {
	rows, err := gen.StdoutPipe()
	if err != nil {
		return err
	}
	var said tail
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = rows, &w.end, &said
	if err := errors.Join(gen.Start(), w.cmd.Start()); err != nil {
		return err
	}
	_ = rows.Close() // w.cmd has its own copy
	ended := make(chan error, 1)
	go func() { ended <- w.cmd.Wait() }() // the loop below waits for this
	begun := time.Now()
	tick := time.NewTicker(sampling)
	defer tick.Stop()
	fmt.Fprintf(w.out, "| seconds | RSS MB |\n|---:|---:|\n")
	for printed := time.Duration(0); ; {
		select {
		case err := <-ended:
			if err != nil {
				err = fmt.Errorf("klaviyo-export: %w: %s", err, said.text)
			}
			if failed := gen.Wait(); failed != nil && err == nil {
				err = fmt.Errorf("generate rows: %w", failed)
			}
			return err
		case <-tick.C:
			mb, peak, err := resident(w.cmd.Process.Pid)
			if err != nil {
				continue // the process has just ended
			}
			w.samples, w.peak = append(w.samples, mb), max(w.peak, peak)
			if since := time.Since(begun); since >= printed {
				fmt.Fprintf(w.out, "| %.0f | %.1f |\n", since.Seconds(), mb)
				printed = since.Truncate(w.every) + w.every
			}
		}
	}
}

// resident returns the resident memory of a process and its peak so far, both in MB.
func resident(pid int) (now, peak float64, err error) {
	status := fmt.Sprintf("/proc/%d/status", pid)
	for name, mb := range map[string]*float64{"VmRSS": &now, "VmHWM": &peak} {
		value, _, _ := strings.Cut(field(status, name), " ")
		kib, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("read %s: no %s: %w", status, name, err)
		}
		*mb = megabytes(kib << 10)
	}
	return now, peak, nil
}

// conclude prints the figures of the run. It returns an error when rows are missing, or when memory exceeds its
// bound or grows.
func (w *watch) conclude(rows int64, c counts, bound float64) error {
	var report struct {
		Rows struct{ Read, Accepted int64 }
	}
	if err := json.Unmarshal(w.end.text, &report); err != nil {
		return fmt.Errorf("read the report: %w", err)
	}
	cpu, _ := usage(w.cmd.ProcessState)
	if len(w.samples) == 0 {
		return fmt.Errorf("the run ended before the first sample, after less than %v: pass more -rows", sampling)
	}
	first, last := w.halves(rows)
	fmt.Fprintf(w.out, "\n%d rows, %d sent in %d requests, at most %d in flight. ",
		report.Rows.Read, c.Rows, c.Requests, c.AtOnce)
	fmt.Fprintf(w.out, "Peak RSS %.1f MB, bound %.0f MB. %.1f CPU s.\n", w.peak, bound, cpu.Seconds())
	if last > 0 {
		fmt.Fprintf(w.out, "Median RSS with a full duplicate window: first half %.1f MB, second %.1f MB.\n", first, last)
	}
	switch {
	case report.Rows.Read != rows || report.Rows.Accepted != c.Rows:
		return fmt.Errorf("expected %d rows read and %d accepted, which reached the server, got %d and %d",
			rows, c.Rows, report.Rows.Read, report.Rows.Accepted)
	case w.peak > bound:
		return fmt.Errorf("resident memory: expected at most %.0f MB, got %.1f MB", bound, w.peak)
	case last > first*flatness:
		return fmt.Errorf("memory grows: %.1f MB, then %.1f MB", first, last)
	}
	return nil
}

const (
	window   = 1_000_000 // rows that fill the duplicate window; until it is full, memory grows
	flatness = 1.2       // limit on the memory of the second half, relative to the first half (halves)
)

// halves splits the time with a full duplicate window into two halves and returns their median memory. Both are 0
// for a run of less than four windows.
func (w *watch) halves(rows int64) (first, last float64) {
	if rows < 4*window {
		return 0, 0
	}
	full := w.samples[int64(len(w.samples))*window/rows:]
	return median(full[:len(full)/2]), median(full[len(full)/2:])
}

// lastLine is a writer that keeps the last line.
type lastLine struct {
	text  []byte
	ended bool
}

func (l *lastLine) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if l.ended {
		l.text = l.text[:0]
	}
	from := bytes.LastIndexByte(p[:len(p)-1], '\n') + 1
	if from > 0 {
		l.text = l.text[:0]
	}
	l.text = append(l.text, p[from:]...)
	l.ended = p[len(p)-1] == '\n'
	return len(p), nil
}
