package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// Wait reads the results of an earlier run from in, waits for the import jobs of the rows that are accepted there,
// and writes the final results of these rows to out. All other rows are passed on as they are, in the same order. A
// new report replaces the old one. Of the options it uses Client, WaitTimeout, MaxOpenJobs, Gauge and Version. It
// returns what Run returns.
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
	if first.Reports != nil {
		*r.earlier = *first.Reports
	}
	room := newPermits(r.watch, maxHeld/heldUnit)
	rewrites := newRewrites(newWrites(r.control, r.out, room), second)
	settles := newSettles(r.control, r.watch, r.options, rewrites.add)
	groups := newGroups(r.control, room, func(s *results) { settles.add(ctx, s) })

	ended := r.readResults(first, groups.add)
	groups.wait()
	settles.wait()
	r.open = rewrites.wait()
	return ended
}

// readResults hands earlier results to add, one after the other. Its error is the input's.
func (r *run) readResults(earlier *report.Results, add func(*report.Entry)) error {
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
		if elsewhere != nil && waiting(&e) {
			return elsewhere
		}
		add(&e)
	}
	if earlier.Cut {
		return &Error{
			Text: "the results end in the middle of a line: the run that wrote them was cut short",
			Hint: "continue that run with add --resume", exit: 1,
		}
	}
	return nil
}

// elsewhere is the error of results whose import jobs are not at the address that this run asks, nil when they may be.
func (r *run) elsewhere() error {
	switch was := r.earlier; {
	case was.Simulated && was.BaseURL == "":
		return &Error{
			Text: "wait: the results are of a run with --simulate, and its simulator ended with it",
			Hint: "pass --wait to the run itself, or send to klaviyo-export simulate",
		}
	case was.BaseURL != "" && r.options.BaseURL != "" && was.BaseURL != r.options.BaseURL:
		return &Error{
			Text: fmt.Sprintf("wait: the results are of a run at %s, this one asks %s", was.BaseURL, r.options.BaseURL),
			Hint: "pass --base-url " + was.BaseURL,
		}
	}
	return nil
}

// waiting reports whether the end of a row's import job is not known.
func waiting(e *report.Entry) bool { return e.Status == report.Accepted && e.Job != "" }

func notResults(err error) error {
	return &Error{
		Text: "read results: " + err.Error(),
		Hint: cmp.Or(Hint(err), "pass what klaviyo-export add wrote to its standard output"), cause: err,
	}
}
