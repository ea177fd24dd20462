package cli

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// fromKong turns the parser's words into ours.
var fromKong = []struct {
	theirs *regexp.Regexp
	ours   string
}{
	{regexp.MustCompile(`^(\S+) must be one of (.*) but got (".*")$`), "$1: expected $2, got $3"},
	{regexp.MustCompile(`expected duration but got (".*?")(: .*)?$`), "expected a duration such as 30s or 5m, got $1"},
	{regexp.MustCompile(`expected a valid 64 bit int but got (".*")$`), "expected a whole number, got $1"},
	{regexp.MustCompile(`expected an int but got (".*") \(.*\)$`), "expected a whole number, got $1"},
	{regexp.MustCompile(`expected "<key>=<value>" but got (".*")$`), "expected NAME=VALUE, got $1"},
	{regexp.MustCompile(`expected (\w+) value but got "EOL" \(.*\)$`), "expected a value, got none"},
	{regexp.MustCompile(`expected (\w+) value but got (".*") \(.*\)(; perhaps.*)?$`), "expected a value, got $2"},
	{regexp.MustCompile(`^(\S+) bool value must be .* but got (".*")$`), "$1 expected no value, got $2"},
	{regexp.MustCompile(`^expected one of "add".*$`), "missing command"},
	{regexp.MustCompile(`^expected "<(.*)>( .*)?"$`), "missing argument: <$1>"},
}

// dialect is an error of the parser in our words.
func dialect(text string) string {
	for _, t := range fromKong {
		if t.theirs.MatchString(text) {
			text = t.theirs.ReplaceAllString(text, t.ours)
			break
		}
	}
	if before, list, ok := strings.Cut(text, ": expected \""); ok && strings.Contains(list, `","`) {
		list, got, _ := strings.Cut(list, "\", got ")
		words := slices.DeleteFunc(strings.Split(list, `","`), func(w string) bool { return w == "" })
		last := len(words) - 1
		text = before + ": expected " + strings.Join(words[:last], ", ") + " or " + words[last] + ", got " + got
	}
	return text
}

// brief writes 1h0m0s as 1h.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
