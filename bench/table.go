package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// The README's results lie between these lines.
const (
	beginning = "<!-- go run ./bench compare -write puts its results from here -->\n"
	ending    = "<!-- to here -->\n"
)

// publish prints the results and draws the plot. With write, both go into the folder bench too; without it, the
// plot goes into the folder for temporary files.
func (c *comparison) publish(ctx context.Context, out io.Writer, write bool) error {
	root, err := repository(ctx)
	if err != nil {
		return err
	}
	folder := filepath.Join(root, "bench")
	text := c.text(commit(ctx, folder))
	plot := filepath.Join(os.TempDir(), "klaviyo-export-compare.svg")
	if write {
		plot = filepath.Join(folder, "compare.svg")
		err = rewrite(filepath.Join(folder, "README.md"), beginning, ending, text)
	}
	err = errors.Join(err, os.WriteFile(plot, c.plot(), 0o644))
	fmt.Fprintf(out, "%s\nplot: %s\n", text, plot)
	return err
}

// rewrite replaces what is between two lines of a file.
func rewrite(name, beginning, ending, text string) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(old, []byte(beginning))
	_, after, ends := bytes.Cut(rest, []byte(ending))
	if !begins || !ends {
		return fmt.Errorf("%s: expected the lines %q and %q around the results", name, beginning, ending)
	}
	return os.WriteFile(name, slices.Concat(before, []byte(beginning), []byte(text), []byte(ending), after), 0o644)
}

// text returns all results as Markdown.
func (c *comparison) text(commit string) string {
	var b strings.Builder
	set := c.main
	fmt.Fprintf(&b, "\nMeasured %s on %s, %s, commit %s. ",
		c.began.UTC().Format("2006-01-02 15:04 UTC"), c.machine, runtime.Version(), commit)
	fmt.Fprintf(&b, "Runs of each program at each size, in turn: %d; the server answers an import after %v. ",
		c.rounds, c.delay)
	fmt.Fprintf(&b, "Peers: %s.\n\n", c.versions())
	fmt.Fprintf(&b, "%s rows of %.0f bytes, %.0f %% with characters outside ASCII, %.1f %% bad; ",
		grouped(set.count), float64(set.bytes)/float64(set.count), share(set.nonASCII, set), share(set.bad, set))
	fmt.Fprintf(&b, "%s rows are good and no duplicates.\n\n", grouped(int(set.valid)))
	c.writePeers(&b)
	b.WriteString("\n### Goals\n\n| figure | goal | measured | |\n|---|---:|---:|---|\n")
	for _, g := range c.goals() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", g.what, g.aim, g.measured, g.met)
	}
	c.writeGrowth(&b)
	b.WriteString("\n![Rows a second and peak memory against the number of rows](compare.svg)\n")
	return b.String()
}

func share(n int64, set *rowSet) float64 { return 100 * float64(n) / float64(set.count) }

// versions lists the versions of the peers that ran, and the peers that did not run.
func (c *comparison) versions() string {
	var names []string
	for _, p := range c.peers {
		if p.version != "" {
			names = append(names, p.version)
		}
	}
	if slices.ContainsFunc(c.peers, func(p *peer) bool { return strings.HasPrefix(p.name, "Node") }) {
		names = append(names, sdkPackage)
	}
	for _, name := range c.missing {
		names = append(names, "left out: "+name)
	}
	return strings.Join(names, ", ")
}

// writePeers writes a line for each program, with its cost at the main size.
func (c *comparison) writePeers(b *strings.Builder) {
	b.WriteString("| what | CPU s per 1M rows | thousand rows/s | peak RSS MB | wall time, ours = 1 | wall s, min–max ")
	b.WriteString("| good rows lost | bad rows sent |\n|---|---:|---:|---:|---:|---:|---:|---:|\n")
	all := c.of(c.main.count)
	for _, s := range all {
		walls := s.values(wall)
		lost, leaked := "–", "–"
		if a := s.runs[0].accuracy; s.peer.results {
			lost, leaked = grouped(int(a.lost)), grouped(int(a.leaked))
		}
		fmt.Fprintf(b, "| %s | %.2f | %s | %s | %.2f | %.2f–%.2f | %s | %s |\n",
			strings.ReplaceAll(s.peer.name, "|", `\|`), s.median(cpu)/s.n()*1e6, thousands(s), resided(s),
			s.median(wall)/all[0].median(wall), slices.Min(walls), slices.Max(walls), lost, leaked)
	}
}

func thousands(s *series) string { return fmt.Sprintf("%.0f", s.n()/s.median(wall)/1000) }

// resided returns the peak memory. A ≤ marks figures that this process's own memory hides.
func resided(s *series) string {
	mark := ""
	if s.median(memMB) <= s.median(func(t took) float64 { return megabytes(t.own) }) {
		mark = "≤ "
	}
	return fmt.Sprintf("%s%.1f", mark, s.median(memMB))
}

// grouped writes a number with commas between groups of three digits.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
