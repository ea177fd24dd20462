package cli

import (
	"cmp"
	"context"
	"time"

	"klaviyo-export/pipeline"
	"klaviyo-export/report"
)

type waitCommand struct {
	Verify       bool           `group:"waiting" help:"${help_verify}"`
	MaxInvalid   pipeline.Bound `group:"waiting" default:"0" placeholder:"N|N%" help:"${help_max_invalid}"`
	waitingFlags `group:"waiting"`
	klaviyoFlags `group:"klaviyo"`
	messageFlags `group:"messages"`
}

func (*waitCommand) Help() string {
	return `Reads results from standard input. Rows that are accepted there get their final status. All other rows are
passed on unchanged. Pass --max-invalid here too, where the earlier run had it. With --verify,
applied rows that were not read back before are read back on the list.

Example:

    klaviyo-export wait < results.ndjson > final.ndjson`
}

// options returns the options of the run.
func (w *waitCommand) options() *pipeline.Options {
	o := &pipeline.Options{Version: version(), BaseURL: w.BaseURL, Verify: w.Verify, MaxInvalid: w.MaxInvalid}
	w.waitingFlags.apply(o, true)
	return o
}

func (w *waitCommand) Run(c *console, g given) error {
	if err := cmp.Or(w.waitingFlags.check(), w.messageFlags.check(g), w.klaviyoFlags.check(g)); err != nil {
		return err
	}
	w.messageFlags.apply(c)
	client, badKey, err := w.asking(c, time.Minute)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(c.abort, client.Abort)()
	o := w.options()
	o.Client, o.BadKey = client, badKey
	c.expect("the results of an earlier run")
	_, err = c.work(o, "wait", func() (*report.Report, error) { return pipeline.Wait(c.ctx, o, c.In, c.Out) })
	return err
}
