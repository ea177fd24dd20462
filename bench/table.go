package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Lines of the README between which the results stand.
const (
	beginning = "<!-- go run ./bench compare -write puts its results from here -->\n"
	ending    = "<!-- to here -->\n"
)

// publish prints the results, and draws the plot. With write they go into the folder bench, otherwise the plot goes where temporary files do.
func (c *comparison) publish(ctx context.Context, out io.Writer, write bool) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the repository: %w", err)
	}
	folder := filepath.Join(strings.TrimSpace(string(root)), "bench")
	text := c.text(commit(ctx, folder))
	plot := filepath.Join(os.TempDir(), "klaviyo-export-compare.svg")
	if write {
		plot = filepath.Join(folder, "compare.svg")
		err = rewrite(filepath.Join(folder, "README.md"), text)
	}
	err = errors.Join(err, os.WriteFile(plot, c.plot(), 0o644))
	fmt.Fprintf(out, "%s\nplot: %s\n", text, plot)
	return err
}

// rewrite puts text between beginning and ending in a file.
func rewrite(name, text string) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(old, []byte(beginning))
	_, after, ends := bytes.Cut(rest, []byte(ending))
	if !begins || !ends {
		return fmt.Errorf("%s lacks the lines between which the results stand", name)
	}
	return os.WriteFile(name, slices.Concat(before, []byte(beginning), []byte(text), []byte(ending), after), 0o644)
}

// text is all results as Markdown.
func (c *comparison) text(commit string) string {
	var b strings.Builder
	d := c.main
	fmt.Fprintf(&b, "\nMeasured %s on %s, %s, commit %s. ", c.began.UTC().Format("2006-01-02 15:04 UTC"), c.machine, runtime.Version(), commit)
	fmt.Fprintf(&b, "Runs of each program at each size, in turn: %d; the server answers an import after %v. Peers: %s.\n\n", c.rounds, c.delay, c.versions())
	fmt.Fprintf(&b, "%s rows of %.0f bytes, %.0f %% with other characters than ASCII, %.1f %% bad; %s of them are good and no duplicates.\n\n",
		grouped(d.rows), float64(d.bytes)/float64(d.rows), share(d.nonASCII, d), share(d.bad, d), grouped(int(d.valid)))
	c.writePeers(&b)
	b.WriteString("\n### Goals\n\n| figure | goal | measured | |\n|---|---:|---:|---|\n")
	for _, g := range c.goals() {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", g.what, g.aim, g.measured, g.met)
	}
	c.writeGrowth(&b)
	b.WriteString("\n![Rows a second and peak memory against the number of rows](compare.svg)\n")
	return b.String()
}

func share(n int64, d *data) float64 { return 100 * float64(n) / float64(d.rows) }

// versions names the peers that ran with their versions, and those that did not.
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

// writePeers writes a line for each program over the main size.
func (c *comparison) writePeers(b *strings.Builder) {
	b.WriteString("| what | CPU s per 1M rows | thousand rows/s | peak RSS MB | wall time, ours = 1 | wall s, min–max | good rows lost | bad rows sent |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|\n")
	all := c.of(c.main.rows)
	for _, s := range all {
		walls := s.values(wall)
		lost, leaked := "–", "–"
		if j := s.runs[0].judged; s.peer.results {
			lost, leaked = grouped(int(j.lost)), grouped(int(j.leaked))
		}
		fmt.Fprintf(b, "| %s | %.2f | %s | %s | %.2f | %.2f–%.2f | %s | %s |\n",
			strings.ReplaceAll(s.peer.name, "|", `\|`), s.median(cpu)/s.n()*1e6, thousands(s), resided(s), s.median(wall)/all[0].median(wall),
			slices.Min(walls), slices.Max(walls), lost, leaked)
	}
}

func thousands(s *series) string { return fmt.Sprintf("%.0f", s.n()/s.median(wall)/1000) }

// resided is the peak of memory, marked where it is no more than what hides it.
func resided(s *series) string {
	mark := ""
	if s.median(memMB) <= s.median(func(t took) float64 { return megabytes(t.own) }) {
		mark = "≤ "
	}
	return fmt.Sprintf("%s%.1f", mark, s.median(memMB))
}

// writeGrowth writes how cost grows with the rows.
func (c *comparison) writeGrowth(b *strings.Builder) {
	b.WriteString("\n### How cost grows\n\n| rows | wall s | wall s, min–max | thousand rows/s | CPU s | CPU s per 1M rows | peak RSS MB |\n|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, s := range c.by(c.peers[0]) {
		walls := s.values(wall)
		fmt.Fprintf(b, "| %s | %.3f | %.3f–%.3f | %s | %.3f | %.2f | %s |\n", grouped(s.data.rows), s.median(wall), slices.Min(walls), slices.Max(walls),
			thousands(s), s.median(cpu), s.median(cpu)/s.n()*1e6, resided(s))
	}
	b.WriteString("\nLines through the medians, fitted so that each size counts alike: start + rows × slope.\n\n")
	b.WriteString("| what | sizes | wall: start ms | wall: µs a row | CPU: start ms | CPU: µs a row | RSS MB, first and last size |\n|---|---|---:|---:|---:|---:|---:|\n")
	for _, p := range c.peers {
		all := c.by(p)
		if len(all) < 2 {
			continue
		}
		first, last := all[0], all[len(all)-1]
		w0, w := fit(all, wall)
		c0, c1 := fit(all, cpu)
		fmt.Fprintf(b, "| %s | %s–%s | %.0f | %.3f | %.0f | %.3f | %s, %s |\n", strings.ReplaceAll(p.name, "|", `\|`), grouped(first.data.rows), grouped(last.data.rows),
			w0*1e3, w*1e6, c0*1e3, c1*1e6, resided(first), resided(last))
	}
}

// fit returns the line start + slope × rows for which the sum of the squares of relative errors is least.
func fit(all []*series, of func(took) float64) (start, slope float64) {
	var s, sx, sxx, sy, sxy float64
	for _, one := range all {
		x, y := one.n(), one.median(of)
		w := 1 / math.Max(y*y, 1e-12)
		s, sx, sxx, sy, sxy = s+w, sx+w*x, sxx+w*x*x, sy+w*y, sxy+w*x*y
	}
	slope = (s*sxy - sx*sy) / (s*sxx - sx*sx)
	return (sy - slope*sx) / s, slope
}

// grouped writes a number with commas.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// machine says what this runs on and how busy that is.
func machine() string {
	said := fmt.Sprintf("%d cores", runtime.NumCPU())
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		said += " (" + model + ")"
	}
	said += ", " + runtime.GOOS + "/" + runtime.GOARCH
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		said += fmt.Sprintf(", load average %s before", strings.Fields(string(load))[0])
	}
	return said
}

// field returns the first value of a name in a file of the form "name : value".
func field(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if n, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(n) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// commit returns the commit of a folder, and whether there are changes.
func commit(ctx context.Context, folder string) string {
	id, err := exec.CommandContext(ctx, "git", "-C", folder, "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	said := strings.TrimSpace(string(id))
	if changes, err := exec.CommandContext(ctx, "git", "-C", folder, "status", "--porcelain").Output(); err != nil || len(changes) > 0 {
		said += " with changes"
	}
	return said
}
