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

// The bound on klaviyo-export's memory in MB: what it takes with instant answers, and what each request adds that waits for one.
const (
	baseMB    = 80
	requestMB = 6
)

// memory runs klaviyo-export over rows that come by a pipe while the server is slow, prints its resident memory over time, and
// fails when that passes its bound or grows.
func memory(ctx context.Context, args []string, std stdio) error {
	flags := flag.NewFlagSet("memory", flag.ContinueOnError)
	rows := flags.Int("rows", 20_000_000, "rows to send")
	delay := flags.Duration("delay", 200*time.Millisecond, "time in which the server answers an import")
	concurrency := flags.Int("concurrency", 4, "requests under way at once")
	bound := flags.Float64("bound", 0, "the most MB of resident memory (default 80, and 6 for each request)")
	every := flags.Duration("every", 5*time.Second, "between the lines that are printed")
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
	tools, err := build(ctx, dir)
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
	return w.verdict(int64(*rows), counts, *bound)
}

// watch is a run of klaviyo-export that is looked at.
type watch struct {
	cmd     *exec.Cmd
	every   time.Duration
	out     io.Writer
	samples []float64 // MB, four a second
	peak    float64   // MB
	end     lastLine
}

const sampling = 250 * time.Millisecond

// run has gen make the rows for w.cmd and samples that until it ends.
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
	_ = rows.Close() // the child has it
	ended := make(chan error, 1)
	go func() { ended <- w.cmd.Wait() }() // the loop below waits for it
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
				err = fmt.Errorf("the generator: %w", failed)
			}
			return err
		case <-tick.C:
			mb, peak, err := resident(w.cmd.Process.Pid)
			if err != nil {
				continue // it has just ended
			}
			w.samples, w.peak = append(w.samples, mb), max(w.peak, peak)
			if since := time.Since(begun); since >= printed {
				fmt.Fprintf(w.out, "| %.0f | %.1f |\n", since.Seconds(), mb)
				printed = since.Truncate(w.every) + w.every
			}
		}
	}
}

// resident returns a process's resident memory in MB, and its peak so far.
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

// verdict prints what the memory came to, and returns an error when that is too much or rows are missing.
func (w *watch) verdict(rows int64, c counts, bound float64) error {
	var report struct {
		Rows struct{ Read, Accepted int64 }
	}
	if err := json.Unmarshal(w.end.text, &report); err != nil {
		return fmt.Errorf("read the report: %w", err)
	}
	cpu, _ := usage(w.cmd.ProcessState)
	if len(w.samples) == 0 {
		return errors.New("it was over too soon: more rows")
	}
	first, last := w.halves(rows)
	fmt.Fprintf(w.out, "\n%d rows, %d sent in %d requests, %d under way at most. Peak RSS %.1f MB, bound %.0f MB. %.1f CPU s.\n",
		report.Rows.Read, c.Rows, c.Requests, c.AtOnce, w.peak, bound, cpu.Seconds())
	if last > 0 {
		fmt.Fprintf(w.out, "Once the window of duplicates was full: median RSS %.1f MB in the first half of the time, %.1f MB in the second.\n", first, last)
	}
	switch {
	case report.Rows.Read != rows || report.Rows.Accepted != c.Rows:
		return fmt.Errorf("%d rows were to be read and %d were, %d accepted, %d reached the server", rows, report.Rows.Read, report.Rows.Accepted, c.Rows)
	case w.peak > bound:
		return fmt.Errorf("%.1f MB resident, the bound is %.0f", w.peak, bound)
	case last > first*flatness:
		return fmt.Errorf("memory grows: %.1f MB, then %.1f MB", first, last)
	}
	return nil
}

const (
	window   = 1_000_000 // rows until the window of duplicates is full: before that, memory grows
	flatness = 1.2       // how much more memory the second half of the time after that may take than the first
)

// halves returns the medians of both halves of the time in which the window was full, 0 when there was too little of it.
func (w *watch) halves(rows int64) (first, last float64) {
	if rows < 4*window {
		return 0, 0
	}
	full := w.samples[int64(len(w.samples))*window/rows:]
	return median(full[:len(full)/2]), median(full[len(full)/2:])
}

// lastLine keeps the last line that is written to it.
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
