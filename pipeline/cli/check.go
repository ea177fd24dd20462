package cli

import (
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/validate"
)

type checkCommand struct {
	Operation    string `enum:"add,remove,mirror" default:"add" placeholder:"add|remove|mirror" help:"${help_operation}"`
	rowFlags     `group:"rows"`
	messageFlags `group:"messages"`
}

var checkHelp = kong.Vars{"help_operation": "Command that the rows are for."}

func (*checkCommand) Help() string {
	return `Good rows get the status valid. The command needs no key and no network.

Example:

    klaviyo-export check < customers.ndjson |
      jq -c 'select(.status=="rejected")'`
}

func (k *checkCommand) Run(c *console, g given) error {
	operation := validate.Add
	for _, other := range []validate.Operation{validate.Remove, validate.Mirror} {
		if k.Operation == other.String() {
			operation = other
		}
	}
	if err := k.messageFlags.check(g); err != nil {
		return err
	}
	o, err := k.rowFlags.options(g, operation)
	if err != nil {
		return err
	}
	o.Concurrency, o.BatchDelay = 1, time.Second
	k.messageFlags.apply(c)
	return c.carry(o)
}
