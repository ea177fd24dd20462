package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline/schedule"
)

// lookFlags print a schedule instead of running a command.
type lookFlags struct {
	Next    int    `placeholder:"N" help:"Print the next N times."`
	From    string `placeholder:"TIME" help:"${help_from}"`
	Explain bool   `help:"Print in words when the schedule fires and where other crons would differ."`
	Export  string `enum:"crontab,systemd,kubernetes," default:"" placeholder:"SYSTEM" help:"${help_export}"`
}

var lookHelp = kong.Vars{
	"help_from": "Start --next after this time instead of now. RFC 3339, or YYYY-MM-DD[THH:MM[:SS]] in the time zone.",
	"help_export": "Print the same schedule for crontab, systemd or kubernetes. " +
		"A schedule that the system cannot follow exactly is refused.",
}

func (f *lookFlags) check(g given) error {
	switch { // either would run the command
	case g["next"] && f.Next < 1:
		return fmt.Errorf("--next: expected 1 or more times, got %d", f.Next)
	case g["export"] && f.Export == "":
		return errors.New(`--export: expected crontab, systemd or kubernetes, got ""`)
	}
	return g.needs("next", "from")
}

// looks reports whether the schedule is printed.
func (f *lookFlags) looks() bool { return f.Next > 0 || f.Explain || f.Export != "" }

// look prints the schedule.
func (f *lookFlags) look(c *console, plan *schedule.Plan, command []string) error {
	var text strings.Builder
	at := time.Now()
	if f.From != "" {
		var err error
		if at, err = localTime(f.From, plan.Location); err != nil {
			return err
		}
	}
	if f.Explain {
		for _, line := range plan.Explain(at) {
			text.WriteString(line + "\n")
		}
	}
	if f.Export != "" {
		config, err := plan.Export(f.Export, at, command)
		if err != nil {
			return err
		}
		text.WriteString(config)
	}
	out := bufio.NewWriter(c.Out)
	_, err := out.WriteString(text.String())
	for n := 0; n < f.Next && err == nil && c.ctx.Err() == nil; n++ {
		var ok bool
		if at, ok = plan.Next(at); !ok {
			break
		}
		_, err = fmt.Fprintf(out, `{"type":"time","at":"%s"}`+"\n", at.Format(time.RFC3339))
	}
	return cmp.Or(err, out.Flush(), context.Cause(c.ctx))
}

// localTimes are the forms of a time without an offset.
var localTimes = []string{
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
}

// localTime reads a time with its offset, or one in a time zone.
func localTime(text string, zone *time.Location) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	for _, form := range localTimes {
		if at, err := time.ParseInLocation(form, text, zone); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("--from: expected RFC 3339, such as 2024-01-08T06:30:00+09:00, "+
		"or YYYY-MM-DD[THH:MM[:SS]], got %q", text)
}
