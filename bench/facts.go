package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// facts are what is measured of klaviyo-export beside its runs against the peers.
type facts struct {
	one, two    *series // with one core and with two
	allocations float64 // from the heap, per row
	plain, call float64 // seconds from start to the first byte of output for one row, without and with a telephone number
	narrow      took    // a slow server, few requests at once
	wide        took    // the same with more
}

// How slow the server is for narrow and wide, and their --concurrency.
const (
	slowness       = 200 * time.Millisecond
	narrowRequests = 4
	wideRequests   = 16
	firstBytes     = 21 // runs for plain and call
)

// measureFacts measures over the rows of d.
func (c *comparison) measureFacts(ctx context.Context, d *data) (facts, error) {
	var f facts
	core := func(n string) *series {
		p := *c.peers[0]
		p.name, p.env = ours+", GOMAXPROCS="+n, []string{"GOMAXPROCS=" + n}
		return &series{peer: &p, data: d}
	}
	f.one, f.two = core("1"), core("2")
	for range c.rounds {
		for _, s := range []*series{f.one, f.two} {
			if err := c.measure(ctx, s); err != nil {
				return f, err
			}
		}
	}
	for requests, t := range map[int]*took{narrowRequests: &f.narrow, wideRequests: &f.wide} {
		p := *c.peers[0]
		p.args = c.tools.add("--concurrency", strconv.Itoa(requests))
		var err error
		if *t, err = p.run(ctx, d, slowness, filepath.Join(c.tools.dir, "results")); err != nil {
			return f, err
		}
	}
	var err error
	if f.allocations, err = c.allocations(ctx, d); err != nil {
		return f, err
	}
	return f, c.measureStart(ctx, &f)
}

// allocations counts in a process of its own.
func (c *comparison) allocations(ctx context.Context, d *data) (float64, error) {
	server, err := startServer(ctx, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _, _ = server.stop() }()
	in, err := os.Open(d.mixed)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	cmd, err := self(ctx, "allocations", "-url", server.url)
	if err != nil {
		return 0, err
	}
	cmd.Stdin = in
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("count allocations: %w", err)
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// measureStart measures plain and call.
func (c *comparison) measureStart(ctx context.Context, f *facts) error {
	server, err := startServer(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { _, _ = server.stop() }()
	var plain, call []float64
	for range firstBytes {
		for row, list := range map[string]*[]float64{
			`{"email":"ann@example.com","first_name":"Ann"}`:                                 &plain,
			`{"email":"ann@example.com","first_name":"Ann","phone_number":"+4915112345678"}`: &call,
		} {
			seconds, err := c.firstByte(ctx, server.url, row)
			if err != nil {
				return err
			}
			*list = append(*list, seconds)
		}
	}
	f.plain, f.call = median(plain), median(call)
	return nil
}

// firstByte returns how many seconds pass from the start of klaviyo-export with one row to the first byte of its output.
func (c *comparison) firstByte(ctx context.Context, url, row string) (float64, error) {
	cmd, err := c.peers[0].command(ctx, url)
	if err != nil {
		return 0, err
	}
	cmd.Stdin = strings.NewReader(row)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var first [1]byte
	_, err = out.Read(first[:])
	seconds := time.Since(begun).Seconds()
	_, _ = io.Copy(io.Discard, out)
	if ended := cmd.Wait(); err != nil || ended != nil {
		return 0, fmt.Errorf("klaviyo-export with one row: %v, %v", err, ended)
	}
	return seconds, nil
}

// goal is something that klaviyo-export aims at, and what came of it.
type goal struct {
	what, aim, measured, met string
}

// atMost and atLeast make a goal of a value and a bound. The format is for either.
func atMost(what, format string, bound, value float64) goal {
	return newGoal(what, "≤ "+fmt.Sprintf(format, bound), fmt.Sprintf(format, value), value <= bound)
}

func atLeast(what, format string, bound, value float64) goal {
	return newGoal(what, "≥ "+fmt.Sprintf(format, bound), fmt.Sprintf(format, value), value >= bound)
}

func newGoal(what, aim, measured string, met bool) goal {
	if met {
		return goal{what, aim, measured, "met"}
	}
	return goal{what, aim, measured, "**not met**"}
}

func (c *comparison) goals() []goal {
	us := c.ours(c.main.rows)
	million := us.median(cpu) / us.n() * 1e6
	goals := []goal{atMost("whole job, CPU s per 1M rows", "%.2f", 1.6, million)}
	goals = append(goals, c.against("floor", "CPU of the floor, in one goroutine", cpu, 1.3))
	goals = append(goals, atLeast("rows/s on two cores against a server on the same two", "%.0f", 1_000_000, us.n()/us.median(wall)))
	for _, g := range []struct {
		peer  string
		bound float64
	}{{"Python", 1. / 15}, {"Node", 1. / 10}, {"Redpanda", 1. / 30}, {"jq", 1. / 4}} {
		goals = append(goals, c.against(g.peer, "wall time of "+g.peer, wall, g.bound))
	}
	goals = append(goals,
		atMost("heap allocations per row", "%.3f", 0.2, c.facts.allocations),
		atLeast("one core → two, rows/s", "%.2f ×", 1.5, c.facts.one.median(wall)/c.facts.two.median(wall)),
		atMost("peak RSS in MB at concurrency 4, instant answers", "%.1f", 80, us.median(memMB)),
		c.flat(us),
		c.slow(),
		atMost("start to first byte in ms, one row", "%.1f", 15, c.facts.plain*1000),
		atMost("the same, with a telephone number", "%.1f", 15, c.facts.call*1000),
	)
	return append(goals, goal{"time to send 10M rows at Klaviyo's quota, against the ideal", "≤ 1.01 ×, no 429", "needs a simulated clock", "not measured here"})
}

// against compares klaviyo-export with a peer whose name begins so.
func (c *comparison) against(peer, what string, of func(took) float64, bound float64) goal {
	all := c.of(c.main.rows)
	i := slices.IndexFunc(all, func(s *series) bool { return strings.HasPrefix(s.peer.name, peer) })
	format := "%.2f ×"
	aim := fmt.Sprintf("≤ "+format, bound)
	if bound < 1 {
		aim = fmt.Sprintf("≤ 1/%.0f", 1/bound)
	}
	if i < 0 {
		return goal{what, aim, "", "not measured here"}
	}
	ratio := all[0].median(of) / all[i].median(of)
	got := fmt.Sprintf(format, ratio)
	if bound < 1 {
		got = fmt.Sprintf("1/%.1f", 1/ratio)
	}
	return newGoal(what, aim, got, ratio <= bound)
}

// flat compares the memory of the largest size with that of the main one.
func (c *comparison) flat(us *series) goal {
	const what, format = "peak RSS, 20M rows against 1M", "%.2f ×"
	most := c.ours(20_000_000)
	if most == nil || us.data.rows != mostForAll {
		return goal{what, "≤ 1.20 ×", "needs -sizes …,20000000", "not measured here"}
	}
	return atMost(what, format, 1.2, most.median(memMB)/us.median(memMB))
}

// slow says what a request that waits for its answer takes.
func (c *comparison) slow() goal {
	what := fmt.Sprintf("RSS in MB per request under way, server of %v", slowness)
	narrow, wide := c.facts.narrow, c.facts.wide
	more := wide.counts.AtOnce - narrow.counts.AtOnce
	if more < 1 {
		return goal{what, "≤ 6.0", "needs more rows", "not measured here"}
	}
	g := atMost(what, "%.1f", 6, megabytes(wide.rss-narrow.rss)/float64(more))
	g.measured += fmt.Sprintf(" (%.0f MB with %d, %.0f MB with %d)", megabytes(narrow.rss), narrow.counts.AtOnce, megabytes(wide.rss), wide.counts.AtOnce)
	return g
}
