package cli

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

const (
	keyHint     = "set KLAVIYO_API_KEY or pass --api-key-file FILE: no flag takes the key itself"
	listHint    = "use --list-name NAME or --list-id ID"
	fileHint    = "redirect the results: … > FILE"
	logHint     = "use --log-format text"
	manyHint    = "use --concurrency N"
	invalidHint = "use --max-invalid N or N%"
	channelHint = "use --channel email,sms,sms-transactional"
	rowsHint    = "pass rows or results on standard input: klaviyo-export %s … < FILE"
)

// flagSlips are flags that people try, some with their command, and what to type instead. A hint without the command
// is shown only where the command has the flags that it names.
var flagSlips = map[string]string{
	"-l": listHint, "--list": listHint, "--name": listHint,
	"--api-key": keyHint, "--apikey": keyHint, "--key": keyHint, "--token": keyHint,
	"-V": "use --version", "-v": "use --version or --log-format text",
	"--verbose": logHint, "--debug": logHint, "--log-level": logHint,
	"-q": "use --quiet", "--silent": "use --quiet", "-n": "use --dry-run", "-w": "use --wait",
	"-o": fileHint, "--out": fileHint, "--output": fileHint,
	"--url": "use --base-url URL", "--host": "use --base-url URL",
	"--country": "use --default-country CC", "--rename": "use --map COLUMN=TARGET",
	"--exclude": "use --drop COLUMN", "--skip": "use --drop COLUMN",
	"-j": manyHint, "--parallel": manyHint, "--workers": manyHint,
	"--retries": "use --retry-for DURATION", "--timeout": "use --wait-timeout DURATION",
	"--skip-invalid": invalidHint, "--ignore-errors": invalidHint,
	"--tz":       "use --timezone ZONE",
	"--channels": channelHint, "--email": channelHint, "--sms": channelHint,
	"--global": "use --everywhere", "--all": "use --everywhere",
	"--custom-source": "use --source TEXT", "--date": "use --historical --consented-at COLUMN",

	"report --json": "use --format json", "report --text": "use --format text",
	"report --html": "use --format html", "report --prometheus": "use --format prometheus",
	"report --csv":    "use --rejected csv",
	"run --schedule":  "use klaviyo-export schedule --workflow FILE -- COMMAND",
	"add --no-wait":   "leave --wait out",
	"add --timeout":   "use --wait --wait-timeout DURATION",
	"simulate --port": "use --addr 127.0.0.1:PORT", "simulate -p": "use --addr 127.0.0.1:PORT",
}

// commandSlips are commands that people try, and the ones that do it.
var commandSlips = map[string]string{
	"delete": "remove", "rm": "remove",
	"optin": "subscribe", "opt-in": "subscribe", "optout": "unsubscribe", "opt-out": "unsubscribe", "unsub": "unsubscribe",
	"import": "add", "upload": "add", "push": "add", "export": "add",
	"validate": "check", "lint": "check",
	"merge": "report", "status": "report",
	"retry": "pick", "resume": "add --resume RESULTS",
	"cron": "schedule", "serve": "simulate", "server": "simulate", "mock": "simulate",
	"ping": "doctor", "test": "doctor", "auth": "doctor",
}

// inputs are flags that people try for the rows, which come on standard input.
var inputs = []string{"-f", "-i", "--file", "--input"}

// readers are the commands that read rows or results from standard input and take no file.
var readers = []string{"add", "remove", "mirror", "subscribe", "unsubscribe", "check", "run", "wait", "pick"}

// misuse says what is wrong with a command line and what to type instead.
func misuse(err error, args []string) (text, hint string) {
	text, command := err.Error(), commandOf(err)
	whole := strings.TrimSpace("run klaviyo-export "+command) + " --help"
	if flag, is := strings.CutPrefix(text, "unknown flag "); is {
		flag, _, guessed := strings.Cut(flag, ",")
		if hint = flagHint(command, flag); hint != "" {
			return "unknown flag " + flag, hint
		}
		if !strings.HasPrefix(flag, "--") { // what the parser guesses for a letter is any other letter
			return "unknown flag " + flag, whole
		}
		if hint = otherCommands(command, flag); hint != "" && !guessed {
			return text, hint
		}
		return text, whole
	}
	if argument, is := strings.CutPrefix(text, "unexpected argument "); is {
		argument, _, _ = strings.Cut(argument, ",")
		if hint = argumentHint(command, argument, args); hint != "" {
			return "unexpected argument " + argument, hint
		}
		return text, whole
	}
	return dialect(text), whole
}

// flagHint says what to type instead of a flag, "" where nothing comes near.
func flagHint(command, flag string) string {
	if hint := flagSlips[command+" "+flag]; hint != "" {
		return hint
	}
	if slices.Contains(inputs, flag) && slices.Contains(readers, command) {
		return fmt.Sprintf(rowsHint, command)
	}
	hint := flagSlips[flag]
	for _, named := range longFlag.FindAllString(hint, -1) {
		if command != "" && !slices.Contains(haveFlag(named), command) && named != "--version" {
			return ""
		}
	}
	return hint
}

var longFlag = regexp.MustCompile(`--[a-z-]+`)

// haveFlag names the commands that have a flag.
func haveFlag(flag string) (names []string) {
	for _, command := range Model().Children {
		if slices.ContainsFunc(command.Flags, func(f *kong.Flag) bool { return "--"+f.Name == flag && !f.Hidden }) {
			names = append(names, command.Name)
		}
	}
	return names
}

// otherCommands says which commands have a flag that this one lacks, "" where there are none.
func otherCommands(command, flag string) string {
	names := haveFlag(flag)
	switch {
	case len(names) == 0:
		return ""
	case command == "":
		return fmt.Sprintf("put the command first, as in klaviyo-export %s %s", names[0], flag)
	}
	return fmt.Sprintf("%s has no %s; it is a flag of %s", command, flag, strings.Join(names, ", "))
}

// argumentHint says what to type instead of an argument that no command takes, "" where nothing comes near.
func argumentHint(command, argument string, args []string) string {
	asksHelp, asksVersion := argument == "help", argument == "version"
	switch {
	case asksHelp && command == "":
		for _, name := range args {
			if slices.ContainsFunc(Model().Children, func(n *kong.Node) bool { return n.Name == name }) {
				return "run klaviyo-export " + name + " --help"
			}
		}
	case asksHelp:
		return "run klaviyo-export " + command + " --help"
	case asksVersion:
		return "run klaviyo-export --version"
	case command == "" && commandSlips[argument] != "":
		return "use klaviyo-export " + commandSlips[argument]
	case slices.Contains(haveFlag("--list-name"), command) && !namesFile(argument):
		return listHint + " for a list"
	case slices.Contains(readers, command):
		return fmt.Sprintf(rowsHint, command)
	}
	return ""
}

// namesFile reports whether an argument is or looks like the name of a file.
func namesFile(argument string) bool {
	_, err := os.Stat(argument)
	return err == nil || strings.ContainsAny(argument, "./-")
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
