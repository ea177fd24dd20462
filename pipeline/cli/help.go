package cli

import (
	"cmp"
	"strings"

	"github.com/alecthomas/kong"
)

// variables gives the texts of the sets to flags and arguments that name one as help:"${help_quiet}", default:"${…}" or
// enum:"${…}". kong itself would search every text for every flag, which would be most of the program's start: it sees
// no help before insert.
func variables(sets ...kong.Vars) (option kong.Option, insert func()) {
	texts, tags := map[string]string{}, map[*kong.Value]string{}
	for _, set := range sets {
		for name, text := range set {
			texts["${"+name+"}"] = text
		}
	}
	option = kong.PostBuild(func(k *kong.Kong) error {
		return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
			if v, ok := node.(*kong.Value); ok {
				v.Default, v.Enum = cmp.Or(texts[v.Default], v.Default), cmp.Or(texts[v.Enum], v.Enum)
				tags[v], v.Help = v.Help, ""
			}
			return next(nil)
		})
	})
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
