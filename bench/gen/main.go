// Gen prints made-up rows of a shop's customers as NDJSON. A share of the rows is bad, and -expect writes the
// status that each row must get. Start reading at generator.go.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run prints the rows that args ask for and returns the exit status: 0, 1 when writing failed, 2 for a usage error.
func run(args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	flags.SetOutput(errs)
	rows := flags.Int("n", 1000, "rows to print")
	seed := flags.Uint64("seed", 1, "seed; the same flags print the same bytes on every machine")
	bad := flags.Float64("bad", 3, "percentage of bad rows")
	operation := flags.String("operation", "add", "command that the rows are for: add or remove")
	expect := flags.String("expect", "", "file for the status that each row must get, one line per row")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	switch {
	case flags.NArg() > 0:
		fmt.Fprintf(errs, "gen: unexpected argument %q\n", flags.Arg(0))
		return 2
	case *rows < 0:
		fmt.Fprintf(errs, "gen: -n: expected 0 or more, got %d\n", *rows)
		return 2
	case !(*bad >= 0 && *bad <= 100):
		fmt.Fprintf(errs, "gen: -bad: expected 0 to 100, got %v\n", *bad)
		return 2
	case *operation != "add" && *operation != "remove":
		fmt.Fprintf(errs, "gen: -operation: expected add or remove, got %q\n", *operation)
		return 2
	}
	if err := printRows(newGenerator(*rows, *seed, *bad, *operation == "remove"), out, *expect); err != nil {
		fmt.Fprintf(errs, "gen: %v\n", err)
		return 1
	}
	return 0
}

// printRows writes all rows of g to out and, unless expect is empty, their expectations to the file expect.
func printRows(g *generator, out io.Writer, expect string) error {
	lines := bufio.NewWriterSize(out, 1<<18)
	if expect == "" {
		if err := g.writeAll(lines, nil); err != nil {
			return fmt.Errorf("write rows: %w", err)
		}
		return lines.Flush()
	}
	file, err := os.Create(expect)
	if err != nil {
		return fmt.Errorf("create the file for -expect: %w", err)
	}
	expectations := bufio.NewWriterSize(file, 1<<18)
	err = g.writeAll(lines, expectations)
	if err := errors.Join(err, lines.Flush(), expectations.Flush(), file.Close()); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	return nil
}
