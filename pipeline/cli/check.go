package cli

import (
	"fmt"
	"time"

	"github.com/alecthomas/kong"

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
	rows, err := k.rows(g)
	if err != nil {
		return err
	}
	if err := k.messageFlags.check(g); err != nil {
		return err
	}
	o, err := k.rowFlags.options(g, rows)
	if err != nil {
		return err
	}
	o.Concurrency, o.BatchDelay = 1, time.Second
	k.messageFlags.apply(c)
	return c.carry(o)
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
