package state

import (
	"bytes"
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

const (
	commitRows  = 4096        // pending rows that are committed at once
	commitDelay = time.Second // time since the last commit after which any number is
	valueRows   = 1024        // rows in a value of recent
	stretches   = 64          // transactions of a merge, each for a part of the blocks, so that freed pages are used again
)

// Forget removes persons, durably: when it returns nil they are forgotten, whatever happens next.
func (s *State) Forget(persons []Hash) error {
	rows := make([]Row, len(persons))
	for i, p := range persons {
		rows[i].Person = p
	}
	return s.add(rows, true)
}

// Remember stores rows that were proved applied. A row wins over an earlier one of the same person. Rows are committed
// when 4,096 of them are pending, when the last commit is a second old, with a Forget, and by Close.
func (s *State) Remember(rows []Row) error { return s.add(rows, false) }

// add appends rows to what is pending, and commits it if it must be now, or if it is time.
func (s *State) add(rows []Row, now bool) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.failure(); err != nil || len(rows) == 0 {
		return err
	}
	s.mu.Lock()
	for _, r := range rows {
		s.recent.put(r)
	}
	s.mu.Unlock()
	s.pending = append(s.pending, rows...)
	if now || len(s.pending) >= commitRows || time.Since(s.last) >= commitDelay {
		return s.flush()
	}
	return nil
}

// flush commits what is pending. The caller holds writing.
func (s *State) flush() error {
	if err := s.failure(); err != nil || len(s.pending) == 0 && !s.bound {
		return err
	}
	err := s.update(func(tx *bbolt.Tx) error {
		recent := tx.Bucket(recentBucket)
		for part := range slices.Chunk(s.pending, valueRows) {
			key, value := binary.BigEndian.AppendUint64(nil, s.record.Next), make([]byte, 4, 4+rowSize*len(part))
			for i := range part {
				value = append(append(value, part[i].Person[:]...), part[i].Profile[:]...)
			}
			binary.BigEndian.PutUint32(value, checksum(key, value[4:]))
			if err := recent.Put(key, value); err != nil {
				return err
			}
			s.record.Next++
		}
		return s.record.write(tx, nil)
	})
	if err != nil {
		return err
	}
	s.logged += len(s.pending)
	s.pending, s.last, s.bound = s.pending[:0], time.Now(), false
	if s.logged >= s.limit {
		return s.merge()
	}
	return nil
}

// merge writes recent into people. It empties recent last: after a crash in between, the next merge does it all again,
// with the same end. The caller holds writing, and nothing is pending.
func (s *State) merge() error {
	rows := make([]Row, 0, len(s.recent.profiles))
	for person, profile := range s.recent.profiles {
		rows = append(rows, Row{person, profile})
	}
	slices.SortFunc(rows, func(a, b Row) int { return bytes.Compare(a.Person[:], b.Person[:]) })
	var buffer []byte
	for len(rows) > 0 {
		stretch, n := rows[0].Person.block()*stretches/blocks, 0
		for n < len(rows) && rows[n].Person.block()*stretches/blocks == stretch {
			n++
		}
		err := s.update(func(tx *bbolt.Tx) (err error) {
			buffer, err = s.mergeStretch(tx, rows[:n], buffer[:0])
			return err
		})
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	err := s.update(func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket(recentBucket); err != nil {
			return err
		}
		if _, err := tx.CreateBucket(recentBucket); err != nil {
			return err
		}
		s.record.First = s.record.Next
		return s.record.write(tx, nil)
	})
	if err != nil {
		return err
	}
	s.logged = 0
	s.mu.Lock() // a Compare that began before the last commit still needs recent
	s.recent.clear()
	s.mu.Unlock()
	return nil
}

// mergeStretch writes rows, in order of person, into their blocks. Their values lie in buffer, which it returns.
func (s *State) mergeStretch(tx *bbolt.Tx, rows []Row, buffer []byte) ([]byte, error) {
	people, sums := tx.Bucket(peopleBucket), tx.Bucket(metaBucket).Get(sumsKey)
	fresh := slices.Clone(sums)
	for len(rows) > 0 {
		block, n := rows[0].Person.block(), 0
		for n < len(rows) && rows[n].Person.block() == block {
			n++
		}
		key := blockKey(block)
		old := people.Get(key)
		if err := s.verify(block, old, sums); err != nil {
			return buffer, err
		}
		from := len(buffer)
		buffer = appendMerged(buffer, old, rows[:n])
		value := buffer[from:len(buffer):len(buffer)]
		if err := people.Put(key, value); err != nil {
			return buffer, err
		}
		putSum(fresh, block, value)
		s.giveBack(tx, len(old))
		rows = rows[n:]
	}
	return buffer, s.record.write(tx, fresh)
}

// appendMerged appends a block's old rows and fresh ones, in order of person, without those that are forgotten.
func appendMerged(to, old []byte, fresh []Row) []byte {
	for _, r := range fresh {
		at := 0
		for at < len(old) && bytes.Compare(old[at:at+16], r.Person[:]) < 0 {
			at += rowSize
		}
		to, old = append(to, old[:at]...), old[at:]
		if len(old) > 0 && Hash(old) == r.Person {
			old = old[rowSize:]
		}
		if r.Profile != (Hash{}) {
			to = append(append(to, r.Person[:]...), r.Profile[:]...)
		}
	}
	return append(to, old...)
}
