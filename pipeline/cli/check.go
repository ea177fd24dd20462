package cli

import (
	"cmp"
	"fmt"
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
	"klaviyo-export/validate"
)

type checkCommand struct {
	Operation    string `enum:"${operations}" default:"add" placeholder:"COMMAND" help:"${help_operation}"`
	consentFlags `group:"consent"`
	historyFlags `group:"consent"`
	rowFlags     `group:"rows"`
	messageFlags `group:"messages"`
}

var checkHelp = kong.Vars{
	"operations":     "add,remove,mirror,subscribe,unsubscribe",
	"help_operation": "Command that the rows are for: add, remove, mirror, subscribe or unsubscribe.",
}

func (*checkCommand) Help() string {
	return `Good rows get the status valid. The command needs no key and no network.

Example:

    klaviyo-export check < customers.ndjson |
      jq -c 'select(.status=="rejected")'`
}

func (k *checkCommand) Run(c *console, g given) error {
	o, err := k.options(g)
	if err != nil {
		return err
	}
	k.messageFlags.apply(c)
	return c.carry(o)
}

// options checks the flags and returns the options of the run.
func (k *checkCommand) options(g given) (*pipeline.Options, error) {
	rows, err := k.rows(g)
	if err = cmp.Or(err, k.messageFlags.check(g)); err != nil {
		return nil, err
	}
	o, err := k.rowFlags.options(g, rows)
	if err == nil {
		o.Concurrency, o.BatchDelay = 1, time.Second
	}
	return o, err
}

// rows are the options that the operation needs.
func (k *checkCommand) rows(g given) (o validate.Options, err error) {
	for operation := validate.Add; operation <= validate.Unsubscribe; operation++ {
		if k.Operation == operation.String() {
			o.Operation = operation
		}
	}
	consent := o.Operation == validate.Subscribe || o.Operation == validate.Unsubscribe
	if consent {
		if o.Channels, err = k.channels(g); err != nil {
			return o, err
		}
	}
	for _, flag := range []struct {
		name   string
		obeyed bool
	}{
		{"channel", consent}, {"list-column", o.Operation != validate.Mirror},
		{"historical", o.Operation == validate.Subscribe}, {"consented-at", o.Operation == validate.Subscribe},
	} {
		if g[flag.name] && !flag.obeyed {
			return o, fmt.Errorf("--%s has no effect with --operation %s", flag.name, k.Operation)
		}
	}
	o.ConsentedAt = k.ConsentedAt
	return o, k.historyFlags.check(g)
}
