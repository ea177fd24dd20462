package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The scripts that are compared with klaviyo-export work: they lose no good row, and count what they send.
func TestScripts(t *testing.T) {
	dir := t.TempDir()
	tools := &tools{dir: dir}
	installed, err := sdkModules()
	if err != nil {
		t.Log(err)
	} else if err := os.Symlink(installed, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, script := range []struct {
		name   string
		leaked int64 // bad rows that the script sends
		find   func() (*peer, error)
	}{
		{"python", 16, func() (*peer, error) {
			path, err := exec.LookPath("python3")
			if err != nil {
				return nil, err
			}
			return tools.python(t.Context(), []string{path})
		}},
		{"node", 17, func() (*peer, error) {
			path, missing := exec.LookPath("node")
			if err := errors.Join(err, missing); err != nil {
				return nil, err
			}
			return tools.script(path)
		}},
	} {
		t.Run(script.name, func(t *testing.T) {
			p, err := script.find()
			if err != nil {
				t.Skip(err)
			}
			p.name = script.name
			run, err := p.run(t.Context(), sample(t), 0, filepath.Join(dir, "results"))
			if err != nil {
				t.Fatal(err)
			}
			if run.accuracy.lost > 0 || run.accuracy.leaked != script.leaked {
				t.Errorf("expected 0 good rows lost and %d bad ones sent, got %+v", script.leaked, run.accuracy)
			}
			if run.cpu <= 0 || run.wall <= 0 || run.rss < 1e6 || run.counts.Requests != 1 {
				t.Errorf("expected time, memory and one request, got %+v", run)
			}
		})
	}
}

// sdkModules returns the folder of Node's packages in $NODE_PATH, if klaviyo-api is there.
func sdkModules() (string, error) {
	path := os.Getenv("NODE_PATH")
	_, err := os.Stat(filepath.Join(path, "klaviyo-api"))
	return path, err
}

// build builds the generator and klaviyo-export in dir. It takes less time than release.
func build(ctx context.Context, dir string) (*tools, error) {
	t := &tools{dir: dir, klaviyo: filepath.Join(dir, ours)}
	return t, errors.Join(compile(ctx, t.klaviyo, ours), t.compileGenerator(ctx))
}
