package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/term"

	"klaviyo-export/pipeline"
	"klaviyo-export/report/render"
)

// console is what a command has of its surroundings: streams, signals and messages.
type console struct {
	*Program
	settings *settingsKey // what run hands over beside its command line; nil elsewhere

	ctx    context.Context // ends with the first signal; it lives as long as the process
	abort  context.Context // ends with the second one
	ending atomic.Value    // what the first signal prints

	mu    sync.Mutex
	errs  io.Writer // standard error, or the progress display in front of it
	quiet bool
	log   *slog.Logger // nil: messages are lines of text
}

func newConsole(p *Program) *console {
	c := &console{Program: p, errs: p.Err}
	c.ending.Store("stopping")
	return c
}

// note prints a message as one line. It may be called at once.
func (c *console) note(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.quiet:
	case c.log != nil:
		c.log.Warn(text)
	default:
		fmt.Fprintf(c.errs, "klaviyo-export: %s\n", render.Discreet(text))
	}
}

// fail prints an error as one line, or the lines that it lists, and what to do about it unless hint is empty. No text
// within it begins a line.
func (c *console) fail(err error, hint string) {
	text := err.Error()
	lines := []string{text}
	var several interface{ Lines() []string }
	if errors.As(err, &several) {
		lines = several.Lines()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.log != nil && hint == "":
		c.log.Error(text)
	case c.log != nil:
		c.log.Error(text, "hint", hint)
	default:
		for _, line := range lines {
			fmt.Fprintf(c.errs, "klaviyo-export: %s\n", render.Discreet(line))
		}
		if hint != "" {
			fmt.Fprintf(c.errs, "hint: %s\n", render.Discreet(hint))
		}
	}
}

// expect says at a terminal that a command waits for its input.
func (c *console) expect(what string) {
	if isTerminal(c.In) {
		c.note("waiting for " + what + " on standard input; press Ctrl-D to end")
	}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// within returns what f returns, which opens or reads a file that the command line names. A signal ends the wait for
// the other end of a FIFO.
func within[T any](c *console, f func() (T, error)) (T, error) {
	value, err := pipeline.Within(c.ctx, f)
	if err != nil && c.ctx.Err() != nil {
		err = stopped(c.ctx)
	}
	return value, err
}

// stopped is the error of a command that a signal ended.
func stopped(ctx context.Context) error {
	var signal *pipeline.Interrupted
	if errors.As(context.Cause(ctx), &signal) {
		return &exitError{signal, signal.ExitCode}
	}
	return context.Cause(ctx)
}
