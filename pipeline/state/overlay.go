package state

// overlay holds the rows of recent by person. A profile of zeros is a forgotten row.
type overlay struct {
	profiles map[Hash]Hash
	maybe    [1 << 15]uint64 // a bit for the first 21 bits of each person: it saves most look-ups, which are slow
}

func (o *overlay) put(r Row) {
	o.profiles[r.Person] = r.Profile
	word, bit := r.Person.bit()
	o.maybe[word] |= bit
}

func (o *overlay) find(person *Hash) (profile Hash, ok bool) {
	if word, bit := person.bit(); o.maybe[word]&bit == 0 {
		return Hash{}, false
	}
	profile, ok = o.profiles[*person]
	return profile, ok
}

func (o *overlay) clear() {
	clear(o.profiles)
	clear(o.maybe[:])
}

func (h *Hash) bit() (word int, bit uint64) {
	first := number64(h[:]) >> (64 - 21)
	return int(first >> 6), 1 << (first & 63)
}
