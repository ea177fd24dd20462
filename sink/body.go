package sink

import (
	"io"
	"sync"
)

// body streams a request's JSON straight from the profiles, without joining them first. Each try has a new one.
type body struct {
	prefix, suffix string
	set            []*Profile
	place          int // -1: in prefix, len(set): in suffix
	offset         int
	moved          func()     // called at each Read; may be nil
	mu             sync.Mutex // guards the fields that Read and Close use
	over           bool
	closed         chan struct{}
}

func newBody(prefix, suffix string, set []*Profile) *body {
	return &body{prefix: prefix, suffix: suffix, set: set, place: -1, closed: make(chan struct{})}
}

// size is the body's length in bytes.
func (b *body) size() int64 {
	n := len(b.prefix) + len(b.suffix) + max(len(b.set)-1, 0)
	for _, p := range b.set {
		n += len(p.JSON)
	}
	return int64(n)
}

// Read is called by a goroutine of the transport, with HTTP/2 perhaps even after Close. A closed body reads nothing
// more, as its profiles may belong to another request by then.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return 0, io.ErrClosedPipe
	}
	if b.moved != nil {
		b.moved()
	}
	n := 0
	for n < len(p) && b.place <= len(b.set) {
		switch {
		case b.place < 0:
			n += b.part(p[n:], b.prefix)
		case b.place == len(b.set):
			n += b.part(p[n:], b.suffix)
		default:
			n += b.profile(p[n:])
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (b *body) part(p []byte, text string) int {
	n := copy(p, text[b.offset:])
	b.advance(n, len(text))
	return n
}

func (b *body) profile(p []byte) int {
	text := b.set[b.place].JSON
	n := 0
	if b.offset < len(text) {
		n = copy(p, text[b.offset:])
	}
	whole := len(text)
	if b.place < len(b.set)-1 {
		whole++
		if n < len(p) && b.offset+n == len(text) {
			p[n] = ','
			n++
		}
	}
	b.advance(n, whole)
	return n
}

// advance moves on by n bytes of a piece of the given length.
func (b *body) advance(n, whole int) {
	if b.offset += n; b.offset == whole {
		b.place, b.offset = b.place+1, 0
	}
}

// Close is called by the transport, perhaps more than once, and perhaps only after the transport has returned the
// answer.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		b.over = true
		close(b.closed)
	}
	return nil
}
