package validate

import (
	"bytes"
	"hash/maphash"
)

// maxColumns and maxNames bound the number and the bytes of the names that are remembered from row to row.
const (
	maxColumns = 4096
	maxNames   = 1 << 18
)

// scope tells equal names in different objects apart.
type scope uint8

const (
	topLevel scope = iota
	inLocation
	inProperties
	scopes
)

// column is a name that was met in some row. Its name is decoded.
type column struct {
	field
	hash       uint64
	start, end uint32 // its name in columns.names
	scope      scope
	shown      string // its name as people know it, once somebody asked
	next       uint32 // the entry that followed it last time
	seen       uint64 // the last row that has this name
	taken      uint64 // in properties: the last row that fills this property
	by         place  // the member that fills it
}

// columns remembers what was found out about the names of former rows: rows of one query have the same names in the same
// order, so that mostly one comparison tells what a member is. A hash table finds the others, in constant time also for
// names made to collide.
type columns struct {
	checker *Checker
	entries []column
	slots   []uint32 // open addressing over entries; 0 is free
	names   []byte
	row     uint64 // counts the rows, so that marks of former rows need no clearing
	last    [scopes]uint32
}

var columnSeed = maphash.MakeSeed()

// begin makes c ready for the next row of a checker.
func (c *columns) begin(checker *Checker) {
	if c.checker != checker || len(c.entries) > maxColumns || len(c.names) > maxNames {
		*c = columns{checker: checker, entries: make([]column, scopes, 64), slots: make([]uint32, 128)}
		for i := range c.entries {
			c.entries[i].scope = scopes
		}
	}
	c.row++
	c.last = [scopes]uint32{0, 1, 2}
}

// name returns the name of entry i.
func (c *columns) name(i uint32) []byte {
	return c.names[c.entries[i].start:c.entries[i].end]
}

// find returns the entry of a name, which is made when it is new.
func (c *columns) find(in scope, name []byte) uint32 {
	last := &c.entries[c.last[in]]
	i := last.next
	if e := &c.entries[i]; e.scope != in || string(c.names[e.start:e.end]) != string(name) {
		i = c.lookup(in, name)
		c.entries[c.last[in]].next = i
	}
	c.last[in] = i
	return i
}

func (c *columns) lookup(in scope, name []byte) uint32 {
	hash := maphash.Bytes(columnSeed, name) + uint64(in)*0x9E3779B97F4A7C15
	mask := uint64(len(c.slots) - 1)
	slot := hash & mask
	for ; c.slots[slot] != 0; slot = (slot + 1) & mask {
		e := &c.entries[c.slots[slot]]
		if e.hash == hash && e.scope == in && bytes.Equal(c.names[e.start:e.end], name) {
			return c.slots[slot]
		}
	}
	i := uint32(len(c.entries))
	start := uint32(len(c.names))
	c.names = append(c.names, name...)
	c.entries = append(c.entries, column{
		field: c.checker.field(in, name), hash: hash, scope: in, start: start, end: uint32(len(c.names)),
	})
	c.slots[slot] = i
	if 2*len(c.entries) > len(c.slots) {
		c.grow()
	}
	return i
}

func (c *columns) grow() {
	c.slots = make([]uint32, 4*len(c.slots))
	mask := uint64(len(c.slots) - 1)
	for i := uint32(scopes); i < uint32(len(c.entries)); i++ {
		slot := c.entries[i].hash & mask
		for c.slots[slot] != 0 {
			slot = (slot + 1) & mask
		}
		c.slots[slot] = i
	}
}
