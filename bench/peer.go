package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ours is the name of the program that everything is compared with.
const ours = "klaviyo-export"

// peer is a program that reads the rows.
type peer struct {
	name    string
	version string
	own     bool     // the program is a command of this one
	args    []string // program and arguments, or arguments alone if own is set; URL stands for the server's URL
	env     []string
	clean   bool // the program stops at a bad row, so it gets rows without bad ones
	sends   bool // it sends the rows to the server
	results bool // it prints a result for each row
	exact   bool // all results must be as expected
}

// took is the cost of one run.
type took struct {
	wall, cpu time.Duration
	server    time.Duration // CPU of the server
	rss       int64         // peak in bytes, at least own
	own       int64         // peak of this process in bytes when it started the run
	counts    counts
	accuracy  accuracy
}

// key is the API key. The server ignores it.
const key = "KLAVIYO_API_KEY=pk_bench"

// run runs p over the rows of d and checks the outcome. The file results keeps what p prints.
func (p *peer) run(ctx context.Context, set *rowSet, delay time.Duration, results string) (took, error) {
	var t took
	server, err := startServer(ctx, delay)
	if err != nil {
		return t, err
	}
	if err = p.start(ctx, server.url, set, results, &t); err != nil {
		err = fmt.Errorf("%s: %w", p.name, err)
	}
	counts, stopped := server.stop()
	if err == nil {
		err = stopped
	}
	t.counts = counts
	if err == nil {
		err = p.check(set, results, &t)
	}
	return t, err
}

// start runs p to its end and measures its cost.
func (p *peer) start(ctx context.Context, url string, set *rowSet, results string, t *took) error {
	input := set.mixed
	if p.clean {
		input = set.clean
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

// command returns p as a process that is not started yet.
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

// check returns an error unless p handled every row.
func (p *peer) check(set *rowSet, results string, t *took) error {
	if !p.sends {
		lines := 0
		err := pieces(results, func(_ []byte, ends bool) {
			if ends {
				lines++
			}
		})
		if err == nil && lines != set.count {
			err = fmt.Errorf("%s: expected %d lines of output, got %d", p.name, set.count, lines)
		}
		return err
	}
	if !p.results {
		if most := int64(set.count); t.counts.Rows < set.valid || t.counts.Rows > most {
			return fmt.Errorf("%s: expected %d to %d rows sent, got %d", p.name, set.valid, most, t.counts.Rows)
		}
		return nil
	}
	var err error
	t.accuracy, err = score(results, set.expected)
	switch a := t.accuracy; {
	case err != nil:
		return fmt.Errorf("%s: %w", p.name, err)
	case a.lines != int64(set.count):
		return fmt.Errorf("%s: expected %d results, got %d", p.name, set.count, a.lines)
	case a.accepted != t.counts.Rows:
		return fmt.Errorf("%s: %d rows are accepted, but %d reached the server", p.name, a.accepted, t.counts.Rows)
	case p.exact && a.lost+a.leaked > 0:
		return fmt.Errorf("%s: expected every good row sent and no other, got %d lost and %d others sent",
			p.name, a.lost, a.leaked)
	}
	return nil
}
