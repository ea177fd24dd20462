// Package completion writes how a shell completes a command line: commands, flags and values, as kong's model of the
// command line has them. The shells do the work: the program is not called. Start reading at Script.
package completion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Script returns what bash, zsh or fish reads to complete the command line of a program.
func Script(shell string, program *kong.Application) (string, error) {
	writers := map[string]func(*line) string{"bash": (*line).bash, "zsh": (*line).zsh, "fish": (*line).fish}
	write := writers[shell]
	if write == nil {
		return "", fmt.Errorf("expected bash, zsh or fish, got %q", shell)
	}
	return write(lineOf(program)), nil
}

// line is a command line: a command, its flags and its arguments.
type line struct {
	name     string
	flags    []flag // that also work without a command
	commands []command
}

type command struct {
	name, help string
	flags      []flag
	argument   value // all arguments of a command are of one kind
}

type flag struct {
	name, help string
	short      string // letter, "" without one
	switches   bool   // it takes no value
	repeats    bool
	value
}

// value is what may follow a flag, or be an argument. The zero value is any text.
type value struct {
	words []string // one of these
	files bool     // the name of a file
	name  string   // in the help
}

func lineOf(program *kong.Application) *line {
	l := &line{name: program.Name, flags: flagsOf(program.Flags)}
	for _, node := range program.Children {
		c := command{name: node.Name, help: brief(node.Help), flags: flagsOf(node.Flags)}
		for _, argument := range node.Positional {
			c.argument = valueOf(argument, argument.Name)
		}
		l.commands = append(l.commands, c)
	}
	return l
}

func flagsOf(flags []*kong.Flag) (all []flag) {
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		one := flag{
			name: f.Name, help: brief(f.Help), switches: f.IsBool(),
			repeats: f.IsCumulative() || f.IsMap(), value: valueOf(f.Value, f.PlaceHolder),
		}
		if f.Short != 0 {
			one.short = string(f.Short)
		}
		all = append(all, one)
	}
	return all
}

// valueOf returns the kind of a value from its enum, from the words in its tag, or from its name.
func valueOf(v *kong.Value, name string) value {
	if words := v.Tag.Get("words"); words != "" {
		return value{words: strings.Split(words, ","), name: name}
	}
	if v.Enum != "" {
		return value{words: slices.DeleteFunc(v.EnumSlice(), func(w string) bool { return w == "" }), name: name}
	}
	files := slices.Contains([]string{"file", "results", "settings", "command"}, strings.ToLower(name))
	return value{files: files, name: name}
}

// brief is the first sentence of a help text.
func brief(help string) string {
	sentence, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(sentence, ".")
}

// names returns the flags as they are typed.
func names(flags []flag) (typed []string) {
	for _, f := range flags {
		typed = append(typed, "--"+f.name)
	}
	return typed
}

// quoted is a word in a shell's single quotes. Each quote of the word becomes the one that is given.
func quoted(word, quote string) string { return "'" + strings.ReplaceAll(word, "'", quote) + "'" }
