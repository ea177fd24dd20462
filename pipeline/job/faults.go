package job

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const (
	maxFaults = 10 // that are told
	maxShown  = 60 // bytes of a text that is shown
)

// faults are what is wrong with a file, and what must not be told of it.
type faults struct {
	lines   []string
	more    int // faults beyond maxFaults
	private []string
}

// add notes a fault once; at is FILE, FILE:LINE or FILE:LINE:COLUMN.
func (f *faults) add(at, format string, args ...any) {
	line := at + ": " + fmt.Sprintf(format, args...)
	switch {
	case slices.Contains(f.lines, line):
	case len(f.lines) == maxFaults:
		f.more++
	default:
		f.lines = append(f.lines, line)
	}
}

func (f *faults) failed() bool { return len(f.lines) > 0 }

// err returns the faults as one error, nil if there are none.
func (f *faults) err() error {
	if !f.failed() {
		return nil
	}
	told := strings.Join(f.lines, "\n")
	if f.more > 0 {
		told += fmt.Sprintf("\nand %d more", f.more)
	}
	return errors.New(told)
}

// hide keeps a text, and all that holds it, from being shown. Our own keys are never hidden: api_token stands for
// the token in many examples.
func (f *faults) hide(text string) {
	if text = strings.TrimSpace(text); text != "" && !slices.Contains(keyNames, text) && !slices.Contains(f.private, text) {
		f.private = append(f.private, text)
	}
}

// name shows a text of the file, quoted only where it would not fit on a line as it is.
func (f *faults) name(text string) string {
	shown, plain := f.show(text)
	if plain && text != "" {
		return shown
	}
	return strconv.Quote(shown)
}

// value shows a text of the file in quotes.
func (f *faults) value(text string) string {
	shown, _ := f.show(text)
	return strconv.Quote(shown)
}

// show cuts a text short and masks it if need be. It reports whether all of it can be printed.
func (f *faults) show(text string) (shown string, plain bool) {
	if slices.ContainsFunc(f.private, func(p string) bool { return strings.Contains(text, p) }) {
		return "***", true
	}
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text, !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// meant suggests the one of names that text is a misspelling of, or returns "".
func meant(text string, names []string) string {
	best, least := "", max(min(2, len(text)/2), len(text)/3)+1
	for _, name := range names {
		if len(text) > maxShown || len(name) > maxShown {
			continue
		}
		if d := distance(strings.ToLower(text), strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

// suggest returns " (did you mean NAME?)", or "".
func suggest(text string, names []string) string {
	if name := meant(text, names); name != "" {
		return " (did you mean " + name + "?)"
	}
	return ""
}

// distance is the number of bytes to insert, delete or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
