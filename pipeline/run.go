package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"klaviyo-export/pipeline/state"
	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// run is one call of Run or Wait: what its stages are made of, and what its report needs. It belongs to the
// goroutine of the caller.
type run struct {
	options  *Options
	started  time.Time
	control  *control
	out      *report.Writer
	results  *announcer // below out; nil: nothing is announced
	list     *sink.List
	lists    *lists         // nil: all rows are for one list
	sender   sink.Sender    // nil: nothing is sent
	watch    *sink.Jobs     // nil: import jobs are not waited for
	reader   *sink.ReadBack // nil: rows are not read back
	consents *sink.Consents // nil: consent is not read back
	account  *account       // nil: the account is not asked for
	state    *state.State   // nil: all rows are sent, and none is remembered
	mirror   *mirror        // nil unless everybody else comes off the list
	earlier  *report.Report // of the run whose import jobs Wait waits for; nil in Run
	killed   bool           // that run has no report
	unread   bool           // the input was not read to its end
	open     []string       // ids of the import jobs that are not known to have ended
}

func newRun(ctx context.Context, o *Options, out io.Writer, stop context.CancelCauseFunc) *run {
	r := &run{options: o, started: time.Now()}
	if o.Operation == validate.Unsubscribe {
		r.results = &announcer{out: out}
		out = r.results
	}
	r.out = report.NewWriter(out)
	r.control = newControl(ctx, o, r.started, stop)
	if o.Gauge != nil {
		o.Gauge.show(r.control)
	}
	return r
}

// prepare looks up the list, before any row is read.
func (r *run) prepare(ctx context.Context) error {
	o := r.options
	if o.Client == nil {
		return nil
	}
	if !o.listless() && o.Lists == nil {
		var err error
		if r.list, err = o.Client.FindList(ctx, o.List); err != nil {
			return err
		}
	}
	if o.Account {
		r.account = askAccount(ctx, o.Client)
	}
	if err := cmp.Or(r.sameTarget(ctx), r.tooEarly(), r.openState()); err != nil {
		return err
	}
	if !o.DryRun || o.Print {
		r.prepareSending()
	}
	if o.Lists != nil {
		r.lists = newLists(o, target{sender: r.sender, reader: r.reader, consents: r.consents})
	}
	return nil
}

// prepareSending makes what sends rows to the list and reads them back. Without a list, others are made from it, one
// for each list that rows name.
func (r *run) prepareSending() {
	o := r.options
	if c := o.Consent; c != nil {
		sends := sink.NewConsents(o.Client, sink.Wish{
			Withdraw: o.Operation == validate.Unsubscribe, By: sink.Identifier(o.Checker.By()), List: r.list,
			Historical: c.Historical, Source: r.source(), Before: r.results.unsubscribing,
		})
		if r.sender = sends; o.Wait {
			r.consents = sends
		}
		return
	}
	if o.Operation == validate.Remove {
		r.sender = sink.NewRemoval(o.Client, r.list, sink.Identifier(o.Checker.By()))
	} else {
		r.sender = sink.NewImport(o.Client, r.list)
		if o.Wait {
			r.watch = sink.NewJobs(o.Client)
		}
	}
	if o.Verify {
		r.reader = sink.NewReadBack(o.Client, r.list, sink.Identifier(o.Checker.By()))
		r.control.properties = new(properties)
	}
	r.control.follow(r.watch)
}

// source is the custom_source of the consents: it names the run unless the options have another text.
func (r *run) source() string {
	if r.options.Operation == validate.Unsubscribe {
		return ""
	}
	return cmp.Or(r.options.Consent.Source, "klaviyo-export "+r.started.UTC().Format(time.RFC3339))
}

// sameTarget fails when the earlier results are of another list or operation, as far as the report, the lines or
// Klaviyo say which one they are of.
func (r *run) sameTarget(ctx context.Context) error {
	if r.options.Resume == nil {
		return nil
	}
	earlier, list := r.options.Resume.Report, r.target()
	if earlier == nil {
		return r.sameTargetWithoutReport(ctx, list)
	}
	if was := earlier.Operation; was != r.options.Operation.String() {
		return resumesOther("resume: the earlier results are of %q, this run is %q", was, r.options.Operation)
	}
	switch was := earlier.List; {
	case was != nil && was.ID != "" && (list == nil || was.ID != list.ID):
		return resumesOther("resume: the earlier results are of list %s %q, this run is for %s",
			was.ID, was.Name, r.aim(list))
	case len(earlier.Lists) > 0 && r.options.Lists == nil:
		return resumesOther("resume: the earlier results are of the lists that their rows name, this run is for %s",
			r.aim(list))
	}
	return nil
}

// sameTargetWithoutReport is sameTarget for results of a run that was killed. Klaviyo knows the list of an import job.
func (r *run) sameTargetWithoutReport(ctx context.Context, list *report.List) error {
	sent, err := r.options.Resume.sent()
	if sent == nil || err != nil {
		return err
	}
	own := r.options.Operation
	imports := own == validate.Add || own == validate.Mirror
	consents := own == validate.Subscribe || own == validate.Unsubscribe
	switch {
	case sent.Job != "" && !imports:
		return resumesOther("resume: the earlier results are of add or mirror, this run is %q", own)
	case sent.Channels != nil && !consents:
		return resumesOther("resume: the earlier results are of subscribe or unsubscribe, this run is %q", own)
	case sent.Job == "" && sent.Channels == nil: // of remove, or of another program
		return nil
	case sent.List != "" && r.options.Lists == nil:
		return resumesOther("resume: the earlier results are of the lists that their rows name, this run is for %s",
			r.aim(list))
	case sent.List == "" && r.options.Lists != nil:
		return resumesOther("resume: the earlier results are of one list, this run is for %s", r.aim(list))
	case sent.Job == "" || sent.List != "":
		return nil
	}
	lists := r.options.Client.JobLists(ctx, sent.Job)
	if len(lists) == 0 || list != nil && slices.Contains(lists, list.ID) {
		return nil
	}
	return resumesOther("resume: the earlier results are of list %s, this run is for %s", lists[0], r.aim(list))
}

// resumesOther is the error of a run that resumes one of another list or operation.
func resumesOther(format string, args ...any) error {
	return &Error{
		Text: fmt.Sprintf(format, args...),
		Hint: "pass the operation and the list of the earlier run, or leave out --resume to send all rows",
	}
}

// aim names the list of the run, if there is one.
func (r *run) aim(list *report.List) string {
	switch {
	case list != nil:
		return fmt.Sprintf("%s %q", cmp.Or(list.ID, "the list"), list.Name)
	case r.options.Lists != nil:
		return fmt.Sprintf("the lists in column %q", r.options.Checker.ListColumn())
	}
	return "no list"
}

// tooEarly is the error of a run that would ask for a consent again while Klaviyo may still act on the first request.
// It may ignore a second subscribe, and whoever has left a list meanwhile is unsubscribed everywhere (klaviyo-more.md
// sections 2.4 and 2.5).
func (r *run) tooEarly() error {
	if r.options.Resume == nil {
		return nil
	}
	return r.options.Resume.tooEarly(r.options.Operation.String(), r.options.listless(), "resume", "resume the file")
}

// target returns the list for the report, nil where there is none.
func (r *run) target() *report.List {
	switch {
	case r.list != nil:
		l := listOf(r.list)
		return &l
	case r.earlier != nil:
		return r.earlier.List
	case r.options.Client != nil && !r.options.listless() && r.options.Lists == nil:
		return &report.List{ID: r.options.List.ID, Name: r.options.List.Name}
	}
	return nil
}
