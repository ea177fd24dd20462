package pipeline

import (
	"slices"
	"sync/atomic"
	"time"

	"klaviyo-export/pipeline/state"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

const (
	chunkSize = 256 << 10 // bytes of input from which a chunk is handed on
	chunkRows = 4096      // the most rows of a chunk, so that tiny rows cost no more memory than others
)

// chunk is a stretch of the input: whole rows as text, then the same rows checked.
type chunk struct {
	text    []byte
	home    *[]byte // where text goes back to
	tooLong bool    // text is the beginning of one row that is over validate.MaxRow
	goesOn  bool    // text is more of such a row
	last    bool    // the input ends with text
	tick    bool    // a batch that waits to fill should be looked at

	hashes []state.Row  // of the rows, for comparison with the state; nil without one
	kept   []state.Kept // what the state has of them

	targets []*target // of rows.Lists, as far as they are known

	begun time.Time // when the first of its rows came in
	rows  validate.Rows
	first int64        // number of the first row
	users atomic.Int32 // the batches that have rows of it, and the stage that gathers them
	pools *pools
}

// newChunk returns an empty chunk with room for its text and rows.
func (p *pools) newChunk() *chunk {
	c := p.chunks.take()
	c.pools = p
	c.users.Store(1)
	c.home = p.texts.take()
	if c.text = (*c.home)[:0]; cap(c.text) < chunkSize {
		c.text = make([]byte, 0, chunkSize)
	}
	if c.rows.Data == nil {
		c.rows.Data = make([]byte, 0, chunkSize+chunkSize/4) // what most rows come to as profiles
	}
	return c
}

// release gives a chunk back when its last user is done with it. A chunk that a huge row has swollen is left to the
// garbage collector.
func (c *chunk) release() {
	if c.users.Add(-1) > 0 || cap(c.rows.Data) > 4*chunkSize {
		return
	}
	c.rows.Reset()
	p := c.pools
	*c = chunk{rows: c.rows, hashes: c.hashes[:0], kept: c.kept[:0], targets: c.targets[:0]}
	p.chunks.put(c)
}

// check checks the chunk's rows, and gives its text back.
func (c *chunk) check(checker *validate.Checker) {
	defer c.forget()
	switch {
	case c.tooLong:
		checker.TooLong(c.text, &c.rows)
	case !c.goesOn:
		s := c.pools.scratches.take()
		checker.Check(c.text, c.last, s, &c.rows)
		s.Trim()
		c.pools.scratches.put(s)
	}
}

// hash takes the hashes of the good rows.
func (c *chunk) hash(s *state.State, checker *validate.Checker) {
	h := c.pools.hashers.take()
	if h.Hasher == nil {
		h.Hasher, h.fold = s.Hasher(), checker.By() == string(sink.Email)
	}
	c.hashes = slices.Grow(c.hashes[:0], len(c.rows.Rows))[:len(c.rows.Rows)]
	for i := range c.rows.Rows {
		row := &c.rows.Rows[i]
		if c.hashes[i] = (state.Row{}); row.Fault == nil {
			c.hashes[i].Person = h.person(c.rows.Data[row.KeyStart:row.KeyEnd])
			c.hashes[i].Profile = h.Profile(c.rows.Data[row.Start:row.End])
		}
	}
	c.pools.hashers.put(h)
}

// forget gives the memory of the text back.
func (c *chunk) forget() {
	if cap(c.text) <= 2*chunkSize {
		*c.home = c.text
		c.pools.texts.put(c.home)
	}
	c.text, c.home = nil, nil
}

// drop gives a chunk back that is not checked.
func (c *chunk) drop() {
	c.forget()
	c.release()
}
