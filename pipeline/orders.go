package pipeline

// What a row's result takes, in bytes: beside its key, more for one of its own, and more when it is read back.
const resultCost, oddCost, proofCost, askedCost = 24, 300, 100, 120

// orders is the last stage where the batches are of several lists: it writes the results of all of them in input order.
type orders struct {
	*writes
	backlog *backlog
	next    int64        // number of the first row of slots
	slots   []*unwritten // the results of the rows from next on, nil where they are not there yet
	going   *unwritten   // whose row is being written
	written int          // of the backlog, since it was told
}

func newOrders(w *writes) *orders { return &orders{writes: w, backlog: newBacklog(), next: 1} }

// expect notes that a batch is handed on.
func (o *orders) expect(b *batch) {
	b.cost = b.rows*resultCost + len(b.parts[0].brief.keys) + b.odd()*oddCost
	o.backlog.add(b.cost)
}

// add takes the results of a batch, and writes all rows whose turn has come. It is called for one batch after the
// other, and blocks while the output does.
func (o *orders) add(r *results) {
	o.open.give(r.permits)
	defer o.control.guard()
	whole := false
	defer func() { o.move(!whole) }()
	o.control.begin("write")
	if r.to.list != nil {
		more := len(r.odd)*oddCost + len(r.proofs)*proofCost + len(r.asked)*askedCost
		o.backlog.add(more)
		r.cost += more
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

// write writes the next rows as far as they are there, or also those behind rows that are lost.
func (o *orders) write(all bool) {
	for len(o.slots) > 0 && (all || o.slots[0] != nil) {
		if u := o.slots[0]; u != nil && !u.lost {
			o.going = u
			o.row(u)
			if o.going = nil; u.at == len(u.ends) {
				o.written += u.cost
				u.free()
			}
		}
		o.slots[0] = nil
		o.slots, o.next = o.slots[1:], o.next+1
	}
}

// move tells the backlog how far the results are written. Those whose row could not be written are lost.
func (o *orders) move(broken bool) {
	if o.going != nil {
		o.going.lost, o.going = true, nil
	}
	o.backlog.move(o.next, o.written, broken)
	o.written = 0
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
