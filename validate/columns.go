package validate

import (
	"bytes"
	"hash/maphash"
)

// maxColumns and maxNames bound the number and the total bytes of the names that are remembered from row to row.
const (
	maxColumns = 4096
	maxNames   = 1 << 18
)

// scope is the object that a name belongs to: equal names in two objects are two columns.
type scope uint8

const (
	topLevel scope = iota
	inLocation
	inProperties
	scopes
)

// column is a name that some row had, decoded.
type column struct {
	start, end uint32 // its name in columns.names
	next       uint32 // the entry that came after it last time
	rows       uint32 // how many rows had a value in it since the last flush
	seen       uint64 // the last row that has this name
	hash       uint64
	twin       uint32 // of a custom column, once it was needed: see twinOf
	scope      scope
	by         place  // in properties: the member that fills this property
	filled     uint64 // the last row that fills it
	texts      *texts // once they were needed
	field
}

// texts are those that describe a column: its full name, and what it becomes.
type texts struct{ shown, as string }

// columns remembers the names of earlier rows. Rows of one query have the same names in the same order, so one
// comparison mostly finds a member's column. A hash table finds the others, in constant time also for names that are
// chosen to collide.
type columns struct {
	checker *Checker
	entries []column
	slots   []uint32 // open addressing over entries; 0 is free
	names   []byte
	row     uint64 // counts the rows, so that marks of earlier rows need no clearing
	last    [scopes]uint32
	short   shortNames
	counted []uint32 // the entries that have had rows or nulls since the last flush, in order
	nulls   []uint32 // with Clear, by entry: how many rows had null in it since the last flush
}

var columnSeed = maphash.MakeSeed()

// begin prepares c for the next row of a checker. It may forget the columns, and what it counted goes to r then.
func (c *columns) begin(checker *Checker, r *Rows) {
	if c.checker != checker || len(c.entries) > maxColumns || len(c.names) > maxNames {
		c.restart(checker, r)
	}
	c.row++
	c.last = [scopes]uint32{0, 1, 2}
}

func (c *columns) restart(checker *Checker, r *Rows) {
	c.flush(r)
	*c = columns{checker: checker, entries: make([]column, scopes, 64), slots: make([]uint32, 128)}
	for i := range c.entries {
		c.entries[i].scope = scopes
	}
}

// name returns the name of entry i.
func (c *columns) name(i uint32) []byte {
	return c.names[c.entries[i].start:c.entries[i].end]
}

// describe returns the texts of entry i. The full name of a member of the location object is location.city.
func (c *columns) describe(i uint32) *texts {
	e := &c.entries[i]
	if e.texts == nil {
		prefix := [scopes]string{inLocation: "location.", inProperties: "properties."}[e.scope]
		e.texts = &texts{prefix + string(c.name(i)), e.as(c.name(i))}
	}
	return e.texts
}

// find returns the entry of a name. A new name gets a new entry.
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

// twinOf returns the entry of the property that the custom column i fills, as a member of properties has it.
func (c *columns) twinOf(i uint32) uint32 {
	if c.entries[i].twin == 0 {
		name := c.entries[i].property
		if name == nil {
			name = c.name(i)
		}
		twin := c.lookup(inProperties, name)
		c.entries[i].twin = twin
	}
	return c.entries[i].twin
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
