package pipeline

import (
	"context"
	"fmt"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// settle waits for the end of the jobs that took rows of o. It is called at once for several outcomes.
func (r *run) settle(ctx context.Context, o *outcomes) {
	defer r.bug()
	until := time.Now().Add(r.job.WaitTimeout)
	for n := range o.shared {
		s := &o.shared[n]
		if s.line.Status != report.Accepted || s.line.Job == "" {
			continue
		}
		end, err := r.watch.Wait(ctx, until, s.line.Job)
		if err != nil {
			r.stop(err)
		}
		if end.State == sink.Open {
			r.late.Add(1)
		}
		r.sample()
		var rows []int
		verdict := end.Settle(s.rows, func(place int) []byte {
			if rows == nil {
				rows = o.rowsOf(n)
			}
			return address(o.key(rows[place]))
		})
		s.verdict = &verdict
		r.ended(end)
	}
}

// address takes the quotes off a key: addresses are ASCII without characters that JSON escapes.
func address(key []byte) []byte {
	if len(key) < 2 {
		return nil
	}
	return key[1 : len(key)-1]
}

// ended counts a job that was waited for.
func (r *run) ended(end *sink.End) {
	switch end.State {
	case sink.Complete:
		r.gauge.complete.Add(1)
	case sink.Cancelled:
		r.gauge.cancelled.Add(1)
	default:
		return
	}
	if end.Took > 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.latency = report.Took(r.latency, end.Took)
	}
}

// write writes the results of outcomes. It is called for one after the other, in input order.
func (r *run) write(o *outcomes) {
	odd, shared, place := o.odd, o.shared, 0
	for row := range o.ends {
		var line report.Line
		if len(odd) > 0 && odd[0].row == row {
			line = odd[0].line
			odd = odd[1:]
		} else {
			line = shared[0].of(place)
			if line.Status == report.Rejected {
				r.reject(o.number(row))
			}
			if place++; place == shared[0].rows {
				r.leaveOpen(&shared[0])
				shared, place = shared[1:], 0
			}
		}
		line.Row, line.Key = o.number(row), o.key(row)
		r.results.Line(&line)
	}
	if err := r.results.Flush(); err != nil {
		r.stop(err)
	}
	r.gauge.set(r.results.Rows())
	r.sample()
}

// reject counts a rejected row, and stops the run when there are more of them than the job allows and it should not go on then.
// It is called at once by several stages.
func (r *run) reject(row int64) { r.bound(row, r.gauge.rejected.Add(1)) }

// bound stops the run at a row when so many rejected ones are too many.
func (r *run) bound(row, rejected int64) {
	if r.job.StopOnInvalid && !r.job.MaxInvalid.allowsSoFar(rejected, max(r.gauge.read.Load(), row)) {
		r.stop(&Error{Text: fmt.Sprintf("stopped at row %d: more rows are rejected than --max-invalid %v allows", row, r.job.MaxInvalid), Hint: hintRejected, exit: 1})
	}
}

// of returns the result of the row at a place among those that share it.
func (s *shared) of(place int) report.Line {
	line := s.line
	if s.verdict == nil {
		return line
	}
	fault := s.verdict.Faults[place]
	switch {
	case fault != nil:
		line.Status, line.Stage = report.Rejected, "import"
	case s.verdict.Rest == sink.Applied:
		line.Status = report.Applied
	case s.verdict.Rest == sink.Unknown:
		line.Status, fault = report.Unknown, s.verdict.RestFault
	}
	if fault != nil {
		line.Code, line.Column, line.Detail = fault.Code, fault.Column, fault.Detail
	}
	return line
}

// leaveOpen notes the job of rows that stay accepted.
func (r *run) leaveOpen(s *shared) {
	if s.line.Job != "" && s.line.Status == report.Accepted && (s.verdict == nil || s.verdict.Rest == sink.Accepted) {
		r.jobs = append(r.jobs, s.line.Job)
		r.open.Add(1)
	}
}

// sample enters the state of the run into the timeline. It is called at once by sending and settling.
func (r *run) sample() {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := report.Sample{Rows: r.gauge.settled(), OpenJobs: r.open.Load()}
	if r.job.Client != nil {
		far := r.job.Client.Stats()
		s.Requests, s.Throttled = far.Sent, far.Waited
		if r.watch != nil {
			s.OpenJobs = r.watch.Progress().Jobs
		}
	}
	r.timeline.Add(time.Since(r.started), s)
}

// lateError is the error of jobs that were not done when the time to wait was over.
func (r *run) lateError() error {
	return &Error{
		Text: fmt.Sprintf("%d import jobs were not done, or their errors not read, %v after they were taken; their rows stay accepted", r.late.Load(), r.job.WaitTimeout),
		Hint: "klaviyo-export wait < RESULTS goes on waiting for them",
	}
}
