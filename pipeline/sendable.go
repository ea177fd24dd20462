package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// runs is what the lines of results say of the runs that wrote them.
type runs struct {
	open    bool   // there are rows after the last report, or there is no report
	reports int    // how many there are
	several string // why they are not of one run and those that resumed it, "" when they are
	list    string // id
}

// note notes a line.
func (r *runs) note(e *report.Entry) {
	if r.open = !e.Report; r.open {
		return
	}
	var one struct {
		Runs int64               `json:"runs"`
		Rows report.Rows         `json:"rows"`
		List struct{ ID string } `json:"list"`
	}
	if json.Unmarshal(e.Text, &one) != nil {
		return // OpenResults says it
	}
	switch r.reports++; {
	case one.Runs > 1:
		r.several = "their report is merged"
	case r.reports > 1 && !one.Rows.Continues:
		r.several = fmt.Sprintf("they have %d reports, and no run resumed the other", r.reports)
	case r.list != "" && one.List.ID != "" && one.List.ID != r.list:
		r.several = fmt.Sprintf("they are of the lists %s and %s", r.list, one.List.ID)
	}
	r.list = cmp.Or(one.List.ID, r.list)
}

// refusal is the error of results or of a campaign that must not be sent.
func refuseSend(hint, format string, args ...any) error {
	return &Error{Text: "no campaign was sent: " + fmt.Sprintf(format, args...), Hint: hint, exit: 1}
}

const hintResume = "continue that run with --resume, and pass all its results to send"

// sameTarget fails when the results are of another Klaviyo.
func (s *send) sameTarget(rep *report.Report) error {
	if rep == nil {
		return nil
	}
	return elsewhere("send", rep, s.options.BaseURL)
}

// sameAccount fails when the results are of another account, as far as both are known.
func (s *send) sameAccount(ctx context.Context, was *report.Account) error {
	if was == nil {
		return nil
	}
	account, err := s.options.Client.Account(ctx)
	if err != nil || account == nil || account.ID == was.ID {
		return err
	}
	return &Error{
		Text: fmt.Sprintf("send: the results are of account %s %q, the API key is of account %s %q",
			was.ID, was.Name, account.ID, account.Name),
		Hint: "pass the key with which the rows were sent",
	}
}

// proved fails unless the results are of one whole run that proves every row to be on its list.
func (s *send) proved(results *report.Results) error {
	rows, first, unproved := int64(0), "", int64(0)
	var status report.Status
	for {
		e, err := results.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return notResults(err)
		}
		rows++
		if !provedRow(&e) {
			if unproved++; unproved == 1 {
				status, first = e.Status, fmt.Sprintf("row %d is %s", e.Row, rowState(&e))
			}
		}
	}
	rep := results.Reports
	switch {
	case rows == 0 && rep == nil, rows == 0 && rep.Rows.Read == 0:
		return refuseSend("check the command before the pipe", "the results have no rows")
	case rep == nil || s.runs.open || results.Cut:
		return refuseSend(hintResume, "the run that wrote the results did not finish: they do not end with a report")
	case s.runs.several != "":
		return refuseSend("pass the results of one run, with those of the runs that it resumed",
			"the results are of several runs: %s", s.runs.several)
	case !slices.Contains(sendAfter, rep.Operation):
		return refuseSend("pass the results of add, mirror or subscribe",
			"the results are of %q, which puts nobody on a list", rep.Operation)
	case unproved > 0:
		return refuseSend(unprovedHint(status), "%d of %s not proved: %s", unproved, isAre(rows, "row"), first)
	case rows != rep.Rows.Read || results.Last != rows:
		return refuseSend("pass all results of the run, and first those of the run that it resumed",
			"the report counts %s, the results have %d", plural(rep.Rows.Read, "row"), rows)
	case rep.ExitCode != 0 || rep.Status != report.StatusOf(0):
		return refuseSend(hintResume, "the report's status is %q: %s", rep.Status, cmp.Or(rep.Error, "the run did not succeed"))
	case rep.List == nil || rep.List.ID == "":
		return refuseSend("send goes with rows that are all on one list", "the report names no list")
	}
	return nil
}

// sendAfter are the operations that put people on a list.
var sendAfter = []string{validate.Add.String(), validate.Mirror.String(), validate.Subscribe.String()}

// provedRow reports whether a row is on the list, or does not have to be sent.
func provedRow(e *report.Entry) bool {
	return e.Status == report.Applied ||
		e.Status == report.Skipped && (e.Code == report.Duplicate || e.Code == report.Unchanged)
}

func rowState(e *report.Entry) string {
	if e.Code == "" {
		return e.Status.String()
	}
	return fmt.Sprintf("%v (%s)", e.Status, e.Code)
}

func isAre(n int64, noun string) string {
	if n == 1 {
		return plural(n, noun) + " is"
	}
	return plural(n, noun) + " are"
}

// unprovedHint says what to do about a row with a status.
func unprovedHint(status report.Status) string {
	switch status {
	case report.Accepted:
		return "pass --wait to the command that sends the rows, or run wait on its results first"
	case report.Valid:
		return "run the command without --dry-run or --plan"
	}
	return "run klaviyo-export report --rejected csv RESULTS to see them, fix the rows, and run it all again"
}

// notYet fails when the results say that a campaign was sent, unless it may be sent again.
func (s *send) notYet(results *report.Results) error {
	was := results.Reports.Campaign
	switch n := len(results.Campaigns); {
	case s.options.Again:
		return nil
	case n > 0:
		was = results.Campaigns[n-1].Campaign
	case was == nil || was.Status == report.CampaignNotSent:
		return nil
	}
	return refuseSend("look at it in Klaviyo; --again sends a campaign that is still a draft without a send job",
		"the results say that campaign %s was sent before", was.ID)
}

// ready reads the campaign, or clones it, and returns an error unless it may be sent to the list.
func (s *send) ready(ctx context.Context, list *report.List) error {
	c, o := s.options.Client, s.options
	campaign, err := c.Campaign(ctx, o.Campaign)
	if err != nil {
		return err
	}
	s.found = campaign
	if o.Clone != "" {
		if err := s.checkContent(ctx, campaign); err != nil {
			return err
		}
		if campaign.Method != "immediate" {
			return refuseSend("set the campaign to send immediately: a clone has the moment of cloning as its time",
				"a clone of %s could not be sent at its time", s.name())
		}
		if o.DryRun {
			s.tell("would clone %s as %q and send the clone to list %s", s.name(), o.Clone, list.ID)
			return nil
		}
		if err := s.clone(ctx, list); err != nil {
			return err
		}
	}
	if err := s.check(ctx, list); err != nil {
		return err
	}
	if err := s.estimate(ctx); err != nil {
		return err
	}
	if o.DryRun {
		s.tell("would send %s%s; nothing was sent", s.name(), s.estimated())
		return nil
	}
	return s.check(ctx, list) // the estimate may have taken minutes
}

// clone clones the campaign, and makes the list the clone's audience.
func (s *send) clone(ctx context.Context, list *report.List) error {
	c, o := s.options.Client, s.options
	id, err := c.CloneCampaign(ctx, o.Campaign, o.Clone)
	var taken *sink.Taken
	if errors.As(err, &taken) {
		return refuseSend("choose another name; if one of them is this run's draft, delete it or send it with --campaign",
			"%v", err)
	}
	if err != nil {
		return err
	}
	s.tell("cloned %s as %q (%s)", s.name(), o.Clone, id)
	s.campaign.ID = id
	return c.Retarget(ctx, id, list.ID)
}

// check reads the campaign and returns an error unless it is a draft for the list that was never sent.
func (s *send) check(ctx context.Context, list *report.List) error {
	campaign, err := s.options.Client.Campaign(ctx, s.campaign.ID)
	if err != nil {
		return err
	}
	s.found = campaign
	job, err := s.options.Client.SendJob(ctx, campaign.ID)
	switch {
	case err != nil:
		return err
	case campaign.Status != sink.Draft:
		return refuseSend("send only sends drafts; --clone NAME sends a copy", "%s is no draft: its status is %q",
			s.name(), campaign.Status)
	case campaign.Archived:
		return refuseSend("restore it in Klaviyo", "%s is archived", s.name())
	case job != "":
		return refuseSend("look at it in Klaviyo; --clone NAME sends a copy", "%s has a send job already (%s)",
			s.name(), job)
	case !slices.Equal(campaign.Included, []string{list.ID}):
		return refuseSend("make this list the only audience of the campaign in Klaviyo, or use --clone NAME",
			"%s goes to %v, the rows are on list %s", s.name(), campaign.Included, list.ID)
	}
	return s.checkContent(ctx, campaign)
}

// checkContent returns an error unless a campaign has one whole email message and an ordinary way to be sent.
func (s *send) checkContent(ctx context.Context, campaign *sink.Campaign) error {
	const hint = "finish the campaign in Klaviyo"
	switch {
	case campaign.Method == "ab_test_campaign":
		return refuseSend("send it in Klaviyo", "%s is an A/B test", s.name())
	case campaign.Method != "immediate" && campaign.Method != "static":
		return refuseSend("set it to send immediately or at a set time", "%s is sent by the method %q",
			s.name(), campaign.Method)
	case campaign.Method == "static" && s.options.Clone == "" && !campaign.At.After(time.Now()):
		return refuseSend("set it to a later time in Klaviyo", "%s has a time that is over: %s",
			s.name(), campaign.At.UTC().Format(time.RFC3339))
	case campaign.IgnoresUnsubscribe:
		return refuseSend("turn that off in Klaviyo", "%s goes to people who have unsubscribed too", s.name())
	case len(campaign.Messages) != 1:
		return refuseSend(hint, "%s has %s, expected one", s.name(), plural(int64(len(campaign.Messages)), "message"))
	}
	message := &campaign.Messages[0]
	switch {
	case message.Channel != "email":
		return refuseSend("send only sends emails", "%s has a message of the channel %q", s.name(), message.Channel)
	case message.Subject == "":
		return refuseSend(hint, "%s has no subject", s.name())
	case message.From == "":
		return refuseSend(hint, "%s has no sender's address", s.name())
	}
	has, err := s.options.Client.HasTemplate(ctx, message.ID)
	if err == nil && !has {
		err = refuseSend(hint, "%s has no template", s.name())
	}
	return err
}

// estimate asks how many recipients the campaign has, and returns an error unless the number is within the bounds.
func (s *send) estimate(ctx context.Context) error {
	o := s.options
	limited, cancel := context.WithTimeout(ctx, o.WaitTimeout)
	defer cancel()
	n, err := o.Client.EstimateRecipients(limited, s.campaign.ID)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, sink.ErrNoEstimate) && o.NoEstimate:
		s.tell("%s: %v, within %v", s.name(), err, o.WaitTimeout)
		return nil
	case errors.Is(err, sink.ErrNoEstimate):
		return &Error{
			Text: fmt.Sprintf("no campaign was sent: %s: %v, within %v", s.name(), err, o.WaitTimeout),
			Hint: "run it again later; --no-estimate sends without an estimate", cause: err, exit: 1,
		}
	case err != nil:
		return err
	}
	s.campaign.EstimatedRecipients = &n
	switch {
	case n > o.MaxRecipients:
		return refuseSend("check the audience; --max-recipients is the most that you allow",
			"%s would go to about %s, more than --max-recipients %d", s.name(), plural(n, "recipient"), o.MaxRecipients)
	case n < o.MinRecipients:
		return refuseSend("Klaviyo may not count a list yet that was just filled; --min-recipients is the least that you allow",
			"%s would go to about %s, fewer than --min-recipients %d", s.name(), plural(n, "recipient"), o.MinRecipients)
	}
	return nil
}
