package cli

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// given holds the names of the flags on the command line. A default is not given.
type given map[string]bool

func givenOn(line *kong.Context) given {
	g := given{}
	for _, step := range line.Path {
		if step.Flag != nil {
			g[step.Flag.Name] = true
		}
	}
	return g
}

// needs refuses the flags that have no effect without another one.
func (g given) needs(other string, flags ...string) error {
	for _, flag := range flags {
		if g[flag] && !g[other] {
			return fmt.Errorf("--%s has no effect without --%s", flag, other)
		}
	}
	return nil
}

// useless refuses the flags that have no effect beside another one, and says why unless why is empty.
func (g given) useless(beside, why string, flags ...string) error {
	for _, flag := range flags {
		if g[flag] && g[beside] {
			return fmt.Errorf("--%s has no effect with --%s%s", flag, beside, because(why))
		}
	}
	return nil
}

// idleFlag is a flag that has no effect with some command, and the reason.
type idleFlag struct{ name, why string }

// idle refuses the flags that have no effect with a command. The first in the list is named.
func (g given) idle(command string, flags []idleFlag) error {
	for _, flag := range flags {
		if g[flag.name] {
			return fmt.Errorf("--%s has no effect with %s%s", flag.name, command, because(flag.why))
		}
	}
	return nil
}

// apart refuses a flag that contradicts others.
func (g given) apart(flag, why string, others ...string) error {
	for _, other := range others {
		if g[flag] && g[other] {
			return fmt.Errorf("--%s and --%s cannot be combined%s", flag, other, because(why))
		}
	}
	return nil
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}
