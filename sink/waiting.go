package sink

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

const (
	// The pauses between two looks at a row grow from firstLook to lastLook, and further for rows that do not show after
	// longLook: Klaviyo was seen to show consent after one to three minutes (klaviyo-more.md §2.3).
	firstLook, lastLook = time.Second / 2, 30 * time.Second
	longLook, rareLook  = 5 * time.Minute, 5 * time.Minute
	// mostTypical bounds how late the first look may be.
	mostTypical = time.Minute
)

// waiting are the rows of all calls of Settle. They share look-ups: a few rows of each call may never show.
type waiting struct {
	mu    sync.Mutex
	rows  dues
	added chan struct{} // closed when rows come in or come back
	turns chan struct{} // one element for each call that looks
}

// awaited are the rows of one call of Settle.
type awaited struct {
	rows     []Consented
	value    func(row uint32) string
	sent     time.Time
	deadline time.Time
	left     int           // rows that are not settled
	done     chan struct{} // closed when left is 0
	gone     bool          // Settle has returned: the rows belong to its caller again
}

// due is a row that is to be looked at.
type due struct {
	row *Consented
	of  *awaited
	at  time.Time
}

// dues is a heap of rows, the next one first.
type dues []due

func (d dues) Len() int           { return len(d) }
func (d dues) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d dues) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *dues) Push(x any)        { *d = append(*d, x.(due)) }
func (d *dues) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	(*d)[last], *d = due{}, (*d)[:last]
	return x
}

func newWaiting() *waiting {
	return &waiting{added: make(chan struct{}), turns: make(chan struct{}, lookupsAtOnce)}
}

// Settle reads rows back until each one shows the consent, or until deadline. Rows with another Status than Accepted
// and Unknown are not read. value is the identifier of a row. Rows that a person has to confirm are read once. A row
// whose answer was lost is sent again once, when nothing shows for 30 minutes. When ctx ends, Settle returns nil. Its
// error is an *Error. Many calls may wait at once.
func (s *Consents) Settle(
	ctx context.Context, deadline time.Time, rows []Consented, value func(row uint32) string,
) error {
	now := time.Now()
	g := &awaited{rows: rows, value: value, sent: now, deadline: deadline, done: make(chan struct{})}
	pause := min(max(firstLook, time.Duration(s.typical.Load())*3/4), mostTypical)
	s.waiting.add(g, earlier(now.Add(pause), deadline))
	defer s.waiting.release(g)
	for {
		select {
		case <-g.done:
			return nil
		case <-ctx.Done():
			return nil
		case s.waiting.turns <- struct{}{}:
			err := s.watch(ctx, g)
			<-s.waiting.turns
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

// earlier returns the earlier of two times.
func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// add has the rows of a stretch looked at, at that time for the first time.
func (w *waiting) add(g *awaited, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range g.rows {
		if c := &g.rows[i]; c.Status == Accepted || c.Status == Unknown {
			heap.Push(&w.rows, due{c, g, at})
			g.left++
		}
	}
	if g.left == 0 {
		close(g.done)
	}
	w.wake()
}

// release notes that nobody may touch the rows of a stretch any more.
func (w *waiting) release(g *awaited) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g.gone = true
}

// wake has all calls that look count anew how long they wait.
func (w *waiting) wake() {
	close(w.added)
	w.added = make(chan struct{})
}

// watch looks at whatever rows are due, until those of g are settled.
func (s *Consents) watch(ctx context.Context, g *awaited) error {
	for ctx.Err() == nil {
		rows, next, added := s.waiting.take(time.Now())
		if len(rows) > 0 {
			if err := s.visit(ctx, rows); err != nil {
				return err
			}
			next = 0
		}
		timer := time.NewTimer(next)
		select {
		case <-g.done:
			timer.Stop()
			return nil
		case <-added:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	return nil
}

// take takes the rows that are due, as many as one look-up asks for, and fills up with those that soon are. When none
// is due, it returns how long to wait, and what ends the wait earlier.
func (w *waiting) take(now time.Time) (rows []due, next time.Duration, added <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rows) == 0 {
		return nil, rareLook, w.added
	}
	if next = w.rows[0].at.Sub(now); next > 0 {
		return nil, next, w.added
	}
	for len(w.rows) > 0 && len(rows) < maxLookup {
		first := &w.rows[0]
		if soon := now.Sub(first.of.sent) / 8; first.at.After(now.Add(min(soon, lastLook))) {
			break
		}
		rows = append(rows, heap.Pop(&w.rows).(due))
	}
	return rows, 0, nil
}

// visited is a row that is looked at. The copy of it is what changes meanwhile: its call of Settle may return.
type visited struct {
	due
	now   Consented
	value string
}

// copied returns what is looked at of rows that were due.
func (w *waiting) copied(rows []due) (looks []visited) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range rows {
		if !d.of.gone {
			looks = append(looks, visited{d, *d.row, d.of.value(d.row.Row)})
		}
	}
	return looks
}

// visit looks at rows, and puts back those that are looked at again.
func (s *Consents) visit(ctx context.Context, rows []due) error {
	looks := s.waiting.copied(rows)
	err := s.look(ctx, looks)
	now := time.Now()
	if err == nil {
		err = s.again(ctx, looks, now)
	}
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	for i := range looks {
		d := looks[i].due
		if d.of.gone {
			continue
		}
		*d.row = looks[i].now
		took := now.Sub(d.of.sent)
		switch {
		case err != nil: // the call that looks ends; others may go on
			heap.Push(&s.waiting.rows, d)
			continue
		case d.row.Status == Applied:
			if took < longLook {
				s.typical.Store(int64(took))
			}
		case d.row.Status == Accepted && s.confirms(d.row.Channels):
			d.row.Fault = pending
		case d.row.Status != Accepted && d.row.Status != Unknown:
		case !now.Before(d.of.deadline):
			if d.row.Status == Accepted && d.row.Fault != partial {
				d.row.Fault = notVisible
			}
		default:
			d.at = earlier(now.Add(pauseAfter(took)), d.of.deadline)
			heap.Push(&s.waiting.rows, d)
			continue
		}
		if d.of.left--; d.of.left == 0 {
			close(d.of.done)
		}
	}
	s.waiting.wake() // calls that met an empty heap meanwhile
	return err
}

// pauseAfter is how long a row is not looked at again, so long after it was sent.
func pauseAfter(took time.Duration) time.Duration {
	if took < longLook {
		return min(max(took/2, firstLook), lastLook)
	}
	return min(max(took/4, lastLook), rareLook)
}

// again sends those rows once more whose answers were lost half an hour ago.
func (s *Consents) again(ctx context.Context, looks []visited, now time.Time) error {
	var lost []*Consented
	var sent []Profile
	for i := range looks {
		if c := &looks[i].now; c.Lost != nil && c.Status == Unknown && now.Sub(looks[i].of.sent) >= Quiet {
			lost, sent = append(lost, c), append(sent, *c.Lost)
			c.Lost = nil
		}
	}
	if len(lost) == 0 {
		return nil
	}
	s.client.counters.resent.Add(1)
	send := s.Send
	if s.wish.Withdraw {
		send = func(ctx context.Context, rows []Profile) error { return s.withdraw(ctx, rows, true) }
	}
	err := send(ctx, sent)
	for i, c := range lost {
		if sent[i].Status != Unsent {
			c.Status, c.Fault = sent[i].Status, sent[i].Fault
		}
	}
	return err
}
