package pipeline

import (
	"cmp"
	"math/bits"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"klaviyo-export/validate"
)

// seen remembers the people of the last rows: at least those of a whole window, and at most two fifteenths more.
//
// Two independent hashes of 64 and 24 bits stand for a person and are compared whole. In a run of 100 million rows the
// chance of a wrong match is less than 1 in 10^12, with the greatest window less than 1 in 10^10.
//
// A generation holds a fifteenth of the window. The LRU knows the oldest, which is forgotten as a whole and its memory
// used again, so a full window needs no more memory: some 26 bytes a row, 26 MB for a million. Until then the memory
// follows the rows that came.
type seen struct {
	size, most  int                              // people of a generation; number of generations
	generations *simplelru.LRU[int, *generation] // by their bits in marks
	newest      *generation
	bit         int // of the newest generation
	marks       marks
	fetched     uint64
}

// fetch has the processor load what first will look at for these people.
func (s *seen) fetch(rows []validate.Row) {
	for i := range rows {
		id := &rows[i].Identity
		s.fetched += s.newest.slots[s.newest.own(id[0])][0]
		if l := s.marks.line(id[0]); l != nil {
			s.fetched += l[0]
		}
	}
}

// maxGenerations is the number of bits of a mark.
const maxGenerations = 16

func newSeen(window int) *seen {
	s := &seen{size: (window + maxGenerations - 2) / (maxGenerations - 1)}
	s.most = 1 + (window-1+s.size-1)/s.size // covers the window even when the newest has one person
	var err error
	if s.generations, err = simplelru.NewLRU[int, *generation](s.most, nil); err != nil {
		panic(err) // the window is not positive
	}
	s.newest = &generation{slots: make([]person, min(firstSlots, slots(s.size)))}
	s.generations.Add(0, s.newest)
	return s
}

// first returns the number of the person's first row if it is remembered. Otherwise it remembers this row and
// returns 0. Row numbers are positive. A person who comes again is remembered anew, with the number of the first row.
func (s *seen) first(id [2]uint64, row int64) int64 {
	at, of := s.newest.find(id)
	if of != 0 {
		return of
	}
	of = s.older(id)
	s.remember(newPerson(id, cmp.Or(of, row)), at)
	return of
}

// older looks for a person in the generations whose marks may be theirs.
func (s *seen) older(id [2]uint64) int64 {
	for in := s.marks.of(id[0]); in != 0; in &= in - 1 {
		g, _ := s.generations.Peek(bits.TrailingZeros16(in))
		if _, of := g.find(id); of != 0 {
			return of
		}
	}
	return 0
}

// remember enters a person into the free slot at of the newest generation.
func (s *seen) remember(p person, at int) {
	switch g := s.newest; {
	case g.people == s.size:
		s.begin()
		at = s.newest.free(p)
	case slots(g.people) >= len(g.slots):
		g.grow(min(2*len(g.slots), slots(s.size)))
		at = g.free(p)
	}
	s.newest.slots[at] = p
	s.newest.people++
	s.marks.add(p[0], s.bit)
}

// begin opens a generation. When the window is full, it takes the place of the oldest one.
func (s *seen) begin() {
	if n := s.generations.Len(); n < s.most {
		s.widen(n)
		s.bit, s.newest = n, &generation{slots: make([]person, slots(s.size))}
		clear(s.newest.slots) // page faults come in order, and once a page: not for a read and then for a write
		s.generations.Add(n, s.newest)
		return
	}
	s.bit, _, _ = s.generations.GetOldest()
	s.newest, _ = s.generations.Get(s.bit) // makes it the newest in the LRU
	s.newest.people = 0
	clear(s.newest.slots)
	s.marks.clear(s.bit)
}

// widen makes room in marks for more generations than n: a quarter of the room for the first generations, half of
// it from a quarter of them on, all of it from half of them on.
func (s *seen) widen(n int) {
	switch n {
	case 1:
		s.marks = make(marks, s.size/4+1)
		for _, p := range s.newest.slots {
			if p.row() != 0 {
				s.marks.add(p[0], s.bit)
			}
		}
	case maxGenerations/4 - 1, maxGenerations/2 - 1:
		s.marks = s.marks.doubled()
	}
}

// generation is a hash table. A person is in their own slot, or in the first one behind it that was free.
type generation struct {
	slots  []person
	people int
}

// person is a person and the number of their first row: the first hash, 24 bits of the second one, and 40 bits for the
// row. So four people are in a line of the processor's cache. A row of 0 is a free slot.
type person [2]uint64

const rowBits = 40

func newPerson(id [2]uint64, row int64) person {
	return person{id[0], id[1]>>rowBits<<rowBits | uint64(row)}
}

func (p *person) row() int64 { return int64(p[1] & (1<<rowBits - 1)) }

// firstSlots is the size with which the first generation begins. Only that one grows.
const firstSlots = 1024

// slots returns how many slots so many people need: a sixth stays free, and at least one.
func slots(people int) int { return people + people/5 + 1 }

// own returns the own slot of a person with that first hash: the search begins there.
func (g *generation) own(hash uint64) int {
	own, _ := bits.Mul64(hash, uint64(len(g.slots)))
	return int(own)
}

// find returns a person's slot and row. For a person who is not there it returns the free slot for them, and 0.
func (g *generation) find(id [2]uint64) (at int, row int64) {
	for at = g.own(id[0]); ; {
		p := &g.slots[at]
		if p[1] == 0 || p[0] == id[0] && p[1]>>rowBits == id[1]>>rowBits {
			return at, p.row()
		}
		if at++; at == len(g.slots) {
			at = 0
		}
	}
}

// free returns the free slot for a person who is not there.
func (g *generation) free(p person) int {
	at, _ := g.find(p)
	return at
}

func (g *generation) grow(slots int) {
	old := g.slots
	g.slots = make([]person, slots)
	for _, p := range old {
		if p.row() != 0 {
			g.slots[g.free(p)] = p
		}
	}
}

// marks shows in one look which generations may have a person, so that few are searched in vain. It is a Bloom
// filter for each generation, side by side. A line of the processor's cache has 32 marks with a bit for each
// generation. A person has three marks in one line, by bits of the first hash that hardly matter for the slot. Empty
// marks belong to no person.
type marks [][8]uint64

// doubled returns the same marks in twice as many lines.
func (m marks) doubled() marks {
	d := make(marks, 2*len(m))
	for i := range d {
		d[i] = m[i/2]
	}
	return d
}

// line returns the line of a person's marks, nil while there are none.
func (m marks) line(hash uint64) *[8]uint64 {
	i, _ := bits.Mul64(bits.RotateLeft64(hash, 25), uint64(len(m)))
	if i >= uint64(len(m)) {
		return nil
	}
	return &m[i]
}

// of returns the bits of the generations that may have a person.
func (m marks) of(hash uint64) uint16 {
	l, n := m.line(hash), hash
	if l == nil {
		return 0
	}
	return uint16(l[n>>2&7] >> (n & 3 * 16) & (l[n>>7&7] >> (n >> 5 & 3 * 16)) & (l[n>>12&7] >> (n >> 10 & 3 * 16)))
}

// add sets a generation's bit in the marks of a person.
func (m marks) add(hash uint64, bit int) {
	l, n := m.line(hash), hash
	if l == nil {
		return
	}
	for range 3 {
		l[n>>2&7] |= 1 << (n&3*16 + uint64(bit))
		n >>= 5
	}
}

// clear removes a generation's bit from all marks.
func (m marks) clear(bit int) {
	for i := range m {
		for j := range m[i] {
			m[i][j] &^= 0x0001_0001_0001_0001 << bit
		}
	}
}
