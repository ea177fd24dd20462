package state

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

const (
	version  = 1
	pageSize = 16 << 10 // blocks of ten million people have 5 kB
	keySize  = 32
	lockWait = time.Second
)

var (
	inMeta, inPeople, inRecent     = []byte("meta"), []byte("people"), []byte("recent")
	versionName, keyName, bindName = []byte("version"), []byte("key"), []byte("for")
)

// Open opens a state file for what b says, or creates it. One process at a time may have it open. Its errors that
// somebody must do something about are *Error.
func Open(name string, b Binding) (s *State, err error) {
	db, err := open(name, false)
	if err != nil {
		return nil, err
	}
	s = &State{name: name, db: db, most: mostRecent, since: time.Now(), recent: map[Hash]Hash{}}
	defer func() {
		if err != nil {
			_ = db.Close()
		}
	}()
	if err := s.load(b); err != nil {
		return nil, err
	}
	return s, writeHolder(name)
}

// Check returns the error that Open would return, and changes nothing. A file that does not exist is right.
func Check(name string, b Binding) (err error) {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := open(name, true)
	if err != nil {
		return err
	}
	s := &State{name: name, db: db, recent: map[Hash]Hash{}}
	defer db.Close()
	defer s.guard(&err)
	faults()
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Bucket(inMeta) == nil {
			return foreign(name)
		}
		return s.read(tx, b)
	})
}

// open opens the database.
func open(name string, readOnly bool) (db *bbolt.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = damaged(name, fmt.Sprint(p))
		}
	}()
	faults()
	db, err = bbolt.Open(name, 0o600, &bbolt.Options{
		Timeout: lockWait, PageSize: pageSize, ReadOnly: readOnly, FreelistType: bbolt.FreelistMapType, NoStatistics: true,
	})
	var where *fs.PathError
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, inUse(name)
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrChecksum),
		errors.Is(err, bbolterrors.ErrVersionMismatch):
		return nil, foreign(name)
	case errors.As(err, &where):
		return nil, &Error{fmt.Sprintf("open the state: %v", err), "pass a file that this user may create, read and write"}
	case err != nil:
		return nil, damaged(name, err.Error())
	}
	return db, nil
}

func foreign(name string) error {
	return &Error{
		fmt.Sprintf("%s is no state file, or a damaged one", name),
		"pass another file, or delete this one if it was a state: the next run sends all rows and remembers them anew",
	}
}

// load reads the file, and fills a new one.
func (s *State) load(b Binding) (err error) {
	defer s.guard(&err)
	faults()
	return s.db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(inMeta) == nil {
			if name, _ := tx.Cursor().First(); name != nil {
				return foreign(s.name)
			}
			if err := s.create(tx); err != nil {
				return s.failed(err)
			}
			s.binding = b
		} else if err := s.read(tx, b); err != nil {
			return err
		}
		return s.binding.put(tx)
	})
}

// create fills a new file.
func (s *State) create(tx *bbolt.Tx) error {
	for _, name := range [][]byte{inMeta, inPeople, inRecent} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	s.key = make([]byte, keySize)
	_, _ = rand.Read(s.key) // never fails
	meta := tx.Bucket(inMeta)
	return errors.Join(meta.Put(versionName, binary.BigEndian.AppendUint16(nil, version)), meta.Put(keyName, s.key))
}

// read reads a file that exists, and compares what it is for.
func (s *State) read(tx *bbolt.Tx, b Binding) error {
	file, err := os.Stat(s.name)
	if err != nil {
		return err
	}
	if file.Size() < tx.Size() {
		return damaged(s.name, fmt.Sprintf("it has %d bytes, expected %d", file.Size(), tx.Size()))
	}
	meta := tx.Bucket(inMeta)
	if v := meta.Get(versionName); len(v) != 2 || binary.BigEndian.Uint16(v) != version {
		return &Error{
			fmt.Sprintf("the state %s was written by another version of klaviyo-export", s.name),
			"use that version, or delete the file: the next run sends all rows and remembers them anew",
		}
	}
	if s.key = append(s.key, meta.Get(keyName)...); len(s.key) != keySize {
		return damaged(s.name, "its key is incomplete")
	}
	if tx.Bucket(inPeople) == nil || tx.Bucket(inRecent) == nil {
		return damaged(s.name, "a part of it is missing")
	}
	if s.binding, err = bindingIn(tx); err != nil {
		return damaged(s.name, err.Error())
	}
	if err := s.binding.fits(s.name, &b); err != nil {
		return err
	}
	return tx.Bucket(inRecent).ForEach(func(_, value []byte) error {
		rows, ok := unsealed(value)
		if !ok {
			return damaged(s.name, errChecksum.Error())
		}
		for ; len(rows) > 0; rows = rows[rowSize:] {
			s.recent[Hash(rows)] = Hash(rows[hashSize:])
		}
		return nil
	})
}
