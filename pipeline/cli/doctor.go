package cli

import (
	"cmp"
	"fmt"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink"
)

type doctorCommand struct {
	listFlags    `group:"list"`
	klaviyoFlags `group:"klaviyo"`
}

func (*doctorCommand) Help() string {
	return `Prints one line per check, with what was found. The exit status is 0 if all checks pass and 2 if one fails.

Example:

    klaviyo-export doctor --list-name Newsletter`
}

func (d *doctorCommand) Run(c *console, g given) error {
	if err := cmp.Or(d.listFlags.check(g), d.klaviyoFlags.check(g)); err != nil {
		return err
	}
	client, badKey, err := d.asking(c, 5*time.Second)
	if err != nil {
		return err
	}
	defer client.Close()
	if badKey != nil {
		return badKey
	}
	return c.examine(client, d.ref())
}

// examine prints what is found and fails if a check does.
func (c *console) examine(client *sink.Client, list sink.ListRef) error {
	failed := 0
	for finding := range client.Examine(c.ctx, list) {
		if !finding.OK {
			failed++
		}
		line, err := json.Append(nil, finding, 0)
		if err != nil {
			return err
		}
		if _, err := c.Out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	if c.ctx.Err() != nil {
		return stopped(c.ctx)
	}
	if failed > 0 {
		return fmt.Errorf("%d of the checks failed", failed)
	}
	return nil
}
