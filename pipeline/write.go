package pipeline

import (
	"context"
	"errors"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// Codes of rows that no check and no answer of Klaviyo speaks of (DESIGN.md §4).
const (
	duplicate   = "duplicate"
	stopped     = "stopped"
	interrupted = "interrupted"
	outage      = "outage"
)

// write writes the results of a batch and gives it back. It is called for one batch after the other, in input order.
func (r *run) write(ctx context.Context, b *batch) {
	unsent := ""
	if ctx.Err() != nil {
		unsent = unsentCode(context.Cause(ctx))
	}
	var line report.Line
	profiles := b.profiles
	for _, p := range b.parts {
		skips := p.chunk.skips
		for len(skips) > 0 && skips[0].row < p.from {
			skips = skips[1:]
		}
		for i := p.from; i < p.to; i++ {
			row := &p.chunk.rows.Rows[i]
			line = report.Line{Row: p.chunk.first + int64(i), Key: p.chunk.rows.Data[row.KeyStart:row.KeyEnd]}
			switch {
			case row.Fault != nil:
				line.Status, line.Stage = report.Rejected, "validate"
				line.Code, line.Column, line.Detail = string(row.Fault.Code), row.Fault.Column, row.Fault.Detail
			case len(skips) > 0 && skips[0].row == i:
				line.Status, line.Code, line.Of = report.Skipped, duplicate, skips[0].of
				skips = skips[1:]
			default:
				r.judge(&line, &profiles[0], unsent)
				profiles = profiles[1:]
			}
			r.results.Line(&line)
		}
	}
	r.flushed(r.results.Flush())
	b.free()
}

// judge puts what became of a good row into its line.
func (r *run) judge(line *report.Line, p *sink.Profile, unsent string) {
	line.Job = p.Job
	if p.Fault != nil {
		line.Code, line.Column, line.Detail = p.Fault.Code, p.Fault.Column, p.Fault.Detail
	}
	switch p.Outcome {
	case sink.Accepted:
		line.Status = report.Accepted
		if n := len(r.jobs); n == 0 || r.jobs[n-1] != p.Job {
			r.jobs = append(r.jobs, p.Job)
		}
	case sink.Applied:
		line.Status = report.Applied
	case sink.Rejected:
		line.Status, line.Stage = report.Rejected, "request"
	case sink.Unknown:
		line.Status = report.Unknown
	case sink.Unsent:
		line.Status, line.Code = report.Unsent, unsent
		if r.sender == nil {
			line.Status, line.Code = report.Valid, ""
		}
	}
}

// flushed follows up a batch's results: it stops the run when they cannot be written, and enters them into the timeline.
func (r *run) flushed(err error) {
	if err != nil {
		r.stop(err)
	}
	s := report.Sample{Rows: r.results.Rows(), OpenJobs: int64(len(r.jobs))}
	if r.job.Client != nil {
		far := r.job.Client.Stats()
		s.Requests, s.Throttled = far.Sent, far.Waited
	}
	r.timeline.Add(time.Since(r.started), s)
}

// unsentCode tells rows why they were not sent.
func unsentCode(cause error) string {
	var signal *Interrupted
	var failed *sink.Error
	switch {
	case errors.As(cause, &signal):
		return interrupted
	case errors.As(cause, &failed) && failed.Kind == sink.Outage:
		return outage
	}
	return stopped
}
