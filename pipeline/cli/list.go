package cli

import (
	"cmp"
	"errors"

	"github.com/alecthomas/kong"

	"klaviyo-export/sink"
)

// listFlags name a list.
type listFlags struct {
	ListID   string `placeholder:"ID" help:"List with this id."`
	ListName string `placeholder:"NAME" help:"List with exactly this name."`
}

// check refuses two lists, and a list without a name.
func (f *listFlags) check(g given) error {
	switch {
	case g["list-id"] && g["list-name"]:
		return errors.New("--list-id and --list-name cannot be combined")
	case g["list-id"] && f.ListID == "":
		return errors.New(`--list-id: expected the id of a list, got ""`)
	case g["list-name"] && f.ListName == "":
		return errors.New(`--list-name: expected the name of a list, got ""`)
	}
	return nil
}

// checkOne is check where a list is needed.
func (f *listFlags) checkOne(g given) error {
	if !g["list-id"] && !g["list-name"] {
		return errors.New("missing flag: --list-id ID or --list-name NAME")
	}
	return f.check(g)
}

func (f *listFlags) ref() sink.ListRef { return sink.ListRef{ID: f.ListID, Name: f.ListName} }

// newListFlags say whether and how a list is created.
type newListFlags struct {
	OptIn    string `enum:"single,double," default:"" placeholder:"single|double" help:"${help_opt_in}"`
	NoCreate bool   `help:"Fail if no list has the name, instead of creating one."`
}

var listHelp = kong.Vars{
	"help_opt_in": "Opt-in process of the list if it has to be created. Without this flag the account's default applies.",
}

func (f *newListFlags) check(g given) error {
	const byID = "a list given by id is never created"
	return cmp.Or(
		g.apart("opt-in", byID, "list-id"), g.apart("no-create", byID, "list-id"),
		g.apart("no-create", "no list is created", "opt-in"),
	)
}

// process is the opt-in process in Klaviyo's words, "" for the account's default.
func (f *newListFlags) process() string {
	return map[string]string{"single": "single_opt_in", "double": "double_opt_in"}[f.OptIn]
}
