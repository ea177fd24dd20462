package pipeline

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"klaviyo-export/validate"
)

// framer gathers input into chunks of whole rows: lines, and the elements of arrays of objects, in any order.
type framer struct {
	begun      bool   // the first bytes were looked at for a byte order mark and other formats
	head       []byte // bytes that cannot be read before more come in
	inArray    bool   // the next byte belongs to an array of objects
	inLine     bool   // the next byte belongs to a line that has begun
	before     byte   // the last byte of lines that is not blank; 0 behind an array
	array      array
	fault      string // what is wrong with an array that has ended
	unread     int64  // objects of arrays that have ended that were not read
	pools      *pools
	chunk      *chunk
	whole      int  // bytes of the chunk that are whole rows
	discarding bool // in a row that is too long
	emit       func(*chunk)
}

// add takes the next bytes of the input.
func (f *framer) add(p []byte) error {
	if len(f.head) > 0 || !f.begun {
		f.head = append(f.head, p...)
		p = f.head
	}
	if !f.begun {
		var err error
		if p, err = f.begin(p); err != nil || !f.begun {
			return err
		}
	}
	rest := f.split(p)
	f.head = append(f.head[:0], rest...)
	return nil
}

// begin looks at the first bytes of the input, and returns those behind a byte order mark.
func (f *framer) begin(p []byte) ([]byte, error) {
	for _, m := range beginnings {
		switch {
		case len(p) < len(m.begins) && strings.HasPrefix(m.begins, string(p)):
			return nil, nil
		case bytes.HasPrefix(p, []byte(m.begins)) && m.fault != nil:
			return nil, m.fault
		}
	}
	f.begun = true
	return bytes.TrimPrefix(p, []byte(bom)), nil
}

// split gathers lines and the elements of arrays. It returns the end of p that needs more bytes to be understood.
func (f *framer) split(p []byte) (rest []byte) {
	for len(p) > 0 {
		if f.inArray {
			n := f.array.rewrite(p)
			f.gather(p[:n])
			p = p[n:]
			if f.array.ended {
				f.fault = cmp.Or(f.fault, f.array.fault)
				f.unread += f.array.unread
				f.inArray, f.inLine, f.before = false, false, 0
			}
			continue
		}
		n := f.bracket(p)
		f.gather(p[:n])
		if p = p[n:]; len(p) == 0 {
			return nil
		}
		inside := bytes.TrimLeft(p[1:], blank)
		far := len(p)-len(inside) > farInside
		switch {
		case far || len(inside) > 0 && (inside[0] == '{' || inside[0] == ']'):
			f.openArray(p)
		case len(inside) == 0:
			return p
		default:
			f.inLine = true
		}
	}
	return nil
}

// openArray enters the array of objects whose bracket begins p.
func (f *framer) openArray(p []byte) {
	f.inArray, f.array = true, array{}
	p[0] = gap
}

// bracket returns where a line begins with a bracket that may begin an array of rows, and the length of p where none
// does. Blanks may stand before it. A bracket behind a comma, a colon or another bracket is part of a value that
// somebody has spread over several lines: objects in there are no rows.
func (f *framer) bracket(p []byte) int {
	for from := 0; ; from++ {
		next := bytes.IndexByte(p[from:], '[')
		if next < 0 {
			f.pass(p)
			return len(p)
		}
		from += next
		if from > 0 && ' ' < p[from-1] && p[from-1] < utf8.RuneSelf {
			continue // something other than a blank or the byte order mark stands before it
		}
		text := bytes.TrimRight(bytes.TrimSuffix(p[:from], []byte(bom)), blank)
		begins, before := bytes.IndexByte(p[len(text):from], '\n') >= 0, f.before
		if len(text) > 0 {
			before = text[len(text)-1]
		} else {
			begins = begins || !f.inLine
		}
		if begins && strings.IndexByte(",:[{", before) < 0 {
			f.pass(p[:from])
			return from
		}
	}
}

// pass notes how bytes of lines end.
func (f *framer) pass(p []byte) {
	text := bytes.TrimRight(p, blank)
	if len(text) > 0 {
		f.inLine, f.before = true, text[len(text)-1]
	}
	if bytes.IndexByte(p[len(text):], '\n') >= 0 {
		f.inLine = false
	}
}

// farInside is how many blanks behind a bracket are looked at. A bracket with more of them begins an array of objects.
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

// end hands on what is left when the input has ended. Its error is that of an array.
func (f *framer) end() error {
	if rest := f.split(f.head); len(rest) > 0 {
		f.openArray(rest)
		f.gather(rest)
	}
	f.flush(false)
	if len(f.chunk.text) > 0 {
		f.chunk.last = true
		f.cut(len(f.chunk.text))
	}
	return f.problem()
}

// problem is the error of the arrays in an input that has ended.
func (f *framer) problem() error {
	text, hint := f.fault, "the rows around it have their results"
	if f.inArray {
		text = "an array in the input never ends"
		hint = "check whether the command before the pipe failed; the rows before the end have their results"
		if f.unread += f.array.unread; f.array.skipping {
			f.unread += f.array.skipped
		}
	}
	if f.unread > 0 {
		lost := fmt.Sprintf("objects of an array that were not read behind a line break inside a string: %d", f.unread)
		text = strings.TrimPrefix(text+"; "+lost, "; ")
		hint = `have the client write line breaks in strings as \n; the rows around them have their results`
	}
	if text == "" {
		return nil
	}
	return &Error{Text: text, Hint: hint, exit: 1}
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
