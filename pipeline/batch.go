package pipeline

import (
	"time"

	"klaviyo-export/sink"
)

// batch is a stretch of rows whose good ones go to Klaviyo in one request.
type batch struct {
	parts    []part
	profiles []sink.Profile
	skips    []skip // in input order
	rows     int
	bytes    int
	begun    time.Time // when its first row came
}

// part is a stretch of rows of one chunk.
type part struct {
	chunk    *chunk
	from, to int
}

// skip marks a row that repeats the row of. Where of is 0, the row is resumed.
type skip struct{ row, of int64 }

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
		part.chunk.release()
	}
	clear(b.parts)
	clear(b.profiles)
	*b = batch{parts: b.parts[:0], profiles: b.profiles[:0], skips: b.skips[:0]}
	p.batches.put(b)
}

// first is the number of the batch's first row.
func (b *batch) first() int64 { return b.parts[0].chunk.first + int64(b.parts[0].from) }

// oddRows with a result of their own, of 300 bytes each, count as one more open import job.
const oddRows = 1000

// weight is how many open import jobs the batch counts as.
func (b *batch) weight() int { return 1 + (b.rows-len(b.profiles))/oddRows }
