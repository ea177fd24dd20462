package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// Wait reads the results of an earlier run from in, waits for the import jobs of the rows that are accepted there,
// and writes the final results of these rows to out. All other rows are passed on as they are, in the same order. A
// new report replaces the old one. With Verify, rows that are or become applied are read back on the list, unless they
// were before. It uses the options Client, WaitTimeout, MaxOpenJobs, MaxInvalid, Verify, Gauge, Version and BadKey.
// It returns what Run returns.
func Wait(ctx context.Context, o *Options, in io.Reader, out io.Writer) (*report.Report, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := newRun(ctx, o, out, stop)
	r.earlier, r.watch = new(report.Report), sink.NewJobs(o.Client)
	r.control.follow(r.watch)
	return r.finish(ctx, r.waitFor(ctx, in))
}

// waitFor takes the results in in through settling. Its error is the input's.
//
// The results are read twice, one reading behind the other: the first finds the rows whose import jobs are waited for,
// the second writes every row when its turn has come. So rows that are passed on take no memory while they wait.
func (r *run) waitFor(ctx context.Context, in io.Reader) error {
	defer r.control.guard()
	earlier, err := openEarlier(ctx, in)
	if err != nil {
		return notResults(err)
	}
	defer earlier.Close()
	first, err := earlier.results()
	if err != nil {
		return notResults(err)
	}
	second, err := first.Again()
	if err != nil {
		return notResults(err)
	}
	if r.killed = first.Killed; first.Reports != nil {
		*r.earlier = *first.Reports
	} else if lost, err := earlier.lost(); err != nil {
		return notResults(err)
	} else if lost.announced && !lost.consent {
		*r.earlier = report.Report{Operation: validate.Unsubscribe.String(), ExitCode: 143}
	} else if _, err := first.NextMember(); err == nil { // of a mirror that was killed
		*r.earlier = report.Report{Operation: "mirror", ExitCode: 143}
	}
	if err := r.options.BadKey; err != nil {
		r.control.stop(err) // all rows are passed on
	} else if err := r.prepareReading(ctx); err != nil {
		r.control.stop(err) // likewise
	}
	held := waiting
	switch {
	case r.earlier.Consent != nil:
		held = consentHidden
	case r.options.Verify:
		held = waitingOrUnread
	}
	room := newPermits(r.watch, maxHeld/heldUnit)
	rewrites := newRewrites(newWrites(r.control, r.out, room), held, second)
	consents := newConsents(r.control, r.consents, r.options.WaitTimeout, rewrites.add)
	verifies := newVerifies(r.control, r.reader, r.earlier.Operation == validate.Remove.String(), func(s *results) {
		consents.add(ctx, s)
	})
	verifies.later = true
	settles := newSettles(r.control, r.watch, r.options, func(s *results) { verifies.add(ctx, s) })
	groups := newGroups(r.control, held, room, func(s *results) { settles.add(ctx, s) })
	groups.backlog, groups.scattered = rewrites.backlog, map[scattered]*results{}
	if r.lists != nil {
		groups.target = func(list string) *target { return r.earlierList(ctx, list) }
	}
	gather := groups.add
	if first.Listed {
		gather = groups.scatter
	}

	ended := r.readResults(first, held, gather)
	groups.wait()
	settles.wait()
	verifies.wait()
	consents.wait()
	if first.Listed {
		rewrites.rewriteTo(groups.last)
	}
	r.open = rewrites.wait()
	return ended
}

// unlisted is the error of results that do not name the list on which rows could be read back, nil when they do.
func (r *run) unlisted() error {
	if r.earlier.List != nil && r.earlier.List.ID != "" || len(r.earlier.Lists) > 0 {
		return nil
	}
	return &Error{
		Text: "wait: --verify needs the list's id, and no report in the results has it",
		Hint: "continue that run with --resume, or leave out --verify",
	}
}

// prepareReading looks up the list on which rows are read back: that of the earlier report.
func (r *run) prepareReading(ctx context.Context) error {
	if r.earlier.Consent != nil {
		return r.prepareConsent(ctx)
	}
	if !r.options.Verify || r.unlisted() != nil || r.elsewhere() != nil {
		return nil // a row to read back is an error then
	}
	var list *sink.List
	if r.earlier.List != nil {
		var err error
		if list, err = r.options.Client.FindList(ctx, sink.ListRef{ID: r.earlier.List.ID}); err != nil {
			return err
		}
	}
	by := cmp.Or(r.earlier.By, defaultBy(r.earlier.Operation))
	r.reader = sink.NewReadBack(r.options.Client, list, sink.Identifier(by))
	return r.prepareLists(ctx)
}

// prepareLists looks up the lists that the earlier rows name. Rows of one that is not there any more are not read back.
func (r *run) prepareLists(ctx context.Context) error {
	if len(r.earlier.Lists) == 0 {
		return nil
	}
	ids := make([]string, len(r.earlier.Lists))
	for i := range r.earlier.Lists {
		ids[i] = r.earlier.Lists[i].ID
	}
	r.lists = listsBy(r.options.Client, sink.ListRule{ByID: true}, "", target{reader: r.reader, consents: r.consents})
	return r.lists.look(ctx, ids)
}

// earlierList is the target of a list that earlier rows name.
func (r *run) earlierList(ctx context.Context, id string) *target {
	if err := r.lists.look(ctx, []string{id}); err != nil { // the report does not have all lists
		r.control.stop(err)
	}
	return r.lists.of(id)
}

// prepareConsent looks up the list on which consent is read back.
func (r *run) prepareConsent(ctx context.Context) error {
	was := r.earlier
	if r.options.Verify {
		return &Error{
			Text: "wait: --verify has no effect on results of " + was.Operation,
			Hint: "leave out --verify: wait reads consent back in any case",
		}
	}
	if r.elsewhere() != nil {
		return nil // a row to read back is an error then
	}
	w := sink.Wish{
		Withdraw: was.Operation == validate.Unsubscribe.String(), By: sink.Identifier(cmp.Or(was.By, string(sink.Email))),
		Historical: was.Consent.Historical, Source: was.Consent.Source,
	}
	w.Since, _ = time.Parse(time.RFC3339, was.Consent.Began)
	if was.List != nil && was.List.ID != "" {
		var err error
		if w.List, err = r.options.Client.FindList(ctx, sink.ListRef{ID: was.List.ID}); err != nil {
			return err
		}
	}
	r.consents = sink.NewConsents(r.options.Client, w)
	return r.prepareLists(ctx)
}

// defaultBy is the identifier of an operation without --by.
func defaultBy(operation string) string {
	if operation == validate.Remove.String() {
		return string(sink.ProfileID)
	}
	return string(sink.Email)
}

// readResults hands earlier results to add, one after the other. held are those that Klaviyo is asked about: where it
// cannot be, the run is stopped, and they are passed on as the others are. Its error is the input's.
func (r *run) readResults(
	earlier *report.Results, held func(*report.Entry) bool, add func(*report.Entry),
) error {
	defer r.control.guard()
	elsewhere := r.elsewhere()
	for {
		e, err := earlier.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return notResults(err)
		}
		switch {
		case r.control.stopped():
		case elsewhere != nil && held(&e):
			r.control.stop(elsewhere)
		case r.options.Verify && held(&e) && r.reader == nil && r.consents == nil:
			r.control.stop(r.unlisted())
		case r.earlier.Consent == nil && consentHidden(&e):
			r.control.stop(&Error{
				Text: "wait: the results have no report that says how consent was asked for: the run was killed",
				Hint: "continue that run with --resume",
			})
		}
		add(&e)
	}
	if earlier.Cut {
		return &Error{
			Text: "the results end in the middle of a line: the run that wrote them was cut short",
			Hint: "continue that run with --resume", exit: 1,
		}
	}
	return nil
}

// elsewhere is the error of results whose import jobs are not at the address that this run asks, nil when they may be.
func (r *run) elsewhere() error { return elsewhere("wait", r.earlier, r.options.BaseURL) }

// elsewhere is the error of results that are of another Klaviyo than the one at base, nil when they may be of that.
func elsewhere(command string, was *report.Report, base string) error {
	switch {
	case was.Simulated && was.BaseURL == "":
		return &Error{
			Text: command + ": the results are of a run with --simulate, and its simulator ended with it",
			Hint: "pass --wait to the run itself, or send to klaviyo-export simulate",
		}
	case was.BaseURL != "" && base != "" && was.BaseURL != base:
		return &Error{
			Text: fmt.Sprintf("%s: the results are of a run at %s, this one asks %s", command, was.BaseURL, base),
			Hint: "pass --base-url " + was.BaseURL,
		}
	}
	return nil
}

// unfinished is the error of results that are not all of their run: a killed run may have left rows unread, and to wait
// for rows removes nobody.
func (r *run) unfinished() error {
	switch was := r.earlier; {
	case was == nil:
		return nil
	case was.Operation == "mirror" && was.ExitCode != 0:
		return &Error{
			Text: "wait: the mirror did not finish, and members who are not in the rows may still be on the list",
			Hint: "continue it with mirror --resume RESULTS", exit: 1,
		}
	case r.killed, was.Unread, was.ExitCode != 0 && r.out.Rows().Read == 0:
		return &Error{
			Text: "wait: the run did not finish, and rows that it did not read have no result",
			Hint: "continue it with --resume RESULTS", exit: 1,
		}
	}
	return nil
}

// waiting reports whether the end of a row's import job is not known.
func waiting(e *report.Entry) bool { return e.Status == report.Accepted && e.Job != "" }

// waitingOrUnread also reports a row that is applied and was not read back.
func waitingOrUnread(e *report.Entry) bool {
	return waiting(e) || e.Status == report.Applied && !e.ReadBack && len(e.Key) > 0
}

// consentHidden reports whether the consent of a row was asked for and not read back.
func consentHidden(e *report.Entry) bool {
	return len(e.Channels) > 0 && len(e.Key) > 0 &&
		(e.Status == report.Accepted || e.Status == report.Unknown && e.Code == sink.AnswerLost.Code)
}

func notResults(err error) error {
	return &Error{
		Text: "read results: " + err.Error(),
		Hint: cmp.Or(Hint(err), "pass what klaviyo-export add wrote to its standard output"), cause: err,
	}
}
