package pipeline

import (
	"context"

	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/sink"
)

// sends is the stage that sends batches to Klaviyo: several requests at once, results handed on in order.
type sends struct {
	control *control
	sender  sink.Sender // nil: nothing is sent
	open    permits
	emit    func(*results)
	stream  *stream.Stream
}

func newSends(c *control, sender sink.Sender, o *Options, open permits, emit func(*results)) *sends {
	return &sends{
		control: c, sender: sender, open: open, emit: emit,
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
		r.permits = taken
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
	if s.sender == nil || len(b.profiles) == 0 || ctx.Err() != nil {
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
	if err := s.sender.Send(ctx, b.profiles); err != nil {
		s.control.stop(err)
	}
	done = true
}

// results takes the results from a batch. They are none when that panics.
func (s *sends) results(ctx context.Context, b *batch) (r *results) {
	r = new(results)
	defer s.control.guard()
	s.control.begin("results")
	made := r
	if s.open == nil { // results that wait for an import job have the size of their rows: they are not used again
		made = s.control.newResults()
	}
	made.take(b, s.sender == nil, unsentNow(ctx), s.control.reject)
	return made
}

// permits bounds the open import jobs: a batch that is sent takes some, which its written results give back. nil
// has no bound.
type permits chan struct{}

// newPermits returns so many permits, nil where import jobs are not waited for.
func newPermits(watch *sink.Jobs, n int) permits {
	if watch == nil {
		return nil
	}
	return make(permits, max(n, 1))
}

// take blocks until so many permits are free, or all where there are fewer, and returns how many it took.
func (s permits) take(n int) int {
	n = min(n, cap(s))
	for range n {
		s <- struct{}{}
	}
	return n
}

func (s permits) give(n int) {
	for range n {
		<-s
	}
}
