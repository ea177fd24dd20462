package pipeline

import (
	"container/list"
	"time"

	"klaviyo-export/pipeline/state"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// batch is a stretch of rows whose good ones go to Klaviyo in one request.
type batch struct {
	parts    []part
	profiles []sink.Profile
	skips    []skip       // of the parts that have their chunk, in input order
	changed  []state.Hash // the people of the profiles that the state remembers otherwise
	rows     int
	passed   int // rows that are resumed or unchanged
	chunks   int // that are in use
	keys     int // bytes of the keys in briefs
	bytes    int
	begun    time.Time // when its first row came
	job      string    // the import job that accepted its profiles in an earlier run: it is waited for, and nothing sent

	// where all rows are of one list:
	to    *target       // nil: all rows of the run are for one list
	store []byte        // where the next profiles are copied to
	place *list.Element // in fills.queue
	held  int           // bytes that it takes while it is open

	blocked time.Duration // fills.blocked when it was opened
	cost    int           // bytes that its results take
}

// part is a stretch of rows of one chunk. Where nearly all of them are passed over, brief has what their results need,
// and the chunk is not kept.
type part struct {
	chunk    *chunk
	from, to int
	brief    *results
}

// skip marks a row that repeats the row of, or one of the following.
type skip struct{ row, of int64 }

const (
	resumedRow   = 0  // skip.of of a row that an earlier run has a final result for
	unchangedRow = -1 // skip.of of a row whose profile is as the state remembers it
)

func (p *part) rows() int {
	if p.brief != nil {
		return len(p.brief.ends)
	}
	return p.to - p.from
}

// key is the key of the i-th row.
func (p *part) key(i int) []byte {
	if p.brief != nil {
		return p.brief.key(i)
	}
	row := &p.chunk.rows.Rows[p.from+i]
	return p.chunk.rows.Data[row.KeyStart:row.KeyEnd]
}

func (p *part) keyBytes() (n int) {
	if p.brief != nil {
		return len(p.brief.keys)
	}
	for i := range p.rows() {
		n += len(p.key(i))
	}
	return n
}

// enter adds the profile of a row, which job accepted, "" for one that is to be sent.
func (b *batch) enter(row *validate.Row, profile []byte, job string) {
	p := sink.Profile{JSON: profile, Channels: sink.Channels(row.Channels), Job: job}
	if job != "" {
		p.Status = sink.Accepted
	}
	b.profiles, b.job = append(b.profiles, p), job
	b.bytes += len(profile) + 1
}

// newBatch returns an empty batch with room for so many profiles.
func (p *pools) newBatch(profiles int) *batch {
	b := p.batches.take()
	if b.profiles == nil {
		b.profiles = make([]sink.Profile, 0, profiles)
	}
	return b
}

// free gives back a batch whose results are taken.
func (p *pools) free(b *batch) {
	for _, part := range b.parts {
		if part.chunk != nil {
			part.chunk.release()
		}
	}
	if b.to != nil {
		return // its size fits its list
	}
	clear(b.parts)
	clear(b.profiles)
	*b = batch{parts: b.parts[:0], profiles: b.profiles[:0], skips: b.skips[:0], changed: b.changed[:0]}
	p.batches.put(b)
}

// first is the number of the batch's first row.
func (b *batch) first() int64 {
	if brief := b.parts[0].brief; brief != nil {
		return brief.first
	}
	return b.parts[0].chunk.first + int64(b.parts[0].from)
}

// odd is how many rows have a result of their own before the batch is sent.
func (b *batch) odd() int { return b.rows - len(b.profiles) - b.passed }

const (
	oddRows    = 1_000  // with a result of their own, of 300 bytes each, count as one more open import job
	passedRows = 10_000 // whose keys alone are kept, count as one more open import job
)

// weight is how many open import jobs the batch counts as.
func (b *batch) weight() int { return 1 + b.odd()/oddRows + b.passed/passedRows }
