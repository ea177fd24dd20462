package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
)

// The README's results of operations lie between these lines.
const (
	operationsBegin = "<!-- go run ./bench operations -write puts its results from here -->\n"
	operationsEnd   = "<!-- operations to here -->\n"
)

func (s *survey) publishOperations(ctx context.Context, out io.Writer, write bool) error {
	root, err := repository(ctx)
	if err != nil {
		return err
	}
	folder := filepath.Join(root, "bench")
	text := s.operationsText(commit(ctx, folder))
	fmt.Fprint(out, text)
	if write {
		return rewrite(filepath.Join(folder, "README.md"), operationsBegin, operationsEnd, text)
	}
	return nil
}

// operationsText returns all results of operations as Markdown.
func (s *survey) operationsText(commit string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nMeasured %s on %s, %s, commit %s. Runs of each program, in turn: %d. Peers: %s.\n\n",
		s.began.UTC().Format("2006-01-02 15:04 UTC"), s.machine, runtime.Version(), commit, s.rounds, s.versions())
	if len(s.readings) > 0 {
		set := s.readings[0].rows
		fmt.Fprintf(&b, "%s rows of %.0f bytes, all of them good.\n\n",
			grouped(set.count), float64(set.bytes)/float64(set.count))
	}
	b.WriteString("| operation | program | wall s, min–max | thousand rows/s | wall time, ours = 1 | CPU s per 1M rows ")
	b.WriteString("| the server's | peak RSS MB |\n|---|---|---:|---:|---:|---:|---:|---:|\n")
	var us *reading
	for _, r := range s.readings {
		if r.peer.name == ours {
			us = r
		}
		low, high := ends(r.values(wall))
		fmt.Fprintf(&b, "| %s | %s | %.2f–%.2f | %s | %.2f | %.2f | %.2f | %s |\n", r.operation.title, r.peer.name, low, high,
			thousands(&r.series), r.median(wall)/us.median(wall), r.million(cpu), r.million(serverCPU), resided(&r.series))
	}
	s.writeOperationGoals(&b)
	s.writeOperationGrowth(&b)
	return b.String()
}

func serverCPU(t took) float64 { return t.server.Seconds() }

// million is a figure in seconds for a million rows.
func (r *reading) million(of func(took) float64) float64 { return r.median(of) / r.n() * 1e6 }

func (s *survey) writeOperationGrowth(b *strings.Builder) {
	if len(s.growth) == 0 {
		return
	}
	b.WriteString("\nOne run of each size:\n\n| operation | rows | wall s | thousand rows/s | CPU s | CPU s per 1M rows ")
	b.WriteString("| peak RSS MB | state file, bytes a row |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
	var lines strings.Builder
	for _, o := range growing() {
		var all []*series
		for _, r := range s.growth {
			if r.operation != o {
				continue
			}
			all = append(all, &r.series)
			file := "–"
			if r.file > 0 {
				file = fmt.Sprintf("%.1f", float64(r.file)/r.n())
			}
			fmt.Fprintf(b, "| %s | %s | %.3f | %s | %.3f | %.2f | %s | %s |\n", r.operation.title, grouped(r.rows.count),
				r.median(wall), thousands(&r.series), r.median(cpu), r.million(cpu), resided(&r.series), file)
		}
		if len(all) > 1 {
			w0, w := fit(all, wall)
			c0, c1 := fit(all, cpu)
			fmt.Fprintf(&lines, "| %s | %s–%s | %.0f | %.3f | %.0f | %.3f | %s, %s |\n", o.title,
				grouped(all[0].rows.count), grouped(all[len(all)-1].rows.count), w0*1e3, w*1e6, c0*1e3, c1*1e6,
				resided(all[0]), resided(all[len(all)-1]))
		}
	}
	b.WriteString("\nLines through them, fitted so that each size counts alike: start + rows × slope.\n\n")
	b.WriteString("| operation | sizes | wall: start ms | wall: µs a row | CPU: start ms | CPU: µs a row ")
	b.WriteString("| RSS MB, first and last size |\n|---|---|---:|---:|---:|---:|---:|\n" + lines.String())
}

// grown returns the reading of the largest size, or nil.
func (s *survey) grown(name string) *reading {
	var last *reading
	for _, r := range s.growth {
		if r.operation.name == name {
			last = r
		}
	}
	return last
}

func (s *survey) writeOperationGoals(b *strings.Builder) {
	b.WriteString("\n| figure | goal | measured | |\n|---|---:|---:|---|\n")
	var goals []goal
	if r := s.grown("state"); r != nil {
		of := fmt.Sprintf(", state of %s rows", grouped(r.rows.count))
		goals = append(goals,
			atLeast("unchanged rows/s"+of, "%.0f", 400_000, r.n()/r.median(wall)),
			atMost("peak RSS in MB"+of, "%.1f", 250, r.median(memMB)),
			atMost("bytes a row in the file"+of, "%.1f", 60, float64(r.file)/r.n()))
	}
	var base *reading // add of the same rows
	for _, r := range s.growth {
		switch {
		case r.operation == &plainAdd:
			base = r
		case r.operation.name == "mirror" && r.rows.count >= mostForAll && base != nil:
			goals = append(goals, atMost("mirror of "+grouped(r.rows.count)+" rows, bytes of RSS a row above add of them",
				"%.1f", 40, (r.median(memMB)-base.median(memMB))*1e6/r.n()))
		}
	}
	for _, timed := range []struct{ what, aim, test string }{
		{"removal of 1M by email, at Klaviyo's quota", "≤ 1.05 × its 13.3 min", "TestRemovalsUseTheQuota"},
		{"reading 1M back, at Klaviyo's quota", "≤ 1.05 × its 13.3 min", "TestReadBackUsesTheQuota"},
		{"`members` of 1M, 300 ms a page", "≤ 1.1 × 13.3 min", "TestMembersUseTheQuota"},
	} {
		test := "`go test ./sink -million -run " + timed.test + "`"
		goals = append(goals, goal{timed.what, timed.aim, test, "not measured here"})
	}
	goals = append(goals,
		goal{"10M rows of which 1 % changed, at Klaviyo's quota", "≤ 30 s", "needs a simulated clock", "not measured here"},
		goal{"mirror of 1M rows on a list of 1M, at Klaviyo's quota", "≤ 1.1 × its longest quota",
			"needs a simulated clock", "not measured here"})
	for _, g := range goals {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", g.what, g.aim, g.measured, g.met)
	}
}

func ends(values []float64) (low, high float64) {
	low, high = values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}
