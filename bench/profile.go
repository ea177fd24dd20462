package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime/pprof"
	"strconv"
)

// profile writes a CPU profile of a whole run in this process to standard output, in the format of pprof. .ci/build
// gives add.pgo, which was made so, to the compiler, which inlines calls that take much time.
func profile(ctx context.Context, args []string, std stdio) error {
	flags := flag.NewFlagSet("profile", flag.ContinueOnError)
	rows := flags.Int("rows", 4_000_000, "rows to send")
	if err := parse(flags, args, std); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "klaviyo-export-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tools := &tools{dir: dir}
	if err := tools.compileGenerator(ctx); err != nil {
		return err
	}
	server, err := startServer(ctx, 0)
	if err != nil {
		return err
	}
	defer func() { _, _ = server.stop() }()
	gen := exec.CommandContext(ctx, tools.gen, "-n", strconv.Itoa(*rows))
	in, err := gen.StdoutPipe()
	if err != nil {
		return err
	}
	if err := errors.Join(gen.Start(), pprof.StartCPUProfile(std.out)); err != nil {
		return err
	}
	sent, _, err := allocated(ctx, server.url, in)
	pprof.StopCPUProfile()
	if err := errors.Join(err, gen.Wait()); err != nil {
		return err
	}
	if sent != int64(*rows) {
		return fmt.Errorf("%d of %d rows were read", sent, *rows)
	}
	return nil
}
