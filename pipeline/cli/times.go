package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline/schedule"
)

// timesFlags say with <cron> when a command runs. A workflow says all of that itself.
type timesFlags struct {
	Timezone       string        `default:"UTC" placeholder:"ZONE" help:"IANA name of the time zone, such as Asia/Tokyo."`
	Delay          time.Duration `placeholder:"DURATION" help:"Start each run this long after its time, for example 5m."`
	Start          schedule.Date `placeholder:"DATE" help:"First day, as YYYY-MM-DD."`
	End            schedule.Date `placeholder:"DATE" help:"Last day, as YYYY-MM-DD."`
	SkipOnOvertime bool          `help:"${help_skip_on_overtime}"`
	SkipDelayedBy  time.Duration `placeholder:"DURATION" help:"Skip runs that would start later than this."`
}

var timesHelp = kong.Vars{
	"help_skip_on_overtime": "Skip runs whose time comes during another run. Without this flag they follow one by one.",
}

func (f *timesFlags) check(g given) error {
	err := g.useless("workflow", "the workflow's own schedule counts",
		"timezone", "delay", "start", "end", "skip-on-overtime", "skip-delayed-by")
	switch {
	case err != nil:
		return err
	case f.Delay < 0 || f.Delay > 366*24*time.Hour || f.Delay%time.Second != 0:
		return fmt.Errorf("--delay: expected whole seconds from 0s to 8784h (366 days), got %v", f.Delay)
	case f.SkipDelayedBy < 0:
		return fmt.Errorf("--skip-delayed-by: expected 0s or more, got %v", f.SkipDelayedBy)
	}
	return nil
}

// plan reads the schedule of a command; given tells whether there is a cron expression at all.
func (f *timesFlags) plan(expression string, command []string, given bool) (*schedule.Plan, error) {
	if !given {
		return nil, errors.New("missing schedule: expected <cron>, such as '30 6 * * *', or --workflow FILE")
	}
	cron, err := schedule.Parse(expression)
	if err != nil && len(command) > 0 && command[0] != "--" {
		return nil, fmt.Errorf("cron expression: expected five fields as one argument in quotes, got %.100q; "+
			"put -- before the command, as in '30 6 * * *' -- ./export.sh", expression)
	}
	if err != nil {
		return nil, fmt.Errorf("cron expression %.100s: %w", expression, err)
	}
	zone, err := schedule.Zone(f.Timezone)
	if err != nil {
		return nil, fmt.Errorf("--timezone: %w", err)
	}
	plan := &schedule.Plan{
		Schedule: cron, Location: zone, Delay: f.Delay, Start: f.Start, End: f.End,
		SkipOnOvertime: f.SkipOnOvertime, SkipDelayedBy: f.SkipDelayedBy,
	}
	return plan, plan.Check()
}
