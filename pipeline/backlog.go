package pipeline

import "sync"

// maxUnwritten bounds the results that wait for earlier rows, in bytes.
const maxUnwritten = 96 << 20

// backlog is the results that cannot be written before those of earlier rows. Its methods may be called at once.
type backlog struct {
	mu     sync.Mutex
	moved  sync.Cond // next or size changed
	size   int       // bytes of the results that were asked for and are not written
	next   int64     // number of the row that is to be written next
	broken bool      // some results are lost: nobody waits for them
}

func newBacklog() *backlog {
	b := &backlog{next: 1}
	b.moved.L = &b.mu
	return b
}

// add notes that results are asked for, or are greater than was expected.
func (b *backlog) add(size int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.size += size
}

// crowded reports whether too many results wait, and all of them for a row whose results are not asked for. While those
// of other rows are missing too, it blocks.
func (b *backlog) crowded(missing int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.size > maxUnwritten && b.next < missing && !b.broken {
		b.moved.Wait()
	}
	return b.size > maxUnwritten
}

// move notes how far the results are written.
func (b *backlog) move(next int64, written int, broken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next, b.broken = next, b.broken || broken
	b.size -= written
	b.moved.Broadcast()
}
