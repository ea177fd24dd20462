package cli

import (
	"fmt"

	"klaviyo-export/validate"
)

type removeCommand struct {
	transferFlags
	addOnlyFlags
}

// addOnlyFlags are known to remove only so that it can say why they are refused.
type addOnlyFlags struct {
	Wait        bool   `hidden:""`
	WaitTimeout string `hidden:""`
	MaxOpenJobs string `hidden:""`
	OptIn       string `hidden:""`
	NoCreate    bool   `hidden:""`
}

func (f *addOnlyFlags) check(g given) error {
	for _, flag := range []string{"wait", "wait-timeout", "max-open-jobs"} {
		if g[flag] {
			return fmt.Errorf("--%s has no effect with remove: Klaviyo removes people before it answers", flag)
		}
	}
	for _, flag := range []string{"opt-in", "no-create"} {
		if g[flag] {
			return fmt.Errorf("--%s has no effect with remove: remove never creates a list", flag)
		}
	}
	return nil
}

func (*removeCommand) Help() string {
	return `Each row names a profile by its profile_id. Other columns have no effect.

Consent does not change: remove unsubscribes no one. If no list has the name, the run fails.

Example:

    duckdb -jsonlines shop.db -c "select profile_id from lapsed" |
      klaviyo-export remove --list-id XyZ123 > results.ndjson`
}

// plan checks the flags.
func (r *removeCommand) plan(g given) (*transfer, error) {
	if err := r.addOnlyFlags.check(g); err != nil {
		return nil, err
	}
	return r.transferFlags.plan(g, validate.Remove)
}

func (r *removeCommand) Run(c *console, g given) error {
	t, err := r.plan(g)
	if err != nil {
		return err
	}
	return t.run(c)
}
