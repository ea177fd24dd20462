package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostForAll is the largest number of rows for all programs. Only klaviyo-export gets more.
const mostForAll = 1_000_000

// comparison is the runs of all programs over all sizes.
type comparison struct {
	tools   *tools
	peers   []*peer // klaviyo-export comes first
	missing []string
	rounds  int
	delay   time.Duration
	log     io.Writer
	machine string
	began   time.Time

	series []*series
	main   *rowSet // the largest size that all programs get
	facts  facts
}

// series is the runs of one program over one size.
type series struct {
	peer *peer
	rows *rowSet
	runs []took
}

func compare(ctx context.Context, args []string, std stdio) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	rounds := flags.Int("rounds", 5, "runs of each program at each size")
	sizes := flags.String("sizes", "1000,10000,100000,1000000",
		"numbers of rows, separated by commas; above a million only klaviyo-export runs")
	delay := flags.Duration("delay", 0, "time that the server takes to answer an import")
	peers := flags.String("peers", "", "run only peers whose names contain one of these texts, separated by commas")
	write := flags.Bool("write", false, "write the results to bench/README.md and bench/compare.svg")
	if err := parse(flags, args, std); err != nil {
		return err
	}
	debug.SetGCPercent(20) // the memory of this process hides that of smaller ones (usage_unix.go)
	ns, err := parseSizes(*sizes)
	if err == nil && *rounds < 1 {
		err = fmt.Errorf("-rounds: expected a number above 0, got %d", *rounds)
	}
	if err != nil {
		fmt.Fprintf(std.err, "bench: compare: %v\n", err)
		return errUsage
	}
	dir, err := os.MkdirTemp("", "klaviyo-export-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c := &comparison{rounds: *rounds, delay: *delay, log: std.err, began: time.Now(), machine: machine()}
	if err := c.prepare(ctx, dir, *peers); err != nil {
		return err
	}
	for i, n := range ns {
		last := i+1 == len(ns) || ns[i+1] > mostForAll
		if err := c.size(ctx, n, last && n <= mostForAll); err != nil {
			return err
		}
	}
	return c.publish(ctx, std.out, *write)
}

// parseSizes reads numbers separated by commas, and sorts them.
func parseSizes(text string) ([]int, error) {
	var sizes []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-sizes: expected numbers above 0, separated by commas, got %q", text)
		}
		sizes = append(sizes, n)
	}
	slices.Sort(sizes)
	if sizes[0] > mostForAll {
		return nil, fmt.Errorf("-sizes: expected at least one size up to %d, got %q", mostForAll, text)
	}
	return slices.Compact(sizes), nil
}

// prepare builds the programs of this repository and finds the peers whose names contain a part of asked.
func (c *comparison) prepare(ctx context.Context, dir, asked string) error {
	fmt.Fprintln(c.log, "building klaviyo-export and the generator")
	var err error
	if c.tools, err = release(ctx, dir); err != nil {
		return err
	}
	all, missing, err := c.tools.find(ctx, func(name string) bool {
		return asked == "" || slices.ContainsFunc(strings.Split(asked, ","), func(part string) bool {
			return strings.Contains(strings.ToLower(name), strings.ToLower(strings.TrimSpace(part)))
		})
	})
	c.peers, c.missing = all, missing
	return err
}

// size runs all programs over so many rows. For the main size it measures the other facts too.
func (c *comparison) size(ctx context.Context, rows int, main bool) error {
	fmt.Fprintf(c.log, "generating %d rows\n", rows)
	set, err := generate(ctx, c.tools.gen, c.tools.dir, rows)
	if err != nil {
		return err
	}
	defer set.remove()
	peers := c.peers
	if rows > mostForAll {
		peers = peers[:1]
	}
	runs := make([]*series, len(peers))
	for i, p := range peers {
		runs[i] = &series{peer: p, rows: set}
	}
	for round := range c.rounds {
		for i := range runs {
			if err := c.measure(ctx, runs[(i+round)%len(runs)]); err != nil {
				return err
			}
		}
	}
	c.series = append(c.series, runs...)
	if !main {
		return nil
	}
	c.main = set
	c.facts, err = c.measureFacts(ctx, set)
	return err
}

// measure adds a run to a series.
func (c *comparison) measure(ctx context.Context, s *series) error {
	t, err := s.peer.run(ctx, s.rows, c.delay, filepath.Join(c.tools.dir, "results"))
	if err != nil {
		return err
	}
	s.runs = append(s.runs, t)
	fmt.Fprintf(c.log, "%9d rows  %-24s %8.3f s  %8.3f CPU s  %6.1f MB\n",
		s.rows.count, s.peer.name, t.wall.Seconds(), t.cpu.Seconds(), megabytes(t.rss))
	return nil
}

// of returns the series with so many rows, in the order of the peers.
func (c *comparison) of(rows int) []*series {
	var list []*series
	for _, s := range c.series {
		if s.rows.count == rows {
			list = append(list, s)
		}
	}
	return list
}

// by returns the series of a peer, in the order of their sizes.
func (c *comparison) by(p *peer) []*series {
	var list []*series
	for _, s := range c.series {
		if s.peer == p {
			list = append(list, s)
		}
	}
	return list
}

// ours returns klaviyo-export's series with so many rows, or nil if there is none.
func (c *comparison) ours(rows int) *series {
	for _, s := range c.by(c.peers[0]) {
		if s.rows.count == rows {
			return s
		}
	}
	return nil
}

// median returns the median of a figure over all runs.
func (s *series) median(of func(took) float64) float64 { return median(s.values(of)) }

func (s *series) values(of func(took) float64) []float64 {
	values := make([]float64, len(s.runs))
	for i, t := range s.runs {
		values[i] = of(t)
	}
	return values
}

func wall(t took) float64    { return t.wall.Seconds() }
func cpu(t took) float64     { return t.cpu.Seconds() }
func memMB(t took) float64   { return megabytes(t.rss) }
func (s *series) n() float64 { return float64(s.rows.count) }

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
