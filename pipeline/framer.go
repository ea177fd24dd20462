package pipeline

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"klaviyo-export/validate"
)

// form is how the input writes its rows.
type form uint8

const (
	undecided form = iota
	lines          // NDJSON
	elements       // one array of objects
)

// framer gathers input into chunks of whole rows.
type framer struct {
	form       form
	head       []byte // what came in while the form is undecided
	begun      bool   // the first bytes were looked at for a byte order mark and other formats
	array      array
	pools      *pools
	chunk      *chunk
	whole      int  // bytes of the chunk that are whole rows
	discarding bool // in a row that is too long
	emit       func(*chunk)
}

// add takes the next bytes of the input.
func (f *framer) add(p []byte) error {
	if f.form == undecided {
		f.head = append(f.head, p...)
		p = nil
		if err := f.decide(); err != nil {
			return err
		}
		if f.form != undecided {
			p, f.head = f.head, nil
		}
	}
	if f.form == elements {
		f.array.rewrite(p)
	}
	f.gather(p)
	return nil
}

// decide finds the input's form by its first bytes behind blanks, which it drops.
func (f *framer) decide() error {
	if !f.begun {
		for _, m := range beginnings {
			switch {
			case len(f.head) < len(m.begins) && strings.HasPrefix(m.begins, string(f.head)):
				return nil
			case bytes.HasPrefix(f.head, []byte(m.begins)) && m.fault != nil:
				return m.fault
			}
		}
		f.head, f.begun = bytes.TrimPrefix(f.head, []byte(bom)), true
	}
	f.head = bytes.TrimLeft(f.head, blank)
	if len(f.head) == 0 {
		return nil
	}
	if f.head[0] != '[' {
		f.form = lines
		return nil
	}
	inside := bytes.TrimLeft(f.head[1:], blank)
	far := len(f.head)-len(inside) > farInside
	if len(inside) == 0 && !far {
		return nil
	}
	f.form = lines
	if far || inside[0] == '{' || inside[0] == ']' {
		f.form = elements
		f.head[0] = ' '
	}
	return nil
}

// farInside is how many blanks behind a bracket are looked at. Input with more of them counts as an array of
// objects.
const farInside = 4096

// gather appends rows to the chunk and hands on what is full.
func (f *framer) gather(p []byte) {
	for len(p) > 0 {
		if f.discarding {
			p = f.discard(p)
			continue
		}
		n := min(len(p), chunkSize-len(f.chunk.text)%chunkSize)
		if end := bytes.LastIndexByte(p[:n], '\n') + 1; end > 0 {
			f.whole = len(f.chunk.text) + end
		}
		if len(f.chunk.text) == 0 {
			f.chunk.begun = time.Now()
		}
		if len(f.chunk.text) == chunkSize {
			f.chunk.text = slices.Grow(f.chunk.text, validate.MaxRow) // once is enough for a long row
		}
		f.chunk.text = append(f.chunk.text, p[:n]...)
		p = p[n:]
		if len(f.chunk.text)%chunkSize == 0 {
			f.flush(false)
			f.overlong()
		}
	}
}

// discard hands on what p has of a row that is too long, and returns the rest of p.
func (f *framer) discard(p []byte) []byte {
	n := min(len(p), chunkSize)
	if end := bytes.IndexByte(p[:n], '\n'); end >= 0 {
		n, f.discarding = end+1, false
	}
	c := f.pools.newChunk()
	c.goesOn = true
	c.text = append(c.text, p[:n]...)
	f.emit(c)
	return p[n:]
}

// flush hands on the whole rows that have come in, and a tick if tick says so.
func (f *framer) flush(tick bool) {
	for f.whole > 0 {
		f.cut(nthLine(f.chunk.text[:f.whole], chunkRows))
	}
	if tick {
		c := f.pools.newChunk()
		c.tick = true
		f.emit(c)
	}
}

// cut hands on the first end bytes of what has come in.
func (f *framer) cut(end int) {
	c := f.chunk
	f.chunk = f.pools.newChunk()
	f.chunk.begun = c.begun
	f.chunk.text = append(f.chunk.text, c.text[end:]...)
	c.text = c.text[:end]
	c.element = f.form == elements
	f.whole = max(f.whole-end, 0)
	f.emit(c)
}

// overlong hands on the beginning of a row that has grown over the limit; the rest of it is discarded.
func (f *framer) overlong() {
	if len(f.chunk.text) > validate.MaxRow+1 { // a row of the full length may still be followed by \r
		f.chunk.tooLong = true
		f.cut(len(f.chunk.text))
		f.discarding = true
	}
}

// end hands on what is left when the input has ended.
func (f *framer) end() error {
	if f.form == undecided && len(f.head) > 0 {
		f.form = lines
		if f.head[0] == '[' {
			f.form, f.head[0] = elements, ' '
		}
		f.gather(f.head)
	}
	f.flush(false)
	if len(f.chunk.text) > 0 {
		f.chunk.last = true
		f.cut(len(f.chunk.text))
	}
	if f.form == elements {
		return f.array.end()
	}
	return nil
}

// nthLine returns where the first n lines of text end.
func nthLine(text []byte, n int) int {
	if bytes.Count(text, []byte{'\n'}) <= n {
		return len(text)
	}
	end := 0
	for range n {
		end += bytes.IndexByte(text[end:], '\n') + 1
	}
	return end
}
