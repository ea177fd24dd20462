package pipeline

import (
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

const (
	// maxParts bounds the chunks of a batch, and so the rows that wait where nearly every row is rejected.
	maxParts = 32
	// Rows with a result of their own wait for their batch's turn: at most so many in a batch, fewer when it sends
	// nothing.
	maxOdd, maxOddAlone = 20_000, 4_096
	// fetched is for how many rows at a time the memory of the people seen is fetched.
	fetched = 16
	// checkRows is how many rows make a batch when nothing is sent.
	checkRows = 10_000
)

// batches is the stage that numbers rows, finds those that repeat an earlier row, and gathers the others into
// batches.
type batches struct {
	control           *control
	checker           *validate.Checker
	earlier           *resumption // nil: all rows are new
	emit              func(*batch)
	maxRows, maxBytes int
	delay             time.Duration

	seen     *seen // nil: duplicates are sent
	required required
	off      bool  // the run cannot go on
	rows     int64 // numbered so far
	open     *batch
	emitted  time.Time // when the last batch was handed on: rows that waited for that do not hurry the next
}

func newBatches(c *control, sender sink.Sender, o *Options, earlier *resumption, emit func(*batch)) *batches {
	s := &batches{
		control: c, checker: o.Checker, earlier: earlier, emit: emit, maxRows: checkRows, delay: o.BatchDelay,
	}
	s.required.column = o.Checker.RequiredColumn()
	if sender != nil {
		s.maxRows, s.maxBytes = sender.Limits()
	}
	if o.mostRows > 0 {
		s.maxRows = o.mostRows
	}
	if o.Window > 0 {
		s.seen = newSeen(o.Window)
	}
	s.open = c.newBatch(s.maxRows)
	return s
}

// add takes the next chunk and hands on the batches that it fills. It stops the run when the rows lack the required
// column; if no batch was handed on by then, no row has a result.
func (s *batches) add(c *chunk) {
	defer c.release()
	if s.off {
		return
	}
	done := false
	defer func() { s.off = s.off || !done }()
	defer s.control.guard()
	s.control.begin("batch")
	c.first = s.rows + 1
	if s.required.see(c) {
		s.control.checkBound(s.rows, s.control.rejected.Load()) // rows before these may have been too many
	}
	s.gather(c)
	done = true
}

// gather enters the rows of a chunk into batches.
func (s *batches) gather(c *chunk) {
	from := 0
	for i := range c.rows.Rows {
		row := &c.rows.Rows[i]
		if s.seen != nil && i%fetched == 0 {
			s.seen.fetch(c.rows.Rows[i:min(i+fetched, len(c.rows.Rows))])
		}
		if s.known(c, i) {
			continue
		}
		if s.full(row) {
			s.part(c, from, i)
			s.cut()
			from = i
		}
		s.open.profiles = append(s.open.profiles, sink.Profile{JSON: c.rows.Data[row.Start:row.End]})
		s.open.bytes += int(row.End-row.Start) + 1
	}
	s.checker.Count(&c.rows)
	s.rows += int64(len(c.rows.Rows))
	s.control.read.Store(max(s.rows, s.control.read.Load()))
	s.part(c, from, len(c.rows.Rows))
	if s.due(c.tick) {
		s.cut()
	}
}

// known reports whether a row has its result without being sent, and notes that.
func (s *batches) known(c *chunk, i int) bool {
	row, number := &c.rows.Rows[i], c.first+int64(i)
	status, final, err := s.earlier.of(c, i, number)
	if err != nil {
		s.control.stop(err)
	}
	switch {
	case final:
		s.open.skips = append(s.open.skips, skip{number, 0})
		s.control.severalIn(row)
		if s.control.resume(status); status == report.Rejected {
			s.control.checkBound(number, s.control.rejected.Load())
		}
		if row.Fault == nil && s.seen != nil {
			s.seen.first(row.Identity, number) // rows that repeat it are skipped, as in the earlier run
		}
		return true
	case row.Fault != nil:
		s.control.severalIn(row)
		if s.required.open() {
			s.control.rejected.Add(1) // whether the rows are what they should be is not known yet
		} else {
			s.control.reject(number)
		}
		return true
	case s.seen == nil:
		return false
	}
	of := s.seen.first(row.Identity, number)
	if of != 0 {
		s.open.skips = append(s.open.skips, skip{number, of})
	}
	return of != 0
}

// full reports whether the open batch has no room for the row.
func (s *batches) full(row *validate.Row) bool {
	return len(s.open.profiles) == s.maxRows ||
		s.maxBytes > 0 && s.open.bytes+int(row.End-row.Start)+1 > s.maxBytes
}

// part enters rows of a chunk into the open batch.
func (s *batches) part(c *chunk, from, to int) {
	if from == to {
		return
	}
	if len(s.open.parts) == 0 {
		s.open.begun = c.begun
		if s.emitted.After(c.begun) {
			s.open.begun = s.emitted
		}
	}
	c.users.Add(1)
	s.open.parts = append(s.open.parts, part{c, from, to})
	s.open.rows += to - from
}

// due reports whether the open batch should not wait for more rows.
func (s *batches) due(tick bool) bool {
	odd, most := s.open.rows-len(s.open.profiles), maxOdd
	if len(s.open.profiles) == 0 {
		most = maxOddAlone
	}
	return len(s.open.profiles) == s.maxRows || len(s.open.parts) >= maxParts || odd >= most || s.required.due() ||
		tick && s.required.met && time.Since(s.open.begun) >= s.delay-s.delay/ticks // the next tick would be too late
}

// cut hands on the open batch, if it has rows, and opens the next.
func (s *batches) cut() {
	if len(s.open.parts) == 0 {
		return
	}
	full := s.open
	s.open = s.control.newBatch(s.maxRows)
	if s.required.due() && s.missing() {
		s.control.free(full)
		return
	}
	s.emit(full)
	s.emitted = time.Now()
}

// missing stops the run when the rows lack the required column. It reports whether the open rows get no result: those
// of a run that has written none.
func (s *batches) missing() bool {
	err := s.required.missing()
	if err == nil || s.off || s.control.stopped() {
		return false
	}
	s.off = true
	s.control.stop(err)
	return s.emitted.IsZero()
}

// wait hands on the last batch.
func (s *batches) wait() {
	defer s.control.guard()
	s.control.inputEnded.Store(true)
	if !s.missing() {
		s.cut()
	}
}
