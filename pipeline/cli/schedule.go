package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline/schedule"
	"klaviyo-export/pipeline/workflow"
)

type scheduleCommand struct {
	Cron          string   `arg:"" optional:"" help:"${help_cron}"`
	Command       []string `arg:"" optional:"" passthrough:"partial" help:"Command to run, after --."`
	Workflow      string   `group:"workflow" placeholder:"FILE" help:"${help_workflow}"`
	variableFlags `group:"workflow"`
	timesFlags    `group:"times"`
	runsFlags     `group:"runs"`
	lookFlags     `group:"looking"`
}

// runsFlags say how runs are logged and when the schedule ends because of them.
type runsFlags struct {
	GiveUpAfter int    `default:"5" placeholder:"N" help:"${help_give_up_after}"`
	Log         string `placeholder:"FILE" help:"${help_log}"`
}

var scheduleHelp = kong.Vars{
	"help_cron": "Minute, hour, day of month, month and day of week, as one argument in quotes; " +
		"or @hourly, @daily and so on; or \"\" for never.",
	"help_workflow": "Read the times from the schedule section of a digdag workflow (.dig), instead of <cron>.",
	"help_give_up_after": "End after this many runs in a row with exit status 2: " +
		"they fail until someone fixes the cause. 0 means never.",
	"help_log": "Append one JSON line per run to this file. Without this flag the lines go to standard error.",
}

func (*scheduleCommand) Help() string {
	return `The command finds its scheduled time in the environment, as SCHEDULED_TIME and SCHEDULED_UNIXTIME.

If both the day of month and the day of week are restricted, the one that fires more often counts.

SIGTERM ends the schedule after the run in progress. A second SIGTERM is passed on to that run.

Examples:

    klaviyo-export schedule --timezone Asia/Tokyo '30 6 * * *' -- ./export.sh
    klaviyo-export schedule --workflow export.dig -- ./export.sh
    klaviyo-export schedule --next 5 --timezone Europe/Berlin '0 0 1 * 1'`
}

func (s *scheduleCommand) Run(c *console, g given, line *kong.Context) error {
	if err := s.check(g); err != nil {
		return err
	}
	plan, command, err := s.read(c, g, line)
	switch {
	case err != nil:
		return err
	case s.looks():
		return s.look(c, plan, command)
	}
	return s.run(c, plan, command)
}

// check finds the flags that have no effect together.
func (s *scheduleCommand) check(g given) error {
	for _, look := range []string{"next", "explain", "export"} {
		if err := g.useless(look, "the command does not run", "log", "give-up-after"); err != nil {
			return err
		}
	}
	if !g["explain"] && !g["export"] {
		const times = "it prints scheduled times; --explain says when runs start"
		if err := g.useless("next", times, "delay", "skip-on-overtime", "skip-delayed-by"); err != nil {
			return err
		}
	}
	if s.GiveUpAfter < 0 {
		return fmt.Errorf("--give-up-after: expected 0 or more runs, got %d", s.GiveUpAfter)
	}
	return cmp.Or(g.needs("workflow", "set", "secrets"), s.lookFlags.check(g), s.timesFlags.check(g))
}

// read returns the schedule and the command.
func (s *scheduleCommand) read(c *console, g given, line *kong.Context) (*schedule.Plan, []string, error) {
	if !g["workflow"] {
		plan, err := s.timesFlags.plan(s.Cron, s.Command, positionals(line) > 0)
		return plan, afterDashes(s.Command), err
	}
	var command []string
	if dashes := slices.Index(line.Args, "--"); dashes >= 0 {
		command = line.Args[dashes+1:]
	}
	// Kong takes the first word after -- for <cron>.
	if positionals(line) > 0 && 1+len(s.Command) != len(command) {
		return nil, nil, fmt.Errorf("<cron> and --workflow cannot be combined: got %q; put -- before the command", s.Cron)
	}
	plan, err := within(c, func() (*schedule.Plan, error) {
		return schedule.FromWorkflow(s.Workflow, workflow.Options{Set: s.Set, Secrets: s.Secrets, Env: os.LookupEnv})
	})
	return plan, command, err
}

// positionals returns how many arguments a line has beside its flags; a command with its own is one.
func positionals(line *kong.Context) (n int) {
	for _, step := range line.Path {
		if step.Positional != nil {
			n++
		}
	}
	return n
}

// afterDashes takes off the -- in front of a command.
func afterDashes(words []string) []string {
	if len(words) > 0 && words[0] == "--" {
		return words[1:]
	}
	return words
}

// run runs the command at the times of the plan until there are no more or a signal comes.
func (f *runsFlags) run(c *console, plan *schedule.Plan, command []string) error {
	if len(command) == 0 {
		return errors.New("missing command: put it after --, as in schedule '30 6 * * *' -- ./export.sh")
	}
	log := c.Err
	if f.Log != "" {
		file, err := within(c, func() (*os.File, error) {
			return os.OpenFile(f.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		})
		if err != nil {
			return fmt.Errorf("open the log of runs: %w", err)
		}
		defer file.Close()
		log = file
	}
	c.ending.Store("finishing the run in progress; interrupt again to pass the signal on to it")
	o := f.options(plan)
	o.Command, o.Stdin, o.Stdout, o.Stderr, o.Log = command, c.In, c.Out, c.Err, log
	err := schedule.Run(c.ctx, c.abort, o)
	if c.ctx.Err() != nil {
		return stopped(c.ctx)
	}
	return err
}

// options returns what the flags say of the runs.
func (f *runsFlags) options(plan *schedule.Plan) schedule.Options {
	return schedule.Options{Plan: *plan, GiveUpAfter: f.GiveUpAfter}
}
