package pipeline

import (
	"fmt"
	"sync"
	"sync/atomic"

	"klaviyo-export/report"
)

// tally counts what decides a run's exit status. The stages add to it; a display only reads it. All of it may be
// used at once.
type tally struct {
	read            atomic.Int64 // rows numbered, also by a rehearsal
	rejected        atomic.Int64 // rows rejected by any stage, or in the earlier results
	several         atomic.Int64 // rejected rows that may hold several rows
	earlierRejected atomic.Int64 // rows that the earlier results reject
	earlierAccepted atomic.Int64 // rows that are accepted in the earlier results, and stay so
	earlierWaited   atomic.Int64 // rows that are accepted there, and whose import jobs this run waits for
	unchanged       atomic.Int64 // rows that are as the state remembers them, and that nothing has them sent for
	complete        atomic.Int64 // import jobs that ended
	cancelled       atomic.Int64 // import jobs that somebody cancelled
	late            atomic.Int64 // import jobs that had not ended when their time was over
	open            atomic.Int64 // import jobs that are left open
	consenting      atomic.Int64 // rows that wait until their consent shows
	hidden          atomic.Int64 // rows whose consent did not show when their time was over
	inputEnded      atomic.Bool
	members         atomic.Int64 // members that a mirror has read
	removed         atomic.Int64 // members that it has removed

	writtenMu sync.Mutex
	written   report.Rows

	unreadMu sync.Mutex
	unread   int64  // the late import jobs that had ended, and whose errors were not read
	unreadOf string // the first of them, and why
}

// leaveUnread counts an import job that has ended, and whose errors were not read.
func (t *tally) leaveUnread(job, why string) {
	t.unreadMu.Lock()
	defer t.unreadMu.Unlock()
	if t.unread++; t.unread == 1 {
		t.unreadOf = fmt.Sprintf("import job %s: %s", job, why)
	}
}

// resume counts a row that keeps its earlier result.
func (t *tally) resume(status report.Status) {
	switch status {
	case report.Rejected:
		t.earlierRejected.Add(1)
		t.rejected.Add(1)
	case report.Accepted:
		t.earlierAccepted.Add(1)
	}
}

// setSettled enters the rows whose results are written.
func (t *tally) setSettled(rows report.Rows) {
	t.writtenMu.Lock()
	defer t.writtenMu.Unlock()
	t.written = rows
}

// settled returns the rows whose results are written.
func (t *tally) settled() report.Rows {
	t.writtenMu.Lock()
	defer t.writtenMu.Unlock()
	return t.written
}
