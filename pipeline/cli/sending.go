package cli

import (
	"cmp"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
	"klaviyo-export/sink"
)

// sendingFlags say how rows are sent.
type sendingFlags struct {
	DryRun        bool          `help:"Look up the key and the list and check the rows, but send and create nothing."`
	PrintRequests bool          `help:"${help_print_requests}"`
	CheckFirst    bool          `help:"${help_check_first}"`
	Resume        string        `placeholder:"RESULTS" help:"${help_resume}"`
	Concurrency   int           `default:"4" placeholder:"N" help:"Send this many requests at once."`
	BatchDelay    time.Duration `default:"5s" placeholder:"DURATION" help:"${help_batch_delay}"`
	RateShare     int           `default:"100" placeholder:"PERCENT" help:"${help_rate_share}"`
	NoRateLimit   bool          `help:"${help_no_rate_limit}"`
	RetryFor      time.Duration `default:"10m" placeholder:"DURATION" help:"${help_retry_for}"`
}

var sendingHelp = kong.Vars{
	"help_check_first": "Read and check all rows before the first one is sent. " +
		"Send nothing when --max-invalid, --expect-rows or --min-rows is not met. Rows from a pipe are kept in a " +
		"temporary file.",
	"help_print_requests": "With --dry-run, print the bodies of the requests that would be sent, one a line, in place " +
		"of results. A list that would be created has the id PRINTED.",
	"help_resume": "Continue the run that wrote this results file. " +
		"Rows that are applied, accepted, skipped or rejected there are neither sent nor printed again. " +
		"With --wait, add and mirror wait for the import jobs of accepted rows, and print their results.",
	"help_batch_delay": "Send a request that is not full after this time.",
	"help_rate_share": "Use this share of Klaviyo's rate limits, from 10 to 100. " +
		"The rest is left to the account's other integrations.",
	"help_no_rate_limit": "Do not pace requests. A 429 answer still makes the run wait. " +
		"For a proxy that paces requests itself; refused for klaviyo.com.",
	"help_retry_for": "Retry for this time while no request succeeds, then give up.",
}

// check takes the address too: Klaviyo itself is always paced.
func (f *sendingFlags) check(g given, baseURL string) error {
	switch {
	case f.Concurrency < 1 || f.Concurrency > 100:
		return fmt.Errorf("--concurrency: expected 1 to 100, got %d", f.Concurrency)
	case f.BatchDelay < 10*time.Millisecond || f.BatchDelay > time.Hour:
		return fmt.Errorf("--batch-delay: expected 10ms to 1h, got %v", f.BatchDelay)
	case f.RateShare < 10 || f.RateShare > 100:
		return fmt.Errorf("--rate-share: expected 10 to 100, got %d", f.RateShare)
	case f.RetryFor < 0:
		return fmt.Errorf("--retry-for: expected 0s or more, got %v", f.RetryFor)
	case g["resume"] && f.Resume == "":
		return fmt.Errorf(`--resume: expected a results file, got ""`)
	case f.NoRateLimit && !g["simulate"] && sink.IsKlaviyo(baseURL):
		return fmt.Errorf("--no-rate-limit is refused for klaviyo.com: the run would exceed Klaviyo's rate limits")
	}
	return cmp.Or(g.needs("dry-run", "print-requests"), g.useless("no-rate-limit", "", "rate-share"),
		g.useless("dry-run", "nothing is sent", "concurrency", "batch-delay"))
}

// apply sets the options of a run and of its client.
func (f *sendingFlags) apply(o *pipeline.Options, client *sink.Options) {
	o.DryRun, o.Print = f.DryRun, f.PrintRequests
	o.CheckFirst, o.Concurrency, o.BatchDelay = f.CheckFirst, f.Concurrency, f.BatchDelay
	if f.PrintRequests {
		o.Concurrency = 1 // in the order of the rows
	}
	client.Concurrency, client.RateShare, client.RetryFor = f.Concurrency, f.RateShare, f.RetryFor
	if f.NoRateLimit {
		client.RateShare = 0
	}
}
