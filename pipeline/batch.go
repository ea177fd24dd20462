package pipeline

import (
	"fmt"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

const (
	// maxParts bounds the chunks of a batch, and so what is held back where nearly every row is rejected.
	maxParts = 32
	// Rows with a result of their own are held until their batch's turn: so many in a batch, fewer when it sends nothing.
	maxOdd, maxOddAlone = 20_000, 4_096
	// fetched is of how many rows at a time the seen people's memory is fetched.
	fetched = 16
	// checkRows is how many rows make a batch when nothing is sent.
	checkRows = 10_000
)

// batch is a run of rows whose good ones go to Klaviyo in one request.
type batch struct {
	parts    []part
	profiles []sink.Profile
	skips    []skip // in input order
	rows     int
	bytes    int
	begun    time.Time // when its first row came
}

// part is a run of rows of one chunk.
type part struct {
	chunk    *chunk
	from, to int
}

// skip marks a row that repeats an earlier one, by their numbers. Where of is 0, the row is resumed.
type skip struct{ row, of int64 }

var batches stock[batch]

// free takes back a batch whose outcomes are known.
func (b *batch) free() {
	for _, p := range b.parts {
		p.chunk.release()
	}
	clear(b.parts)
	clear(b.profiles)
	*b = batch{parts: b.parts[:0], profiles: b.profiles[:0], skips: b.skips[:0]}
	batches.put(b)
}

// batcher numbers rows, finds those that repeat an earlier one, and gathers the others into batches.
type batcher struct {
	run               *run
	maxRows, maxBytes int
	delay             time.Duration
	seen              *seen       // nil: duplicates are sent
	earlier           *resumption // nil: all rows are new
	first             opening
	off               bool  // the job cannot go on
	rows              int64 // numbered so far
	open              *batch
	emitted           time.Time // when the last batch was handed on: rows that waited for that do not hurry the next
	emit              func(*batch)
}

func newBatcher(r *run, emit func(*batch)) *batcher {
	job := r.job
	b := &batcher{run: r, maxRows: checkRows, delay: job.BatchDelay, earlier: r.resumption, emit: emit}
	if r.sender != nil {
		b.maxRows, b.maxBytes = r.sender.Limits()
	}
	if job.mostRows > 0 {
		b.maxRows = job.mostRows
	}
	if job.Window > 0 && !r.refused {
		b.seen = newSeen(job.Window)
	}
	b.begin()
	return b
}

// add takes the next chunk of the input. Its error means that the rows cannot be what the job needs; nothing of them
// is passed on then.
func (b *batcher) add(c *chunk) error {
	defer c.release()
	if b.off {
		return nil
	}
	c.first = b.rows + 1
	before, err := b.first.check(c)
	if err != nil {
		b.off = true
		if b.emitted.IsZero() {
			b.begin() // no row has a result
			return err
		}
		c.rows.Rows = c.rows.Rows[:before]
	}
	from := 0
	for i := range c.rows.Rows {
		row := &c.rows.Rows[i]
		if b.seen != nil && i%fetched == 0 {
			b.seen.fetch(c.rows.Rows[i:min(i+fetched, len(c.rows.Rows))])
		}
		if b.settled(c, i) {
			continue
		}
		if b.full(row) {
			b.part(c, from, i)
			b.cut()
			from = i
		}
		b.open.profiles = append(b.open.profiles, sink.Profile{JSON: c.rows.Data[row.Start:row.End]})
		b.open.bytes += int(row.End-row.Start) + 1
	}
	b.rows += int64(len(c.rows.Rows))
	b.run.gauge.read.Store(max(b.rows, b.run.gauge.read.Load()))
	b.part(c, from, len(c.rows.Rows))
	if b.due(c.tick) {
		b.cut()
	}
	return err
}

// settled reports whether it is known without sending a row what becomes of it, and notes it.
func (b *batcher) settled(c *chunk, i int) bool {
	row, number := &c.rows.Rows[i], c.first+int64(i)
	status, final, err := b.earlier.of(c, i, number)
	if err != nil {
		b.run.stop(err)
	}
	switch {
	case final:
		b.open.skips = append(b.open.skips, skip{number, 0})
		if b.run.gauge.resume(status); status == report.Rejected {
			b.run.bound(number, b.run.gauge.rejected.Load())
		}
		if row.Fault == nil && b.seen != nil {
			b.seen.first(row.Identity, number) // rows that repeat it are skipped, as they would have been then
		}
		return true
	case row.Fault != nil:
		b.run.reject(number)
		return true
	}
	return b.repeated(c, i)
}

// opening looks for the first row that is an object, which shows whether the input is what the job needs.
type opening struct{ met bool }

// check looks through a chunk. With an error it returns how many of its rows stand before the one that the error is about.
func (o *opening) check(c *chunk) (before int, err error) {
	for i := 0; !o.met && i < len(c.rows.Rows); i++ {
		switch row := &c.rows.Rows[i]; row.Required {
		case validate.Missing, validate.WrongType:
			return i, missing(c.first+int64(i), row.Fault)
		case validate.Present:
			o.met = true
		}
	}
	return 0, nil
}

// missing is the error of a first object without the required column.
func missing(row int64, f *validate.Fault) error {
	return &Error{
		Text: fmt.Sprintf("row %d: %s", row, f.Detail),
		Hint: "the job needs that column, a string, in every row; nothing was sent",
	}
}

// repeated reports whether a good row is of somebody whom an earlier row was of, and notes it.
func (b *batcher) repeated(c *chunk, i int) bool {
	if b.seen == nil {
		return false
	}
	row := c.first + int64(i)
	of := b.seen.first(c.rows.Rows[i].Identity, row)
	if of == 0 {
		return false
	}
	b.open.skips = append(b.open.skips, skip{row, of})
	return true
}

// full reports whether the open batch has no room for the row.
func (b *batcher) full(row *validate.Row) bool {
	return len(b.open.profiles) == b.maxRows ||
		b.maxBytes > 0 && b.open.bytes+int(row.End-row.Start)+1 > b.maxBytes
}

// part enters rows of a chunk into the open batch.
func (b *batcher) part(c *chunk, from, to int) {
	if from == to {
		return
	}
	if len(b.open.parts) == 0 {
		b.open.begun = c.begun
		if b.emitted.After(c.begun) {
			b.open.begun = b.emitted
		}
	}
	c.users.Add(1)
	b.open.parts = append(b.open.parts, part{c, from, to})
	b.open.rows += to - from
}

// due reports whether the open batch should not wait for more rows.
func (b *batcher) due(tick bool) bool {
	odd, most := b.open.rows-len(b.open.profiles), maxOdd
	if len(b.open.profiles) == 0 {
		most = maxOddAlone
	}
	return len(b.open.profiles) == b.maxRows || len(b.open.parts) >= maxParts || odd >= most ||
		tick && b.first.met && time.Since(b.open.begun) >= b.delay-b.delay/ticks // the next tick would be too late
}

// begin opens a batch.
func (b *batcher) begin() {
	if b.open = batches.take(); b.open.profiles == nil {
		b.open.profiles = make([]sink.Profile, 0, b.maxRows)
	}
}

// cut hands on the open batch, if it has rows, and opens the next.
func (b *batcher) cut() {
	if len(b.open.parts) == 0 {
		return
	}
	full := b.open
	b.begin()
	b.emit(full)
	b.emitted = time.Now()
}
