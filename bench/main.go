// Bench measures klaviyo-export from outside: beside the programs that people use instead, and its memory while
// Klaviyo is slow. Start reading at compare.go for the first and at memory.go for the second.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// stdio is the streams that a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// commands are the commands of this program. compare and memory start some of the others as processes of their own.
var commands = []struct {
	name, does string
	run        func(context.Context, []string, stdio) error
}{
	{"compare", "run klaviyo-export and the programs that people use instead on the same rows", compare},
	{"operations", "compare every other operation in the same way", operationsCommand},
	{"memory", "watch the memory of klaviyo-export while the server is slow", memory},
	{"serve", "answer imports and count them", serve},
	{"floor", "do a whole run in one goroutine", floor},
	{"rowwise", "do a whole run with one channel send per row", rowwise},
	{"allocations", "count the heap allocations of a run in this process", allocations},
	{"profile", "write the CPU profile with which .ci/build compiles", profile},
}

// errUsage says that the command line is wrong and that standard error says why.
var errUsage = errors.New("usage")

// run runs a command and returns the exit status: 0, 1 when the command failed, 2 for a usage error.
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
	fmt.Fprintln(std.err, "usage: bench COMMAND [FLAG…], inside the repository")
	for _, c := range commands {
		fmt.Fprintf(std.err, "  %-12s %s\n", c.name, c.does)
	}
	return 2
}

// parse reads the flags of a command that accepts no arguments.
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
