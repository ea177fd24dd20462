package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// reading is the runs of one program for an operation over one crowd.
type reading struct {
	series
	operation *operation
	file      int64 // bytes of the state file at the end
}

// survey is what the command operations measures.
type survey struct {
	*comparison
	scripts  []*peer // Python and Node, where they are installed
	jq       bool    // jq is installed
	readings []*reading
	growth   []*reading
}

func operationsCommand(ctx context.Context, args []string, std stdio) error {
	flags := flag.NewFlagSet("operations", flag.ContinueOnError)
	rounds := flags.Int("rounds", 3, "runs of each program for each operation")
	rows := flags.Int("rows", 100_000, "rows of each run")
	grow := flags.String("grow", "", "numbers of rows for the growth of state and mirror, separated by commas")
	only := flags.String("only", "", "run only operations whose names are here, separated by commas")
	write := flags.Bool("write", false, "write the results to bench/README.md")
	if err := parse(flags, args, std); err != nil {
		return err
	}
	if *rounds < 1 || *rows < 1000 {
		fmt.Fprintln(std.err, "bench: operations: expected at least one round and 1000 rows")
		return errUsage
	}
	var sizes []int
	for part := range strings.SplitSeq(*grow, ",") {
		if part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 1000 {
			fmt.Fprintf(std.err, "bench: operations: -grow: expected numbers from 1000 on, got %q\n", *grow)
			return errUsage
		}
		sizes = append(sizes, n)
	}
	debug.SetGCPercent(20) // the memory of this process hides that of smaller ones (usage_unix.go)
	dir, err := os.MkdirTemp("", "klaviyo-export-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c := &comparison{rounds: *rounds, log: std.err, began: time.Now(), machine: machine()}
	s := &survey{comparison: c}
	if err := s.prepare(ctx, dir, "python,node"); err != nil {
		return err
	}
	s.scripts = s.peers[1:]
	_, missing := exec.LookPath("jq")
	s.jq = missing == nil
	if err := s.compareAll(ctx, *rows, *only); err != nil {
		return err
	}
	for _, n := range sizes {
		if err = s.growTo(ctx, n); err != nil {
			break // what was measured is published
		}
	}
	return errors.Join(err, s.publishOperations(context.WithoutCancel(ctx), std.out, *write))
}

// compareAll measures each operation with each program, in turn.
func (s *survey) compareAll(ctx context.Context, rows int, only string) error {
	crowd, err := gather(s.tools.dir, rows)
	if err != nil {
		return err
	}
	for i := range operations {
		o := &operations[i]
		if only != "" && !strings.Contains(","+only+",", ","+o.name+",") {
			continue
		}
		var all []*reading
		for _, p := range append([]*peer{{name: ours}}, s.scripts...) {
			all = append(all, s.reading(o, crowd, p))
		}
		for round := range s.rounds {
			for i := range all {
				if err := s.run(ctx, all[(i+round)%len(all)], crowd); err != nil {
					return err
				}
			}
		}
		s.readings = append(s.readings, all...)
		if o.name == "mirror" {
			if err := s.join(ctx, o, crowd); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *survey) reading(o *operation, c *crowd, p *peer) *reading {
	return &reading{operation: o, series: series{peer: p, rows: &rowSet{count: c.count, bytes: c.bytes}}}
}

// growTo measures the growing operations over one size.
func (s *survey) growTo(ctx context.Context, rows int) error {
	crowd, err := gather(s.tools.dir, rows)
	if err != nil {
		return err
	}
	defer func() {
		for _, name := range []string{crowd.rows, crowd.changed, crowd.extra} {
			_ = os.Remove(name)
		}
	}()
	for _, o := range growing() {
		r := s.reading(o, crowd, &peer{name: ours})
		if err := s.run(ctx, r, crowd); err != nil {
			return err
		}
		s.growth = append(s.growth, r)
	}
	_ = os.Remove(s.known(crowd, ours))
	return nil
}

// known is the state file of a program that knows all rows of a crowd.
func (s *survey) known(c *crowd, program string) string {
	return filepath.Join(s.tools.dir, fmt.Sprintf("known-%d-%.4s", c.count, program))
}

// run adds a run to a reading. The first one with a state makes the state file by a run that is not measured.
func (s *survey) run(ctx context.Context, r *reading, c *crowd) error {
	o := r.operation
	state := filepath.Join(s.tools.dir, "state")
	if strings.Contains(o.title, "--state") {
		known := s.known(c, r.peer.name)
		if _, err := os.Stat(known); err != nil {
			all := *o
			all.want = func(n int64) (counts, map[string]int64) {
				return counts{Rows: n}, map[string]int64{"applied": n}
			}
			if _, err := s.once(ctx, &all, r.peer, c, c.rows, known); err != nil {
				return fmt.Errorf("make the state file: %w", err)
			}
		}
		if err := copyFile(known, state); err != nil {
			return err
		}
		defer os.Remove(state)
	}
	input := c.rows
	if o.changed {
		input = c.changed
	}
	t, err := s.once(ctx, o, r.peer, c, input, state)
	if err != nil {
		return err
	}
	if info, err := os.Stat(state); err == nil {
		r.file = info.Size()
	}
	r.runs = append(r.runs, t)
	fmt.Fprintf(s.log, "%9d rows  %-26s %-22s %8.3f s  %8.3f CPU s (server %.3f)  %6.1f MB\n", c.count, o.title,
		r.peer.name, t.wall.Seconds(), t.cpu.Seconds(), t.server.Seconds(), megabytes(t.rss))
	return nil
}

// once runs an operation with a server of its own and checks the outcome.
func (s *survey) once(ctx context.Context, o *operation, p *peer, c *crowd, input, state string) (took, error) {
	var t took
	server, err := startServer(ctx, 0, "-members", strconv.Itoa(o.members(c.count)))
	if err != nil {
		return t, err
	}
	command := *p
	if p.name == ours {
		command.args = o.ours(s.tools.klaviyo, state)
	} else {
		command.args = append(append([]string{}, p.args...), o.name, state)
	}
	results := filepath.Join(s.tools.dir, "results")
	err = command.start(ctx, server.url, &rowSet{mixed: input}, results, &t)
	var stopped error
	t.counts, stopped = server.stop()
	if err = errors.Join(err, stopped); err != nil {
		return t, fmt.Errorf("%s, %s: %w", o.title, p.name, err)
	}
	t.server, _ = usage(server.cmd.ProcessState)
	printed := map[string]int64{}
	err = pieces(results, func(line []byte, _ bool) {
		if !bytes.HasPrefix(line, []byte(`{"type":"re`)) { // neither report nor removing
			printed[status(line)]++
		}
	})
	if err != nil {
		return t, err
	}
	reached, lines := o.want(int64(c.count))
	got := counts{Rows: t.counts.Rows, Removed: t.counts.Removed, Subscribed: t.counts.Subscribed,
		Unsubscribed: t.counts.Unsubscribed}
	if got != reached || !maps.Equal(printed, lines) {
		return t, fmt.Errorf("%s, %s: expected %+v at the server and the lines %v, got %+v and %v",
			o.title, p.name, reached, lines, got, printed)
	}
	return t, nil
}

// join measures jq, which joins members and rows that are there as files: a mirror's plan, and nothing else.
func (s *survey) join(ctx context.Context, o *operation, c *crowd) error {
	if !s.jq {
		return nil
	}
	r := s.reading(o, c, &peer{name: "jq, the join alone", args: []string{
		"jq", "-nc", "--slurpfile", "rows", c.rows,
		`(reduce $rows[] as $r ({}; .[$r.email|ascii_downcase]=1)) as $known | ` +
			`inputs | select($known[.email|ascii_downcase]|not)`,
	}})
	for range s.rounds {
		var t took
		results := filepath.Join(s.tools.dir, "results")
		if err := r.peer.start(ctx, "", &rowSet{mixed: c.extra}, results, &t); err != nil {
			return err
		}
		n := 0
		if err := pieces(results, func([]byte, bool) { n++ }); err != nil || n != c.count/1000 {
			return fmt.Errorf("jq: expected %d members without a row, got %d: %w", c.count/1000, n, err)
		}
		r.runs = append(r.runs, t)
	}
	s.readings = append(s.readings, r)
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
