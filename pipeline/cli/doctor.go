package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report/render"
	"klaviyo-export/sink"
)

type doctorCommand struct {
	listFlags    `group:"list"`
	klaviyoFlags `group:"klaviyo"`
}

func (*doctorCommand) Help() string {
	return `Prints one line per check, with what was found: as text on a terminal, as JSON elsewhere. The exit status is 2
if a check fails, and 0 otherwise. Warnings do not change it.

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
	var failed []string
	for finding := range client.Examine(c.ctx, list) {
		if !finding.OK {
			failed = append(failed, finding.Check)
		}
		if err := c.printFinding(&finding); err != nil {
			return err
		}
	}
	if c.ctx.Err() != nil {
		return stopped(c.ctx)
	}
	if len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

// printFinding prints a finding for people at a terminal, and as a line of JSON elsewhere.
func (c *console) printFinding(f *sink.Finding) error {
	if isTerminal(c.Out) {
		_, err := io.WriteString(c.Out, findingText(f))
		return err
	}
	line, err := json.Append(nil, f, 0)
	if err != nil {
		return err
	}
	_, err = c.Out.Write(append(line, '\n'))
	return err
}

// findingText is a finding as text. A check that passes with a hint is a warning.
func findingText(f *sink.Finding) string {
	mark := "✓"
	switch {
	case !f.OK:
		mark = "✗"
	case f.Hint != "":
		mark = "!"
	}
	text := fmt.Sprintf("%s %s: %s\n", mark, f.Check, render.Discreet(f.Detail))
	if f.Hint != "" {
		text += fmt.Sprintf("  hint: %s\n", render.Discreet(f.Hint))
	}
	return text
}
