// Command klaviyo-export adds people to a Klaviyo list, or removes them from it. It reads rows as NDJSON and reports
// the outcome of every row. Start reading in pipeline/cli.
package main

import (
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"klaviyo-export/pipeline/cli"
)

func main() { os.Exit(run(nil)) }

// run is the whole program. aroundSimulator is nil outside tests.
func run(aroundSimulator func(http.Handler) http.Handler) int {
	// A write to a closed pipe has to fail as any other write, so that the run still ends with its report. The signal is
	// caught, not ignored: the commands that schedule starts would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	cli.SetMemory()
	program := cli.Program{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, AroundSimulator: aroundSimulator}
	return program.Run(os.Args[1:])
}
