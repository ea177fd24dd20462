// Package state keeps the file of --state: hashes of a list's rows as they were when last proved applied. Start reading
// at Open.
//
// The file is a bbolt database with pages of 4 KiB and three buckets:
//
//	meta    state → checksum, record as JSON: version, key of the hashes, binding, what the other values must be
//	        sums  → a checksum for each block of people
//	people  block, the first 12 bits of a person's hash → rows of 32 bytes, person and profile, in order of person
//	recent  number → checksum, rows as they were written since people was; a profile of zeros is a forgotten row
//
// A commit appends to recent, which is also held in memory. When it is long, it is merged into people. Blocks are long
// values, so they fill their pages: a row takes little more than its 32 bytes. bbolt checks two of its pages, so the
// record has checksums for all that hangs on it, and Open checks the structure of the other pages before bbolt reads
// them.
package state

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// Hash stands for an identifier or a profile. Hashers of one file make it.
type Hash [16]byte

// Row is a row as it was sent. No profile has a hash of zeros.
type Row struct{ Person, Profile Hash }

// Binding is what a state file is for.
type Binding struct {
	List      string            `json:"list"`    // id; "" while it is not made yet
	Account   string            `json:"account"` // "" where it is not known
	Operation string            `json:"operation"`
	Mapping   map[string]string `json:"mapping"` // all that decides how a row becomes a profile, by flag: "--by" → "email"
}

// State is an open state file. All methods but Close may be called at once. After an error all of them return
// that error.
type State struct {
	name  string
	db    *bbolt.DB
	file  *os.File
	lock  string // file that says who has the state open, "" where it could not be written
	limit int    // rows in the bucket recent at which they are merged

	writing sync.Mutex // is held for a commit; guards the fields up to the gap
	record  record
	logged  int       // rows in the bucket recent
	pending []Row     // to be committed, in the order of the calls
	last    time.Time // of the last commit
	bound   bool      // the record has a binding that is not committed
	stuck   bool      // bbolt panicked in a transaction, and may still hold its locks

	mu     sync.RWMutex // is held for reading by Compare, all through; guards the next two
	recent overlay      // bucket recent and pending
	failed error

	checked [blocks]atomic.Bool // blocks that had the right checksum
	walked  atomic.Int64        // bytes of blocks that were looked at since mapped pages were given back
}

// mergeLimit is how many rows in recent are merged at once: they take 8 MB of the file and 14 MB of memory, and a merge
// writes all of people anew.
const mergeLimit = 1 << 18

// Open opens a state file, or makes it, with mode 0600, where there is none. The file must have been made for b. An
// error that the user can act on is an *Error. No other process can open the file before Close.
func Open(name string, b Binding) (*State, error) { return openFor(name, b, false) }

// Look opens a state file for Compare alone. It returns the errors that Open would return, changes nothing and makes no
// file. It returns nil where no row is remembered, as there is no file, or an empty one. Others may look too.
func Look(name string, b Binding) (*State, error) {
	if info, err := os.Stat(name); err != nil || info.Size() == 0 {
		return nil, check(name, b)
	}
	s, err := openFor(name, b, true)
	if err != nil || s.record.Version > 0 {
		return s, err
	}
	return nil, s.Close()
}

func openFor(name string, b Binding, look bool) (*State, error) {
	if err := check(name, b); err != nil {
		return nil, err
	}
	s := &State{name: name, limit: mergeLimit, recent: overlay{profiles: map[Hash]Hash{}}, last: time.Now()}
	err := guard(name, func() (err error) {
		s.db, s.file, err = openStore(name, look)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !look {
		s.lock = writeHolder(name)
	}
	err = guard(name, func() error {
		err := s.db.View(s.load)
		if err != nil {
			return err
		}
		return s.record.fits(name, b)
	})
	if err == nil {
		s.record.bind(b)
		if s.record.Version == 0 && !look {
			err = s.create()
		}
	}
	if err != nil {
		s.failed = err
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// check returns the error that Open would return, but does not look at the remembered rows. It changes nothing and
// makes no file: one that is not there is fine.
func check(name string, b Binding) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err = os.Stat(filepath.Dir(name)); err != nil {
			return openError(name, err)
		}
		return nil
	case err != nil:
		return openError(name, err)
	case !info.Mode().IsRegular():
		return foreign(name)
	case info.Size() == 0:
		return nil
	}
	return guard(name, func() error {
		db, file, err := openStore(name, true)
		if err != nil {
			return err
		}
		defer db.Close()
		return db.View(func(tx *bbolt.Tx) error {
			if err := sound(name, file); err != nil {
				return err
			}
			r, err := readRecord(name, tx)
			if err != nil {
				return err
			}
			return r.fits(name, b)
		})
	})
}

// openStore opens the database. With check it takes a lock that others can share, and neither makes nor changes a file.
func openStore(name string, check bool) (db *bbolt.DB, file *os.File, err error) {
	defer func() {
		if db == nil && file != nil { // bbolt failed or panicked
			_ = file.Close()
		}
	}()
	db, err = bbolt.Open(name, 0o600, &bbolt.Options{
		Timeout: 300 * time.Millisecond, PageSize: pageSize, ReadOnly: check, NoStatistics: true,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			if check {
				flag = os.O_RDWR // so that a file that cannot be written is found
			}
			f, err := os.OpenFile(name, flag, mode)
			file = f
			return f, err
		},
	})
	if err != nil {
		return nil, file, openError(name, err)
	}
	db.AllocSize = 1 << 18 // bytes by which the file grows: the usual 16 MB are much for a small list
	return db, file, nil
}

// create writes what a new file has.
func (s *State) create() error {
	s.record.Version, s.record.Key = version, make([]byte, 32)
	_, _ = rand.Read(s.record.Key)
	return s.update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{metaBucket, peopleBucket, recentBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		sums := make([]byte, 4*blocks)
		for b := range blocks {
			putSum(sums, b, nil)
		}
		return s.record.write(tx, sums)
	})
}

// load reads the record and recent.
func (s *State) load(tx *bbolt.Tx) (err error) {
	if s.record, err = readRecord(s.name, tx); err != nil || s.record.Version == 0 {
		return err
	}
	readAhead(s.db.Info().Data, uintptr(tx.Size()))
	number := s.record.First
	c := tx.Bucket(recentBucket).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if len(k) != 8 || number64(k) != number || len(v)%rowSize != 4 || number32(v) != checksum(k, v[4:]) {
			return damaged(s.name, "a commit is not as it was written")
		}
		number++
		s.logged += len(v) / rowSize
		for v = v[4:]; len(v) > 0; v = v[rowSize:] {
			s.recent.put(Row{Hash(v), Hash(v[16:])})
		}
	}
	if number != s.record.Next {
		return damaged(s.name, "commits are missing")
	}
	return nil
}

// Bind says which list was made for this run. It is stored with the next commit.
func (s *State) Bind(list string) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.record.List, s.bound = list, true
}

// Close commits what is pending and closes the file. A second call does nothing.
func (s *State) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.db == nil {
		return nil
	}
	err := s.flush()
	if s.lock != "" {
		_ = os.Remove(s.lock) // while nobody else can have written it
	}
	if s.stuck {
		_ = s.file.Close() // bbolt would wait for itself
	} else if failed := guard(s.name, s.db.Close); err == nil {
		err = failed
	}
	s.db = nil
	return err
}

// failure returns the error that all calls return.
func (s *State) failure() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.failed
}

// fail keeps the first error, and returns it.
func (s *State) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
	return s.failed
}
