package pipeline

import (
	"context"
	"fmt"
	"sync"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// control is what a run gives to its stages: they count rows in its tally, take buffers from its pools and stop the
// run through it. Its methods may be called at once.
type control struct {
	tally
	pools
	cancel        context.CancelCauseFunc
	cause         func() error // why the run is stopped, nil while it goes on
	maxInvalid    Bound
	stopOnInvalid bool
	probe         func(stage string)

	client  *sink.Client // nil: nothing is sent
	started time.Time

	mu       sync.Mutex
	watch    *sink.Jobs // nil: import jobs are not waited for
	timeline report.Timeline
	latency  []report.Latency // of the import jobs that were waited for
}

func newControl(ctx context.Context, o *Options, started time.Time, cancel context.CancelCauseFunc) *control {
	return &control{
		cancel: cancel, cause: func() error { return context.Cause(ctx) },
		maxInvalid: o.MaxInvalid, stopOnInvalid: o.StopOnInvalid, probe: o.probe,
		client: o.Client, started: started, timeline: report.Timeline{Start: started},
	}
}

// follow has the state of import jobs shown.
func (c *control) follow(watch *sink.Jobs) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watch = watch
}

// stop ends the run with an error; only the first one counts.
func (c *control) stop(err error) { c.cancel(err) }

// stopped reports whether the run was stopped, by a stage or from outside.
func (c *control) stopped() bool { return c.cause() != nil }

// begin marks that a stage begins its work on a chunk or a batch.
func (c *control) begin(stage string) {
	if c.probe != nil {
		c.probe(stage)
	}
}

// guard ends the run when the function that defers it panics: what is known of the rows is still written.
func (c *control) guard() {
	if p := recover(); p != nil {
		c.stop(bug(p))
	}
}

// reject counts a rejected row, and stops the run when it is one too many and Options.StopOnInvalid is set.
func (c *control) reject(row int64) { c.checkBound(row, c.rejected.Add(1)) }

// severalIn counts a rejected row that may hold several rows. No bound covers it.
func (c *control) severalIn(row *validate.Row) {
	if !row.Several {
		return
	}
	if n := c.several.Add(1); c.stopOnInvalid {
		c.stop(severalError(n))
	}
}

// checkBound stops the run at a row when so many rejected rows are too many.
func (c *control) checkBound(row, rejected int64) {
	if c.stopOnInvalid && !c.maxInvalid.allowsSoFar(rejected, max(c.read.Load(), row)) {
		c.stop(&Error{
			Text: fmt.Sprintf("stopped at row %d: more rows are rejected than --max-invalid %v allows", row, c.maxInvalid),
			Hint: hintRejected, exit: 1,
		})
	}
}

// ended counts an import job that was waited for.
func (c *control) ended(job string, end *sink.End) {
	switch end.State {
	case sink.Open:
		c.late.Add(1)
		if end.Unread != "" {
			c.leaveUnread(job, end.Unread)
		}
	case sink.Complete:
		c.complete.Add(1)
	case sink.Cancelled:
		c.cancelled.Add(1)
	}
	if end.Took > 0 && (end.State == sink.Complete || end.State == sink.Cancelled) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.latency = report.Took(c.latency, end.Took)
	}
}

// sample enters the state of the run into the timeline.
func (c *control) sample() {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := report.Sample{Rows: c.settled(), OpenJobs: c.open.Load()}
	if c.client != nil {
		far := c.client.Stats()
		s.Requests, s.Throttled = far.Sent, far.Waited
		if c.watch != nil {
			s.OpenJobs = c.watch.Progress().Jobs
		}
	}
	c.timeline.Add(time.Since(c.started), s)
}
