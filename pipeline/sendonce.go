package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// deliver checks the campaign, asks Klaviyo to send it, and watches how that goes.
func (s *send) deliver(ctx context.Context, rep *report.Report) error {
	if err := s.sameAccount(ctx, rep.Account); err != nil {
		return err
	}
	if err := s.ready(ctx, rep.List); err != nil {
		return err
	}
	if s.options.DryRun {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := s.announce(); err != nil {
		return err
	}
	err := s.options.Client.SendCampaign(ctx, s.campaign.ID)
	switch {
	case err == nil:
		s.asked, s.campaign.Status = true, report.CampaignSending
	case sink.Lost(err):
		if err := s.lost(ctx, err); err != nil {
			return err
		}
	case sink.Refused(err):
		return &Error{
			Text: fmt.Sprintf("Klaviyo did not accept the campaign: %v", err),
			Hint: "look at the campaign in Klaviyo, then pass these results to send with --again", cause: err, exit: 1,
		}
	default:
		return &Error{
			Text: err.Error(), Hint: "nothing was sent: pass these results to send with --again later", cause: err,
			exit: kindExit(err),
		}
	}
	return s.watch(ctx)
}

// kindExit is the exit status of an error of the sink's.
func kindExit(err error) int {
	var failed *sink.Error
	if errors.As(err, &failed) && failed.Kind == sink.Outage {
		return 4
	}
	return 0
}

// announce writes the campaign's line where it stays: a run that is killed after it must not be mistaken for one that
// sent nothing.
func (s *send) announce() error {
	if err := s.out.Campaign(s.campaign.ID); err != nil {
		return err
	}
	f, ok := s.stdout.(*os.File)
	if !ok {
		return nil
	}
	if state, err := f.Stat(); err != nil || !state.Mode().IsRegular() {
		return nil
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// askLost is how long Klaviyo is asked about a send job whose answer was lost.
const askLost = 10 * time.Second

// lost asks what has become of the campaign after the answer to its send job was lost. The error says that nothing
// shows it.
func (s *send) lost(ctx context.Context, lost error) error {
	s.asked, s.campaign.Status = true, report.CampaignUnknown
	s.tell("%v; asking Klaviyo whether it happened", lost)
	limited, cancel := context.WithTimeout(ctx, s.options.WaitTimeout)
	defer cancel()
	started, err := s.options.Client.Started(limited, s.campaign.ID, min(askLost, s.options.WaitTimeout/2))
	if started {
		s.campaign.Status = report.CampaignSending
		return nil
	}
	text := fmt.Sprintf("%v; the campaign is a draft without a send job, but it may still be sent", lost)
	if err != nil {
		text = fmt.Sprintf("%v; whether the campaign was sent is not known: %v", lost, err)
	}
	return &Error{
		Text: text, Hint: "look at the campaign in Klaviyo some minutes later: if it is still a draft, pass these results " +
			"to send with --again", exit: 4,
	}
}

// watch waits until Klaviyo says how the sending goes.
func (s *send) watch(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, s.options.WaitTimeout)
	defer cancel()
	last, ended, err := s.options.Client.WatchCampaign(limited, s.found)
	if last != nil {
		s.campaign.Status = last.Status
	}
	switch {
	case ended && last.Going():
		s.tell("%s: %s%s", s.name(), last.Status, s.estimated())
		return nil
	case ended:
		return &Error{
			Text: fmt.Sprintf("%s is not sent: its status is %q", s.name(), last.Status),
			Hint: "look at the campaign in Klaviyo", exit: 1,
		}
	case err != nil:
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return &Error{
		Text: fmt.Sprintf("within %v, Klaviyo did not say how %s goes: the last status is %q",
			s.options.WaitTimeout, s.name(), s.campaign.Status),
		Hint: "look at the campaign in Klaviyo; do not send it again", exit: 3,
	}
}
