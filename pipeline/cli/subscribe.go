package cli

import (
	"cmp"
	"errors"

	"klaviyo-export/validate"
)

// subscribeCommand has all flags of add, so that it can say why some of them have no effect. Those are hidden.
type subscribeCommand struct {
	consentFlags `group:"consent"`
	historyFlags `group:"consent"`
	Source       string `group:"consent" placeholder:"TEXT" help:"${help_source}"`
	addFlags
}

func (*subscribeCommand) Help() string {
	return `Consent is a person's agreement to get messages on a channel. Subscribe only people who agreed. Joining a list
is not consent: add gives none, and remove withdraws none.

Each row names a person by its email, or by the column that --by names. Only these values of a row are sent: the email
for the channel email, the phone_number for SMS, and the time of the consent.

With a list, the people join it too. If no list has the name, it is created. On a list with double opt-in,
Klaviyo asks each person to confirm: the rows are accepted with code confirmation_pending, and nobody joins before
that. Without a list, the account's default decides, which is double opt-in unless you changed it. --historical
asks nobody.

Example:

    psql -AtXqc "select row_to_json(t)
        from (select email, agreed_at from signups) t" |
      klaviyo-export subscribe --channel email --list-name Newsletter \
        --historical --consented-at agreed_at --wait > results.ndjson`
}

// plan checks the flags.
func (s *subscribeCommand) plan(g given) (*transfer, error) {
	if g["source"] && s.Source == "" {
		return nil, errors.New(`--source: expected a text, got ""`)
	}
	err := s.newListFlags.check(g)
	if !g["list-column"] {
		err = cmp.Or(err, g.needs("list-name", "opt-in", "no-create"))
	}
	if err != nil {
		return nil, err
	}
	t, err := s.consent(g, validate.Subscribe, &s.consentFlags, &s.historyFlags, nil)
	if err != nil {
		return nil, err
	}
	if t.options.Consent.Source = s.Source; !t.options.Consent.Listless {
		s.newListFlags.apply(t.options)
	}
	return t, nil
}

func (s *subscribeCommand) Run(c *console, g given) error {
	t, err := s.plan(g)
	if err != nil {
		return err
	}
	return t.run(c)
}
