package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline/job"
	"klaviyo-export/validate"
)

type runCommand struct {
	Settings      string `arg:"" help:"YAML file of result_settings, or a digdag workflow (.dig)."`
	variableFlags `group:"settings"`
	settingsFlags `group:"settings"`
	addFlags
}

// settingsFlags say how the settings are used.
type settingsFlags struct {
	Task   string `placeholder:"+NAME" help:"${help_task}"`
	NoWait bool   `help:"Do not wait for import jobs, whatever the settings say."`
	Print  bool   `help:"Print the equivalent command line, without the key, and do nothing else."`
}

var runHelp = kong.Vars{"help_task": "Task of the workflow, if several tasks export to Klaviyo."}

func (*runCommand) Help() string {
	return `Translates the settings and the flags into one command line of add, remove, subscribe or unsubscribe and runs
that. Flags win over the settings.

Rows are read from standard input: the query of a workflow's task is not run.

A secret ${secret:a.b} is looked up in the file of --secrets, then in the environment as A_B.

Example:

    td query -w -T presto -d shop -f json -c -o rows.json -q export_data.sql &&
      klaviyo-export run export.dig --secrets secrets.yml \
        < rows.json > results.ndjson`
}

// planner is a command that run can do.
type planner interface {
	plan(g given) (*transfer, error)
}

func (r *runCommand) Run(c *console, g given, line *kong.Context) error {
	settings, args, err := r.read(c, g, line)
	if err != nil {
		return err
	}
	t, err := planOf(args)
	if err != nil {
		return err
	}
	if r.Print {
		printed := settings.CommandLine(args)
		if strings.Contains(printed, "'***'") {
			c.note("*** replaces a word that holds a secret: put the word in before you run the line")
		}
		_, err := fmt.Fprintln(c.Out, printed)
		return err
	}
	c.settings = &settingsKey{settings.Key, []string{r.Settings, r.Secrets}}
	return t.run(c)
}

// read checks the flags and reads the settings. It returns the arguments of the command that does what they say.
func (r *runCommand) read(c *console, g given, line *kong.Context) (*job.Settings, []string, error) {
	if err := r.check(g); err != nil {
		return nil, nil, err
	}
	settings, err := within(c, func() (*job.Settings, error) {
		return job.Read(r.Settings, job.Options{
			Task: r.Task, Set: r.Set, Secrets: r.Secrets, Env: os.LookupEnv,
			Keyless: r.Print || r.Simulate || r.APIKeyFile != "",
		})
	})
	if err != nil {
		return nil, nil, err
	}
	return settings, r.translate(settings, g, line), nil
}

// runHidden are the flags of add that run refuses: settings name one list.
var runHidden = []idleFlag{
	{"list-column", "its settings name one list"}, {"lists-by", "its settings name one list"},
	{"create-lists", "its settings name one list"},
}

func (r *runCommand) check(g given) error {
	if g["task"] && r.Task == "" {
		return errors.New(`--task: expected the name of a task, got ""`)
	}
	return cmp.Or(g.idle("run", runHidden), r.listFlags.check(g),
		g.apart("wait", "", "no-wait"), g.apart("verify", "", "no-wait"))
}

// translated are the flags that translate turns into settings or that only run has. It copies all others.
var translated = []string{
	"list-id", "list-name", "wait", "wait-timeout", "task", "set", "secrets", "no-wait", "print",
}

// translate merges the flags into the settings. It returns the arguments of the one command that does what both say.
func (r *runCommand) translate(s *job.Settings, g given, line *kong.Context) []string {
	if g["list-id"] || g["list-name"] {
		s.ListID, s.ListName = r.ListID, r.ListName
	}
	if g["wait"] || g["no-wait"] {
		s.Wait = r.Wait
	}
	if !g["wait"] && (s.Operation == validate.Remove.String() || r.DryRun) {
		s.Wait = false // there is no job to wait for, whatever the settings say
	}
	if g["wait-timeout"] {
		s.WaitTimeout = r.WaitTimeout
	} else if !s.Wait {
		s.WaitTimeout = 0
	}
	return slices.Concat(s.Args(), typed(line, translated))
}

// typed returns the flags of a line as they were typed, except for those named.
func typed(line *kong.Context, except []string) (words []string) {
	for i, step := range line.Path {
		if step.Flag == nil || slices.Contains(except, step.Flag.Name) {
			continue
		}
		from := len(line.Args) - len(line.Path[i-1].Remainder())
		words = append(words, line.Args[from:len(line.Args)-len(step.Remainder())]...)
	}
	return words
}

// planOf plans what such a command line says.
func planOf(args []string) (*transfer, error) {
	line, err := newParser(new(commands), io.Discard, io.Discard, func(int) {}).Parse(args)
	if err != nil {
		return nil, errors.New(dialect(err.Error()))
	}
	command, ok := line.Selected().Target.Addr().Interface().(planner)
	if !ok {
		return nil, fmt.Errorf("run cannot do what %s does", line.Selected().Name)
	}
	return command.plan(givenOn(line))
}
