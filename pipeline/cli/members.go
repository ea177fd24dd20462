package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"klaviyo-export/pipeline"
	"klaviyo-export/sink"
)

type membersCommand struct {
	listFlags    `group:"list"`
	Fields       []string `placeholder:"NAME" help:"${help_fields}"`
	klaviyoFlags `group:"klaviyo"`
	messageFlags `group:"messages"`
}

var membersHelp = kong.Vars{
	"help_fields": "Print these attributes too: first_name, location, …, subscriptions, properties, or properties.NAME " +
		"for a custom property.",
}

func (*membersCommand) Help() string {
	return `Prints a row for each member of the list, in any order, and nothing else. Members are read in several
stretches at once, as fast as Klaviyo allows. If the exit status is not 0, the rows are not the whole list.

Other commands read these rows: remove needs no flag, add needs --drop profile_id --drop member_since.

Example:

    klaviyo-export members --list-name Newsletter > members.ndjson`
}

func (m *membersCommand) Run(c *console, g given) error {
	fields, err := pipeline.ParseFields(m.Fields)
	if err != nil {
		err = fmt.Errorf("--fields: %w", err)
	}
	if err := cmp.Or(m.listFlags.checkOne(g), m.klaviyoFlags.check(g), m.messageFlags.check(g), err); err != nil {
		return err
	}
	m.messageFlags.apply(c)
	client, badKey, err := m.asking(c, 10*time.Minute)
	if err != nil {
		return err
	}
	defer client.Close()
	if badKey != nil {
		return badKey
	}
	defer context.AfterFunc(c.abort, client.Abort)()
	list, err := client.FindList(c.ctx, m.ref())
	if err != nil {
		return orStopped(c, err)
	}
	return orStopped(c, c.printMembers(client, list, fields))
}

// orStopped is the error of a signal, where one ended the command.
func orStopped(c *console, err error) error {
	if err != nil && c.ctx.Err() != nil {
		return stopped(c.ctx)
	}
	return err
}

// countEvery is how often the progress is printed.
const countEvery = 30 * time.Second

// printMembers prints the members, and the progress meanwhile.
func (c *console) printMembers(client *sink.Client, list *sink.List, fields pipeline.Fields) error {
	_, name, _ := list.State()
	of := ""
	if n, err := client.MemberCount(c.ctx, list); err == nil {
		of = fmt.Sprintf(" of about %d", n)
	}
	var printed atomic.Int64
	ticker := time.NewTicker(countEvery)
	defer ticker.Stop()
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() { // ends with done; the function below waits for it
		defer close(stopped)
		for {
			select {
			case <-ticker.C:
				c.note(fmt.Sprintf("members of %q: %d%s so far", name, printed.Load(), of))
			case <-done:
				return
			}
		}
	}()
	err := pipeline.Members(c.ctx, client, list, fields, c.Out, &printed)
	close(done)
	<-stopped
	var broken *sink.Error
	switch {
	case errors.As(err, &broken):
		return fmt.Errorf("the list is not complete, %d%s members were printed: %w", printed.Load(), of, err)
	case err == nil:
		c.note(fmt.Sprintf("members of %q: %d", name, printed.Load()))
	}
	return err
}
