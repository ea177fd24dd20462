package validate

import "hash/maphash"

// Row is the result of checking one row of the input.
type Row struct {
	// Start and End bound the encoded profile in Rows.Data, without the comma after it: Remove, Subscribe and
	// Unsubscribe have other elements there, see encodeRemoval and encodeConsent. They are equal for a rejected row.
	Start, End uint32

	// KeyStart and KeyEnd bound the key in Rows.Data: the identifier as a JSON string with its quotes. The key of a
	// good row is a part of its profile, and so a phone number in E.164; that of a rejected row is as the row has it,
	// cut. They are equal when the row has no readable key.
	KeyStart, KeyEnd uint32

	// Identity is the same for two rows of one person: two hashes, with seeds of this process, of the
	// identifier as it is sent, an email in lower case, and of the list in the list column. It is zero for a row without
	// a valid identifier.
	Identity [2]uint64

	// Required says how the row has the required column or, where it has that one, the list column or that with the times
	// of consent. Unlisted and Undated say that it is about one of these.
	Required          Required
	Unlisted, Undated bool

	// Several says that a rejected row may hold several rows: it is an array of them, or an object around them.
	Several bool

	// DroppedPhone says that the row has a bad phone number, which its profile lacks.
	DroppedPhone bool

	// Channels are those of Options.Channels for which the row has an identifier.
	Channels Channels

	// Unset is where Rows.Data has the names of the custom properties that the row clears, 0 for none: see Rows.Unset.
	Unset uint32

	// List is the place of the row's list in Rows.Lists, where there is a list column. A rejected row has none.
	List uint32

	// Fault is what is wrong with the row, nil for a good row.
	Fault *Fault
}

// Required says how a row has the column that its operation requires.
type Required uint8

const (
	NotObject Required = iota // the row is not an object, or not JSON
	Present                   // the column is a string or null
	Missing                   // the row is an object without the column
	WrongType                 // the column is a number, a boolean, an array or an object
)

// Rows are the results of checking one chunk. The zero value is ready. Reset empties it for the next chunk. Only one
// goroutine may use it at a time, and Data has at most 4 GiB.
type Rows struct {
	Rows []Row

	// Data holds the encoded profiles one after the other, each followed by a comma. The keys of rejected rows are
	// between them.
	Data []byte

	// Lists are the names or ids in the list column of good rows, each once.
	Lists []string

	columns []Column // of the good rows
	places  map[string]listPlace
}

// Reset removes all rows and keeps the memory.
func (r *Rows) Reset() {
	clear(r.columns)
	if r.columns = r.columns[:0]; cap(r.columns) > 2*maxCounted {
		r.columns = nil
	}
	clear(r.Lists)
	clear(r.places)
	r.Rows, r.Lists = r.Rows[:0], r.Lists[:0]
	r.Data = r.Data[:0]
}

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// span is a stretch of Rows.Data.
type span struct{ start, end int }

// identity returns the hashes of what tells a person from others.
func identity(person []byte) [2]uint64 {
	return [2]uint64{maphash.Bytes(seeds[0], person), maphash.Bytes(seeds[1], person)}
}

// accept appends the row whose profile begins at start and ends with Data. key is the identifier in it, and person
// what tells the person from others.
func (r *Rows) accept(start int, key span, person []byte) {
	r.Rows = append(r.Rows, Row{
		Start: uint32(start), End: uint32(len(r.Data)),
		KeyStart: uint32(key.start), KeyEnd: uint32(key.end),
		Identity: identity(person),
	})
	r.Data = append(r.Data, ',')
}

// reject appends a rejected row, whose key, if it has one, begins at key and ends with Data.
func (r *Rows) reject(f *Fault, key int) {
	end := uint32(len(r.Data))
	r.Rows = append(r.Rows, Row{Start: end, End: end, KeyStart: uint32(key), KeyEnd: end, Fault: f})
}
