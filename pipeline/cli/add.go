package cli

import (
	"cmp"

	"klaviyo-export/validate"
)

// addFlags are the flags of add. Run takes them too.
type addFlags struct {
	transferFlags
	newListFlags `group:"list"`
	waitFlags    `group:"waiting"`
	stateFlags   `group:"sending"`
}

type addCommand struct{ addFlags }

func (*addCommand) Help() string {
	return `If no list has the name, add creates it when the first rows are ready to be sent. With --no-create it fails.

With --list-column each row goes to the list that it names. A missing list costs its rows, not the run.

Joining a list is not consent: suppressed profiles stay suppressed. Flows that the list triggers may start.

Example:

    psql -AtXqc "select row_to_json(t)
        from (select email, first_name from customers) t" |
      klaviyo-export add --list-name Newsletter > results.ndjson`
}

// plan checks the flags.
func (a *addCommand) plan(g given) (*transfer, error) { return a.transfer(g, validate.Add) }

// transfer checks the flags for an operation that adds.
func (a *addFlags) transfer(g given, operation validate.Operation) (*transfer, error) {
	if err := cmp.Or(a.stateFlags.check(g, &a.rowFlags), a.newListFlags.check(g), a.waitFlags.check(g)); err != nil {
		return nil, err
	}
	t, err := a.transferFlags.plan(g, validate.Options{Operation: operation})
	if err != nil {
		return nil, err
	}
	a.newListFlags.apply(t.options)
	a.waitFlags.apply(g, t.options)
	a.stateFlags.apply(t.options, &a.rowFlags)
	return t, nil
}

func (a *addCommand) Run(c *console, g given) error {
	t, err := a.plan(g)
	if err != nil {
		return err
	}
	return t.run(c)
}
