package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// columns is where lines of text are broken.
const columns = 80

// list describes arguments and flags, each with its limit after its help.
func list(arguments []*kong.Positional, flags []*kong.Flag, limits map[string]string) string {
	if len(arguments)+len(flags) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(".Bl -tag -width Ds -compact\n")
	for _, argument := range arguments {
		b.WriteString(".It Ar " + strings.ToUpper(argument.Name) + "\n" + prose(argument.Help))
	}
	for _, flag := range flags {
		b.WriteString(item(flag) + limits[flag.Name])
	}
	b.WriteString(".El\n")
	return b.String()
}

// item is a flag with its value, its help and its default.
func item(flag *kong.Flag) string {
	text := names(flag, ".It ", " , ") + value(flag) + "\n" + prose(flag.Help)
	if flag.HasDefault && flag.Default != "" && !flag.IsBool() {
		text += prose("Default: " + flag.Default)
	}
	return text
}

// names is a flag in its short and its long form.
func names(flag *kong.Flag, macro, between string) string {
	if flag.Short != 0 {
		return macro + "Fl " + string(flag.Short) + between + "Fl -" + flag.Name
	}
	return macro + "Fl -" + flag.Name
}

// value is what a flag takes: one of some words, or anything of that name.
func value(flag *kong.Flag) string {
	switch {
	case flag.IsBool():
		return ""
	case flag.Enum != "" && !flag.IsSlice():
		words := slices.DeleteFunc(flag.EnumSlice(), func(word string) bool { return word == "" })
		return " Cm " + strings.Join(words, " | ")
	}
	return " Ar " + strings.ReplaceAll(flag.FormatPlaceHolder(), "|", " | ")
}

// series is the rest of a macro's line, which lists words as "a, b and c". The macro stands before each but the first.
func series(macro string, words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], " , "+macro+" ") + " No and " + macro + " " + words[last]
}

// marks are the words of a help text that have a macro of their own, each with the punctuation behind it.
var marks = []struct {
	word  *regexp.Regexp
	macro string
}{
	{regexp.MustCompile(`^-(-[a-z][a-z-]*)([.,:;)]*)$`), ".Fl "},
	{regexp.MustCompile(`^<([a-z]+)>([.,:;)]*)$`), ".Ar "},
	{regexp.MustCompile(`^([A-Z]+(?:_[A-Z]+)+)([.,:;)]*)$`), ".Ev "},
}

// prose writes a help text as mdoc: each sentence begins a line and has an end, and flags, arguments and variables are
// marked.
func prose(text string) string {
	var lines []string
	line := ""
	flush := func() {
		if line != "" {
			lines = append(lines, line)
		}
		line = ""
	}
	for word := range strings.FieldsSeq(text) {
		if marked := mark(word); marked != "" {
			flush()
			lines = append(lines, marked)
			continue
		}
		word = strings.ReplaceAll(word, `\`, `\e`)
		if len(line)+1+len(word) >= columns {
			flush()
		}
		if line == "" && strings.ContainsRune(".'", rune(word[0])) {
			word = `\&` + word
		}
		line = strings.TrimSpace(line + " " + word)
		if strings.ContainsRune(".!?", rune(word[len(word)-1])) {
			flush()
		}
	}
	flush()
	return strings.Join(lines, "\n") + "\n"
}

// mark is a word with its macro, "" for a word that has none.
func mark(word string) string {
	for _, m := range marks {
		found := m.word.FindStringSubmatch(word)
		if found == nil {
			continue
		}
		name := found[1]
		if m.macro == ".Ar " {
			name = strings.ToUpper(name)
		}
		return strings.TrimSpace(m.macro + name + " " + strings.Join(strings.Split(found[2], ""), " "))
	}
	return ""
}
