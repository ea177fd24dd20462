package workflow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
)

const (
	maxFaults = 10 // that an error names
	maxShown  = 60 // bytes of a text that a fault shows

	maxPrivate = 1000 // private texts that are kept apart; of more, no text of the file is shown
)

// faults are what is wrong with a file, and the texts that no fault may show.
type faults struct {
	lines   []string
	more    int // faults beyond maxFaults
	private []string
}

// add notes a fault once. The place is FILE, FILE:LINE or FILE:LINE:COLUMN; the key, "" for none, is as a fault
// shows it.
func (f *faults) add(at, key, format string, args ...any) {
	line := at + ": "
	if key != "" {
		line += key + ": "
	}
	line += fmt.Sprintf(format, args...)
	switch {
	case slices.Contains(f.lines, line):
	case len(f.lines) == maxFaults:
		f.more++
	default:
		f.lines = append(f.lines, line)
	}
}

// Failed reports whether there is a fault.
func (f *faults) Failed() bool { return len(f.lines) > 0 }

// Err returns the faults as one error, nil if there are none. It has a method Lines with a line for each fault.
func (f *faults) Err() error {
	if !f.Failed() {
		return nil
	}
	lines := slices.Clone(f.lines)
	if f.more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", f.more))
	}
	return listed(lines)
}

// listed is the error of a file with a line for each fault.
type listed []string

func (l listed) Error() string { return strings.Join(l, "\n") }

// Lines returns the faults. A line end within one belongs to a text of the file.
func (l listed) Lines() []string { return l }

// hide makes a text private. The keys of settings never are: api_token stands for the token in many examples.
func (f *faults) hide(text string) {
	text = strings.TrimSpace(text)
	switch {
	case text == "" || slices.Contains(Keys, text) || f.Private(text):
	case len(f.private) == maxPrivate:
		f.private = []string{""} // which every text contains
	default:
		f.private = append(f.private, text)
	}
}

// Private reports whether a text contains the key, a secret, or another text that must not be shown.
func (f *faults) Private(text string) bool {
	return slices.ContainsFunc(f.private, func(p string) bool { return strings.Contains(text, p) })
}

// Quote returns a text of the file in quotes, cut short, and *** for a private one.
func (f *faults) Quote(text string) string {
	shown, _ := f.show(text)
	return strconv.Quote(shown)
}

// name returns a text of the file like Quote, but quotes only what cannot be printed on one line.
func (f *faults) name(text string) string {
	shown, plain := f.show(text)
	if plain && text != "" {
		return shown
	}
	return strconv.Quote(shown)
}

// show cuts a text short and masks a private one. It reports whether all of it can be printed.
func (f *faults) show(text string) (shown string, plain bool) {
	if f.Private(text) {
		return "***", true
	}
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text, !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Nearest returns the one of names that text is a misspelling of, or "".
func Nearest(text string, names []string) string {
	best, least := "", max(min(2, len(text)/2), len(text)/3)+1
	for _, name := range names {
		if len(text) > maxShown || len(name) > maxShown {
			continue
		}
		if d := levenshtein.ComputeDistance(strings.ToLower(text), strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

// suggest returns " (did you mean NAME?)", or "".
func suggest(text string, names []string) string {
	if name := Nearest(text, names); name != "" {
		return " (did you mean " + name + "?)"
	}
	return ""
}

// enumerate returns "a, b or c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
