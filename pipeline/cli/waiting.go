package cli

import (
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
)

// waitFlags turn waiting on.
type waitFlags struct {
	Wait   bool `help:"Wait until Klaviyo has done what it accepted, and report the outcome of each row."`
	Verify bool `help:"${help_verify}"`
	waitingFlags
}

// check refuses the flags of waiting without waiting.
func (f *waitFlags) check(g given) error {
	if !g["verify"] && !g["state"] {
		if err := g.needs("wait", "wait-timeout", "max-open-jobs"); err != nil {
			return err
		}
	}
	if err := g.useless("dry-run", "nothing is sent", "wait", "verify"); err != nil {
		return err
	}
	return f.waitingFlags.check()
}

// verifiedJobs is how many import jobs are waited for at once with --verify: reading back takes much longer than
// importing, and the rows that wait for it take memory.
const verifiedJobs = 32

// apply sets the options of a run.
func (f *waitFlags) apply(g given, o *pipeline.Options) {
	f.waitingFlags.apply(o, f.Wait || f.Verify || g["state"])
	if o.Verify = f.Verify; f.Verify && !g["max-open-jobs"] {
		o.MaxOpenJobs = verifiedJobs
	}
}

// waitingFlags say how import jobs are waited for.
type waitingFlags struct {
	WaitTimeout time.Duration `default:"1h" placeholder:"DURATION" help:"${help_wait_timeout}"`
	MaxOpenJobs int           `default:"256" placeholder:"N" help:"${help_max_open_jobs}"`
}

var waitingHelp = kong.Vars{
	"help_verify": "Read applied rows back on the list, 100 per request, and report whether each person is there and " +
		"since when. add then waits as with --wait.",
	"help_wait_timeout":  "Wait up to this long for each import job, or for consent to show, from 5m to 24h.",
	"help_max_open_jobs": "Wait for at most this many import jobs at once. The number bounds memory.",
}

func (f *waitingFlags) check() error {
	switch {
	case f.WaitTimeout < 5*time.Minute || f.WaitTimeout > 24*time.Hour:
		return fmt.Errorf("--wait-timeout: expected 5m to 24h, got %s", brief(f.WaitTimeout))
	case f.MaxOpenJobs < 1 || f.MaxOpenJobs > 10_000:
		return fmt.Errorf("--max-open-jobs: expected 1 to 10000, got %d", f.MaxOpenJobs)
	}
	return nil
}

// apply sets the options of a run that waits or does not.
func (f *waitingFlags) apply(o *pipeline.Options, wait bool) {
	o.Wait, o.WaitTimeout, o.MaxOpenJobs = wait, f.WaitTimeout, f.MaxOpenJobs
}
