package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

const (
	maxGroup = 64 << 10 // lines that are held together for one import job: more than a batch has
	maxAlone = 4096     // lines that are held together where no import job is waited for
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
func (r *run) waitFor(ctx context.Context, in io.Reader) error {
	writes := newWrites(r.control, r.out, nil)
	settles := newSettles(r.control, r.watch, r.options, writes.add)
	groups := newGroups(r.control, func(s *results) { settles.add(ctx, s) })

	ended := r.readResults(ctx, in, groups.add)
	groups.wait()
	settles.wait()
	r.open = writes.wait()
	return ended
}

// readResults hands the results in in to add, one after the other. Its error is the input's.
func (r *run) readResults(ctx context.Context, in io.Reader, add func(*report.Entry)) error {
	defer r.control.guard()
	earlier, err := openEarlier(ctx, in)
	if err != nil {
		return notResults(err)
	}
	defer earlier.Close()
	results, err := earlier.results()
	if err != nil {
		return notResults(err)
	}
	if results.Reports != nil {
		*r.earlier = *results.Reports
	}
	elsewhere := r.elsewhere()
	for {
		e, err := results.Next()
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
	if results.Cut {
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

// groups is the stage that gathers the rows of each import job.
type groups struct {
	control *control
	emit    func(*results)
	open    *results
	job     string // of open's accepted rows
}

func newGroups(c *control, emit func(*results)) *groups {
	return &groups{control: c, emit: emit, open: &results{numbers: []int64{}}}
}

// add takes the next row.
func (s *groups) add(e *report.Entry) {
	waits := waiting(e)
	n := len(s.open.ends)
	if waits && s.job != "" && e.Job != s.job || n >= maxGroup || n >= maxAlone && s.job == "" {
		s.next()
	}
	s.control.read.Add(1)
	s.open.numbers = append(s.open.numbers, e.Row)
	if !waits {
		s.open.add(e.Key)
		s.open.alone(passedOn(e))
		return
	}
	s.job = e.Job
	s.open.add(e.Key)
	if len(e.Dropped) > 0 {
		s.open.drop()
	}
	s.open.join(&report.Line{Status: e.Status, Job: e.Job})
}

// passedOn is the line of a row that is not waited for. Its other members count in the report.
func passedOn(e *report.Entry) *report.Line {
	return &report.Line{
		Status: e.Status, Stage: e.Stage, Code: e.Code, Detail: plain(e.Detail), Dropped: e.Dropped, Raw: bytes.Clone(e.Text),
	}
}

// plain is the text of a JSON string.
func plain(quoted []byte) (text string) {
	_ = json.Unmarshal(quoted, &text) // it is one, or empty
	return text
}

// next hands on what is gathered.
func (s *groups) next() {
	if len(s.open.ends) > 0 {
		s.emit(s.open)
		s.open, s.job = &results{numbers: []int64{}}, ""
	}
}

// wait hands on the last group.
func (s *groups) wait() { s.next() }
