package validate

import (
	"hash/maphash"

	"github.com/segmentio/encoding/json"
)

// Row is the verdict on one row of the input.
type Row struct {
	// Start and End bound the encoded profile in Rows.Data, without the comma after it. They are equal when the row is rejected.
	Start, End uint32

	// KeyStart and KeyEnd bound the key in Rows.Data: the email or profile id as a JSON string with its quotes.
	// They are equal when no key is known. The key of a good row lies inside its profile.
	KeyStart, KeyEnd uint32

	// Identity tells persons apart: two sums, under seeds of this process, of the lower-cased email or the profile id.
	// It is zero for rejected rows.
	Identity [2]uint64

	// Required says how the row holds the required column.
	Required Required

	// Fault is nil when nothing is wrong with the row.
	Fault *Fault
}

// Required says how a row holds the column that its operation needs.
type Required uint8

const (
	NotObject Required = iota // the row is no object, or no JSON
	Present                   // a string or null
	Missing                   // an object without it
	WrongType                 // a number, a boolean, an array or an object
)

// Rows holds the checked rows of one chunk. It is reused after Reset and belongs to one goroutine at a time.
// At most 4 GiB of Data are addressable.
type Rows struct {
	Rows []Row

	// Data holds the encoded profiles one after the other, each followed by a comma, and the keys of rejected rows between them.
	Data []byte

	scan    scanner
	columns columns
	filled  [targets]place // which member fills which target
	places  []place        // the members that go into location
	customs []place        // the members that go into properties
	key     []byte
	lower   []byte
}

// Reset empties r. It keeps its memory for the next chunk.
func (r *Rows) Reset() {
	r.Rows = r.Rows[:0]
	r.Data = r.Data[:0]
}

// Trim gives up the memory that a single huge row took to be checked.
func (r *Rows) Trim() {
	if cap(r.scan.members)+cap(r.scan.nested) > 2*maxColumns {
		*r = Rows{Rows: r.Rows, Data: r.Data}
	}
}

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// accept appends the row whose profile begins at start and ends with Data, its key at key.
func (r *Rows) accept(start, key int, fold bool) {
	id := r.key
	if fold {
		r.lower = appendLower(r.lower[:0], r.key)
		id = r.lower
	}
	r.Rows = append(r.Rows, Row{
		Start: uint32(start), End: uint32(len(r.Data)),
		KeyStart: uint32(key), KeyEnd: uint32(key + len(r.key) + 2),
		Identity: [2]uint64{maphash.Bytes(seeds[0], id), maphash.Bytes(seeds[1], id)},
	})
	r.Data = append(r.Data, ',')
}

// reject appends a rejected row. Its key is taken from the member that holds it, if there is one.
func (r *Rows) reject(f *Fault, key *member) {
	start := len(r.Data)
	if key != nil && key.kind == text {
		switch value := trim(r.scan.text(key)); {
		case len(value) == 0:
		case len(value) <= maxEmail && !key.valueEscaped:
			r.Data = appendQuoted(r.Data, value)
		default:
			r.Data = json.AppendEscape(r.Data, cutAt(string(value), maxEmail), 0)
		}
	}
	n := uint32(len(r.Data))
	r.Rows = append(r.Rows, Row{Start: n, End: n, KeyStart: uint32(start), KeyEnd: n, Fault: f})
}

func appendLower(b, s []byte) []byte {
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// place is where a member is: 1 + its index in scanner.members, or in scanner.nested after them. 0 is nowhere.
type place uint32

func (r *Rows) member(p place) *member {
	i := int(p) - 1
	if i < len(r.scan.members) {
		return &r.scan.members[i]
	}
	return &r.scan.nested[i-len(r.scan.members)]
}

// column returns the column's name as people know it: location.city for a member of the location object.
func (r *Rows) column(m *member) string {
	e := &r.columns.entries[m.column]
	if e.shown == "" {
		e.shown = [scopes]string{inLocation: "location.", inProperties: "properties."}[e.scope] + string(r.columns.name(m.column))
	}
	return e.shown
}
