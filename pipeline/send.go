package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// SendOptions say which campaign Send sends, and when it does not.
type SendOptions struct {
	Client        *sink.Client
	BadKey        error         // why Client must not be used, nil when it may
	BaseURL       string        // of Klaviyo
	Campaign      string        // its id
	Clone         string        // the name of a clone that is sent in its place, "" to send the campaign itself
	MinRecipients int64         // of the estimate
	MaxRecipients int64         // of the estimate
	NoEstimate    bool          // send also when no estimate comes in time
	Again         bool          // send also when the results say that a campaign was sent
	DryRun        bool          // check everything, clone and send nothing
	WaitTimeout   time.Duration // for the estimate, and then for the campaign's status
	Notice        func(string)  // tells people what is found and done
}

// Send reads the results of a run from in and passes every line on to out, unchanged and in the same order. If the
// results prove that all rows are on the list, and the campaign is as it has to be, it sends the campaign. It writes a
// line with the campaign's id before that. The last report gets the campaign's id and status.
//
// Send returns the exit status and, unless that is 0, the reason. When ctx ends it sends nothing any more, but still
// passes on what comes; when quit ends it stops reading. Memory does not grow with the rows.
func Send(ctx, quit context.Context, o *SendOptions, in io.Reader, out io.Writer) (int, error) {
	s := &send{options: o, stdout: out, out: report.NewWriter(out)}
	s.campaign = report.Campaign{ID: o.Campaign, Status: report.CampaignNotSent}
	err := s.run(ctx, quit, in)
	if broken := s.finish(); broken != nil {
		return 2, s.brokenOutput(broken, err)
	}
	return s.exit(ctx, err)
}

// send is one call of Send.
type send struct {
	options  *SendOptions
	stdout   io.Writer
	out      *report.Writer
	runs     runs
	last     []byte          // the line of the last report, which is not passed on yet; nil for none
	asked    bool            // a send job was asked for
	found    *sink.Campaign  // nil until it was read
	campaign report.Campaign // for the report
}

// run passes the results on, and sends the campaign if nothing is against it.
func (s *send) run(ctx, quit context.Context, in io.Reader) error {
	kept, err := newSpool(in)
	if err != nil {
		return err
	}
	defer kept.Close()
	if err := s.pass(untilDone(quit, kept)); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	again := kept.again()
	results, err := report.OpenResults(again, again.Size())
	if err != nil {
		return notResults(err)
	}
	if err := cmp.Or(s.sameTarget(results.Reports), s.proved(results)); err != nil {
		return err
	}
	if err := cmp.Or(s.notYet(results), s.options.BadKey); err != nil {
		return err
	}
	return s.deliver(ctx, results.Reports)
}

// pass passes the lines on, all but the last report, before it waits for more. Lines that are no result stay behind; the
// first of them is the error.
func (s *send) pass(in io.Reader) error {
	var odd error
	flushing := reader(func(p []byte) (int, error) {
		_ = s.out.Flush() // the next Pass returns the error
		return in.Read(p)
	})
	for lines := report.NewLines(flushing); ; {
		e, err := lines.Next()
		var other *report.NoResult
		switch {
		case err == io.EOF:
			return odd
		case errors.As(err, &other):
			odd = cmp.Or(odd, notResults(err))
			continue
		case err != nil:
			return notResults(err)
		}
		s.runs.note(&e)
		if err := s.passLast(); err != nil {
			return err
		}
		if e.Report {
			s.last = bytes.Clone(e.Text)
			continue
		}
		if err := s.out.Pass(&e); err != nil {
			return err
		}
	}
}

// passLast passes on the report that was the last one so far.
func (s *send) passLast() error {
	if s.last == nil {
		return nil
	}
	e := report.Entry{Text: s.last}
	s.last = nil
	return s.out.Pass(&e)
}

// finish passes on the last report, with the campaign if it is the end of the results.
func (s *send) finish() error {
	rep := new(report.Report)
	if s.last == nil || s.runs.open || json.Unmarshal(s.last, rep) != nil {
		return cmp.Or(s.passLast(), s.out.Flush())
	}
	if was := rep.Campaign; s.asked || was == nil || was.Status == report.CampaignNotSent {
		rep.Campaign = &s.campaign
	}
	return s.out.Report(rep)
}

// brokenOutput is the error of results that could not be written, beside what else went wrong.
func (s *send) brokenOutput(broken, err error) error {
	text := broken.Error()
	if err != nil && !errors.Is(err, broken) {
		text = err.Error() + "; " + text
	}
	if s.asked {
		return &Error{
			Text: fmt.Sprintf("%s; campaign %s: %s", text, s.campaign.ID, s.campaign.Status),
			Hint: "do not send it again: look at the campaign in Klaviyo", cause: broken,
		}
	}
	return &Error{Text: text + "; nothing was sent", Hint: "write the results where there is room", cause: broken}
}

// exit returns the exit status for an error.
func (s *send) exit(ctx context.Context, err error) (int, error) {
	var signal *Interrupted
	var failed *sink.Error
	switch {
	case err == nil:
		return 0, nil
	case !s.asked && errors.As(context.Cause(ctx), &signal), errors.As(err, &signal):
		return signal.ExitCode, &Error{Text: signal.Error() + "; " + s.state(), cause: signal}
	case errors.As(err, &failed) && failed.Kind == sink.Outage && ExitCode(err) == 2:
		return 4, &Error{Text: err.Error() + "; " + s.state(), Hint: cmp.Or(Hint(err), s.later()), cause: err}
	}
	return ExitCode(err), err
}

// state says what is known of the campaign, for people.
func (s *send) state() string {
	if !s.asked {
		return "no campaign was sent"
	}
	return fmt.Sprintf("campaign %s: %s", s.campaign.ID, s.campaign.Status)
}

// later is what to do when Klaviyo could not be asked.
func (s *send) later() string {
	return "nothing was sent: pass the results to send again later"
}

// deliver checks the campaign, asks Klaviyo to send it, and watches what becomes of it.
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

// askLost is how long Klaviyo is asked what became of a send job whose answer was lost.
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

// tell tells people something.
func (s *send) tell(format string, args ...any) {
	if s.options.Notice != nil {
		s.options.Notice(fmt.Sprintf(format, args...))
	}
}

// name names the campaign for people.
func (s *send) name() string {
	if s.found == nil {
		return "campaign " + s.campaign.ID
	}
	return fmt.Sprintf("campaign %q (%s)", s.found.Name, s.campaign.ID)
}

// estimated says how many recipients Klaviyo estimated, as the end of a sentence.
func (s *send) estimated() string {
	if s.campaign.EstimatedRecipients == nil {
		return ", without an estimate of the recipients"
	}
	return ", estimated " + plural(*s.campaign.EstimatedRecipients, "recipient")
}

// plural writes a number with its noun.
func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", n, noun))
}
