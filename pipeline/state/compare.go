package state

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"

	"github.com/sourcegraph/conc/pool"
	"go.etcd.io/bbolt"
)

const (
	stretches = 16       // of people, which are compared one after the other by each goroutine
	mappedMax = 32 << 20 // bytes of the file from which its memory is given back after each stretch
)

// Compare sets, for each row, what the state has of it. It goes through the file once for all rows, so many rows in one
// call cost little more than some.
func (s *State) Compare(rows []Row, kept []Kept) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	order, ends := inBlocks(rows)
	p := pool.New().WithErrors().WithMaxGoroutines(runtime.GOMAXPROCS(0))
	for i := range stretches {
		first, last := i*blocks/stretches, (i+1)*blocks/stretches
		from, to := start(ends, first), ends[last-1]
		if from < to {
			p.Go(func() (err error) {
				defer s.guard(&err)
				faults()
				return s.db.View(func(tx *bbolt.Tx) error { return s.compare(tx, rows, kept, order[from:to]) })
			})
		}
	}
	return p.Wait()
}

// inBlocks returns the indexes of rows in the order of their blocks, and where each block ends among them.
func inBlocks(rows []Row) (order, ends []uint32) {
	order, ends = make([]uint32, len(rows)), make([]uint32, blocks)
	for i := range rows {
		ends[block(&rows[i].Person)]++
	}
	sum := uint32(0)
	for i, n := range ends {
		ends[i] = sum // where it begins, so far
		sum += n
	}
	for i := range rows {
		end := &ends[block(&rows[i].Person)]
		order[*end] = uint32(i)
		*end++
	}
	return order, ends
}

func start(ends []uint32, block int) uint32 {
	if block == 0 {
		return 0
	}
	return ends[block-1]
}

// near is how many keys the cursor goes on at most before it seeks.
const near = 8

// compare is Compare for the rows of a stretch, in the order of their blocks.
func (s *State) compare(tx *bbolt.Tx, rows []Row, kept []Kept, order []uint32) error {
	cursor := tx.Bucket(inPeople).Cursor()
	defer s.giveBack(tx)
	var key, value, found []byte
	at := -1
	for _, i := range order {
		row := &rows[i]
		if n := block(&row.Person); n != at {
			at = n
			wanted := blockKey(n)
			for steps := 0; key != nil && bytes.Compare(key, wanted) < 0 && steps < near; steps++ {
				key, value = cursor.Next()
			}
			if key == nil || !bytes.Equal(key, wanted) {
				key, value = cursor.Seek(wanted)
			}
			found = nil
			if bytes.Equal(key, wanted) {
				var err error
				if found, err = s.open(n, value); err != nil {
					return err
				}
			}
		}
		kept[i] = s.keptOf(row, found)
	}
	return nil
}

// keptOf says what the state has of a row. found is its block's rows.
func (s *State) keptOf(row *Row, found []byte) Kept {
	profile, recent := s.recent[row.Person]
	if recent {
		switch profile {
		case Hash{}:
			return New
		case row.Profile:
			return Same
		}
		return Changed
	}
	switch old := profileOf(found, &row.Person); {
	case old == nil:
		return New
	case bytes.Equal(old, row.Profile[:]):
		return Same
	}
	return Changed
}

var errChecksum = errors.New("a checksum is wrong")

// open returns the rows of a block. Its checksum is verified once.
func (s *State) open(n int, value []byte) ([]byte, error) {
	if word, bit := &s.verified[n/64], uint64(1)<<(n%64); word.Load()&bit == 0 {
		if _, ok := unsealed(value); !ok {
			return nil, damaged(s.name, fmt.Sprintf("%v (block %d)", errChecksum, n))
		}
		word.Or(bit)
	}
	return value[sumSize:], nil
}

// giveBack gives back the memory in which the file is mapped: pages that were read would count as memory of this
// process.
func (s *State) giveBack(tx *bbolt.Tx) {
	if tx.Size() > mappedMax {
		release(s.db.Info().Data, uintptr(tx.Size()))
	}
}
