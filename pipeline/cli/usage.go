package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
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
	{regexp.MustCompile(`expected (\w+) value but got (".*") \(.*\)(; perhaps.*)?$`), "expected a value, got $2"},
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

const (
	keyHint  = "set KLAVIYO_API_KEY or pass --api-key-file FILE: no flag takes the key itself"
	rowsHint = "pass rows or results on standard input: klaviyo-export %s … < FILE"
)

// slips are flags that people try, some with their command, and what to type instead.
var slips = map[string]string{
	"-l": "use --list-name NAME or --list-id ID", "--list": "use --list-name NAME or --list-id ID",
	"--api-key": keyHint, "--key": keyHint, "--token": keyHint,
	"report --json": "use --format json", "report --text": "use --format text",
	"report --html": "use --format html", "report --prometheus": "use --format prometheus",
	"-V": "use --version", "-v": "use --version or --log-format text", "--verbose": "use --log-format text",
	"-q": "use --quiet", "-n": "use --dry-run",
	"-o": "redirect the results: … > FILE", "--output": "redirect the results: … > FILE",
	"run --schedule": "use klaviyo-export schedule --workflow FILE -- COMMAND",
	"add --no-wait":  "leave --wait out",
}

// inputs are flags that people try for the rows, which come on standard input.
var inputs = []string{"-f", "-i", "--file", "--input"}

// readers are the commands that read rows or results from standard input and take no file.
var readers = []string{"add", "remove", "check", "run", "wait", "pick"}

// misuse says what is wrong with a command line and what to type instead.
func misuse(err error, args []string) (text, hint string) {
	text, command := err.Error(), commandOf(err)
	flag, isFlag := strings.CutPrefix(text, "unknown flag ")
	flag, _, _ = strings.Cut(flag, ",")
	argument, isArgument := strings.CutPrefix(text, "unexpected argument ")
	switch {
	case isFlag && slips[command+" "+flag] != "":
		return "unknown flag " + flag, slips[command+" "+flag]
	case isFlag && slips[flag] != "":
		return "unknown flag " + flag, slips[flag]
	case isFlag && slices.Contains(inputs, flag) && slices.Contains(readers, command):
		return "unknown flag " + flag, fmt.Sprintf(rowsHint, command)
	case isArgument && command == "" && argument == "help" && len(args) > 1:
		return text, "run klaviyo-export " + args[1] + " --help"
	case isArgument && command == "" && argument == "version":
		return text, "run klaviyo-export --version"
	case isArgument && slices.Contains(readers, command):
		return text, fmt.Sprintf(rowsHint, command)
	}
	return dialect(text), strings.TrimSpace("run klaviyo-export "+command) + " --help"
}

// commandOf names the command whose flags could not be parsed, "" where there is none.
func commandOf(err error) string {
	var failed *kong.ParseError
	if !errors.As(err, &failed) {
		return ""
	}
	name, _, _ := strings.Cut(failed.Context.Command(), " ")
	return name
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
