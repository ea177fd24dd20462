package validate

import (
	"encoding/binary"

	"github.com/segmentio/encoding/json"
)

// Scratch is the working memory of Checker.Check. The zero value is ready. Reusing it saves allocations: it remembers
// the columns of earlier rows, which never changes a result. Only one goroutine may use it at a time.
type Scratch struct {
	scan    scanner
	columns columns
	filled  [targets]place // the member that fills each target
	places  []place        // the members that go into location
	customs []place        // the members that go into properties
	nulls   []place        // with Clear: the members that are null
	key     []byte         // the identifier as Klaviyo gets it
	lower   []byte         // key in lower case

	lists     map[string]string // those of earlier rows
	listBytes int               // that their names have

	consentedAt  [len(utcForm)]byte
	droppedPhone bool // the row is sent without its phone number
}

// Trim frees the memory that a single huge row needed.
func (s *Scratch) Trim() {
	if cap(s.scan.members)+cap(s.scan.nested) > 2*maxColumns {
		*s = Scratch{}
	}
}

// place is where a member is: 1 + its index in scanner.members, or in scanner.nested after them. 0 is nowhere.
type place uint32

func (s *Scratch) member(p place) *member {
	i := int(p) - 1
	if i < len(s.scan.members) {
		return &s.scan.members[i]
	}
	return &s.scan.nested[i-len(s.scan.members)]
}

// nestedPlace returns the place of member i of scanner.nested.
func (s *Scratch) nestedPlace(i uint32) place {
	return place(len(s.scan.members)) + place(i) + 1
}

// column returns the full name of the column of m.
func (s *Scratch) column(m *member) string { return s.columns.describe(m.column).shown }

// lowerKey returns the key, which is ASCII, in lower case.
func (s *Scratch) lowerKey() []byte {
	s.lower = append(append(s.lower[:0], s.key...), make([]byte, 8)...)
	for p := s.lower; len(p) >= 8; p = p[8:] {
		w := binary.LittleEndian.Uint64(p)
		capitals := (w + (0x80-'A')*ones) &^ (w + (0x80-'Z'-1)*ones) & highs
		binary.LittleEndian.PutUint64(p, w|capitals>>2)
	}
	return s.lower[:len(s.key)]
}

// appendKey appends the key of a rejected row, a JSON string, if its member m has one.
func (s *Scratch) appendKey(data []byte, m *member) []byte {
	if m == nil || m.kind != text {
		return data
	}
	value := trim(s.scan.text(m))
	switch {
	case len(value) == 0:
		return data
	case len(value) <= maxEmail && !m.valueEscaped:
		return appendQuoted(data, value)
	}
	return appendText(data, cutAt(string(value), maxEmail))
}

// appendText appends any text as a JSON string.
func appendText(data []byte, text string) []byte { return json.AppendEscape(data, text, 0) }
