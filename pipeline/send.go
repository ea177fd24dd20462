package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
	again := kept.again()
	results, err := report.OpenResults(again, again.Size())
	if err != nil {
		return notResults(err)
	}
	if err := cmp.Or(s.options.BadKey, s.sameTarget(results.Reports), s.proved(results)); err != nil {
		return err
	}
	if err := s.notYet(results); err != nil {
		return err
	}
	return s.deliver(ctx, results.Reports)
}

// pass passes the lines on, all but the last report, before it waits for more. Lines that are no result stay behind;
// the first of them is the error.
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
		const later = "pass the results to send again later"
		return 4, &Error{Text: err.Error() + "; " + s.state(), Hint: cmp.Or(Hint(err), later), cause: err}
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
