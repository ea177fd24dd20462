package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// consentFlags say which consent is set or withdrawn: there is no default for that.
type consentFlags struct {
	Channel []string `placeholder:"CHANNEL" help:"${help_channel}"`
}

// historyFlags are those of consent that was given earlier.
type historyFlags struct {
	Historical  bool   `help:"${help_historical}"`
	ConsentedAt string `placeholder:"COLUMN" help:"${help_consented_at}"`
}

var consentHelp = kong.Vars{
	"help_channel": "Channels of the consent: email (email marketing), sms (SMS marketing), sms-transactional. " +
		"Required. A row gets those that it has an email or a phone_number for.",
	"help_historical": "The people consented earlier: Klaviyo records that with its time and asks nobody to confirm. " +
		"Needs --consented-at.",
	"help_consented_at": "Column with the time of each consent: a time with its zone, in the past. Needs --historical.",
	"help_source":       "Text that Klaviyo shows as the source of the consent. Without this flag it names the run.",
	"help_everywhere":   "Withdraw consent from the whole account instead of one list.",
}

// channels checks the flags.
func (f *consentFlags) channels(g given) (validate.Channels, error) {
	if !g["channel"] {
		return 0, errors.New("missing flag: --channel: name the channels of the consent: email, sms, sms-transactional")
	}
	channels, err := validate.ParseChannels(f.Channel...)
	if err == nil && channels == 0 {
		_, err = validate.ParseChannels("")
	}
	if err != nil {
		return 0, fmt.Errorf("--channel: %w", err)
	}
	return channels, nil
}

func (f *historyFlags) check(g given) error {
	switch {
	case f.Historical && !g["consented-at"]:
		return errors.New("--historical needs --consented-at COLUMN: Klaviyo records when each person consented")
	case g["consented-at"] && f.ConsentedAt == "":
		return errors.New(`--consented-at: expected a column, got ""`)
	}
	return g.needs("historical", "consented-at")
}

// consentIdle are the flags of add that neither subscribe nor unsubscribe obeys.
var consentIdle = []idleFlag{
	{"verify", "--wait reads consent back already"},
	{"max-open-jobs", "Klaviyo makes no jobs of consent that can be watched"},
	{"state", "a consent that was withdrawn meanwhile would not be seen"},
	{"full", "there is no --state"},
}

// consent checks the flags of subscribe or unsubscribe.
func (a *addFlags) consent(
	g given, operation validate.Operation, f *consentFlags, h *historyFlags, own []idleFlag,
) (*transfer, error) {
	err := cmp.Or(g.idle(operation.String(), slices.Concat(own, consentIdle)), h.check(g), a.waitFlags.check(g))
	if err != nil {
		return nil, err
	}
	channels, err := f.channels(g)
	if err != nil {
		return nil, err
	}
	t, err := a.transferFlags.plan(g, validate.Options{
		Operation: operation, Channels: channels, ConsentedAt: h.ConsentedAt,
	})
	if err != nil {
		return nil, err
	}
	a.waitFlags.apply(g, t.options)
	t.options.Consent = &pipeline.ConsentOptions{
		Channels: sink.Channels(channels), Historical: h.Historical,
		Listless: !g.list(),
	}
	return t, nil
}
