package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"klaviyo-export/pipeline"
	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// transferFlags are the flags that add, remove and the commands like them share.
type transferFlags struct {
	listFlags       `group:"list"`
	rowFlags        `group:"rows"`
	listColumnFlags `group:"list"`
	sendingFlags    `group:"sending"`
	klaviyoFlags    `group:"klaviyo"`
	simulateFlags   `group:"klaviyo"`
	messageFlags    `group:"messages"`
}

// transfer is a run of such a command whose flags are right.
type transfer struct {
	*transferFlags
	given   given
	options *pipeline.Options
	client  sink.Options // without the key
}

// plan checks the flags. It uses no network and reads no file. rows has what the command itself says about the rows.
func (f *transferFlags) plan(g given, rows validate.Options) (*transfer, error) {
	options, err := f.rowFlags.options(g, rows)
	list := f.listFlags.checkSome
	switch rows.Operation {
	case validate.Mirror:
		list = f.listFlags.checkOne
	case validate.Subscribe, validate.Unsubscribe:
		list = f.listFlags.check
	}
	err = cmp.Or(list(g), f.listColumnFlags.check(g), f.simulateFlags.check(g), f.klaviyoFlags.check(g),
		f.sendingFlags.check(g, f.BaseURL), f.messageFlags.check(g), err)
	if err != nil {
		return nil, err
	}
	t := &transfer{f, g, options, f.klaviyoFlags.options()}
	t.options.List, t.options.Account = f.ref(), true
	t.options.Lists = f.listColumnFlags.options(g)
	if t.options.Simulated = f.Simulate; !f.Simulate {
		t.options.BaseURL = f.BaseURL
	}
	f.sendingFlags.apply(t.options, &t.client)
	client, err := sink.New(t.client) // refuses what is wrong with the address
	if err != nil {
		return nil, err
	}
	client.Close()
	return t, nil
}

// run does what was planned.
func (t *transfer) run(c *console) error {
	t.messageFlags.apply(c)
	t.client.Notice = c.note
	var refusal error
	if s := t.options.State; s != nil && (sameFile(s.File, c.Out) || sameFile(s.File, c.In)) {
		return fmt.Errorf("--state %s: expected a file of its own, this one is the input or the output", s.File)
	}
	if t.Resume != "" {
		if refusal = t.resume(c); refusal == nil {
			defer t.options.Resume.Close()
		} else if sameFile(t.Resume, c.Out) {
			return refusal // a report would stand in the place of the earlier results
		}
	}
	if t.Simulate {
		sim, err := t.simulate(c)
		if err != nil {
			return err
		}
		defer sim.Close()
	} else {
		var err error
		t.client.Key, err = t.key(c)
		refusal = cmp.Or(refusal, orSimulate(err))
	}
	if t.options.Print {
		c.Out, t.client.Print = io.Discard, c.Out
	}
	client, err := sink.New(t.client)
	if err != nil {
		return err
	}
	defer client.Close()
	defer context.AfterFunc(c.abort, client.Abort)()
	t.options.Client = client
	if refusal != nil {
		return c.refuse(t.options, t.options.Operation.String(), refusal)
	}
	return c.carry(t.options)
}

// resume opens the results of --resume. The first attempt at a run may append to them too: there are none yet.
func (t *transfer) resume(c *console) error {
	appended := sameFile(t.Resume, c.Out)
	if appended && overwrites(c.Out.(*os.File)) {
		hint := "append to it with >>, also on the first attempt"
		if t.options.Consent != nil {
			hint += "; if an attempt in the last half hour may have sent rows, wait half an hour: Klaviyo may still act on them"
		}
		return &pipeline.Error{
			Text: fmt.Sprintf("--resume %s: the output overwrites this file, so the earlier results are lost", t.Resume),
			Hint: hint,
		}
	}
	earlier, err := pipeline.OpenEarlier(c.ctx, t.Resume)
	if err != nil {
		return err
	}
	t.options.Resume = earlier
	if earlier.Rows == 0 && !appended {
		c.note(t.Resume + " holds no results, so all rows are sent")
	}
	if earlier.Unended && appended {
		_, err = io.WriteString(c.Out, "\n") // the results must not continue a line that was cut short
	}
	return err
}

// sameFile reports whether a stream is the file of that name.
func sameFile(name string, out any) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	there, err := f.Stat()
	if err != nil || !there.Mode().IsRegular() {
		return false
	}
	named, err := os.Stat(name)
	return err == nil && os.SameFile(there, named)
}

// refuse reports a run that cannot begin.
func (c *console) refuse(o *pipeline.Options, title string, why error) error {
	_, err := c.work(o, title, func() (*report.Report, error) { return pipeline.Refuse(c.ctx, o, why, c.Out) })
	return err
}

// carry takes the rows on standard input through the pipeline and adds what people should know about the run.
func (c *console) carry(o *pipeline.Options) error {
	c.expect("rows, one JSON object per line,")
	rep, err := c.work(o, o.Operation.String(), func() (*report.Report, error) {
		return pipeline.Run(c.ctx, o, c.In, c.Out)
	})
	if n := rep.Rows.Rejected; err == nil && n > 0 {
		c.note(fmt.Sprintf("%d rejected, as --max-invalid allows", n))
	}
	switch {
	case rep.Rows.Read > 0:
		c.warnOfChannels(o.Checker)
		for _, name := range o.Checker.Unmet() {
			c.note(fmt.Sprintf("--map or --drop names the column %q, but no row has it", name))
		}
	case err == nil:
		c.note("standard input had no rows")
	}
	c.warnOfLookalikes(o)
	c.tellNotCleared(o.Checker)
	if o.DryRun && rep.ExitCode <= 1 { // the list is known
		c.sumUp(o, rep)
	}
	if n := o.Gauge.Unchanged(); o.DryRun && o.State != nil && rep.ExitCode <= 1 {
		c.note(fmt.Sprintf("state %s: %d of %s would be sent; unchanged since the last run: %d",
			o.State.File, rep.Rows.Valid-n, counted(rep.Rows.Valid, "row"), n))
	}
	if o.Mirror != nil {
		c.sumUpMirror(o, rep)
	}
	if n := o.Gauge.EarlierAccepted(); n > 0 && o.Wait && o.Mirror == nil { // mirror has read the list
		c.note(fmt.Sprintf("this run did not wait for all rows that the earlier results have as accepted (%d): "+
			"pass both results, one after the other, to klaviyo-export wait", n))
	}
	return err
}
