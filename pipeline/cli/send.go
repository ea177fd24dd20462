package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
)

type sendCommand struct {
	campaignFlags `group:"campaign"`
	klaviyoFlags  `group:"klaviyo"`
	messageFlags  `group:"messages"`
}

// campaignFlags say which campaign is sent, and when it is not.
type campaignFlags struct {
	Campaign      string        `required:"" placeholder:"ID" help:"Send the campaign with this id."`
	Clone         string        `placeholder:"NAME" help:"${help_clone}"`
	MaxRecipients int64         `required:"" placeholder:"N" help:"${help_max_recipients}"`
	MinRecipients int64         `default:"1" placeholder:"N" help:"${help_min_recipients}"`
	NoEstimate    bool          `help:"${help_no_estimate}"`
	Again         bool          `help:"${help_again}"`
	DryRun        bool          `help:"Check everything and say what would be sent. No campaign is cloned or sent."`
	WaitTimeout   time.Duration `default:"5m" placeholder:"DURATION" help:"${help_send_timeout}"`
}

var campaignHelp = kong.Vars{
	"help_clone": "Clone the campaign under this name, make the list the clone's audience, and send the clone. " +
		"If a campaign has the name already, nothing is sent.",
	"help_max_recipients": "Do not send if Klaviyo estimates more recipients than this.",
	"help_min_recipients": "Do not send if Klaviyo estimates fewer recipients than this.",
	"help_no_estimate": "Send also if Klaviyo gives no estimate in time. An estimate that comes has to be within the " +
		"bounds.",
	"help_again": "Send also if the results say that a campaign was sent before. It still has to be a draft without a " +
		"send job.",
	"help_send_timeout": "Wait up to this long for the estimate, and again for the campaign's status, from 1s to 24h.",
}

func (*sendCommand) Help() string {
	return `Reads the results of add, mirror or subscribe from standard input and passes every line on unchanged. Then it
sends the campaign once, if the results prove that every row is on the list. The campaign has to be a draft with one
email message and a template, and the list has to be its only audience. Otherwise it is not sent and the exit status
is 1. The report, which is passed on too, gets the campaign's status.

A line with the campaign's id is written before Klaviyo is asked to send it. Klaviyo is asked once: not again after an
error, and not again for the same results without --again.

Exit status:

    0         the campaign is sent, being sent or scheduled
    1         it was not sent, or Klaviyo cancelled it
    2         it could not run: flags, key, campaign, lines that are no results
    3         Klaviyo did not say in time how the sending goes
    4         Klaviyo or the network failed: see the campaign's status
    130, 143  stopped by a signal

Example:

    set -o pipefail
    klaviyo-export add --list-name Newsletter --wait < people.ndjson |
      klaviyo-export send --campaign 01JD0X4VPQ --max-recipients 5000 \
        > results.ndjson`
}

func (f *campaignFlags) check(g given) error {
	switch {
	case f.Campaign == "":
		return errors.New(`--campaign: expected the id of a campaign, got ""`)
	case g["clone"] && f.Clone == "":
		return errors.New(`--clone: expected a name, got ""`)
	case f.MaxRecipients < 1:
		return fmt.Errorf("--max-recipients: expected 1 or more, got %d", f.MaxRecipients)
	case f.MinRecipients < 0:
		return fmt.Errorf("--min-recipients: expected 0 or more, got %d", f.MinRecipients)
	case f.MinRecipients > f.MaxRecipients:
		return fmt.Errorf("--min-recipients: expected at most the %d of --max-recipients, got %d",
			f.MaxRecipients, f.MinRecipients)
	case f.WaitTimeout < time.Second || f.WaitTimeout > 24*time.Hour:
		return fmt.Errorf("--wait-timeout: expected 1s to 24h, got %s", brief(f.WaitTimeout))
	}
	return g.apart("again", "a clone is always sent for the first time", "clone")
}

// options returns the options of the command, without a client.
func (s *sendCommand) options() *pipeline.SendOptions {
	return &pipeline.SendOptions{
		BaseURL: s.BaseURL, Campaign: s.Campaign, Clone: s.Clone,
		MinRecipients: s.MinRecipients, MaxRecipients: s.MaxRecipients, NoEstimate: s.NoEstimate, Again: s.Again,
		DryRun: s.DryRun, WaitTimeout: s.WaitTimeout,
	}
}

func (s *sendCommand) Run(c *console, g given) error {
	if err := cmp.Or(s.campaignFlags.check(g), s.messageFlags.check(g), s.klaviyoFlags.check(g)); err != nil {
		return err
	}
	s.messageFlags.apply(c)
	client, badKey, err := s.asking(c, 10*time.Minute)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(c.abort, client.Abort)()
	c.expect("the results of a run")
	c.ending.Store("passing on the results, and no campaign is sent any more; interrupt again to stop")
	o := s.options()
	o.Client, o.BadKey, o.Notice = client, badKey, c.note
	if exit, err := pipeline.Send(c.ctx, c.abort, o, c.In, c.Out); err != nil {
		return &exitError{err, exit}
	}
	return nil
}
