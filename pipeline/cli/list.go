package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
	"klaviyo-export/sink"
)

// listFlags name a list.
type listFlags struct {
	ListID   string `placeholder:"ID" help:"List with this id."`
	ListName string `placeholder:"NAME" help:"List with exactly this name."`
}

// check refuses two lists, and a list without a name.
func (f *listFlags) check(g given) error {
	if err := g.apart("list-column", "rows name their lists, or one flag does", "list-id", "list-name"); err != nil {
		return err
	}
	switch {
	case g["list-id"] && g["list-name"]:
		return errors.New("--list-id and --list-name cannot be combined")
	case g["list-id"] && f.ListID == "":
		return errors.New(`--list-id: expected the id of a list, got ""`)
	case g["list-name"] && strings.TrimSpace(f.ListName) == "":
		return fmt.Errorf("--list-name: expected the name of a list, got %q", f.ListName)
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

// checkSome is check where a list is needed, or the column with the lists.
func (f *listFlags) checkSome(g given) error {
	if !g.list() {
		return errors.New("missing flag: --list-id ID, --list-name NAME or --list-column COLUMN")
	}
	return f.check(g)
}

// list reports whether the flags name a list, or the column with the lists.
func (g given) list() bool { return g["list-id"] || g["list-name"] || g["list-column"] }

func (f *listFlags) ref() sink.ListRef { return sink.ListRef{ID: f.ListID, Name: f.ListName} }

// newListFlags say whether and how a list is created.
type newListFlags struct {
	OptIn    string `enum:"single,double," default:"" placeholder:"single|double" help:"${help_opt_in}"`
	NoCreate bool   `help:"Fail if no list has the name, instead of creating one."`
}

// listColumnFlags say how rows name their lists. The column itself is one of rowFlags.
type listColumnFlags struct {
	ListsBy     string `enum:"name,id" default:"name" placeholder:"name|id" help:"${help_lists_by}"`
	CreateLists int    `default:"0" placeholder:"N" help:"${help_create_lists}"`
}

var listHelp = kong.Vars{
	"help_opt_in": "Opt-in process of the list if it has to be created. Without this flag the account's default applies.",
	"help_list_column": "Column with the list of each row, instead of one list for all rows. " +
		"The column is no property.",
	"help_lists_by":     "What --list-column holds: the exact names of lists, or their ids.",
	"help_create_lists": "Create up to N lists of names in --list-column that no list has.",
}

// check refuses flags of the list column without it.
func (f *listColumnFlags) check(g given) error {
	if f.CreateLists < 0 {
		return fmt.Errorf("--create-lists: expected 0 or more, got %d", f.CreateLists)
	}
	return cmp.Or(g.needs("list-column", "lists-by", "create-lists"), f.byID(g))
}

// byID refuses to create lists of ids.
func (f *listColumnFlags) byID(g given) error {
	if f.ListsBy == "id" && g["create-lists"] {
		return errors.New("--create-lists and --lists-by id cannot be combined: a list given by id is never created")
	}
	return nil
}

// options returns the options of a run, nil without a column.
func (f *listColumnFlags) options(g given) *pipeline.ListsOptions {
	if !g["list-column"] {
		return nil
	}
	return &pipeline.ListsOptions{ByID: f.ListsBy == "id", Create: f.CreateLists}
}

func (f *newListFlags) check(g given) error {
	const byID = "a list given by id is never created"
	idle := []string{"no-create"}
	if !g["create-lists"] {
		idle = append(idle, "opt-in")
	}
	return cmp.Or(
		g.useless("list-column", "no list is created without --create-lists", idle...),
		g.apart("opt-in", byID, "list-id"), g.apart("no-create", byID, "list-id"),
		g.apart("no-create", "no list is created", "opt-in"),
	)
}

// apply sets the options of a run.
func (f *newListFlags) apply(o *pipeline.Options) {
	o.List.Create, o.List.NoCreate, o.List.OptIn = !f.NoCreate, f.NoCreate, f.process()
	if o.Lists != nil {
		o.Lists.OptIn = f.process()
	}
}

// process is the opt-in process in Klaviyo's words, "" for the account's default.
func (f *newListFlags) process() string {
	return map[string]string{"single": "single_opt_in", "double": "double_opt_in"}[f.OptIn]
}
