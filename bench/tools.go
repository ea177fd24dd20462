package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// The scripts that are compared with klaviyo-export.
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

// tools are the programs of a comparison, and the folder that holds them.
type tools struct{ dir, klaviyo, gen string }

// repository returns the folder of the repository around the working directory.
func repository(ctx context.Context) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	return strings.TrimSpace(string(root)), nil
}

// release builds the generator, and klaviyo-export as .ci/build releases it, in dir.
func release(ctx context.Context, dir string) (*tools, error) {
	root, err := repository(ctx)
	if err != nil {
		return nil, err
	}
	t := &tools{dir: dir, klaviyo: filepath.Join(dir, runtime.GOOS+"-"+runtime.GOARCH, ours)}
	script := filepath.Join(root, ".ci", "build")
	if err := runQuietly(exec.CommandContext(ctx, script, dir, runtime.GOOS+"/"+runtime.GOARCH)); err != nil {
		return nil, fmt.Errorf("build the program as it is released: %w", err)
	}
	return t, t.compileGenerator(ctx)
}

// compileGenerator builds the generator in the folder of t.
func (t *tools) compileGenerator(ctx context.Context) error {
	t.gen = filepath.Join(t.dir, "gen")
	return compile(ctx, t.gen, ours+"/bench/gen")
}

// compile builds the package name as the file to.
func compile(ctx context.Context, to, name string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", to, name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := runQuietly(cmd); err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	return nil
}

// add returns the command line that adds rows to the server's list.
func (t *tools) add(more ...string) []string {
	args := []string{t.klaviyo, "add", "--quiet", "--no-rate-limit", "--max-invalid", "100%"}
	return append(append(args, "--base-url", "URL", "--list-id", list), more...)
}

// candidates returns the peers that run only where their programs are installed.
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
	needs []string // programs that must be installed; the first one runs
	make  func(ctx context.Context, paths []string) (*peer, error)
}

// find returns klaviyo-export and the wanted peers that can run here. For each wanted peer that cannot run, missing
// has its name and the reason.
func (t *tools) find(ctx context.Context, wanted func(name string) bool) (found []*peer, missing []string, err error) {
	found = []*peer{{name: ours, args: t.add(), sends: true, results: true, exact: true}}
	for _, own := range []struct{ name, command string }{
		{"floor: one goroutine", "floor"},
		{"one channel send per row", "rowwise"},
	} {
		if wanted(own.name) {
			found = append(found, &peer{
				name: own.name, own: true, args: []string{own.command, "-url", "URL"},
				sends: true, results: true, exact: true,
			})
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
		return nil, fmt.Errorf("run %s --version: %w", c.needs[0], err)
	}
	p.name = c.name
	p.version, _, _ = strings.Cut(strings.TrimSpace(string(version)), "\n")
	return p, nil
}

// python returns the peer by_hand.py. It runs the interpreter itself, because python3 may be a script that starts it.
func (t *tools) python(ctx context.Context, paths []string) (*peer, error) {
	interpreter, err := exec.CommandContext(ctx, paths[0], "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return nil, fmt.Errorf("find the interpreter behind python3: %w", err)
	}
	script := filepath.Join(t.dir, "by_hand.py")
	if err := os.WriteFile(script, byHand, 0o600); err != nil {
		return nil, err
	}
	args := []string{strings.TrimSpace(string(interpreter)), script, "URL", list}
	return &peer{args: args, sends: true, results: true}, nil
}

// node installs Klaviyo's package for Node and returns the peer sdk.js.
func (t *tools) node(ctx context.Context, paths []string) (*peer, error) {
	install := exec.CommandContext(ctx, paths[1], "install", "--prefix", t.dir,
		"--no-save", "--no-audit", "--no-fund", "--ignore-scripts", sdkPackage)
	if err := runQuietly(install); err != nil {
		return nil, fmt.Errorf("install %s: %w", sdkPackage, err)
	}
	return t.script(paths[0])
}

// script returns the peer sdk.js, whose package is in node_modules of the folder.
func (t *tools) script(node string) (*peer, error) {
	script := filepath.Join(t.dir, "sdk.js")
	if err := os.WriteFile(script, sdk, 0o600); err != nil {
		return nil, err
	}
	return &peer{args: []string{node, script, "URL", list}, sends: true, results: true}, nil
}

// benthos returns the peer benthos.yaml. The program has two names with different command lines.
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
