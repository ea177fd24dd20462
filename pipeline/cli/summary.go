package cli

import (
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"klaviyo-export/pipeline"
	"klaviyo-export/report"
	"klaviyo-export/validate"
)

// warnOfLookalikes notes each column that looks like an attribute of Klaviyo and is none, with the flag that makes it
// one.
func (c *console) warnOfLookalikes(o *pipeline.Options) {
	becomes := "becomes a custom property"
	if o.Operation == validate.Subscribe || o.Operation == validate.Unsubscribe {
		becomes = "is not read"
	}
	for _, column := range o.Checker.Lookalikes() {
		flag := shellescape.Quote(column.Column + "=" + column.Meant)
		c.note(fmt.Sprintf("the column %q %s; to fill %s, pass --map %s", column.Column, becomes, column.Meant, flag))
	}
}

// warnOfChannels notes the channels of consent that no row has an identifier for.
func (c *console) warnOfChannels(checker *validate.Checker) {
	if channels, column := checker.Unreached(); channels != 0 {
		c.note(fmt.Sprintf("no row has a %s, so no consent to %s changes", column, strings.Join(channels.Names(), ", ")))
	}
}

// tellNotCleared notes each column whose nulls clear nothing, although --nulls clear is given.
func (c *console) tellNotCleared(checker *validate.Checker) {
	for _, column := range checker.NotCleared() {
		c.note(fmt.Sprintf("%s is null in %s: Klaviyo cannot clear attributes in bulk",
			column.Column, counted(column.Nulls, "row")))
	}
}

// sumUp says after a dry run what a run would do: in which account, with which list, and what each column becomes.
func (c *console) sumUp(o *pipeline.Options, rep *report.Report) {
	if c.log != nil {
		c.logSummary(o, rep)
		return
	}
	if a := rep.Account; a != nil {
		c.note(fmt.Sprintf("account %q (%s)", a.Name, a.ID))
	}
	if f := o.Consent; f != nil && f.Listless {
		c.note("no list: " + o.Operation.String() + " is for the whole account")
	} else if o.Lists == nil {
		c.noteList(o, rep.List, "")
	}
	for i := range rep.Lists {
		c.noteList(o, &rep.Lists[i].List, ", "+counted(rep.Lists[i].Rows, "row"))
	}
	if rep.RowsOfOthers > 0 {
		c.note("further lists, " + counted(rep.RowsOfOthers, "row"))
	}
	if o.Consent != nil {
		c.note("channels " + strings.Join(validate.Channels(o.Consent.Channels).Names(), ", "))
	}
	for _, column := range o.Checker.Columns() {
		as := column.As
		if as == "dropped" {
			as = "left out"
		}
		text := fmt.Sprintf("column %s → %s, %s", column.Column, as, counted(column.Rows, "row"))
		if n := column.Cleared(); n > 0 {
			text += fmt.Sprintf(", cleared in %d", n)
		}
		c.note(text)
	}
	for column, rows := range rep.Dropped {
		c.note(fmt.Sprintf("column %s: %s left out because of --bad-phone drop", column, counted(rows, "number")))
	}
}

// noteList says which list rows go to.
func (c *console) noteList(o *pipeline.Options, list *report.List, rows string) {
	if list.ID == "" {
		c.note(fmt.Sprintf("list %q does not exist: %v would create it%s", list.Name, o.Operation, rows))
	} else {
		c.note(fmt.Sprintf("list %q (%s)%s", list.Name, list.ID, rows))
	}
}

// counted writes a number with its noun.
func counted(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// logSummary is sumUp for a log.
func (c *console) logSummary(o *pipeline.Options, rep *report.Report) {
	if a := rep.Account; a != nil {
		c.log.Info("account", "id", a.ID, "name", a.Name)
	}
	if o.Consent != nil {
		c.log.Info("consent", "channels", validate.Channels(o.Consent.Channels).Names())
	}
	for i := range rep.Lists {
		l := &rep.Lists[i]
		c.log.Info("list", "id", l.ID, "name", l.Name, "exists", l.ID != "", "rows", l.Rows)
	}
	if rep.List != nil {
		c.log.Info("list", "id", rep.List.ID, "name", rep.List.Name, "exists", rep.List.ID != "")
	}
	for _, column := range o.Checker.Columns() {
		c.log.Info("column", "column", column.Column, "as", column.As, "rows", column.Rows, "cleared", column.Cleared())
	}
	for column, rows := range rep.Dropped {
		c.log.Info("dropped", "column", column, "rows", rows)
	}
}
