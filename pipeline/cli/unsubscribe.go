package cli

import (
	"errors"

	"klaviyo-export/validate"
)

// unsubscribeCommand has all flags of add, so that it can say why some of them have no effect. Those are hidden.
type unsubscribeCommand struct {
	consentFlags `group:"consent"`
	Everywhere   bool `group:"consent" help:"${help_everywhere}"`
	addFlags
}

var unsubscribeIdle = []idleFlag{
	{"opt-in", "unsubscribe never creates a list"}, {"no-create", "unsubscribe never creates a list"},
	{"create-lists", "unsubscribe never creates a list"},
}

func (*unsubscribeCommand) Help() string {
	return `Withdraws people's consent to get messages. To take people off a list and leave their consent as it is, use
remove instead.

From a list (--list-id, --list-name), members lose their subscription to it and come off it. Klaviyo would
unsubscribe everybody else from the whole account, so people who are not on the list are looked up first and
skipped. Where the account's setting "global unsubscribe" is on, members are unsubscribed everywhere too: with
--wait, each result says the scope that was read back.

--everywhere withdraws consent from the whole account and takes people off every list.

Klaviyo ends SMS marketing and transactional SMS together, whichever of them --channel names.

Example:

    duckdb -jsonlines shop.db -c "select email from opt_outs" |
      klaviyo-export unsubscribe --channel email --list-name Newsletter \
        --wait > results.ndjson`
}

// plan checks the flags.
func (u *unsubscribeCommand) plan(g given) (*transfer, error) {
	switch {
	case g["list-column"] && u.Everywhere:
		return nil, errors.New("--everywhere cannot be combined with --list-column: choose the lists of the rows, " +
			"or the whole account")
	case g.list() && u.Everywhere:
		return nil, errors.New("--everywhere cannot be combined with --list-id or --list-name: choose one list, " +
			"or the whole account")
	case !g.list() && !u.Everywhere:
		return nil, errors.New("missing flag: --list-id ID, --list-name NAME or --list-column COLUMN for lists, " +
			"or --everywhere for the whole account")
	}
	return u.consent(g, validate.Unsubscribe, &u.consentFlags, &historyFlags{}, unsubscribeIdle)
}

func (u *unsubscribeCommand) Run(c *console, g given) error {
	t, err := u.plan(g)
	if err != nil {
		return err
	}
	return t.run(c)
}
