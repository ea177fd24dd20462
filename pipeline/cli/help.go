package cli

import (
	"errors"
	"strings"

	"github.com/alecthomas/kong"
)

// texts gives kong the variables of the sets, but inserts those for help:"${help_…}" itself. kong expands every
// variable again for every flag, which would be most of the program's start.
func texts(sets ...kong.Vars) kong.Option {
	vars, help := kong.Vars{}, map[string]string{}
	for _, set := range sets {
		for name, text := range set {
			if strings.HasPrefix(name, "help_") {
				help["${"+name+"}"] = text
			} else {
				vars[name] = text
			}
		}
	}
	return kong.OptionFunc(func(k *kong.Kong) error {
		return errors.Join(vars.Apply(k), kong.PostBuild(func(k *kong.Kong) error {
			return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
				if v, ok := node.(*kong.Value); ok && help[v.Help] != "" {
					v.Help = help[v.Help]
				}
				return next(nil)
			})
		}).Apply(k))
	})
}

// helpOf is the help of a flag with its default.
func helpOf(v *kong.Value) string {
	if v.Default == "" || v.Flag == nil {
		return v.Help
	}
	return strings.TrimSuffix(v.Help, ".") + " (default " + v.Default + ")."
}
