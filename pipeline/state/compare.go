package state

import (
	"encoding/binary"
	"math/bits"
	"runtime"

	"github.com/sourcegraph/conc/pool"
	"go.etcd.io/bbolt"
)

// Kept says what is remembered of a row.
type Kept uint8

// What is remembered of a row: nothing, another profile, or the same one.
const (
	New Kept = iota
	Changed
	Same
)

// mappedBytes is how many bytes of blocks Compare looks at before it gives mapped pages back: they count as the
// process's memory.
const mappedBytes = 24 << 20

// Compare says for each row what is remembered of it. Calls with many rows, in any order, cost least for a row: 65,536
// of them read most of a large file.
func (s *State) Compare(rows []Row, kept []Kept) error {
	kept = kept[:len(rows)]
	s.mu.RLock()
	err := s.failed
	if err == nil {
		err = guard(s.name, func() error {
			return s.db.View(func(tx *bbolt.Tx) error { return s.compare(tx, rows, kept) })
		})
	}
	s.mu.RUnlock()
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// compare walks the blocks in order, several stretches at once.
func (s *State) compare(tx *bbolt.Tx, rows []Row, kept []Kept) error {
	order, ends := byBlock(rows)
	people, sums := tx.Bucket(peopleBucket), tx.Bucket(metaBucket).Get(sumsKey)
	workers := pool.New().WithErrors().WithFirstError().WithMaxGoroutines(runtime.GOMAXPROCS(0))
	const wide = blocks / stretches
	for first := 0; first < blocks; first += wide {
		from := start(ends, first)
		if from == ends[first+wide-1] {
			continue
		}
		values := make([][]byte, wide) // a transaction serves one goroutine
		for i := range values {
			if block := first + i; start(ends, block) < ends[block] {
				values[i] = people.Get(blockKey(block))
				s.giveBack(tx, len(values[i]))
			}
		}
		workers.Go(func() error {
			return guard(s.name, func() error {
				for i, value := range values {
					block := first + i
					mine := order[start(ends, block):ends[block]]
					if len(mine) == 0 {
						continue
					}
					if err := s.verify(block, value, sums); err != nil {
						return err
					}
					for _, row := range mine {
						kept[row] = s.look(value, &rows[row])
					}
				}
				return nil
			})
		})
	}
	return workers.Wait()
}

// look says what is remembered of a row, in recent or else in its block.
func (s *State) look(block []byte, r *Row) Kept {
	profile, ok := s.recent.find(&r.Person)
	switch {
	case !ok:
		if profile, ok = find(block, &r.Person); !ok {
			return New
		}
	case profile == Hash{}:
		return New
	}
	if profile != r.Profile {
		return Changed
	}
	return Same
}

// find returns the profile that a block has for a person. Hashes are spread evenly, so the row is close to the place
// that the person's first bits say.
func find(block []byte, person *Hash) (Hash, bool) {
	n, want := len(block)/rowSize, number64(person[:])
	guess, _ := bits.Mul64(want*blocks, uint64(n))
	at := int(guess)
	for at < n && number64(block[at*rowSize:]) < want {
		at++
	}
	for at > 0 && number64(block[(at-1)*rowSize:]) >= want {
		at--
	}
	for ; at < n && number64(block[at*rowSize:]) == want; at++ {
		if Hash(block[at*rowSize:]) == *person {
			return Hash(block[at*rowSize+16:]), true
		}
	}
	return Hash{}, false
}

// verify returns an error unless a block has the right checksum. It looks at each block once.
func (s *State) verify(block int, rows, sums []byte) error {
	if s.checked[block].Load() {
		return nil
	}
	if len(rows)%rowSize != 0 || len(sums) != 4*blocks ||
		checksum(blockKey(block), rows) != binary.BigEndian.Uint32(sums[4*block:]) {
		return damaged(s.name, "rows are not as they were written")
	}
	s.checked[block].Store(true)
	return nil
}

// giveBack gives mapped pages back when so many bytes have been looked at since the last time.
func (s *State) giveBack(tx *bbolt.Tx, looked int) {
	if s.walked.Add(int64(looked)) > mappedBytes {
		s.walked.Store(0)
		release(s.db.Info().Data, uintptr(tx.Size()))
	}
}

// byBlock returns the rows' indexes in order of block, and for each block where its indexes end.
func byBlock(rows []Row) (order []uint32, ends *[blocks]int) {
	order, ends = make([]uint32, len(rows)), new([blocks]int)
	for i := range rows {
		ends[rows[i].Person.block()]++
	}
	at := 0
	for b, n := range ends {
		ends[b] = at
		at += n
	}
	for i := range rows { // each end begins where its block does, and moves to its end
		b := rows[i].Person.block()
		order[ends[b]] = uint32(i)
		ends[b]++
	}
	return order, ends
}

func start(ends *[blocks]int, block int) int {
	if block == 0 {
		return 0
	}
	return ends[block-1]
}
