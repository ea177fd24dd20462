package cli

import "klaviyo-export/validate"

// removeCommand has all flags of add, so that it can say why some of them have no effect. Those are hidden.
type removeCommand struct{ addFlags }

// addOnlyFlags concern new lists and import jobs. Remove has neither.
var addOnlyFlags = []idleFlag{
	{"wait", noJob}, {"wait-timeout", noJob}, {"max-open-jobs", noJob},
	{"opt-in", noNewList}, {"no-create", noNewList}, {"create-lists", noNewList},
	{"state", noProfile}, {"full", noProfile},
}

const (
	noJob     = "Klaviyo removes people before it answers"
	noNewList = "remove never creates a list"
	noProfile = "remove sends no profiles"
)

func (*removeCommand) Help() string {
	return `Each row names a person by one column: profile_id, or the one that --by names. Other columns have no effect.
By email, phone number or external id, a person who is not on the list is skipped.

Consent does not change: remove unsubscribes no one. If no list has the name, the run fails.

Example:

    duckdb -jsonlines shop.db -c "select email from lapsed" |
      klaviyo-export remove --by email --list-id XyZ123 > results.ndjson`
}

// plan checks the flags.
func (r *removeCommand) plan(g given) (*transfer, error) {
	if err := g.idle("remove", addOnlyFlags); err != nil {
		return nil, err
	}
	if err := g.useless("dry-run", "nothing is sent", "verify"); err != nil {
		return nil, err
	}
	t, err := r.transferFlags.plan(g, validate.Options{Operation: validate.Remove})
	if err == nil {
		t.options.Verify = r.Verify
	}
	return t, err
}

func (r *removeCommand) Run(c *console, g given) error {
	t, err := r.plan(g)
	if err != nil {
		return err
	}
	return t.run(c)
}
