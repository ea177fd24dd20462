package cli

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
	"klaviyo-export/report"
	"klaviyo-export/validate"
)

type mirrorCommand struct {
	addFlags
	mirrorFlags `group:"mirror"`
}

// mirrorFlags say how many people may come off the list.
type mirrorFlags struct {
	Plan         bool            `help:"Report who would be added and removed, and change nothing."`
	MaxRemovals  *pipeline.Bound `placeholder:"N|N%" help:"${help_max_removals}"`
	MaxUnmatched pipeline.Bound  `default:"0" placeholder:"N|N%" help:"${help_max_unmatched}"`
}

var mirrorHelp = kong.Vars{
	"help_max_removals": "Remove nobody if more members than this would be removed: a number or a share of the members " +
		"before. Required without --plan.",
	"help_max_unmatched": "Remove nobody if more rows than this cannot be found on the list: a number or a share of the " +
		"rows read.",
}

func (*mirrorCommand) Help() string {
	return `Adds the people of the rows as add does, and waits. Then it removes every member who is in no row and was on
the list before. It reads and checks all rows first: if the input is empty or has bad rows, nothing is sent.
After the results of the rows, it writes a line for each member who is in no row.

Consent does not change: mirror unsubscribes no one.

Example:

    psql -AtXqc "select row_to_json(t)
        from (select email, first_name from customers) t" |
      klaviyo-export mirror --list-name Customers --max-removals 5% \
        --min-rows 1000 > results.ndjson`
}

// mirrorHidden are the flags of add that mirror refuses, and mirrorImplied those that it implies.
var (
	mirrorHidden = []idleFlag{
		{"list-column", "it makes one list equal to all rows"}, {"lists-by", "it is for one list"},
		{"create-lists", "it is for one list"},
		{"duplicate-window", "it finds duplicates among all rows"},
		{"verify", "it reads the whole list after the rows are sent"},
		{"print-requests", "--plan says what would change"},
		{"dry-run", "--plan changes nothing either, and says who would be removed"},
	}
	mirrorImplied = []idleFlag{{"wait", ""}, {"check-first", ""}}
)

// plan checks the flags.
func (m *mirrorCommand) plan(g given) (*transfer, error) {
	if !m.Plan && m.MaxRemovals == nil {
		return nil, errors.New("missing flag: --max-removals N or N%; --plan says how many people would be removed")
	}
	err := cmp.Or(
		g.idle("mirror", mirrorHidden),
		g.useless("plan", "nothing is sent",
			"wait", "wait-timeout", "max-open-jobs", "concurrency", "batch-delay", "resume", "full"),
	)
	if err != nil {
		return nil, err
	}
	m.Wait, g["wait"] = !m.Plan, true
	t, err := m.transfer(g, validate.Mirror)
	if err != nil {
		return nil, err
	}
	t.options.DryRun = m.Plan
	t.options.Mirror = &pipeline.MirrorOptions{
		Plan: m.Plan, MaxRemovals: m.MaxRemovals, MaxUnmatched: m.MaxUnmatched,
	}
	return t, nil
}

func (m *mirrorCommand) Run(c *console, g given) error {
	t, err := m.plan(g)
	if err != nil {
		return err
	}
	return t.run(c)
}

// sumUpMirror prints how the list has changed.
func (c *console) sumUpMirror(o *pipeline.Options, rep *report.Report) {
	if rep.Members == nil || rep.Members.Mirrored == nil {
		return
	}
	m := rep.Members.Mirrored
	if m.Unidentified > 0 && m.Removed == 0 {
		c.note(fmt.Sprintf("%d of %d members who match no row: no %s, so no row can name them",
			m.Unidentified, m.Extras, o.Checker.By()))
	}
	before := m.Read - m.Added - m.JoinedLater
	if o.Mirror.Plan {
		text := fmt.Sprintf("plan for list %q: %s now, %d would be added, %d removed",
			rep.List.Name, counted(m.Read, "member"), m.Added, m.Extras)
		if m.JoinedLater > 0 {
			text += fmt.Sprintf("; %d joined a moment ago and would stay", m.JoinedLater)
		}
		c.note(text + "; nothing was changed")
		return
	}
	text := fmt.Sprintf("list %q: %s before, %d added, %d removed",
		rep.List.Name, counted(before, "member"), m.Added, m.Removed)
	if m.JoinedLater > 0 {
		text += fmt.Sprintf(", %d joined meanwhile by another way", m.JoinedLater)
	}
	c.note(text + fmt.Sprintf(", %d now", m.Read-m.Removed))
}
