package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/sink/simulator"
)

type simulateCommand struct {
	Addr        string        `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"${help_addr}"`
	NoRateLimit bool          `help:"Answer any number of requests."`
	JobTime     time.Duration `default:"1s" placeholder:"DURATION" help:"${help_job_time}"`
	Ledger      bool          `help:"${help_ledger}"`
	Plan        string        `placeholder:"FILE" help:"${help_plan}"`
}

var serverHelp = kong.Vars{
	"help_addr":     "Loopback address to listen on. Port 0 picks a free port.",
	"help_job_time": "Time that an import job is queued, and then again processing, and that a consent takes to show.",
	"help_ledger":   "Record which job put which profile on which list, for GET /simulator/ledger.",
	"help_plan":     "YAML file of faults, people and campaigns. testdata/plan.yaml has an example with comments.",
}

func (*simulateCommand) Help() string {
	return `Prints one line with the server's URL, then serves until it is stopped. It accepts every key except "invalid".
A key no-SCOPE lacks the scopes that begin with SCOPE: no-profiles lacks two, no-lists:write one.

GET /simulator/lists and /simulator/lists/ID/profiles show what the server holds. POST
/simulator/confirm?identifier=EMAIL confirms a double opt-in, as the person would.

Example:

    klaviyo-export simulate --addr 127.0.0.1:8025 &
    export KLAVIYO_API_KEY=any
    klaviyo-export add --base-url http://127.0.0.1:8025 --list-name X \
      < rows.ndjson`
}

func (s *simulateCommand) Run(c *console) error {
	o, err := s.options(c)
	if err != nil {
		return err
	}
	sim := simulator.New(o)
	url, err := sim.Start(s.Addr)
	if err != nil {
		return err
	}
	defer sim.Close()
	if _, err := fmt.Fprintf(c.Out, `{"type":"simulator","url":"%s"}`+"\n", url); err != nil {
		return err
	}
	<-c.ctx.Done()
	return stopped(c.ctx)
}

// options checks the flags and reads the plan.
func (s *simulateCommand) options(c *console) (o simulator.Options, err error) {
	if s.JobTime <= 0 {
		return o, fmt.Errorf("--job-time: expected more than 0s, got %v", s.JobTime)
	}
	o = simulator.Options{
		RateLimits: !s.NoRateLimit, JobTime: s.JobTime, Ledger: s.Ledger, Wrap: c.AroundSimulator,
	}
	if s.Plan != "" {
		o.Plan, err = within(c, func() (*simulator.Plan, error) { return readPlan(s.Plan) })
	}
	return o, err
}

// readPlan reads a file of faults.
func readPlan(name string) (*simulator.Plan, error) {
	text, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the plan of faults: %w", err)
	}
	defer text.Close()
	return simulator.ReadPlan(name, text)
}
