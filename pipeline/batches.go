package pipeline

import (
	"bytes"
	"time"

	"klaviyo-export/pipeline/state"
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
	// maxPassedKeys bounds the keys of rows that are passed over and wait for their batch's turn: some 1.4 million.
	maxPassedKeys = 40 << 20
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
	waits             bool        // for the import jobs of rows that an earlier run left accepted
	emit              func(*batch)
	maxRows, maxBytes int
	delay             time.Duration

	once     bool  // duplicates are not sent
	seen     *seen // finds them; nil where people does, or nobody
	people   *roll // of a mirror: all people of the rows
	again    bool  // rows that are as the state remembers them are sent too
	look     bool  // nothing is sent: they are only counted
	lacking  bool  // only the rows of people who left the list are sent
	changed  people
	required required
	lists    *lists // nil: all rows are for one list
	fills    *fills // of lists
	off      bool   // the run cannot go on
	rows     int64  // numbered so far
	open     *batch
	emitted  time.Time // when the last batch was handed on: rows that waited for that do not hurry the next
}

func newBatches(
	c *control, sender sink.Sender, o *Options, earlier *resumption, people *roll, emit func(*batch),
) *batches {
	s := &batches{
		control: c, checker: o.Checker, earlier: earlier, people: people, emit: emit, maxRows: checkRows, delay: o.BatchDelay,
	}
	if o.State != nil {
		s.again = o.State.Full
	}
	s.required = newRequired(o.Checker)
	if sender != nil {
		s.maxRows, s.maxBytes = sender.Limits()
	}
	if o.mostRows > 0 {
		s.maxRows = o.mostRows
	}
	if s.once = o.Window > 0; s.once && people == nil {
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
	if s.fills != nil {
		s.fill(c)
		return
	}
	from, first := 0, s.mark()
	for i := range c.rows.Rows {
		row := &c.rows.Rows[i]
		if i%fetched == 0 {
			s.fetch(c.rows.Rows[i:min(i+fetched, len(c.rows.Rows))])
		}
		job, known := s.known(c, i)
		if known {
			continue
		}
		if s.full(s.open, row, job) {
			s.part(c, from, i, first)
			s.cut()
			from, first = i, s.mark()
		}
		if c.hashes != nil && c.kept[i] == state.Changed {
			s.open.changed = append(s.open.changed, c.hashes[i].Person)
		}
		s.open.enter(row, c.rows.Data[row.Start:row.End], job)
	}
	if !s.lacking {
		s.checker.Count(&c.rows)
	}
	s.rows += int64(len(c.rows.Rows))
	s.control.read.Store(max(s.rows, s.control.read.Load()))
	s.part(c, from, len(c.rows.Rows), first)
	if s.due(c.tick) {
		s.cut()
	}
}

// fetch has the processor load what is known of the people of rows. Many loads at once cost little more than one.
func (s *batches) fetch(rows []validate.Row) {
	switch {
	case s.seen != nil:
		s.seen.fetch(rows)
	case s.people != nil:
		s.people.fetch(rows)
	}
}

// known reports whether a row has its result without being sent, and notes that. A row that has none may have been
// sent by an earlier run: then job accepted it, and is waited for.
func (s *batches) known(c *chunk, i int) (job string, known bool) {
	row, number := &c.rows.Rows[i], c.first+int64(i)
	if s.lacking {
		if row.Fault == nil && s.people.lacks(row.Identity) {
			return "", false
		}
		s.pass(number, resumedRow)
		return "", true
	}
	of := s.people.add(row.Identity, number, row.Fault == nil)
	status, final, err := s.earlier.of(c, i, number)
	if err != nil {
		s.control.stop(err)
	}
	switch {
	case final:
		if row.Fault == nil && s.seen != nil {
			s.seen.first(row.Identity, number) // rows that repeat it are skipped, as in the earlier run
		}
		if s.waits && row.Fault == nil && s.earlier.job != "" && (s.fills == nil || c.target(i) != nil) {
			s.control.earlierWaited.Add(1)
			return s.earlier.job, false
		}
		s.pass(number, resumedRow)
		s.control.severalIn(row)
		if s.control.resume(status); status == report.Rejected {
			s.control.checkBound(number, s.control.rejected.Load())
			s.people.refuse(row.Identity)
		}
		return "", true
	case row.Fault != nil:
		s.control.severalIn(row)
		if s.required.open() {
			s.control.rejected.Add(1) // whether the rows are what they should be is not known yet
		} else {
			s.control.reject(number)
		}
		return "", true
	case s.seen != nil:
		of = s.seen.first(row.Identity, number)
	}
	if s.once && of != 0 {
		s.open.skips = append(s.open.skips, skip{number, of})
		return "", true
	}
	return "", c.hashes != nil && s.same(c, i, number)
}

// same reports whether a row is as the state remembers it, and notes that.
func (s *batches) same(c *chunk, i int, number int64) bool {
	person := c.hashes[i].Person
	switch c.kept[i] {
	case state.Changed:
		s.changed.add(person)
	case state.Same:
		if s.again || s.changed.has(person) { // a row before it has changed the profile
			return false
		}
		s.people.keep(c.rows.Rows[i].Identity)
		if s.control.unchanged.Add(1); s.look {
			return false
		}
		s.pass(number, unchangedRow)
		return true
	}
	return false
}

// pass notes a row that is passed over.
func (s *batches) pass(number, why int64) {
	s.open.skips = append(s.open.skips, skip{number, why})
	s.open.passed++
}

// full reports whether a batch has no room for the row. All rows of an import job that is waited for have to be in one.
func (s *batches) full(b *batch, row *validate.Row, job string) bool {
	return len(b.profiles) == s.maxRows || s.maxBytes > 0 && b.bytes+int(row.End-row.Start)+1 > s.maxBytes ||
		len(b.profiles) > 0 && b.job != job
}

// mark is how much of the open batch is before a part.
type mark struct{ profiles, skips, passed int }

func (s *batches) mark() mark { return mark{len(s.open.profiles), len(s.open.skips), s.open.passed} }

// part enters rows of a chunk into the open batch, which was at first before them.
func (s *batches) part(c *chunk, from, to int, first mark) {
	if from == to {
		return
	}
	b := s.open
	if len(b.parts) == 0 {
		s.begin(b, c)
	}
	b.rows += to - from
	if b.passed-first.passed > (to-from)/2 {
		s.brief(c, from, to, first)
		return
	}
	c.users.Add(1)
	b.chunks++
	b.parts = append(b.parts, part{chunk: c, from: from, to: to})
}

// begin notes when the first row of a batch came.
func (s *batches) begin(b *batch, c *chunk) {
	if b.begun = c.begun; s.emitted.After(c.begun) {
		b.begun = s.emitted
	}
}

// brief copies what the results of a part need, and the profiles that are sent.
func (s *batches) brief(c *chunk, from, to int, first mark) {
	b := s.open
	if n := len(b.parts); n == 0 || b.parts[n-1].brief == nil {
		b.parts = append(b.parts, part{brief: &results{first: c.first + int64(from)}})
	}
	r := b.parts[len(b.parts)-1].brief
	before, skips := len(r.keys), b.skips[first.skips:]
	for i := from; i < to; i++ {
		row, number := &c.rows.Rows[i], c.first+int64(i)
		r.add(c.rows.Data[row.KeyStart:row.KeyEnd])
		if r.decided(row, number, &skips) {
			continue
		}
		if b.job == "" {
			r.hash(c, i)
		}
		r.clears(c, i)
		if row.DroppedPhone {
			r.drop()
		}
	}
	b.keys += len(r.keys) - before
	b.skips = b.skips[:first.skips]
	for i := range b.profiles[first.profiles:] {
		p := &b.profiles[first.profiles+i]
		p.JSON = bytes.Clone(p.JSON)
	}
}

// due reports whether the open batch should not wait for more rows.
func (s *batches) due(tick bool) bool {
	odd, most := s.open.odd(), maxOdd
	if len(s.open.profiles) == 0 {
		odd, most = s.open.rows, maxOddAlone
	}
	return len(s.open.profiles) == s.maxRows || s.open.chunks >= maxParts || odd >= most || s.open.keys >= maxPassedKeys ||
		s.required.due() || s.late(s.open, tick)
}

// late reports whether the next tick would be too late for a batch.
func (s *batches) late(b *batch, tick bool) bool {
	waited := time.Since(b.begun)
	if s.fills != nil {
		waited -= s.fills.blocked - b.blocked // rows that are waiting for others do not hurry
	}
	return tick && b.job == "" && s.required.met && waited >= s.delay-s.delay/ticks
}

// cut hands on the open batch, if it has rows, and opens the next.
func (s *batches) cut() {
	if len(s.open.parts) == 0 {
		return
	}
	full := s.open
	s.open = s.control.newBatch(s.maxRows)
	if s.missing(false) {
		s.control.free(full)
		return
	}
	s.emit(full)
	s.emitted = time.Now()
}

// missing stops the run when the rows lack the required column, or when all lists that they name are missing. It
// reports whether the open rows get no result: those of a run that has written none.
func (s *batches) missing(ended bool) bool {
	var err error
	if ended || s.required.due() {
		err = s.required.missing()
	}
	if err == nil {
		err = s.lists.none(s.rows)
	}
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
	switch {
	case s.missing(true):
	case s.fills != nil:
		s.drain()
	default:
		s.cut()
	}
}
