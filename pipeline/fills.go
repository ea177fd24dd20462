package pipeline

import (
	"container/list"
	"time"
)

const (
	// maxUnsent and maxUnsentRows bound the rows that wait for the requests to their lists to fill, in bytes of profiles
	// and in number: beside its profile and key, a row takes some 100 bytes. With more of them, the request with the
	// oldest row is sent as it is.
	maxUnsent, maxUnsentRows = 32 << 20, 200_000
	// openCost is what an open batch takes beside its rows.
	openCost = 2 << 10
	// maxSpread is how many rows may lie between the first and the last of a request: Wait, which finds the rows of an
	// import job among others, relies on it.
	maxSpread = 500_000
	// minStore and maxStore are how much is allocated at a time for the profiles of an open batch.
	minStore, maxStore = 1 << 10, 16 << 10
)

// fills are the open batches of a run whose rows name their lists: one for each list, and one for the rows that are not
// sent. A row is copied, so that its chunk can go.
type fills struct {
	orders *orders
	rest   *target
	queue  list.List // of the open batches, in the order of their first rows
	held   int       // bytes that they take
	rows   int       // that they have

	blocked time.Duration // how long the stages behind have kept batches from being handed on
}

// fill enters the rows of a chunk into the batches of their lists.
func (s *batches) fill(c *chunk) {
	for i := range c.rows.Rows {
		if s.seen != nil && i%fetched == 0 {
			s.seen.fetch(c.rows.Rows[i:min(i+fetched, len(c.rows.Rows))])
		}
		to := s.fills.rest
		job, known := s.known(c, i)
		if !known {
			to = c.target(i)
		}
		s.enter(to, c, i, job)
	}
	s.checker.Count(&c.rows)
	s.rows += int64(len(c.rows.Rows))
	s.control.read.Store(max(s.rows, s.control.read.Load()))
	s.relieve(c.tick)
}

// enter enters a row into the open batch of its list, and hands on a batch that is full. A good row whose list is not
// known, because the run has been stopped, goes where the rows are that are not sent.
func (s *batches) enter(to *target, c *chunk, i int, job string) {
	row, number := &c.rows.Rows[i], c.first+int64(i)
	if to == nil {
		to = s.fills.rest
	}
	// The open batch of the rest has the mark of this row, if it is not sent.
	if b := to.open; b != nil && to != s.fills.rest && (s.full(b, row, job) || number-b.first() >= maxSpread) {
		s.dispatch(to)
	}
	if s.off {
		return
	}
	b := s.opened(to, c, number)
	r := b.parts[0].brief
	r.add(c.rows.Data[row.KeyStart:row.KeyEnd])
	r.numbers = append(r.numbers, uint32(number-r.first))
	b.rows++
	cost := 0
	if skips := b.skips; r.decided(row, number, &skips) {
		b.skips = b.skips[:0]
		cost = oddCost
	} else {
		r.clears(c, i)
		if row.DroppedPhone {
			r.drop()
		}
		b.enter(row, b.keep(c.rows.Data[row.Start:row.End]), job)
		cost = int(row.End - row.Start)
	}
	b.held += cost
	s.fills.held += cost
	s.fills.rows++
	if len(b.profiles) == s.maxRows || to == s.fills.rest && (b.odd() >= maxOddAlone || b.rows >= maxOdd) {
		s.dispatch(to)
	}
}

// opened returns the open batch of a list. number is that of its first row, which c has.
func (s *batches) opened(to *target, c *chunk, number int64) *batch {
	if to.open != nil {
		return to.open
	}
	b := s.open // has the mark of a row that is not sent
	if to != s.fills.rest {
		b = new(batch)
	}
	b.to, b.held, b.parts = to, openCost, []part{{brief: &results{first: number, numbers: make([]uint32, 0, 1)}}}
	s.begin(b, c)
	b.blocked = s.fills.blocked
	b.place = s.fills.queue.PushBack(b)
	s.fills.held += openCost
	to.open = b
	return b
}

// dispatch hands on the open batch of a list.
func (s *batches) dispatch(to *target) {
	b := to.open
	to.open = nil
	s.fills.queue.Remove(b.place)
	s.fills.held -= b.held
	s.fills.rows -= b.rows
	if to == s.fills.rest {
		s.open = new(batch)
		if s.missing(false) {
			return
		}
	}
	s.fills.orders.expect(b)
	before := time.Now()
	s.emit(b)
	s.emitted = time.Now()
	s.fills.blocked += s.emitted.Sub(before)
}

// relieve hands on the batches with the oldest rows: those that have waited long enough, and as many as it takes to
// make room. It blocks while too many results wait to be written and none of them waits for an open batch.
func (s *batches) relieve(tick bool) {
	for !s.off {
		front := s.fills.queue.Front()
		if front == nil {
			s.fills.orders.backlog.crowded(s.rows + 1)
			return
		}
		b := front.Value.(*batch)
		if s.fills.held <= maxUnsent && s.fills.rows <= maxUnsentRows && !s.late(b, tick) &&
			!s.fills.orders.backlog.crowded(b.first()) {
			return
		}
		s.dispatch(b.to)
	}
}

// drain hands on all open batches.
func (s *batches) drain() {
	for front := s.fills.queue.Front(); front != nil && !s.off; front = s.fills.queue.Front() {
		s.dispatch(front.Value.(*batch).to)
	}
}

// keep copies the profile of a row.
func (b *batch) keep(profile []byte) []byte {
	if len(b.store)+len(profile) > cap(b.store) {
		b.store = make([]byte, 0, max(len(profile), min(max(2*cap(b.store), minStore), maxStore)))
	}
	from := len(b.store)
	b.store = append(b.store, profile...)
	return b.store[from:len(b.store):len(b.store)]
}
