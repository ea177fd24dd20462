package main

import (
	"context"
	"errors"
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

// mostForAll is the number of rows up to which all programs run. More are for klaviyo-export alone.
const mostForAll = 1_000_000

// comparison is the runs of all programs over all sizes.
type comparison struct {
	tools   *tools
	peers   []*peer // klaviyo-export is the first
	missing []string
	rounds  int
	delay   time.Duration
	log     io.Writer
	machine string
	began   time.Time

	series []*series
	main   *data // the largest size for all
	facts  facts
}

// series is the runs of one program over one size.
type series struct {
	peer *peer
	data *data
	runs []took
}

func compare(ctx context.Context, args []string, std stdio) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	rounds := flags.Int("rounds", 5, "runs of each program at each size")
	sizes := flags.String("sizes", "1000,10000,100000,1000000", "numbers of rows; above a million klaviyo-export runs alone")
	delay := flags.Duration("delay", 0, "time in which the server answers an import")
	peers := flags.String("peers", "", "parts of names: those to run beside klaviyo-export, comma between them (default all)")
	write := flags.Bool("write", false, "put the results into bench/README.md and bench/compare.svg")
	if err := parse(flags, args, std); err != nil {
		return err
	}
	debug.SetGCPercent(20) // what this process takes hides what small ones do
	ns, err := parseSizes(*sizes)
	if err != nil || *rounds < 1 {
		fmt.Fprintln(std.err, "bench: compare: -sizes takes numbers of rows above 0, one of them up to", mostForAll, "and -rounds a number above 0")
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

// parseSizes reads numbers with commas between them, and sorts them.
func parseSizes(text string) ([]int, error) {
	var sizes []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return nil, errors.New("no number of rows")
		}
		sizes = append(sizes, n)
	}
	slices.Sort(sizes)
	if sizes[0] > mostForAll {
		return nil, errors.New("no size for all")
	}
	return slices.Compact(sizes), nil
}

// prepare builds what is run and leaves out the peers that are not asked for.
func (c *comparison) prepare(ctx context.Context, dir, asked string) error {
	fmt.Fprintln(c.log, "building klaviyo-export and the generator")
	var err error
	if c.tools, err = build(ctx, dir); err != nil {
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

// size runs everything over so many rows; for the main size the goals are measured as well.
func (c *comparison) size(ctx context.Context, rows int, main bool) error {
	fmt.Fprintf(c.log, "making %d rows\n", rows)
	d, err := makeData(ctx, c.tools.gen, c.tools.dir, rows)
	if err != nil {
		return err
	}
	defer d.free()
	peers := c.peers
	if rows > mostForAll {
		peers = peers[:1]
	}
	runs := make([]*series, len(peers))
	for i, p := range peers {
		runs[i] = &series{peer: p, data: d}
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
	c.main = d
	c.facts, err = c.measureFacts(ctx, d)
	return err
}

// measure adds a run to a series.
func (c *comparison) measure(ctx context.Context, s *series) error {
	t, err := s.peer.run(ctx, s.data, c.delay, filepath.Join(c.tools.dir, "results"))
	if err != nil {
		return err
	}
	s.runs = append(s.runs, t)
	fmt.Fprintf(c.log, "%9d rows  %-24s %8.3f s  %8.3f CPU s  %6.1f MB\n", s.data.rows, s.peer.name, t.wall.Seconds(), t.cpu.Seconds(), megabytes(t.rss))
	return nil
}

// of returns the series of a size, in the order of the peers.
func (c *comparison) of(rows int) []*series {
	var list []*series
	for _, s := range c.series {
		if s.data.rows == rows {
			list = append(list, s)
		}
	}
	return list
}

// by returns the series of a peer, in the order of sizes.
func (c *comparison) by(p *peer) []*series {
	var list []*series
	for _, s := range c.series {
		if s.peer == p {
			list = append(list, s)
		}
	}
	return list
}

// ours returns klaviyo-export's series of a size, nil where it was not run.
func (c *comparison) ours(rows int) *series {
	for _, s := range c.by(c.peers[0]) {
		if s.data.rows == rows {
			return s
		}
	}
	return nil
}

// median returns the middle of what the runs show.
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
func (s *series) n() float64 { return float64(s.data.rows) }

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
