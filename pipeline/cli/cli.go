// Package cli is the command line: each command with its flags, their checks and its run. Start reading in add.go.
package cli

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"slices"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
	"klaviyo-export/sink"
)

const exitUsage = 2

const intro = `Add people to a Klaviyo list, remove them from it, keep it equal to a query, or set and withdraw consent.

Reads rows from standard input, one JSON object per line. Writes one result per row to standard output, then a report.

Exit status:

    0         every row was applied, accepted, skipped or valid, or rejected as
              --max-invalid allows
    1         the run ended, but some rows did not arrive, or mirror removed nobody
    2         the run could not start: fix the cause, then run it again
    3         import jobs were open, or consent not visible, when the waiting time
              ended
    4         Klaviyo or the network failed: run it again later
    130, 143  stopped by a signal`

// commands is the command line.
type commands struct {
	Add         addCommand         `cmd:"" help:"Add people to a list."`
	Remove      removeCommand      `cmd:"" help:"Remove people from a list."`
	Mirror      mirrorCommand      `cmd:"" help:"Make a list consist of exactly these people."`
	Subscribe   subscribeCommand   `cmd:"" help:"Record that people consent to get email or SMS."`
	Unsubscribe unsubscribeCommand `cmd:"" help:"Withdraw people's consent, for one list or everywhere."`
	Run         runCommand         `cmd:"" help:"Do what a Treasure Data settings file says."`
	Check       checkCommand       `cmd:"" help:"Check rows without sending anything."`
	Wait        waitCommand        `cmd:"" help:"Wait for the import jobs or the consent of an earlier run."`
	Members     membersCommand     `cmd:"" help:"Print who is on a list."`
	Send        sendCommand        `cmd:"" help:"Send a campaign when the results prove that all rows are on its list."`
	Pick        pickCommand        `cmd:"" help:"Print the rows of an earlier run that have a given status."`
	Report      reportCommand      `cmd:"" help:"Merge reports and show them as text, a web page or metrics."`
	Schedule    scheduleCommand    `cmd:"" help:"Run a command on a Treasure Data cron schedule."`
	Doctor      doctorCommand      `cmd:"" help:"Check the API key, the account and a list without changing anything."`
	Simulate    simulateCommand    `cmd:"" help:"Start a local server that behaves like Klaviyo's API."`

	Completion completionCommand `cmd:"" help:"Print a script that completes commands and flags in a shell."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

// groups are the headings of flags in the help.
var groups = []kong.Group{
	{Key: "list", Title: "List flags:"},
	{Key: "mirror", Title: "Removal flags:"},
	{Key: "consent", Title: "Consent flags:"},
	{Key: "campaign", Title: "Campaign flags:"},
	{Key: "settings", Title: "Settings flags:"},
	{Key: "rows", Title: "Row flags:"},
	{Key: "sending", Title: "Sending flags:"},
	{Key: "waiting", Title: "Waiting flags:"},
	{Key: "klaviyo", Title: "Klaviyo flags:"},
	{Key: "times", Title: "Flags that say when:"},
	{Key: "workflow", Title: "Workflow flags:"},
	{Key: "runs", Title: "Flags for the runs:"},
	{Key: "looking", Title: "Flags that print instead of running:"},
	{Key: "messages", Title: "Message flags:"},
}

// Program is klaviyo-export with the streams that it uses.
type Program struct {
	In       io.Reader
	Out, Err io.Writer

	// AroundSimulator, where set, puts a layer around every simulator that the program starts. Tests check the API's
	// contract there.
	AroundSimulator func(http.Handler) http.Handler
}

// Run runs the command that args name and returns the exit status.
func (p Program) Run(args []string) int {
	left := false
	parser := newParser(new(commands), p.Out, p.Err, func(int) { left = true })
	c := newConsole(&p)
	defer c.catchSignals()()
	line, err := parser.Parse(args)
	if left {
		return 0 // --help or --version
	}
	if err != nil {
		text, hint := misuse(err, args)
		c.fail(errors.New(text), hint)
		return exitUsage
	}
	return c.exit(line.Run(c, givenOn(line)))
}

// Model describes the commands with their flags, groups and help. The manual and completions are generated from it.
func Model() *kong.Application {
	return newParser(new(commands), io.Discard, io.Discard, func(int) {}).Model
}

// newParser returns a parser into line. exit is called after --help and --version.
func newParser(line *commands, out, errs io.Writer, exit func(int)) *kong.Kong {
	vars, insertHelp := variables(
		kong.Vars{"base_url": sink.DefaultBaseURL, "revision": sink.DefaultRevision},
		listHelp, consentHelp, rowHelp, sendingHelp, waitingHelp, stateHelp, mirrorHelp, checkHelp, membersHelp, klaviyoHelp,
		simulateHelp, messageHelp, campaignHelp,
		pickHelp, reportHelp, runHelp, scheduleHelp, timesHelp, lookHelp, serverHelp,
	)
	parser, err := kong.New(line,
		kong.Name("klaviyo-export"), kong.Description(intro),
		kong.Writers(out, errs), kong.Exit(exit),
		kong.Vars{"version": "klaviyo-export " + version() + " " + runtime.Version()}, vars,
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}), kong.ValueFormatter(helpOf),
		kong.ExplicitGroups(groups),
	)
	if err != nil {
		panic(err) // a declaration is wrong
	}
	insertHelp()
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			flag.Hidden = flag.Hidden || slices.ContainsFunc(idleFlags[command.Name], func(f idleFlag) bool {
				return f.name == flag.Name
			})
		}
		slices.SortStableFunc(command.Flags, func(a, b *kong.Flag) int { return heading(a) - heading(b) })
	}
	return parser
}

// idleFlags are the flags of add that a command has only to say why they have no effect, or that it implies.
var idleFlags = map[string][]idleFlag{
	"remove": slices.Concat(addOnlyFlags, profileFlags),
	"mirror": slices.Concat(mirrorHidden, mirrorImplied),
	"run":    runHidden,

	"subscribe":   slices.Concat(consentIdle, consentRowFlags),
	"unsubscribe": slices.Concat(consentIdle, consentRowFlags, unsubscribeIdle),
}

// heading is a flag's place in groups, -1 without a group.
func heading(flag *kong.Flag) int {
	return slices.IndexFunc(groups, func(g kong.Group) bool { return flag.Group != nil && flag.Group.Key == g.Key })
}

// exitError is the error of a command with an exit status of its own. Without an error there is nothing to print.
type exitError struct {
	error
	status int
}

func (e *exitError) Unwrap() error { return e.error }

// exit prints a command's error and returns its exit status.
func (c *console) exit(err error) int {
	if err == nil {
		return 0
	}
	var own *exitError
	if !errors.As(err, &own) {
		c.fail(err, pipeline.Hint(err))
		return exitUsage
	}
	if own.error != nil {
		c.fail(err, pipeline.Hint(err))
	}
	return own.status
}
