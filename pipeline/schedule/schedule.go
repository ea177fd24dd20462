// Package schedule reads the cron expressions of Treasure Data (TD), finds the times at which they fire, and runs a
// command at them (td-semantics.md section 3). Start reading at Parse, then at Plan and Run.
package schedule

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Schedule is a parsed cron expression. It never changes and may be used by several goroutines at once.
type Schedule struct {
	text    string
	entries *expression // nil: it never fires
	read    reading
	spec    *times
}

// Parse parses an expression of TD's cron: five fields with blanks between them, an alias such as @daily, or "",
// which never fires. It refuses five fields that can never fire, and more than 1000 characters. Errors begin with
// the column, in characters from 1, and say what was expected.
func Parse(text string) (*Schedule, error) { return parse(text, treasureData) }

// reading is whose cron an expression is read as. They differ in what */n means, and in what two fields for days
// mean.
type reading int

const (
	// treasureData: */n are the values divisible by n; of two fields for days the one that fires more often wins.
	treasureData reading = iota
	// vixie: */n counts from the lowest value; a day matches either field, or both where one begins with *.
	vixie
	// cron4j: */n counts from the lowest value; a day matches both fields. digdag, which runs TD's workflows, uses
	// it.
	cron4j
)

// aliases are short forms of expressions.
var aliases = map[string]string{
	"@hourly":   "0 * * * *",
	"@daily":    "0 0 * * *",
	"@midnight": "0 0 * * *",
	"@weekly":   "0 0 * * 0",
	"@monthly":  "0 0 1 * *",
	"@yearly":   "0 0 1 1 *",
	"@annually": "0 0 1 1 *",
}

func parse(text string, r reading) (*Schedule, error) {
	if text == "" {
		return &Schedule{read: r}, nil
	}
	words, err := split(text)
	if err != nil {
		return nil, err
	}
	if len(words) > 0 && strings.HasPrefix(words[0].text, "@") {
		if words, err = expand(words); err != nil {
			return nil, err
		}
	}
	if err := count(words, utf8.RuneCountInString(text)); err != nil {
		return nil, err
	}
	x := new(expression)
	for i, w := range words {
		if x[i], err = fields[i].entry(w); err != nil {
			return nil, err
		}
	}
	s := &Schedule{text: text, entries: x, read: r, spec: x.spec(r)}
	if monthDays, _ := calendar().weigh(s.spec); monthDays == 0 {
		return nil, fmt.Errorf("column %d: expected a day that exists, got %s in %s",
			x[monthDay].column, days(s.spec.monthDay), values(s.spec.month, monthName))
	}
	return s, nil
}

// expand replaces an alias by its five fields.
func expand(words []word) ([]word, error) {
	alias := words[0]
	full, known := aliases[strings.ToLower(alias.text)]
	switch {
	case !known:
		return nil, fmt.Errorf("column %d: expected @hourly, @daily, @midnight, @weekly, @monthly, @yearly or "+
			"@annually, got %s", alias.column, quoted(alias.text))
	case len(words) > 1:
		return nil, fmt.Errorf("column %d: expected nothing after %s, got %s",
			words[1].column, alias.text, quoted(words[1].text))
	}
	words = nil
	for text := range strings.FieldsSeq(full) {
		words = append(words, word{text, alias.column})
	}
	return words, nil
}

// count checks the number of fields. An expression has length characters.
func count(words []word, length int) error {
	column := length + 1
	switch {
	case len(words) == len(fields):
		return nil
	case len(words) > len(fields):
		column = words[len(fields)].column
	}
	return fmt.Errorf("column %d: expected 5 fields (minute, hour, day of the month, month, day of the week), got %d",
		column, len(words))
}
