package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// facts are figures of klaviyo-export that need runs of their own.
type facts struct {
	one, two    *series // with one core and with two
	allocations float64 // from the heap, per row
	plain, call float64 // seconds from start to the first byte of output for one row, without and with a phone number
	narrow      took    // a slow server and few requests at once
	wide        took    // a slow server and more requests at once
}

// The server's delay and --concurrency of narrow and wide, and the runs for plain and call.
const (
	slowness       = 200 * time.Millisecond
	narrowRequests = 4
	wideRequests   = 16
	startRuns      = 21
)

// measureFacts measures the facts over the rows of d.
func (c *comparison) measureFacts(ctx context.Context, set *rowSet) (facts, error) {
	var f facts
	core := func(n string) *series {
		p := *c.peers[0]
		p.name, p.env = ours+", GOMAXPROCS="+n, []string{"GOMAXPROCS=" + n}
		return &series{peer: &p, rows: set}
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
		if *t, err = p.run(ctx, set, slowness, filepath.Join(c.tools.dir, "results")); err != nil {
			return f, err
		}
	}
	var err error
	if f.allocations, err = c.allocations(ctx, set); err != nil {
		return f, err
	}
	return f, c.measureStart(ctx, &f)
}

// allocations returns the heap allocations per row, counted in another process.
func (c *comparison) allocations(ctx context.Context, set *rowSet) (float64, error) {
	server, err := startServer(ctx, 0)
	if err != nil {
		return 0, err
	}
	defer func() { _, _ = server.stop() }()
	in, err := os.Open(set.mixed)
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
	for range startRuns {
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

// firstByte returns the seconds from the start of klaviyo-export with one row to the first byte of its output.
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
