package completion

import (
	"fmt"
	"strings"
)

// zsh calls _arguments for the command, and then with that command's flags. The file works where zsh looks for
// completions, and where it is sourced.
func (l *line) zsh() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#compdef %s\n\n_%[1]s() {\n  local context state state_descr line\n", l.name)
	b.WriteString("  typeset -A opt_args\n  local -a commands=(\n")
	for _, c := range l.commands {
		fmt.Fprintf(&b, "    %s\n", zshQuoted(c.name+":"+c.help))
	}
	b.WriteString("  )\n  local -a common=(\n")
	for _, f := range l.flags {
		b.WriteString("    " + f.zsh() + "\n")
	}
	b.WriteString("  )\n  _arguments -C $common '1:command:->command' '*::argument:->arguments' && return\n")
	b.WriteString("  case $state in\n  command) _describe command commands ;;\n  arguments)\n    case $words[1] in\n")
	for _, c := range l.commands {
		fmt.Fprintf(&b, "    %s)\n      _arguments $common", c.name)
		for _, f := range c.flags {
			b.WriteString(" \\\n        " + f.zsh())
		}
		if c.argument.name != "" {
			b.WriteString(" \\\n        " + zshQuoted("*:"+c.argument.name+":"+c.argument.zsh()))
		}
		b.WriteString("\n      ;;\n")
	}
	fmt.Fprintf(&b, "    esac\n    ;;\n  esac\n}\n\nif [[ $funcstack[1] == _%s ]]; then\n  _%[1]s \"$@\"\nelse\n", l.name)
	fmt.Fprintf(&b, "  compdef _%s %[1]s\nfi\n", l.name)
	return b.String()
}

// zsh is a flag's specification for _arguments.
func (f *flag) zsh() string {
	help := "[" + strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(f.help) + "]"
	if !f.switches {
		help = "=" + help + ":" + strings.ReplaceAll(f.value.name, ":", `\:`) + ":" + f.value.zsh()
	}
	switch {
	case f.short != "":
		return fmt.Sprintf("'(-%s --%s)'{-%[1]s,--%s}%s", f.short, f.name, zshQuoted(help))
	case f.repeats:
		return zshQuoted("*--" + f.name + help)
	}
	return zshQuoted("--" + f.name + help)
}

// zsh is the action that completes a value.
func (v value) zsh() string {
	switch {
	case v.files:
		return "_files"
	case len(v.words) > 0:
		return "(" + strings.Join(v.words, " ") + ")"
	}
	return " "
}

func zshQuoted(word string) string { return quoted(word, `'\''`) }
