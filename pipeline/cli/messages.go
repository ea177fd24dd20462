package cli

import (
	"os"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"klaviyo-export/pipeline"
	"klaviyo-export/report"
	"klaviyo-export/report/render"
)

// messageFlags say what a command prints to standard error.
type messageFlags struct {
	Quiet     bool   `help:"${help_quiet}"`
	LogFormat string `enum:"text,json," default:"" placeholder:"text|json" help:"${help_log_format}"`
}

var messageHelp = kong.Vars{
	"help_quiet": "Print only errors to standard error. " +
		"Without this flag the progress is shown if standard error is a terminal and standard output is not.",
	"help_log_format": "Write events to standard error instead of messages, with the progress every 30 seconds.",
}

// logEvery is how often a log has the progress.
const logEvery = 30 * time.Second

func (f *messageFlags) check(g given) error { return g.apart("quiet", "", "log-format") }

// apply makes the console print as the flags say.
func (f *messageFlags) apply(c *console) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quiet = f.Quiet
	if f.LogFormat != "" {
		c.log = render.NewLog(c.Err, f.LogFormat)
	}
}

// work runs a command's work and shows how it goes. It returns the error with the exit status that the report carries.
func (c *console) work(o *pipeline.Options, title string, work func() (*report.Report, error)) (*report.Report, error) {
	o.Gauge = new(pipeline.Gauge)
	c.ending.Store("finishing requests in flight; interrupt again to abandon them")
	done := c.show(o, title)
	rep, err := work()
	done(rep)
	if err != nil {
		return rep, &exitError{err, rep.ExitCode}
	}
	return rep, nil
}

// show shows the progress of a run until done is called.
func (c *console) show(o *pipeline.Options, title string) (done func(*report.Report)) {
	if c.log != nil {
		c.log.Info("started", "command", title, "list_id", o.List.ID, "list_name", o.List.Name, "version", o.Version)
		stop := render.LogProgress(c.log, logEvery, o.Gauge.Moment)
		return func(rep *report.Report) {
			stop()
			c.log.Info("ended", "status", rep.Status, "exit_code", rep.ExitCode, "seconds", rep.Seconds, "rows", rep.Rows)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	terminal, ok := c.errs.(*os.File)
	if c.quiet || !ok || !render.Interactive(terminal) || isTerminal(c.In) || isTerminal(c.Out) {
		return func(*report.Report) {}
	}
	width := func() int {
		columns, _, _ := term.GetSize(int(terminal.Fd()))
		return columns
	}
	progress := render.NewProgress(terminal, title, width, o.Gauge.Moment)
	c.errs = progress
	return func(rep *report.Report) {
		progress.Close()
		if rep.ExitCode == 0 {
			c.note(pipeline.Counts(rep.Rows))
		}
	}
}
