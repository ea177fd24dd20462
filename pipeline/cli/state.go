package cli

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
)

// stateFlags name the file that remembers which profiles were applied.
type stateFlags struct {
	State string `placeholder:"FILE" help:"${help_state}"`
	Full  bool   `help:"Send all rows, also those that are as --state remembers them."`
}

var stateHelp = kong.Vars{
	"help_state": "Send only new and changed rows. FILE remembers, as hashes, what each profile was when it was last " +
		"applied; it is created if it does not exist. Implies --wait.",
}

// check also refuses to send all rows of a person: which profile Klaviyo has in the end would not be known.
func (f *stateFlags) check(g given, rows *rowFlags) error {
	switch {
	case g["state"] && f.State == "":
		return errors.New(`--state: expected a file, got ""`)
	case g["state"] && rows.Duplicates == "send":
		return errors.New("--state and --duplicates send cannot be combined: " +
			"which row of a person is applied last is not known")
	}
	return cmp.Or(g.apart("list-column", "a state is of one list", "state"), g.needs("state", "full"))
}

// apply sets the options of a run.
func (f *stateFlags) apply(o *pipeline.Options, rows *rowFlags) {
	if f.State == "" {
		return
	}
	maps := make([]string, 0, len(rows.Map))
	for column, target := range rows.Map {
		maps = append(maps, column+"="+target)
	}
	slices.Sort(maps)
	o.State = &pipeline.StateOptions{File: f.State, Full: f.Full, Mapping: map[string]string{
		"--by": o.Checker.By(), "--map": strings.Join(maps, ", "), "--drop": strings.Join(sorted(rows.Drop), ", "),
		"--default-country": strings.ToUpper(rows.DefaultCountry), "--bad-phone": rows.BadPhone, "--empty": rows.Empty,
		"--nulls": rows.Nulls,
	}}
}

// sorted returns words in order, each once.
func sorted(words []string) []string { return slices.Compact(slices.Sorted(slices.Values(words))) }
