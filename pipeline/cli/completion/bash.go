package completion

import (
	"fmt"
	"strings"
)

// bashTail completes the current word from what the command's case has set. It is written for bash 3.2, which has no
// compopt and no mapfile.
const bashTail = `  esac
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word != -- ]] || values= files=yes flags=
  done
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
  elif [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  fi
  [[ $current != -* ]] || COMPREPLY=($(compgen -W "$flags" -- "$current"))
}
`

// bash sets for each command its flags, and values or files for what the word before takes. A word with = is three
// words to bash.
func (l *line) bash() string {
	var b strings.Builder
	function := "_" + strings.ReplaceAll(l.name, "-", "_")
	var commands []string
	for _, c := range l.commands {
		commands = append(commands, c.name)
	}
	common := strings.Join(names(l.flags), " ")
	fmt.Fprintf(&b, "# bash completion of %s\n%s() {\n", l.name, function)
	b.WriteString(`  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} flags= values= files= word
  COMPREPLY=()
  if [[ $current == = ]]; then
    current=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD-2]}
  fi
  if ((COMP_CWORD == 1)); then
`)
	fmt.Fprintf(&b, "    COMPREPLY=($(compgen -W '%s %s' -- \"$current\"))\n", strings.Join(commands, " "), common)
	b.WriteString("    return\n  fi\n  case ${COMP_WORDS[1]} in\n")
	for _, c := range l.commands {
		fmt.Fprintf(&b, "  %s)\n    flags='%s'\n", c.name, strings.Join(append(names(c.flags), common), " "))
		b.WriteString("    case $before in\n")
		var free []string
		for _, f := range c.flags {
			switch {
			case f.switches:
			case f.files || len(f.words) > 0:
				fmt.Fprintf(&b, "    --%s) %s flags= ;;\n", f.name, f.bash())
			default:
				free = append(free, "--"+f.name)
			}
		}
		if len(free) > 0 {
			fmt.Fprintf(&b, "    %s) flags= ;;\n", strings.Join(free, " | "))
		}
		if set := c.argument.bash(); set != "" {
			fmt.Fprintf(&b, "    *) %s ;;\n", set)
		}
		b.WriteString("    esac\n    ;;\n")
	}
	b.WriteString(bashTail)
	fmt.Fprintf(&b, "complete -F %s %s\n", function, l.name)
	return b.String()
}

// bash sets the variable for a value, "" for any text.
func (v value) bash() string {
	switch {
	case v.files:
		return "files=yes"
	case len(v.words) > 0:
		return "values='" + strings.Join(v.words, " ") + "'"
	}
	return ""
}
