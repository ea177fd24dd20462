// Package pipeline carries rows from standard input to Klaviyo and their results to standard output.
//
//	stdin → read ─chunk→ check (N, in order) → batch (1) → send (M, in order) → settle (jobs, in order) → report.Writer → stdout
//
// A chunk is some 256 KiB of whole rows, a batch is what one request takes; nothing smaller is handed on. Each arrow is
// a blocking call: a slow Klaviyo stops send, which stops batch, check and read in turn. Behind send only keys and
// results are left of the rows. Without Job.Wait there is no settling.
package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// Options is what a run is to do.
type Options struct {
	Operation     validate.Operation
	Checker       *validate.Checker // for the same operation
	Client        *sink.Client      // nil: rows are only checked
	List          sink.ListRef      // unused without Client
	DryRun        bool              // look the list up, but send nothing
	Window        int               // rows in which duplicates are looked for, 0 = they are all sent
	Concurrency   int               // requests under way at once, at least 1
	BatchDelay    time.Duration     // how long a row waits for its batch to fill
	Wait          bool              // for the end of import jobs
	WaitTimeout   time.Duration     // how long each job is waited for
	MaxOpenJobs   int               // with Wait: batches that may be under way and waited for, at least 1
	Resume        *Earlier          // earlier results: rows with a final one are left to them; nil = all rows are new
	MaxInvalid    Bound             // how many rejected rows are allowed
	StopOnInvalid bool              // stop when there are more of them
	CheckFirst    bool              // read and check the whole input before anything is sent
	ExpectRows    *int64            // how many rows the input has, nil = any number
	Gauge         *Gauge            // shows the run while it goes on; may be nil
	Version       string            // for the report
	mostRows      int               // of a batch, 0 = as many as a request takes; tests cut small ones
}

// Interrupted is the cause with which the context given to Run is cancelled by a signal.
type Interrupted struct {
	Signal   string
	ExitCode int // 130 or 143
}

func (i *Interrupted) Error() string { return "stopped by " + i.Signal }

// Run reads rows from in, does the job and writes a result line for every row and then the report to out. It returns
// the report and, unless its exit status is 0, the reason for people. When ctx ends, reading and sending stop, requests
// under way come to their end, and every row that was read is still reported.
//
// A Read of in that blocks cannot be called off: in that case one goroutine stays with it until it returns.
func Run(ctx context.Context, job *Options, in io.Reader, out io.Writer) (*report.Report, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := newRun(job, out, stop)
	var ended error
	if err := r.prepare(ctx); err != nil {
		stop(err)
	} else {
		ended = r.work(ctx, in)
	}
	return r.finish(ctx, ended)
}

func newRun(job *Options, out io.Writer, stop context.CancelCauseFunc) *run {
	r := &run{job: job, started: time.Now(), stop: stop, gauge: job.Gauge, results: report.NewWriter(out)}
	r.timeline.Start = r.started
	if r.gauge == nil {
		r.gauge = new(Gauge)
	}
	return r
}

// run is the state of one Run. Its fields belong to the goroutine that calls Run, but for results and jobs, which are the
// last stage's until that has ended, and what mu guards.
type run struct {
	job        *Options
	started    time.Time
	stop       context.CancelCauseFunc
	list       *sink.List
	sender     sink.Sender // nil: nothing is sent
	watch      *sink.Jobs  // nil: jobs are not waited for
	results    *report.Writer
	jobs       []string       // ids of the import jobs that are not known to have ended
	earlier    *report.Report // of the run whose jobs are waited for, nil in that run itself
	refused    bool           // nothing may be sent; input is only read for its results
	resumption *resumption    // nil: all rows are new
	gauge      *Gauge
	late       atomic.Int64 // jobs that were not done in time
	open       atomic.Int64 // as many as jobs

	mu       sync.Mutex
	timeline report.Timeline
	latency  []report.Latency // of the jobs that were waited for
}

// prepare makes sure of key and list.
func (r *run) prepare(ctx context.Context) error {
	if r.job.Client == nil {
		return nil
	}
	var err error
	if r.list, err = r.job.Client.FindList(ctx, r.job.List); err != nil {
		return err
	}
	if r.job.DryRun {
		return r.sameTarget()
	}
	if r.job.Operation == validate.Remove {
		r.sender = sink.NewRemoval(r.job.Client, r.list)
	} else {
		r.sender = sink.NewImport(r.job.Client, r.list)
		if r.job.Wait {
			r.watch = sink.NewJobs(r.job.Client)
		}
	}
	r.gauge.far(r.job.Client, r.watch)
	return r.sameTarget()
}

// sameTarget makes sure that earlier results, as far as they say, are of the same list and operation.
func (r *run) sameTarget() error {
	if r.job.Resume == nil || r.job.Resume.Report == nil {
		return nil
	}
	earlier, list := r.job.Resume.Report, r.target()
	const hint = "--resume takes up a run with what it was to do; without --resume all rows are sent"
	if was := earlier.Operation; was != r.job.Operation.String() {
		return &Error{Text: fmt.Sprintf("the earlier results are of %q, and this is %s", was, r.job.Operation), Hint: hint}
	}
	if was := earlier.List; was != nil && was.ID != "" && was.ID != list.ID {
		return &Error{Text: fmt.Sprintf("the earlier results are of the list %s %q, and this is %s %q", was.ID, was.Name, cmp.Or(list.ID, "the list"), list.Name), Hint: hint}
	}
	return nil
}

// work takes the rows through all stages, after a rehearsal if there is to be one. Its error is the input's.
func (r *run) work(ctx context.Context, in io.Reader) error {
	var err error
	if r.resumption, err = newResumption(r.job.Resume); err != nil {
		r.stop(err)
		return nil
	}
	if !r.job.CheckFirst {
		return r.flow(ctx, in)
	}
	s, err := newSpool(in)
	if err != nil {
		r.stop(err)
		return nil
	}
	defer s.Close()
	again, ended := r.rehearse(ctx, s)
	if again == nil {
		return nil
	}
	if r.resumption, err = newResumption(r.job.Resume); err != nil {
		r.stop(err)
		return nil
	}
	if err := r.flow(ctx, again); ended == nil {
		return err
	}
	return ended
}

// flow takes rows through all stages until the input ends or ctx does. Its error is the input's.
func (r *run) flow(ctx context.Context, in io.Reader) error {
	checks := stream.New().WithMaxGoroutines(runtime.GOMAXPROCS(0))
	sends := stream.New().WithMaxGoroutines(r.job.Concurrency)
	settles := stream.New().WithMaxGoroutines(max(r.job.MaxOpenJobs, 1))
	open := make(chan struct{}, max(r.job.MaxOpenJobs, 1)) // elements for each batch on its way and not settled
	batches := newBatcher(r, func(b *batch) {
		weight := min(1+(b.rows-len(b.profiles))/oddRows, cap(open))
		if r.watch != nil {
			for range weight {
				open <- struct{}{}
			}
		}
		sends.Go(func() stream.Callback {
			r.send(ctx, b)
			o := r.outcomes(ctx, b)
			b.free() // what waits for its turn keeps keys and results alone
			return func() {
				r.sample()
				if r.watch == nil {
					r.write(o)
					written.put(o)
					return
				}
				settles.Go(func() stream.Callback {
					r.settle(ctx, o)
					return func() {
						r.write(o)
						for range weight {
							<-open
						}
					}
				})
			}
		})
	})
	reading := ctx
	if r.refused {
		reading = context.WithoutCancel(ctx)
	}
	ended := read(reading, in, r.job.BatchDelay, func(c *chunk) {
		checks.Go(func() (then stream.Callback) {
			then = func() { batches.off = true } // rows after one that broke the check have no numbers
			defer r.bug()
			c.check(r.job.Checker)
			return func() {
				if err := batches.add(c); err != nil {
					r.stop(err)
				}
			}
		})
	})
	checks.Wait()
	r.gauge.ended.Store(true)
	if ended == nil && ctx.Err() == nil {
		ended = r.resumption.leftOver(batches.rows)
	}
	batches.cut()
	sends.Wait()
	settles.Wait()
	return ended
}

// oddRows with a result of their own, of 300 bytes, count as one more open job beside that of their batch.
const oddRows = 1000

// send delivers a batch, unless the run is stopped. It is called at once for several batches.
func (r *run) send(ctx context.Context, b *batch) {
	if r.sender == nil || len(b.profiles) == 0 || ctx.Err() != nil {
		return
	}
	done := false
	defer func() {
		for i := range b.profiles {
			if p := &b.profiles[i]; !done && p.Status == sink.Unsent {
				p.Status, p.Fault = sink.Unknown, sink.AnswerLost
			}
		}
	}()
	defer r.bug()
	if err := r.sender.Send(ctx, b.profiles); err != nil {
		r.stop(err)
	}
	done = true
}

// bug stops the run on a panic of the stage that defers it: what is known of rows is still reported.
func (r *run) bug() {
	if p := recover(); p != nil {
		r.stop(&Error{
			Text: fmt.Sprintf("a fault of klaviyo-export itself: %v", p),
			Hint: "please report it, with this: " + string(debug.Stack()),
		})
	}
}

// finish makes and writes the report.
func (r *run) finish(ctx context.Context, ended error) (*report.Report, error) {
	exit, err := r.outcome(context.Cause(ctx), ended)
	rep := &report.Report{
		Type: "report", Status: report.StatusOf(exit), ExitCode: exit, Operation: r.job.Operation.String(), List: r.target(),
		Rows: r.results.Rows(), Reasons: r.results.Reasons(),
		Jobs:    report.Jobs{Complete: r.gauge.complete.Load(), Cancelled: r.gauge.cancelled.Load(), Open: r.jobs, Latency: r.latency},
		Version: r.job.Version, Timeline: r.timeline.Buckets(),
	}
	if r.job.Client != nil {
		s := r.job.Client.Stats()
		rep.Jobs.Submitted = s.Jobs
		rep.Requests = report.Requests{Sent: s.Sent, Retried: s.Retried, Throttled: s.Throttled, Bytes: s.Bytes, Resent: s.Resent}
	}
	if r.earlier != nil {
		rep.Operation = cmp.Or(r.earlier.Operation, rep.Operation)
		// Runs that were killed have told of no jobs.
		rep.Jobs.Submitted = max(r.earlier.Jobs.Submitted, rep.Jobs.Complete+rep.Jobs.Cancelled+int64(len(rep.Jobs.Open)))
	}
	if err != nil && rep.Status != report.StatusOf(130) {
		rep.Error = err.Error()
	}
	rep.Span(r.started, time.Now())
	if broken := r.results.Report(rep); broken != nil {
		rep.ExitCode = 2
		if errors.Is(err, broken) {
			err = nil
		}
		return rep, r.brokenOutput(broken, err)
	}
	switch {
	case err != nil:
		err = early(err, rep.Rows)
	case exit != 0:
		err = rowsError(rep.Rows, rep.Reasons, r.gauge.earlierRejected.Load())
	}
	return rep, err
}

// target returns the list for the report, nil where there is none.
func (r *run) target() *report.List {
	switch {
	case r.list != nil:
		var l report.List
		l.ID, l.Name, l.Created = r.list.State()
		if left := r.list.LeftBehind(); left != "" {
			l.LeftBehind = []string{left}
		}
		return &l
	case r.earlier != nil:
		return r.earlier.List
	case r.job.Client != nil:
		return &report.List{ID: r.job.List.ID, Name: r.job.List.Name}
	}
	return nil
}

// outcome settles on the exit status and what to tell people; an exit status of 1 without an error is because of rows.
func (r *run) outcome(cause, ended error) (int, error) {
	var interrupted *Interrupted
	var failed *sink.Error
	rows := r.results.Rows()
	switch {
	case errors.As(cause, &interrupted):
		return interrupted.ExitCode, cause
	case errors.As(cause, &failed) && failed.Kind == sink.Outage:
		return 4, cause
	case cause != nil:
		return ExitCode(cause), cause
	case ended != nil && ExitCode(ended) != 1:
		return ExitCode(ended), ended
	case r.late.Load() > 0:
		return 3, r.lateError()
	case ended != nil:
		return 1, ended
	case r.job.ExpectRows != nil && *r.job.ExpectRows != rows.Read:
		return 1, &Error{Text: fmt.Sprintf("the input had %d rows, --expect-rows is %d", rows.Read, *r.job.ExpectRows), Hint: hintExpected}
	case rows.Unknown+rows.Unsent > 0 || !r.job.MaxInvalid.allows(rows.Rejected+r.gauge.earlierRejected.Load(), rows.Read):
		return 1, nil
	}
	return 0, nil
}

// brokenOutput says how far the results got that could not be written whole, and what else was wrong.
func (r *run) brokenOutput(err, cause error) error {
	if cause != nil {
		err = fmt.Errorf("%w; %w", cause, err)
	}
	written, sent, hint := "no row's result was written", "", ""
	if n := r.results.Written(); n > 0 {
		written = fmt.Sprintf("results were written up to row %d", n)
	}
	if n := r.results.Rows().Read; r.sender != nil && n > r.results.Written() {
		sent = fmt.Sprintf("; later rows, up to row %d, may have been sent without a result", n)
	}
	if r.sender != nil {
		hint = "write the results to a file with room, and go on with --resume RESULTS < ROWS >> RESULTS"
	}
	return &Error{Text: fmt.Sprintf("%v; %s%s", err, written, sent), Hint: hint, cause: err}
}
