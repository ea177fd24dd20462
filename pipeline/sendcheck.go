package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

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
		return refuseSend("check the audience; --max-recipients sets the most",
			"%s would go to about %s, more than --max-recipients %d", s.name(), plural(n, "recipient"), o.MaxRecipients)
	case n < o.MinRecipients:
		return refuseSend("Klaviyo may not count a list yet that was just filled; --min-recipients sets the least",
			"%s would go to about %s, fewer than --min-recipients %d", s.name(), plural(n, "recipient"), o.MinRecipients)
	}
	return nil
}
