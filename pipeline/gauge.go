package pipeline

import (
	"sync"
	"sync/atomic"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// Gauge shows a run while it goes on.
type Gauge struct {
	read, rejected, complete, cancelled atomic.Int64
	earlierRejected, earlierAccepted    atomic.Int64 // rows with those statuses in earlier results
	ended                               atomic.Bool  // the input

	mu     sync.Mutex
	rows   report.Rows // whose results are written
	client *sink.Client
	watch  *sink.Jobs
}

// Moment returns the state of the run. It may be called at any time.
func (g *Gauge) Moment() report.Moment {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := report.Moment{Rows: g.rows, InputEnded: g.ended.Load()}
	m.Rows.Read, m.Rows.Rejected = g.read.Load(), g.rejected.Load()
	if g.client == nil {
		return m
	}
	s := g.client.Stats()
	m.Requests, m.Retried, m.Throttled, m.Closed = s.Sent, s.Retried, s.Throttled, s.Closed
	m.Jobs, m.JobsEnded = s.Jobs, g.complete.Load()+g.cancelled.Load()
	if g.watch != nil {
		p := g.watch.Progress()
		m.Jobs = max(m.Jobs, m.JobsEnded+p.Jobs)
		m.Waiting, m.JobRows, m.JobRowsDone, m.WaitLeft = m.InputEnded, p.Rows, p.Done, p.Left
	}
	return m
}

// resume enters a row that is left to its earlier result.
func (g *Gauge) resume(status report.Status) {
	switch status {
	case report.Rejected:
		g.earlierRejected.Add(1)
		g.rejected.Add(1)
	case report.Accepted:
		g.earlierAccepted.Add(1)
	}
}

// EarlierAccepted returns how many of the resumed rows are accepted: their jobs are not waited for.
func (g *Gauge) EarlierAccepted() int64 { return g.earlierAccepted.Load() }

// set enters the results that are written.
func (g *Gauge) set(rows report.Rows) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rows = rows
}

// settled returns the results that are written.
func (g *Gauge) settled() report.Rows {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rows
}

// far enters where the rows go to.
func (g *Gauge) far(client *sink.Client, watch *sink.Jobs) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.client, g.watch = client, watch
}
