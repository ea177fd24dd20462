package pipeline

import "sync"

const (
	// maxUnwritten bounds the results that wait for earlier rows, in bytes.
	maxUnwritten = 96 << 20
	// resultCost is what the result of a row takes beside its key. The others are what a result of its own takes more, and
	// what reading it back does.
	resultCost, oddCost, proofCost, askedCost = 24, 300, 100, 120
)

// orders is the last stage where the batches are of several lists: it writes the results of all of them in input order.
type orders struct {
	*writes
	next  int64        // number of the first row of slots
	slots []*unwritten // the results of the rows from next on, nil where they are not there yet
	going *unwritten   // whose row is being written
	freed int          // of cost, since the last move

	mu      sync.Mutex
	moved   sync.Cond // something was written
	cost    int       // of the results that were sent for and are not written
	written int64     // number of the last row that is written, with all before it
	broken  bool      // some results are lost: nobody waits for them
}

func newOrders(w *writes) *orders {
	o := &orders{writes: w, next: 1}
	o.moved.L = &o.mu
	return o
}

// expect notes that a batch is sent.
func (o *orders) expect(b *batch) {
	b.cost = b.rows*resultCost + len(b.parts[0].brief.keys) + b.odd()*oddCost
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cost += b.cost
}

// crowded reports whether too many results wait to be written, and all of them for a row that is not sent yet. While
// others are missing too, it blocks.
func (o *orders) crowded(unsent int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.cost > maxUnwritten && o.written+1 < unsent && !o.broken {
		o.moved.Wait()
	}
	return o.cost > maxUnwritten
}

// add takes the results of a batch, and writes all rows whose turn has come. It is called for one batch after the other,
// and blocks while the output does.
func (o *orders) add(r *results) {
	o.open.give(r.permits)
	defer o.control.guard()
	whole := false
	defer func() { o.move(!whole) }()
	o.control.begin("write")
	if r.to.list != nil {
		r.cost += o.more(len(r.odd)*oddCost + len(r.proofs)*proofCost + len(r.asked)*askedCost)
	}
	if n := int(r.number(len(r.ends)-1)-o.next) + 1; n > len(o.slots) {
		o.slots = append(o.slots, make([]*unwritten, n-len(o.slots))...)
	}
	u := r.unwritten()
	for row := range r.ends {
		o.slots[r.number(row)-o.next] = u
	}
	o.write(false)
	o.flush()
	whole = true
}

// more notes that results take more than was expected.
func (o *orders) more(cost int) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.cost += cost
	return cost
}

// write writes the next rows as far as they are there, or also those behind rows that are lost.
func (o *orders) write(all bool) {
	for len(o.slots) > 0 && (all || o.slots[0] != nil) {
		if u := o.slots[0]; u != nil && !u.lost {
			o.going = u
			o.row(u)
			if o.going = nil; u.at == len(u.ends) {
				o.freed += u.cost
				u.free()
			}
		}
		o.slots[0] = nil
		o.slots, o.next = o.slots[1:], o.next+1
	}
}

// move tells who waits how far the results are written. Those whose row could not be written are lost.
func (o *orders) move(broken bool) {
	if o.going != nil {
		o.going.lost, o.going = true, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.written, o.broken = o.next-1, o.broken || broken
	o.cost -= o.freed
	o.freed = 0
	o.moved.Broadcast()
}

// wait writes what is behind lost results, and returns what writes.wait does.
func (o *orders) wait() []string {
	o.rest()
	return o.writes.wait()
}

func (o *orders) rest() {
	defer o.control.guard()
	defer o.move(true)
	o.write(true)
	o.flush()
}
