package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink"
)

// maxProperties and maxPropertyBytes bound the names of properties that are kept for reading rows back.
const maxProperties, maxPropertyBytes = 1 << 16, 8 << 20

// properties numbers the names of the custom properties that rows clear. Until it is read back, a row keeps 8 bytes,
// and 2 for each name: at most half of what the name took in its request. Its methods may be called at once.
type properties struct {
	mu      sync.Mutex
	numbers map[string]uint16 // by the name as it is sent
	names   []string
	bytes   int
}

// unset are the properties that a row clears: those in results.unsetNames from the end of the row before it on. There
// are none where the names are more than can be kept.
type unset struct{ row, end uint32 }

// append appends the numbers of names, JSON strings with commas between them, or nothing where it cannot keep them all.
func (p *properties) append(numbers []uint16, names []byte) []uint16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := len(numbers)
	for len(names) > 0 {
		end := 1
		for ; names[end] != '"'; end++ {
			if names[end] == '\\' {
				end++
			}
		}
		number, ok := p.number(names[:end+1])
		if !ok {
			return numbers[:before]
		}
		numbers, names = append(numbers, number), bytes.TrimPrefix(names[end+1:], []byte{','})
	}
	return numbers
}

func (p *properties) number(name []byte) (uint16, bool) {
	if n, ok := p.numbers[string(name)]; ok {
		return n, true
	}
	if len(p.names) == maxProperties || p.bytes+len(name) > maxPropertyBytes {
		return 0, false
	}
	if p.numbers == nil {
		p.numbers = map[string]uint16{}
	}
	n := uint16(len(p.names))
	p.numbers[string(name)], p.names, p.bytes = n, append(p.names, plain(name)), p.bytes+len(name)
	return n, true
}

// of returns the names with these numbers.
func (p *properties) of(numbers []uint16) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := make([]string, len(numbers))
	for i, n := range numbers {
		names[i] = p.names[n]
	}
	return names
}

// clears notes the properties that a row clears, which is sent and was added last, where rows are read back.
func (r *results) clears(c *chunk, i int) {
	if c.pools.properties == nil {
		return
	}
	if names := c.rows.Unset(i); names != nil {
		r.unsetNames = c.pools.properties.append(r.unsetNames, names)
		r.unset = append(r.unset, unset{uint32(r.at), uint32(len(r.unsetNames))})
	}
}

// unsetOf calls yield for each row that clears properties, with their numbers.
func (r *results) unsetOf(yield func(row uint32, numbers []uint16)) {
	start := uint32(0)
	for _, u := range r.unset {
		yield(u.row, r.unsetNames[start:u.end])
		start = u.end
	}
}

// cleared reads the profiles of those rows back that clear properties and are on the list. Those that it does not read
// are not verified.
func (s *verifies) cleared(ctx context.Context, reader *sink.ReadBack, r *results, found []sink.Proof) error {
	var people []sink.Unset
	var of []*proof
	next := 0 // of the proofs
	r.unsetOf(func(row uint32, numbers []uint16) {
		for next < len(r.proofs) && r.proofs[next].row < int(row) {
			next++
		}
		if next == len(r.proofs) || r.proofs[next].row != int(row) || r.proofs[next].missing {
			return
		}
		one := sink.Unset{Names: s.control.properties.of(numbers)}
		if len(numbers) > 0 {
			one.IDs = slices.Compact(slices.Sorted(slices.Values(found[next].IDs)))
		}
		people, of = append(people, one), append(of, &r.proofs[next])
	})
	err := reader.Unset(ctx, people)
	for i, p := range of {
		if p.left = people[i].Left; !people[i].Read {
			p.state = sink.NotRead
		}
	}
	return err
}

// notCleared is the reason of a row whose profile still has properties that it clears.
func notCleared(left []string) string {
	quoted := make([]string, len(left))
	for i, name := range left {
		quoted[i] = string(json.AppendEscape(nil, name, 0))
	}
	return fmt.Sprintf("the import job ended without an error for this row, but the profile still has %s: "+
		"another client may have set it again", strings.Join(quoted, ", "))
}
