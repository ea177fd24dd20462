package pipeline

import (
	"context"
	"slices"
	"sync"

	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/pipeline/state"
	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// sends is the stage that sends batches to Klaviyo: several requests at once, results handed on in order.
type sends struct {
	control *control
	sender  sink.Sender  // nil: nothing is sent
	state   *state.State // nil: there is nothing to forget
	valid   bool         // good rows are only checked
	again   bool         // rows whose answers are lost may be sent again
	open    *permits
	emit    func(*results)
	stream  *stream.Stream // runs the requests at once, and what they return in the order of the batches
}

func newSends(c *control, sender sink.Sender, o *Options, open *permits, emit func(*results)) *sends {
	return &sends{
		control: c, sender: sender, open: open, emit: emit, valid: sender == nil || o.DryRun,
		stream: stream.New().WithMaxGoroutines(o.Concurrency),
	}
}

// add sends a batch and hands on its results. It blocks while all senders are busy, and while as many import jobs
// are open as may be.
func (s *sends) add(ctx context.Context, b *batch) {
	taken := s.open.take(b.weight())
	s.stream.Go(func() stream.Callback {
		s.send(ctx, b)
		r := s.results(ctx, b)
		refused := len(r.odd) - b.odd()
		r.permits = taken + s.open.owe(refused/oddRows)
		s.control.free(b) // what waits for its turn keeps keys and results alone
		return func() {
			s.control.sample()
			s.emit(r)
		}
	})
}

// wait returns when all results are handed on.
func (s *sends) wait() { s.stream.Wait() }

// send sends a batch, unless the run is stopped. It is called at once for several batches.
func (s *sends) send(ctx context.Context, b *batch) {
	sender := s.sender
	if b.to != nil {
		sender = b.to.sender
	}
	if sender == nil || len(b.profiles) == 0 || b.job != "" || ctx.Err() != nil {
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
	defer s.control.guard()
	s.control.begin("send")
	if err := s.forget(b); err != nil {
		s.control.stop(err)
		done = true
		return
	}
	if err := sender.Send(ctx, b.profiles); b.to != nil && sink.ListGone(err) {
		b.refuse(b.to.gone)
	} else if err != nil {
		s.control.stop(err)
	}
	done = true
}

// refuse rejects the profiles that were not sent.
func (b *batch) refuse(why *sink.Fault) {
	for i := range b.profiles {
		if p := &b.profiles[i]; p.Status == sink.Unsent {
			p.Status, p.Fault = sink.Rejected, why
		}
	}
}

// results takes the results from a batch.
func (s *sends) results(ctx context.Context, b *batch) (r *results) {
	defer func() {
		if p := recover(); p != nil {
			s.control.stop(bug(p))
			r = s.lost(b)
		}
	}()
	s.control.begin("results")
	r = new(results)
	if s.open == nil && b.to == nil { // results that wait have the size of their rows: they are not used again
		r = s.control.newResults()
	}
	r.again = s.again
	r.take(b, s.valid, unsentNow(ctx), s.control.reject)
	r.bind(b)
	return r
}

// lost returns the results of a batch whose own ones a panic has cut off: its rows are unsent, or all unknown if one of
// them may have been sent.
func (s *sends) lost(b *batch) *results {
	line := report.Line{Status: report.Unsent, Code: stopped}
	if slices.ContainsFunc(b.profiles, func(p sink.Profile) bool { return p.Status != sink.Unsent }) {
		line.Status, line.Code, line.Detail = report.Unknown, sink.AnswerLost.Code, sink.AnswerLost.Detail
	}
	r := &results{first: b.first()}
	for _, p := range b.parts {
		for i := range p.rows() {
			r.add(p.key(i))
			r.join(&line)
		}
	}
	r.bind(b)
	return r
}

// bind notes what the results' batch was sent to.
func (r *results) bind(b *batch) {
	if b.to != nil {
		r.to, r.list, r.cost, r.numbers = b.to, b.to.id(), b.cost, slices.Clone(b.parts[0].brief.numbers)
		r.trim()
	}
}

// permits bounds the open import jobs: a batch that is sent takes some, which its written results give back. nil
// has no bound.
type permits struct {
	mu   sync.Mutex
	free int // less than 0 where results took more than there were
	all  int
	back sync.Cond
}

// newPermits returns so many permits, nil where import jobs are not waited for.
func newPermits(watch *sink.Jobs, n int) *permits {
	if watch == nil {
		return nil
	}
	s := &permits{free: max(n, 1), all: max(n, 1)}
	s.back.L = &s.mu
	return s
}

// take blocks until so many permits are free, or all where there are fewer, and returns how many it took.
func (s *permits) take(n int) int {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for n = min(n, s.all); s.free < n; {
		s.back.Wait()
	}
	s.free -= n
	return n
}

// owe takes more permits for a batch that Klaviyo has refused rows of, and returns how many. It does not block, as
// others may wait for the batch: they wait until there are enough again.
func (s *permits) owe(n int) int {
	if n = max(n, 0); s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free -= n
	return n
}

func (s *permits) give(n int) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free += n
	s.back.Broadcast()
}
