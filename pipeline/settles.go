package pipeline

import (
	"bytes"
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

// settle waits for the end of all import jobs that took rows of r. It is called at once for several results.
func (s *settles) settle(ctx context.Context, r *results) {
	defer s.control.guard()
	s.control.begin("settle")
	var jobs []sink.Job
	var of []*shared // whose rows each job took
	for n := range r.shared {
		if own := &r.shared[n]; own.line.Status == report.Accepted && own.line.Job != "" {
			jobs = append(jobs, sink.Job{ID: own.line.Job, Rows: own.rows, Keys: r.keysOf(n)})
			of = append(of, own)
		}
	}
	err := s.watch.Wait(ctx, time.Now().Add(s.timeout), jobs, func(job int, end *sink.End) {
		of[job].settlement, of[job].created = &end.Settlement, end.Created
		s.control.ended(jobs[job].ID, end)
		s.control.sample()
	})
	if err != nil {
		s.control.stop(err)
	}
}

// unquoted is the text of a JSON string, nil of another value. It is mostly no copy: of the identifiers, only external
// ids have characters that JSON escapes.
func unquoted(key []byte) []byte {
	switch {
	case len(key) < 2 || key[0] != '"':
		return nil
	case bytes.IndexByte(key, '\\') >= 0:
		return []byte(plain(key))
	}
	return key[1 : len(key)-1]
}
