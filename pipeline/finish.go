package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// finish makes and writes the report. ended is what is wrong with the input; the cause of ctx is what stopped the
// run.
func (r *run) finish(ctx context.Context, ended error) (*report.Report, error) {
	exit, err := r.exitStatus(context.Cause(ctx), ended)
	rep := r.report(exit, err)
	if broken := r.out.Report(rep); broken != nil {
		rep.ExitCode = 2
		if errors.Is(err, broken) {
			err = nil
		}
		return rep, r.brokenOutput(broken, err)
	}
	switch {
	case err != nil:
		err = early(err, rep.Rows, rep.Reasons,
			r.unread || r.options.Mirror != nil && !r.options.Mirror.Plan)
	case exit != 0:
		err = rowsError(rep.Rows, rep.Reasons, r.control.earlierRejected.Load())
	}
	return rep, err
}

// report makes the report of a run with that exit status and error.
func (r *run) report(exit int, err error) *report.Report {
	c := r.control
	rep := &report.Report{
		Type: "report", Status: report.StatusOf(exit), ExitCode: exit,
		Operation: r.options.Operation.String(), List: r.target(),
		Rows: r.out.Rows(), Reasons: r.out.Reasons(),
		Jobs: report.Jobs{
			Complete: c.complete.Load(), Cancelled: c.cancelled.Load(), Open: r.open, Latency: c.latency,
		},
		Members: r.members(), Consent: r.consent(),
		BaseURL: r.options.BaseURL, Simulated: r.options.Simulated, Dropped: r.out.Dropped(),
		Version: r.options.Version, Timeline: c.timeline.Buckets(),
	}
	rep.Lists, rep.Unread = r.lists.report(), r.unread
	if r.options.Checker != nil {
		rep.By = r.options.Checker.By()
		if rep.By == defaultBy(rep.Operation) {
			rep.By = ""
		}
		for _, column := range r.options.Checker.Columns() {
			rep.Columns = append(rep.Columns, report.Column{
				Column: column.Column, As: column.As, Rows: column.Rows, Cleared: column.Cleared(),
			})
		}
	}
	if a := r.account.wait(); a != nil {
		rep.Account = &report.Account{ID: a.ID, Name: a.Name}
		rep.Simulated = rep.Simulated || a.Simulated()
	}
	if r.options.Client != nil {
		s := r.options.Client.Stats()
		rep.Jobs.Submitted = s.Jobs
		rep.Requests = report.Requests{
			Sent: s.Sent, Retried: s.Retried, Throttled: s.Throttled, Bytes: s.Bytes, Resent: s.Resent,
		}
	}
	// A run that found no earlier results began with the first row.
	rep.Rows.Continues = r.options.Resume != nil && r.options.Resume.Rows > 0
	rep.Settled = c.earlierWaited.Load()
	if r.earlier != nil {
		rep.Operation, rep.By = cmp.Or(r.earlier.Operation, rep.Operation), r.earlier.By
		rep.Lists, rep.Unread = r.earlier.Lists, r.earlier.Unread || r.killed
		rep.Members, rep.Campaign = r.earlier.Members.Plus(rep.Members), r.earlier.Campaign
		if rep.Consent = nil; r.earlier.Consent != nil {
			counts := r.out.Consents()
			rep.Consent = r.earlier.Consent.Plus(&counts)
		}
		rep.Jobs.Complete += r.earlier.Jobs.Complete
		rep.Jobs.Cancelled += r.earlier.Jobs.Cancelled
		// A killed run has no report that counts its import jobs.
		seen := rep.Jobs.Complete + rep.Jobs.Cancelled + int64(len(rep.Jobs.Open))
		rep.Jobs.Submitted = max(r.earlier.Jobs.Submitted, seen)
		rep.Account, rep.Columns = r.earlier.Account, r.earlier.Columns
		rep.BaseURL = cmp.Or(r.earlier.BaseURL, rep.BaseURL)
		rep.Simulated = rep.Simulated || r.earlier.Simulated
	}
	r.out.CountLists(rep)
	if err != nil && rep.Status != report.StatusOf(130) {
		rep.Error = err.Error()
	}
	rep.Span(r.started, time.Now())
	return rep
}

// members is what the report says of the list's members, nil where they were not looked at.
func (r *run) members() *report.Members {
	var own *report.Members
	if r.mirror != nil && r.mirror.counted {
		own = &report.Members{Mirrored: &r.mirror.counts}
	}
	return r.out.Members().Plus(own)
}

// consent is what the report says of consent, nil where the run sets or withdraws none.
func (r *run) consent() *report.Consents {
	o := r.options.Consent
	if o == nil {
		return nil
	}
	c := r.out.Consents()
	c.Channels = channelNames[o.Channels]
	c.Everywhere = o.Listless && r.options.Operation == validate.Unsubscribe
	c.Historical, c.Source = o.Historical, r.source()
	if client := r.options.Client; client != nil && !client.Asked().IsZero() {
		c.Began = client.Asked().UTC().Format(time.RFC3339)
	}
	return &c
}

// exitStatus returns the exit status and what to tell people. An exit status of 1 without an error is because of
// rows.
func (r *run) exitStatus(cause, ended error) (int, error) {
	var interrupted *Interrupted
	var failed *sink.Error
	rows, o := r.out.Rows(), r.options
	switch {
	case errors.As(cause, &interrupted):
		return interrupted.ExitCode, cause
	case errors.As(cause, &failed) && failed.Kind == sink.Outage:
		return 4, cause
	case cause != nil:
		return ExitCode(cause), cause
	case o.Operation == validate.Mirror && rows.Read == 0 && ended == nil:
		return 2, emptyMirror()
	case ended != nil && ExitCode(ended) != 1:
		return ExitCode(ended), ended
	case r.control.late.Load() > 0:
		return 3, r.lateError()
	case r.control.hidden.Load() > 0:
		return 3, r.hiddenError()
	case ended != nil:
		return 1, ended
	case o.otherNumber(rows.Read) != nil:
		return 1, o.otherNumber(rows.Read)
	case rows.Unknown+rows.Unsent == 0 && r.control.several.Load() > 0 &&
		o.MaxInvalid.allows(rows.Rejected+r.control.earlierRejected.Load(), rows.Read):
		return 1, severalError(r.control.several.Load())
	case rows.Unknown+rows.Unsent > 0 || !o.MaxInvalid.allows(rows.Rejected+r.control.earlierRejected.Load(), rows.Read):
		return 1, nil
	}
	if err := r.unfinished(); err != nil {
		return 1, err
	}
	return 0, nil
}

// lateError is the error of import jobs that had not ended when the time to wait was over, or had unread errors.
func (r *run) lateError() error {
	t := &r.control.tally
	t.unreadMu.Lock()
	defer t.unreadMu.Unlock()
	var what []string
	if n := t.late.Load() - t.unread; n > 0 {
		what = append(what, fmt.Sprintf("%d import jobs did not end", n))
	}
	if t.unread > 0 {
		what = append(what, fmt.Sprintf("the errors of %d import jobs could not be read (%s)", t.unread, t.unreadOf))
	}
	hint := "run klaviyo-export wait < RESULTS to wait longer"
	if r.options.Mirror != nil {
		hint = "nobody was removed: continue with mirror --resume RESULTS and the same input"
	}
	return &Error{
		Text: fmt.Sprintf("within %v, %s; their rows stay accepted", r.options.WaitTimeout, strings.Join(what, ", and ")),
		Hint: hint,
	}
}

// hiddenError is the error of rows whose consent did not show in time.
func (r *run) hiddenError() error {
	return &Error{
		Text: fmt.Sprintf("within %v, Klaviyo does not show the consent of %s; rows without it stay accepted",
			r.options.WaitTimeout, plural(r.control.hidden.Load(), "row")),
		Hint: "run klaviyo-export wait < RESULTS later; people show once they have confirmed, dropped addresses never",
	}
}

// brokenOutput says how far the results go that could not be written, and what else went wrong.
func (r *run) brokenOutput(err, cause error) error {
	if cause != nil {
		err = fmt.Errorf("%w; %w", cause, err)
	}
	written, sent, hint := "no row's result was written", "", ""
	if n := r.out.Written(); n > 0 {
		written = fmt.Sprintf("results were written up to row %d", n)
	}
	if n := r.out.Rows().Read; r.sender != nil && n > r.out.Written() {
		sent = fmt.Sprintf("; later rows, up to row %d, may have been sent without a result", n)
	}
	if r.sender != nil {
		hint = "write the results where there is room, and continue: add --resume RESULTS … < ROWS >> RESULTS"
	}
	return &Error{Text: fmt.Sprintf("%v; %s%s", err, written, sent), Hint: hint, cause: err}
}
