package state

import (
	"bytes"
	"slices"

	"go.etcd.io/bbolt"
)

const (
	// mergeSteps is how many transactions a merge has: the pages that one frees are used by the next.
	mergeSteps = 64
	// density is how full pages are made: blocks grow in them later.
	density = 0.9
)

// merge moves the rows of recent into people. If it is interrupted, nothing is lost: the rows are in recent until all of
// them are in people.
func (s *State) merge() error {
	rows := make([]Row, 0, len(s.recent))
	for person, profile := range s.recent {
		rows = append(rows, Row{person, profile})
	}
	slices.SortFunc(rows, func(a, b Row) int { return bytes.Compare(a.Person[:], b.Person[:]) })
	for i := range mergeSteps {
		last := (i+1)*blocks/mergeSteps - 1
		n, _ := slices.BinarySearchFunc(rows, last+1, func(row Row, first int) int { return block(&row.Person) - first })
		if err := s.db.Update(func(tx *bbolt.Tx) error { return s.mergeInto(tx, rows[:n]) }); err != nil {
			return err
		}
		rows = rows[n:]
	}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket(inRecent); err != nil {
			return err
		}
		_, err := tx.CreateBucket(inRecent)
		return err
	})
	if err == nil {
		s.mu.Lock()
		s.recent = map[Hash]Hash{}
		s.mu.Unlock()
	}
	return err
}

// mergeInto merges sorted rows into their blocks.
func (s *State) mergeInto(tx *bbolt.Tx, rows []Row) error {
	people := tx.Bucket(inPeople)
	people.FillPercent = density
	defer s.giveBack(tx)
	for len(rows) > 0 {
		n := block(&rows[0].Person)
		end := slices.IndexFunc(rows, func(row Row) bool { return block(&row.Person) != n })
		if end < 0 {
			end = len(rows)
		}
		var old []byte
		if value := people.Get(blockKey(n)); value != nil {
			var err error
			if old, err = s.open(n, value); err != nil {
				return err
			}
		}
		all := merged(old, rows[:end])
		put := func() error { return people.Put(blockKey(n), sealed(all)) }
		if len(all) == 0 {
			put = func() error { return people.Delete(blockKey(n)) }
		}
		if err := put(); err != nil {
			return err
		}
		rows = rows[end:]
	}
	return nil
}
