package pipeline

import (
	"sync/atomic"

	"klaviyo-export/report"
)

// Gauge shows a run while it goes on. It only reads what the run counts. The zero value shows nothing yet.
type Gauge struct{ run atomic.Pointer[control] }

func (g *Gauge) show(c *control) { g.run.Store(c) }

// Moment returns the state of the run. It may be called at any time.
func (g *Gauge) Moment() report.Moment {
	c := g.run.Load()
	if c == nil {
		return report.Moment{}
	}
	m := report.Moment{Rows: c.settled(), InputEnded: c.inputEnded.Load()}
	m.Rows.Read, m.Rows.Rejected = c.read.Load(), c.rejected.Load()
	m.Members, m.Removed = c.members.Load(), c.removed.Load()
	m.Consenting = c.consenting.Load()
	if c.client == nil {
		return m
	}
	s := c.client.Stats()
	m.Failing, m.GiveUpIn = s.Failing, s.GiveUpIn
	m.Requests, m.Retried, m.Throttled, m.Closed = s.Sent, s.Retried, s.Throttled, s.Closed
	m.Jobs, m.JobsEnded = s.Jobs, c.complete.Load()+c.cancelled.Load()
	c.mu.Lock()
	watch := c.watch
	c.mu.Unlock()
	if watch != nil {
		p := watch.Progress()
		m.Jobs = max(m.Jobs, m.JobsEnded+p.Jobs)
		m.Waiting = m.InputEnded && p.Jobs > 0
		m.JobRows, m.JobRowsDone, m.WaitLeft = p.Rows, p.Done, p.Left
		m.ReadingJobs = p.Reading
	}
	return m
}

// Unchanged returns how many rows are not sent because they are as the state remembers them.
func (g *Gauge) Unchanged() int64 {
	if c := g.run.Load(); c != nil {
		return c.unchanged.Load()
	}
	return 0
}

// EarlierAccepted returns how many rows stay accepted as in the earlier results: the run does not wait for them.
func (g *Gauge) EarlierAccepted() int64 {
	if c := g.run.Load(); c != nil {
		return c.earlierAccepted.Load()
	}
	return 0
}
