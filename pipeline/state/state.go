// Package state remembers which profiles were applied, so that a run sends only what changed. Start with State.
//
// The file is a bbolt database: one file without a server, which is read without copying. A key for each person would
// make it twice as large, and a commit would write a page for each. So it has three buckets:
//
//	meta    version, random key, and what the state is for
//	people  a block for each of the 65,536 beginnings of a person's hash: a checksum, then rows of 32 bytes, sorted
//	recent  a value for each commit: a checksum, then rows in the order in which they came
//
// The rows of recent are in memory too. When they are many, they are merged into people.
package state

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// Hash stands for an identifier or a profile: 128 bits of SHA-256, which begins with the state's random key.
type Hash [16]byte

// Row is a person with their profile. The zero Profile in the file means that the person is forgotten.
type Row struct{ Person, Profile Hash }

// Kept is what a state has of a row.
type Kept uint8

const (
	New     Kept = iota // it does not know the person
	Changed             // it has another profile of the person
	Same                // it has this profile
)

// State is an open state file. Its methods may be called at once.
type State struct {
	name     string
	db       *bbolt.DB
	key      []byte
	verified [blocks / 64]atomic.Uint64 // the blocks whose checksum was right
	most     int                        // rows of recent from which they are merged

	writing sync.Mutex // held while rows are entered or committed
	pending []Row      // entered, and not committed
	since   time.Time  // the last commit
	broken  error      // of a commit: the state takes no rows any more
	binding Binding

	mu     sync.RWMutex  // also held while rows are compared
	recent map[Hash]Hash // the rows of the bucket recent, and pending ones
}

const (
	mostRecent  = 250_000
	mostPending = 4_096
	commitAfter = time.Second
)

// Error is what somebody must do something about.
type Error struct{ Text, Hint string }

func (e *Error) Error() string { return e.Text }

// Hasher takes hashes. It is for one goroutine at a time.
type Hasher struct {
	key  int
	data []byte
}

// Hasher returns a Hasher with the key of the state.
func (s *State) Hasher() *Hasher {
	return &Hasher{len(s.key), append(make([]byte, 0, 1024), s.key...)}
}

// Person is the hash of an identifier.
func (h *Hasher) Person(identifier []byte) Hash { return h.sum(identifier) }

// Profile is the hash of a profile as it is sent.
func (h *Hasher) Profile(json []byte) Hash { return h.sum(json) }

func (h *Hasher) sum(data []byte) Hash {
	h.data = append(h.data[:h.key], data...)
	sum := sha256.Sum256(h.data)
	return Hash(sum[:])
}

// Forget makes the state forget people. It returns when that is on the disk: a profile that changes is sent afterwards,
// so that a crash never leaves the old one remembered.
func (s *State) Forget(people []Hash) error {
	rows := make([]Row, len(people))
	for i, person := range people {
		rows[i].Person = person
	}
	return s.enter(rows, true)
}

// Remember enters rows. They are committed together with others, at the latest by Close.
func (s *State) Remember(rows []Row) error { return s.enter(rows, false) }

func (s *State) enter(rows []Row, now bool) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.mu.Lock()
	for _, row := range rows {
		s.recent[row.Person] = row.Profile
	}
	s.mu.Unlock()
	s.pending = append(s.pending, rows...)
	if now || len(s.pending) >= mostPending || time.Since(s.since) >= commitAfter {
		s.broken = s.commit()
	}
	return s.broken
}

// commit writes the pending rows to the file.
func (s *State) commit() (err error) {
	defer s.guard(&err)
	faults()
	s.since = time.Now()
	if len(s.pending) > 0 {
		value := make([]byte, 0, sumSize+len(s.pending)*rowSize)
		for _, row := range s.pending {
			value = appendRow(value, row)
		}
		err := s.db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(inRecent)
			n, err := b.NextSequence()
			if err != nil {
				return err
			}
			return errors.Join(b.Put(sequence(n), sealed(value)), s.binding.put(tx))
		})
		if err != nil {
			return s.failed(err)
		}
		s.pending = s.pending[:0]
	}
	if len(s.recent) <= s.most {
		return nil
	}
	if err := s.merge(); err != nil {
		return s.failed(err)
	}
	return nil
}

// failed is the error of a write that failed.
func (s *State) failed(err error) error {
	var own *Error
	if errors.As(err, &own) {
		return err
	}
	return &Error{
		fmt.Sprintf("write the state %s: %v", s.name, err),
		"make room or repair the disk, then run it again: rows that are not remembered are sent again",
	}
}

// Bind says which list the state is for, when that was not known before. The next commit stores it.
func (s *State) Bind(list string) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.binding.List = list
}

// Close commits what is pending and closes the file.
func (s *State) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	err := s.broken
	if err == nil {
		err = s.commit()
	}
	if closed := s.db.Close(); err == nil && closed != nil {
		err = s.failed(closed)
	}
	_ = os.Remove(holderFile(s.name))
	return err
}

// guard makes an error of a panic, which a damaged file causes in bbolt, and of memory that the file does not have any
// more. It is deferred.
func (s *State) guard(err *error) {
	if p := recover(); p != nil {
		*err = damaged(s.name, fmt.Sprint(p))
	}
}

// faults makes the goroutine panic, instead of the process end, where mapped memory cannot be read.
func faults() { debug.SetPanicOnFault(true) }

func damaged(name, why string) error {
	return &Error{
		fmt.Sprintf("the state %s is damaged: %s", name, why),
		"delete the file: the next run sends all rows and remembers them anew",
	}
}
