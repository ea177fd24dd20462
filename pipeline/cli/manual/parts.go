package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// group is a group of flags that several commands take.
type group struct {
	title    string
	flags    []*kong.Flag
	commands []string            // in the order of the help
	takers   map[string][]string // the commands that take a flag
}

// describe returns the generated parts of the page by name: "synopsis", "global", "command NAME" and "group KEY".
func describe(model *kong.Application) (map[string]string, error) {
	groups, err := shared(model)
	if err != nil {
		return nil, err
	}
	parts := map[string]string{"synopsis": synopsis(model), "global": list(nil, visible(model.Flags), nil)}
	for _, command := range model.Children {
		parts["command "+command.Name] = describeCommand(command, groups)
	}
	for key, g := range groups {
		parts["group "+key] = ".Ss " + g.title + "\n" + list(nil, g.flags, g.limits())
	}
	return parts, nil
}

// shared returns the groups that more than one command takes. A flag must mean the same in all of them.
func shared(model *kong.Application) (map[string]*group, error) {
	groups := map[string]*group{}
	for _, command := range model.Children {
		for _, flag := range visible(command.Flags) {
			if flag.Group == nil {
				continue
			}
			g := groups[flag.Group.Key]
			if g == nil {
				g = &group{title: strings.TrimSuffix(flag.Group.Title, ":"), takers: map[string][]string{}}
				groups[flag.Group.Key] = g
			}
			if !slices.Contains(g.commands, command.Name) {
				g.commands = append(g.commands, command.Name)
			}
			if len(g.takers[flag.Name]) == 0 {
				g.flags = append(g.flags, flag)
			}
			g.takers[flag.Name] = append(g.takers[flag.Name], command.Name)
			known := g.flags[slices.IndexFunc(g.flags, func(f *kong.Flag) bool { return f.Name == flag.Name })]
			if item(known) != item(flag) {
				return nil, fmt.Errorf("--%s differs between %s and %s", flag.Name, g.takers[flag.Name][0], command.Name)
			}
		}
	}
	for key, g := range groups {
		if len(g.commands) < 2 {
			delete(groups, key)
		}
	}
	return groups, nil
}

// limits says of flags that not all of the group's commands take which ones do.
func (g *group) limits() map[string]string {
	limits := map[string]string{}
	for name, takers := range g.takers {
		if len(takers) < len(g.commands) {
			limits[name] = "Only for\n.Cm " + series("Cm", takers) + " .\n"
		}
	}
	return limits
}

// without returns the flags of the group that a command does not take, as they follow .Fl.
func (g *group) without(command string) (names []string) {
	for _, flag := range g.flags {
		if !slices.Contains(g.takers[flag.Name], command) {
			names = append(names, "-"+flag.Name)
		}
	}
	return names
}

// synopsis has a line for each command, and one for each flag that works without a command.
func synopsis(model *kong.Application) string {
	var b strings.Builder
	for _, command := range model.Children {
		fmt.Fprintf(&b, ".Nm\n.Cm %s Op Ar flag ...\n", command.Name)
		for _, argument := range command.Positional {
			b.WriteString(usage(argument) + "\n")
		}
	}
	for _, flag := range visible(model.Flags) {
		b.WriteString(".Nm\n.Op Ar command\n" + names(flag, ".", " | ") + "\n")
	}
	return b.String()
}

// usage is an argument as the synopsis shows it.
func usage(argument *kong.Positional) string {
	name := strings.ToUpper(argument.Name)
	switch {
	case argument.PassthroughMode != kong.PassThroughModeNone:
		return ".Op Cm -- Ar " + name + " ..."
	case argument.IsCumulative():
		return ".Op Ar " + name + " ..."
	case argument.Required:
		return ".Ar " + name
	}
	return ".Op Ar " + name
}

// describeCommand says what a command does, which groups of flags it takes, and what its own arguments and flags are.
func describeCommand(command *kong.Command, groups map[string]*group) string {
	text := ".Ss " + command.Name + "\n" + prose(command.Help)
	var takes []*group
	var headings []string
	own := map[string][]*kong.Flag{} // by the heading of a group that no other command has; "" without a group
	for _, flag := range visible(command.Flags) {
		heading := ""
		if flag.Group != nil {
			heading = flag.Group.Title
		}
		switch g := groupOf(flag, groups); {
		case g == nil && own[heading] == nil:
			headings = append(headings, heading)
			fallthrough
		case g == nil:
			own[heading] = append(own[heading], flag)
		case !slices.Contains(takes, g):
			takes = append(takes, g)
		}
	}
	text += takesText(takes, command.Name)
	if len(headings)+len(command.Positional) > 0 {
		text += ".Pp\n"
	}
	if len(headings) == 1 { // one list needs no heading
		return text + list(command.Positional, own[headings[0]], nil)
	}
	text += list(command.Positional, nil, nil)
	for _, heading := range headings {
		text += ".Pp\n" + heading + "\n" + list(nil, own[heading], nil)
	}
	return text
}

// groupOf returns the group that a flag shares with other commands, nil for a flag of one command.
func groupOf(flag *kong.Flag, groups map[string]*group) *group {
	if flag.Group == nil {
		return nil
	}
	return groups[flag.Group.Key]
}

// takesText names the groups that a command takes.
func takesText(groups []*group, command string) string {
	if len(groups) == 0 {
		return ""
	}
	var entries []string
	for _, g := range groups {
		entry := g.title
		if without := g.without(command); len(without) > 0 {
			entry += " Po without Fl " + series("Fl", without) + " Pc"
		}
		entries = append(entries, entry)
	}
	return "Flag groups:\n.Sx " + series("Sx", entries) + " .\n"
}

// visible returns the flags that the help shows.
func visible(flags []*kong.Flag) []*kong.Flag {
	return slices.DeleteFunc(slices.Clone(flags), func(f *kong.Flag) bool { return f.Hidden })
}
