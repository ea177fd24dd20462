package completion

import (
	"fmt"
	"strings"
)

// fish has one line for each flag and argument of a command, which a condition limits to that command.
func (l *line) fish() string {
	var b strings.Builder
	function := "__" + strings.ReplaceAll(l.name, "-", "_")
	fmt.Fprintf(&b, `# fish completion of %s
function %s_command
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end
function %[2]s_first
    test (count (commandline -opc)) -eq 1
end
complete -c %[1]s -f
`, l.name, function)
	for _, c := range l.commands {
		fmt.Fprintf(&b, "complete -c %s -n %s_first -a %s -d %s\n", l.name, function, c.name, fishQuoted(c.help))
	}
	for _, f := range l.flags {
		fmt.Fprintf(&b, "complete -c %s%s\n", l.name, f.fish())
	}
	for _, c := range l.commands {
		limit := fmt.Sprintf("complete -c %s -n '%s_command %s'", l.name, function, c.name)
		for _, f := range c.flags {
			fmt.Fprintf(&b, "%s%s\n", limit, f.fish())
		}
		switch {
		case c.argument.files:
			fmt.Fprintf(&b, "%s -F\n", limit)
		case len(c.argument.words) > 0:
			fmt.Fprintf(&b, "%s -a %s\n", limit, fishQuoted(strings.Join(c.argument.words, " ")))
		}
	}
	return b.String()
}

// fish is a flag as arguments of complete.
func (f *flag) fish() string {
	text := " -l " + f.name
	if f.short != "" {
		text += " -s " + f.short
	}
	switch {
	case f.switches:
	case f.files:
		text += " -r -F"
	case len(f.words) > 0:
		text += " -x -a " + fishQuoted(strings.Join(f.words, " "))
	default:
		text += " -x"
	}
	return text + " -d " + fishQuoted(f.help)
}

func fishQuoted(word string) string { return quoted(strings.ReplaceAll(word, `\`, `\\`), `\'`) }
