package pipeline

import (
	"math/bits"
	"sync"

	"klaviyo-export/validate"
)

// roll knows the people in the rows of a mirror, and what was found out about each. It is made for a number of
// rows, takes some 20 bytes for each, and never grows. It is for one goroutine at a time.
//
// 89 bits of two independent hashes stand for a person. In a run of 10 million rows the chance of a wrong match is less
// than 1 in 10^12. It would keep a row from being sent, or a member on the list, and never remove anybody.
type roll struct {
	slots   [][2]uint64 // a person is in their own slot, or in the first one behind it that was free
	people  int
	valid   int    // those of them who have a row that the checks do not reject
	seen    int    // those of them who are marked onList
	sum     uint64 // of hashes of all people, one for each row
	kept    bool   // somebody is marked keptSame
	fetched uint64

	mu      sync.Mutex
	refused map[[2]uint64]struct{} // the people whose rows Klaviyo refuses; several stages enter them
}

// The last bits of a slot are marks, and the number of the person's first row that the checks do not reject. A roll for
// more rows than it has bits for would take 1 TB.
const (
	onList    = 1 // the person was seen on the list, or asked for
	keptSame  = 2 // the row was skipped, because the state has the same profile
	sentAgain = 4 // so it was, and the row was sent after all, because the list lacked the person
	markBits  = 3

	hasValid = (1<<36 - 1) << markBits
	notHash  = hasValid | onList | keptSame | sentAgain
)

func newRoll(rows int64) *roll {
	return &roll{slots: make([][2]uint64, rows+rows/5+2), refused: map[[2]uint64]struct{}{}}
}

// own returns a person's own slot: the search begins there.
func (r *roll) own(id [2]uint64) uint64 {
	at, _ := bits.Mul64(id[0], uint64(len(r.slots)))
	return at
}

// find returns a person's slot, or the free one for them.
func (r *roll) find(id [2]uint64) *[2]uint64 {
	for at := r.own(id); ; {
		p := &r.slots[at]
		if *p == ([2]uint64{}) || p[0] == id[0] && p[1]&^notHash == id[1]&^notHash {
			return p
		}
		if at++; at == uint64(len(r.slots)) {
			at = 0
		}
	}
}

// fetch has the processor load what add will look at for these people.
func (r *roll) fetch(rows []validate.Row) {
	for i := range rows {
		r.fetched += r.slots[r.own(rows[i].Identity)][0]
	}
}

// add enters the person of a row, if there is room: the second reading of an input may have more rows than the first.
// It returns the number of the person's first valid row before this one, 0 for none and if this row is not valid.
func (r *roll) add(id [2]uint64, row int64, valid bool) int64 {
	if r == nil {
		return 0
	}
	if r.sum += id[0]; id == ([2]uint64{}) || r.people == len(r.slots)-1 {
		return 0
	}
	p := r.find(id)
	if *p == ([2]uint64{}) {
		*p = [2]uint64{id[0], id[1] &^ notHash}
		r.people++
	}
	switch first := p[1] & hasValid >> markBits; {
	case !valid:
		return 0
	case first != 0:
		return int64(first)
	}
	p[1] |= uint64(row) << markBits & hasValid
	r.valid++
	return 0
}

// has reports whether a row names the person.
func (r *roll) has(id [2]uint64) bool { return *r.find(id) != [2]uint64{} }

// is reports whether a person is on the roll and has a mark.
func (r *roll) is(id [2]uint64, mark uint64) bool { return r.find(id)[1]&mark != 0 }

// see marks a person as seen, and reports whether they are on the roll.
func (r *roll) see(id [2]uint64) bool {
	p := r.find(id)
	if *p == ([2]uint64{}) {
		return false
	}
	if p[1]&onList == 0 {
		p[1] |= onList
		r.seen++
	}
	return true
}

// keep marks the person of a row that was skipped as unchanged.
func (r *roll) keep(id [2]uint64) {
	if r == nil {
		return
	}
	if p := r.find(id); *p != ([2]uint64{}) {
		p[1] |= keptSame
		r.kept = true
	}
}

// lacks reports whether the list lacks a person whose row was skipped as unchanged. It does so once for each.
func (r *roll) lacks(id [2]uint64) bool {
	p := r.find(id)
	lacks := p[1]&(onList|keptSame) == keptSame
	if lacks {
		p[1] ^= keptSame | sentAgain
	}
	return lacks
}

// left is how many people lacks would report. It looks at each slot once.
func (r *roll) left() (n int64) {
	for i := range r.slots {
		if r.slots[i][1]&(onList|keptSame) == keptSame {
			n++
		}
	}
	return n
}

// unseen is how many people are on the roll and not marked as seen.
func (r *roll) unseen() int { return r.people - r.seen }

// refuse notes a person whose row Klaviyo refuses. It may be called at once with the other methods.
func (r *roll) refuse(id [2]uint64) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused[id] = struct{}{}
}

// isRefused reports whether Klaviyo refuses the person's row.
func (r *roll) isRefused(id [2]uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, refused := r.refused[id]
	return refused
}
