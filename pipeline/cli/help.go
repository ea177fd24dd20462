package cli

import (
	"cmp"
	"errors"
	"strings"

	"github.com/alecthomas/kong"
)

// helpTexts inserts the texts of the sets that flags and arguments name as help:"${help_…}", and gives kong the other
// variables. kong itself would search every text again for every flag, which would be most of the program's start.
func helpTexts(sets ...kong.Vars) (option kong.Option, insert func()) {
	vars, texts, tags := kong.Vars{}, map[string]string{}, map[*kong.Value]string{}
	for _, set := range sets {
		for name, text := range set {
			if strings.HasPrefix(name, "help_") {
				texts["${"+name+"}"] = text
			} else {
				vars[name] = text
			}
		}
	}
	setAside := kong.PostBuild(func(k *kong.Kong) error {
		return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
			if v, ok := node.(*kong.Value); ok {
				tags[v], v.Help = v.Help, ""
			}
			return next(nil)
		})
	})
	option = kong.OptionFunc(func(k *kong.Kong) error { return errors.Join(vars.Apply(k), setAside.Apply(k)) })
	return option, func() {
		for v, tag := range tags {
			v.Help = strings.ReplaceAll(cmp.Or(texts[tag], tag), "$$", "$")
		}
	}
}

// helpOf is the help of a flag with its default.
func helpOf(v *kong.Value) string {
	if v.Default == "" || v.Flag == nil {
		return v.Help
	}
	return strings.TrimSuffix(v.Help, ".") + " (default " + v.Default + ")."
}
