package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Error says why a state file cannot be used, and what to do.
type Error struct{ Text, Hint string }

func (e *Error) Error() string { return e.Text }

func damaged(name, how string) *Error {
	return &Error{
		fmt.Sprintf("the state %s is damaged: %s", name, how),
		"delete it: the next run sends all rows again",
	}
}

func foreign(name string) *Error {
	return &Error{name + " is not a state file", "pass --state with a file that is not there yet: it is made"}
}

// openError is the error for what opening a file returned.
func openError(name string, err error) error {
	var path *os.PathError
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return &Error{
			fmt.Sprintf("the state %s is in use%s", name, readHolder(name)),
			"wait until that run has ended, then run it again; runs at the same time need a state file each",
		}
	case errors.As(err, &path):
		return &Error{
			fmt.Sprintf("open the state %s: %v", name, path.Err),
			"pass --state with a file that this user can read and write, in a folder that exists",
		}
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch):
		return foreign(name)
	case errors.Is(err, berrors.ErrChecksum):
		return damaged(name, "its first pages are not as they were written")
	case strings.Contains(err.Error(), "file size too small"):
		if !begins(name) {
			return foreign(name)
		}
		return damaged(name, "its end is missing")
	}
	return writeError(name, err) // a new file could not be written
}

// begins reports whether a file begins as a database of bbolt does.
func begins(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [20]byte
	_, err = io.ReadFull(f, head[:])
	return err == nil && little32(head[16:]) == magic
}

func writeError(name string, err error) *Error {
	if path := (*os.PathError)(nil); errors.As(err, &path) {
		err = path.Err
	}
	return &Error{
		fmt.Sprintf("write the state %s: %v", name, err),
		"check the disk and its free room, then run it again: the file is as it was, " +
			"and rows that it does not know are sent again",
	}
}

// guard calls do and returns its error. bbolt panics when a file is damaged, and reading a mapped page can fault: both
// become an *Error.
func guard(name string, do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged(name, fmt.Sprint(p))
		}
	}()
	return do()
}

// update commits a transaction.
func (s *State) update(do func(tx *bbolt.Tx) error) error {
	err := guard(s.name, func() error {
		s.stuck = true
		err := s.db.Update(do)
		s.stuck = false
		return err
	})
	if err == nil {
		return nil
	}
	var own *Error
	if !errors.As(err, &own) {
		own = writeError(s.name, err)
	}
	return s.fail(own)
}

// writeHolder writes who has the state open to a file beside it, and returns its name. The lock itself is bbolt's.
func writeHolder(name string) string {
	name += ".lock"
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	text := fmt.Sprintf("%d %s %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	if os.WriteFile(name, []byte(text), 0o600) != nil {
		return "" // it only serves a message
	}
	return name
}

// readHolder returns who has the state open, as the end of a sentence.
func readHolder(name string) string {
	text, err := os.ReadFile(name + ".lock")
	word := strings.Fields(string(text))
	if err != nil || len(word) != 3 {
		return " by another process"
	}
	return fmt.Sprintf(" by process %s on %s since %s", word[0], word[1], word[2])
}
