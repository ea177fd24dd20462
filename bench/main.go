// Bench measures klaviyo-export from outside: against what people would use instead, and for its memory while Klaviyo is slow.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// stdio is where a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// commands are what run knows. Those after memory are the processes that the first two start.
var commands = []struct {
	name, does string
	run        func(context.Context, []string, stdio) error
}{
	{"compare", "run klaviyo-export and what people use instead on the same rows", compare},
	{"memory", "watch klaviyo-export while the server is slow: its memory must not grow", memory},
	{"serve", "answer imports and count them", serve},
	{"floor", "do the whole job in one goroutine", floor},
	{"items", "do the whole job with one channel item a row", items},
	{"allocations", "count the allocations of a run in this process", allocations},
}

// errUsage says that the command line is wrong and people know it.
var errUsage = errors.New("usage")

// run returns the exit status: 0, 1 when something failed, 2 for a usage error.
func run(ctx context.Context, args []string, std stdio) int {
	for _, c := range commands {
		if len(args) == 0 || c.name != args[0] {
			continue
		}
		err := c.run(ctx, args[1:], std)
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.Is(err, errUsage):
			return 2
		}
		fmt.Fprintf(std.err, "bench: %s: %v\n", c.name, err)
		return 1
	}
	fmt.Fprintln(std.err, "usage: bench COMMAND [FLAG…], from inside the repository")
	for _, c := range commands {
		fmt.Fprintf(std.err, "  %-12s %s\n", c.name, c.does)
	}
	return 2
}

// parse reads flags that take no arguments behind them.
func parse(flags *flag.FlagSet, args []string, std stdio) error {
	flags.SetOutput(std.err)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(std.err, "bench: %s: unexpected argument %q\n", flags.Name(), flags.Arg(0))
		return errUsage
	}
	return nil
}

// self returns one of the other commands as a process of its own.
func self(ctx context.Context, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Args[0] = "bench"
	return cmd, nil
}
