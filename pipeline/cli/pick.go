package cli

import (
	"errors"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
	"klaviyo-export/report"
)

type pickCommand struct {
	Status  []string `enum:"${statuses}" default:"${picked}" placeholder:"STATUS" help:"${help_status}"`
	Results string   `arg:"" help:"Results of the run that read the same input."`
}

var pickHelp = kong.Vars{
	"statuses": "applied,accepted,skipped,rejected,unknown,unsent,valid,missing",
	"picked":   "rejected,unknown,unsent,missing",
	"help_status": "Statuses, separated by commas: applied, accepted, skipped, rejected, unknown, unsent, valid, " +
		"or missing for rows without a result.",
}

func (*pickCommand) Help() string {
	return `Reads the input of an earlier run from standard input and prints the rows that have a given status,
unchanged. If the results have several lines for a row, the last one counts. Do not pass the rows of a
mirror to mirror: it would remove the people of all other rows. Use mirror --resume.

Example:

    klaviyo-export pick --status unknown,unsent results.ndjson < rows.ndjson |
      klaviyo-export add --list-name Newsletter > again.ndjson`
}

func (p *pickCommand) Run(c *console) error {
	earlier, err := pipeline.OpenEarlier(c.ctx, p.Results)
	switch {
	case err != nil && c.ctx.Err() != nil:
		return stopped(c.ctx)
	case err != nil:
		return err
	}
	defer earlier.Close()
	if earlier.Rows == 0 {
		c.note(p.Results + " holds no results, so every row is missing there")
	}
	if earlier.Report != nil && earlier.Report.Operation == "mirror" {
		c.note("these are some of the rows of a mirror: do not pass them to mirror, which removes everybody who is not " +
			"in its rows; it continues with mirror --resume " + p.Results)
	}
	var selected pipeline.Selection
	if len(p.Status) == 0 {
		return errors.New(`--status: expected one or more statuses, got ""`)
	}
	for _, name := range p.Status {
		if status, ok := report.ParseStatus(name); ok {
			selected.Statuses = append(selected.Statuses, status)
		} else {
			selected.Missing = true
		}
	}
	c.expect("the rows")
	if err := pipeline.Pick(c.ctx, selected, earlier, c.In, c.Out); err != nil {
		if c.ctx.Err() != nil {
			return stopped(c.ctx)
		}
		return &exitError{err, pipeline.ExitCode(err)}
	}
	return nil
}
