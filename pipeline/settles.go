package pipeline

import (
	"context"
	"time"

	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// settles is the stage that waits for import jobs: many at once, results handed on in order. Where import jobs are
// not waited for, it hands results on at once.
type settles struct {
	control *control
	watch   *sink.Jobs // nil: import jobs are not waited for
	timeout time.Duration
	emit    func(*results)
	stream  *stream.Stream
}

func newSettles(c *control, watch *sink.Jobs, o *Options, emit func(*results)) *settles {
	return &settles{
		control: c, watch: watch, timeout: o.WaitTimeout, emit: emit,
		stream: stream.New().WithMaxGoroutines(max(o.MaxOpenJobs, 1)),
	}
}

// add settles results and hands them on. It blocks while as many results are being settled as import jobs may be
// open.
func (s *settles) add(ctx context.Context, r *results) {
	if s.watch == nil {
		s.emit(r)
		return
	}
	s.stream.Go(func() stream.Callback {
		s.settle(ctx, r)
		return func() { s.emit(r) }
	})
}

// wait returns when all results are handed on.
func (s *settles) wait() { s.stream.Wait() }

// settle waits for the end of the import jobs that took rows of r. It is called at once for several results.
func (s *settles) settle(ctx context.Context, r *results) {
	defer s.control.guard()
	s.control.begin("settle")
	until := time.Now().Add(s.timeout)
	for n := range r.shared {
		shared := &r.shared[n]
		if shared.line.Status != report.Accepted || shared.line.Job == "" {
			continue
		}
		end, err := s.watch.Wait(ctx, until, shared.line.Job)
		if err != nil {
			s.control.stop(err)
		}
		s.control.sample()
		var rows []int
		settlement := end.Settle(shared.rows, func(place int) []byte {
			if rows == nil {
				rows = r.rowsOf(n)
			}
			return address(r.key(rows[place]))
		})
		shared.settlement = &settlement
		s.control.ended(end)
	}
}

// address takes the quotes off a key: addresses are ASCII without characters that JSON escapes.
func address(key []byte) []byte {
	if len(key) < 2 {
		return nil
	}
	return key[1 : len(key)-1]
}
