package simulator

import "slices"

// owners finds the profiles with a phone number or an external id: nearly always one.
type owners struct {
	first map[string]uint32
	more  map[string][]uint32
}

func newOwners() owners {
	return owners{first: map[string]uint32{}, more: map[string][]uint32{}}
}

func (o owners) of(key []byte) []uint32 {
	if first, ok := o.first[string(key)]; ok {
		return append([]uint32{first}, o.more[string(key)]...)
	}
	return nil
}

// ofOthers reports whether the key has owners and n is not one of them.
func (o owners) ofOthers(key []byte, n uint32) bool {
	first, ok := o.first[string(key)]
	return ok && first != n && !slices.Contains(o.more[string(key)], n)
}

func (o owners) add(key []byte, n uint32) {
	if _, ok := o.first[string(key)]; !ok {
		o.first[string(key)] = n
	} else if o.ofOthers(key, n) {
		o.more[string(key)] = append(o.more[string(key)], n)
	}
}

// replace makes n an owner of key instead of old, which may be nil. For a nil key it does nothing.
func (o owners) replace(old, key []byte, n uint32) {
	if key == nil {
		return
	}
	if old != nil {
		o.remove(old, n)
	}
	o.add(key, n)
}

// remove makes n no owner of key. The others keep their order.
func (o owners) remove(key []byte, n uint32) {
	first, ok := o.first[string(key)]
	more := o.more[string(key)]
	switch {
	case !ok:
		return
	case first != n:
		more = slices.DeleteFunc(more, func(owner uint32) bool { return owner == n })
	case len(more) == 0:
		delete(o.first, string(key))
	default:
		o.first[string(key)], more = more[0], more[1:]
	}
	if len(more) == 0 {
		delete(o.more, string(key))
	} else {
		o.more[string(key)] = more
	}
}
