package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The scripts that are run beside klaviyo-export.
var (
	//go:embed by_hand.py
	byHand []byte
	//go:embed sdk.js
	sdk []byte
	//go:embed benthos.yaml
	benthos []byte
)

// sdkPackage is Klaviyo's package for Node.
const sdkPackage = "klaviyo-api@23.0.0"

const ours = "klaviyo-export"

// peer is a program that is given the rows.
type peer struct {
	name    string
	version string
	own     bool     // it is one of this program's commands
	args    []string // the program, unless it is this one, and its arguments, with URL in place of the server's
	env     []string
	clean   bool // it stops at a bad row, so it is given none
	sends   bool // to the server
	results bool // it prints a result for each row
	exact   bool // and these must be right
}

// took is what one run cost.
type took struct {
	wall, cpu time.Duration
	rss       int64 // bytes, at its peak
	own       int64 // bytes, this process's peak before: no less is seen of the other's
	counts    counts
	judged    judgement
}

// key is the API key that the server does not look at.
const key = "KLAVIYO_API_KEY=pk_bench"

// run gives the rows to p, and checks what became of them. Its results stay in a file of that name.
func (p *peer) run(ctx context.Context, d *data, delay time.Duration, results string) (took, error) {
	var t took
	server, err := startServer(ctx, delay)
	if err != nil {
		return t, err
	}
	if err = p.start(ctx, server.url, d, results, &t); err != nil {
		err = fmt.Errorf("%s: %w", p.name, err)
	}
	counts, stopped := server.stop()
	if err == nil {
		err = stopped
	}
	t.counts = counts
	if err == nil {
		err = p.check(d, results, &t)
	}
	return t, err
}

func (p *peer) start(ctx context.Context, url string, d *data, results string, t *took) error {
	input := d.mixed
	if p.clean {
		input = d.clean
	}
	in, err := os.Open(input)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(results)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd, err := p.command(ctx, url)
	if err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout = in, out
	t.own = ownPeak()
	begun := time.Now()
	err = runQuietly(cmd)
	t.wall = time.Since(begun)
	if cmd.ProcessState != nil {
		t.cpu, t.rss = usage(cmd.ProcessState)
	}
	return err
}

// command returns p with the server's URL put in.
func (p *peer) command(ctx context.Context, url string) (*exec.Cmd, error) {
	args := make([]string, len(p.args))
	for i, arg := range p.args {
		args[i] = strings.ReplaceAll(arg, "URL", url)
	}
	var cmd *exec.Cmd
	if p.own {
		var err error
		if cmd, err = self(ctx, args...); err != nil {
			return nil, err
		}
	} else {
		cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	}
	cmd.Env = append(os.Environ(), key, "URL="+url, "LIST="+list)
	cmd.Env = append(cmd.Env, p.env...)
	return cmd, nil
}

// runQuietly runs cmd and returns what it said on standard error when it failed.
func runQuietly(cmd *exec.Cmd) error {
	var said tail
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, said.text)
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

const tailSize = 2000

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p[max(len(p)-tailSize, 0):]...)
	t.text = append(t.text[:0], t.text[max(len(t.text)-tailSize, 0):]...)
	return len(p), nil
}

// check makes sure that every row was dealt with.
func (p *peer) check(d *data, results string, t *took) error {
	if !p.sends {
		lines := 0
		err := pieces(results, func(_ []byte, ends bool) {
			if ends {
				lines++
			}
		})
		if err == nil && lines != d.rows {
			err = fmt.Errorf("%s printed %d lines for %d rows", p.name, lines, d.rows)
		}
		return err
	}
	if !p.results {
		if most := int64(d.rows); t.counts.Rows < d.valid || t.counts.Rows > most {
			return fmt.Errorf("%s sent %d rows of %d, of which %d are good", p.name, t.counts.Rows, most, d.valid)
		}
		return nil
	}
	var err error
	t.judged, err = judge(results, d.expected)
	switch j := t.judged; {
	case err != nil:
		return fmt.Errorf("%s: %w", p.name, err)
	case j.lines != int64(d.rows):
		return fmt.Errorf("%s has results for %d rows of %d", p.name, j.lines, d.rows)
	case j.accepted != t.counts.Rows:
		return fmt.Errorf("%s has %d accepted rows, %d reached the server", p.name, j.accepted, t.counts.Rows)
	case p.exact && j.lost+j.leaked > 0:
		return fmt.Errorf("%s lost %d good rows and sent %d others", p.name, j.lost, j.leaked)
	}
	return nil
}

// tools are the programs that were built for a comparison.
type tools struct{ dir, klaviyo, gen string }

// build builds klaviyo-export and the generator into a folder.
func build(ctx context.Context, dir string) (*tools, error) {
	t := &tools{dir: dir, klaviyo: filepath.Join(dir, ours), gen: filepath.Join(dir, "gen")}
	for _, b := range [][]string{{"-trimpath", "-o", t.klaviyo, ours}, {"-o", t.gen, ours + "/bench/gen"}} {
		cmd := exec.CommandContext(ctx, "go", append([]string{"build"}, b...)...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if err := runQuietly(cmd); err != nil {
			return nil, fmt.Errorf("build %s: %w", b[len(b)-1], err)
		}
	}
	return t, nil
}

// add is the command line that adds rows to the server's list.
func (t *tools) add(more ...string) []string {
	return append([]string{t.klaviyo, "add", "--quiet", "--no-rate-limit", "--base-url", "URL", "--list-id", list, "--max-invalid", "100%"}, more...)
}

// candidates are the programs of others that are run where they are installed.
func (t *tools) candidates() []candidate {
	return []candidate{
		{"jq -c '{email}'", []string{"jq"}, func(_ context.Context, p []string) (*peer, error) {
			return &peer{args: []string{p[0], "-c", "{email}"}, clean: true}, nil
		}},
		{"Miller, cut -f email", []string{"mlr"}, func(_ context.Context, p []string) (*peer, error) {
			return &peer{args: []string{p[0], "--ijsonl", "--ojsonl", "cut", "-f", "email"}, clean: true}, nil
		}},
		{"Python by hand", []string{"python3"}, t.python},
		{"Node with klaviyo-api", []string{"node", "npm"}, t.node},
		{"Redpanda Benthos", []string{"benthos"}, t.benthos},
		{"Redpanda Connect", []string{"redpanda-connect"}, t.benthos},
	}
}

type candidate struct {
	name  string
	needs []string // programs; the first is the one that is run
	make  func(ctx context.Context, paths []string) (*peer, error)
}

// find returns the wanted peers that can be run here, klaviyo-export always and first, and the names of those that cannot, with the reason.
func (t *tools) find(ctx context.Context, wanted func(name string) bool) (found []*peer, missing []string, err error) {
	found = []*peer{{name: ours, args: t.add(), sends: true, results: true, exact: true}}
	for _, own := range []struct{ name, command string }{{"floor: one goroutine", "floor"}, {"one channel item a row", "items"}} {
		if wanted(own.name) {
			found = append(found, &peer{name: own.name, own: true, args: []string{own.command, "-url", "URL"}, sends: true, results: true, exact: true})
		}
	}
	for _, c := range t.candidates() {
		if !wanted(c.name) {
			continue
		}
		p, err := c.find(ctx)
		if err != nil {
			missing = append(missing, c.name+" ("+err.Error()+")")
			continue
		}
		found = append(found, p)
	}
	return found, missing, ctx.Err()
}

func (c *candidate) find(ctx context.Context) (*peer, error) {
	paths := make([]string, len(c.needs))
	for i, name := range c.needs {
		var err error
		if paths[i], err = exec.LookPath(name); err != nil {
			return nil, fmt.Errorf("%s is not installed", name)
		}
	}
	p, err := c.make(ctx, paths)
	if err != nil {
		return nil, err
	}
	version, err := exec.CommandContext(ctx, p.args[0], "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("ask %s for its version: %w", c.needs[0], err)
	}
	p.name = c.name
	p.version, _, _ = strings.Cut(strings.TrimSpace(string(version)), "\n")
	return p, nil
}

// python is by_hand.py, under the interpreter itself where python3 is a script that looks for it.
func (t *tools) python(ctx context.Context, paths []string) (*peer, error) {
	interpreter, err := exec.CommandContext(ctx, paths[0], "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return nil, fmt.Errorf("ask python3 for itself: %w", err)
	}
	script := filepath.Join(t.dir, "by_hand.py")
	if err := os.WriteFile(script, byHand, 0o600); err != nil {
		return nil, err
	}
	return &peer{args: []string{strings.TrimSpace(string(interpreter)), script, "URL", list}, sends: true, results: true}, nil
}

// node is sdk.js with its package, which npm installs.
func (t *tools) node(ctx context.Context, paths []string) (*peer, error) {
	install := exec.CommandContext(ctx, paths[1], "install", "--prefix", t.dir, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", sdkPackage)
	if err := runQuietly(install); err != nil {
		return nil, fmt.Errorf("install %s: %w", sdkPackage, err)
	}
	return t.script(paths[0])
}

// script is sdk.js in the folder whose node_modules has its package.
func (t *tools) script(node string) (*peer, error) {
	script := filepath.Join(t.dir, "sdk.js")
	if err := os.WriteFile(script, sdk, 0o600); err != nil {
		return nil, err
	}
	return &peer{args: []string{node, script, "URL", list}, sends: true, results: true}, nil
}

// benthos is benthos.yaml under either of the program's names, whose command lines differ.
func (t *tools) benthos(_ context.Context, paths []string) (*peer, error) {
	config := filepath.Join(t.dir, "benthos.yaml")
	if err := os.WriteFile(config, benthos, 0o600); err != nil {
		return nil, err
	}
	args := []string{paths[0], "-c", config}
	if filepath.Base(paths[0]) != "benthos" {
		args = []string{paths[0], "run", config}
	}
	return &peer{args: args, sends: true}, nil
}
