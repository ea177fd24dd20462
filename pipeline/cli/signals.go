package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"klaviyo-export/pipeline"
)

// catchSignals sets the console's contexts. The first signal ends ctx, the second ends abort, and the third has the
// system's default effect again. It returns what gives the signals back.
func (c *console) catchSignals() (release func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	abort, abandon := context.WithCancel(context.Background())
	c.ctx, c.abort = ctx, abort
	signals, done := make(chan os.Signal, 2), make(chan struct{})
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // by the parent: a shell's background job ignores SIGINT, nohup SIGHUP
			signal.Notify(signals, s)
		}
	}
	go func() { // ends with release, which waits for it
		defer close(done)
		first, ok := <-signals
		if !ok {
			return
		}
		cancel(interruption(first))
		go c.note(fmt.Sprintf("%v: %s", first, c.ending.Load())) // unwaited: a write to standard error may block
		if _, ok := <-signals; ok {
			abandon()
			signal.Stop(signals)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
		cancel(nil)
		abandon()
	}
}

// interruption returns the cause with which a signal ends a run.
func interruption(s os.Signal) error {
	switch s {
	case os.Interrupt:
		return &pipeline.Interrupted{Signal: "SIGINT", ExitCode: 130}
	case syscall.SIGHUP:
		return &pipeline.Interrupted{Signal: "SIGHUP", ExitCode: 143}
	}
	return &pipeline.Interrupted{Signal: "SIGTERM", ExitCode: 143}
}
