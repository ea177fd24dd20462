package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var (
	long = flag.Bool("long", false, "run the long tests too")
	full = flag.Bool("full", false, "measure the memory of inputs of the whole size")
)

// TestMain lets the test binary be the processes that compare and memory start.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "bench" {
		main()
	}
	if os.Getenv("BENCH_TESTS") != "" {
		panic("a process that the tests started runs the tests")
	}
	os.Setenv("BENCH_TESTS", "running")
	os.Exit(m.Run())
}

// A wrong command line ends with exit status 2, an explanation on standard error, and no output.
func TestUsage(t *testing.T) {
	for _, c := range []struct{ name, args, says string }{
		{"no command", "", "usage: bench COMMAND"},
		{"unknown command", "comapre", "usage: bench COMMAND"},
		{"argument", "compare x", `unexpected argument "x"`},
		{"no rounds", "compare -rounds 0", "-rounds: expected a number above 0, got 0"},
		{"size zero", "compare -sizes 0", `-sizes: expected numbers above 0, separated by commas, got "0"`},
		{"no size for all programs", "compare -sizes 2000000", `expected at least one size up to 1000000, got "2000000"`},
		{"size that is no integer", "compare -sizes 1e3", `got "1e3"`},
		{"rows that are no number", "memory -rows x", "-rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, said strings.Builder
			code := run(t.Context(), strings.Fields(c.args), stdio{nil, &out, &said})
			if code != 2 || out.Len() > 0 || !strings.Contains(said.String(), c.says) {
				t.Errorf("expected exit status 2 and %q, got %d, %q and the output %q", c.says, code, &said, &out)
			}
		})
	}
}
