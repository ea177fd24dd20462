package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// spool is input that is read twice. The first reading copies a pipe to a temporary file, which only this user can
// read. Where the system allows it, the file has no name. A regular file is not copied.
type spool struct {
	in        io.Reader
	file      *os.File // from which it is read again
	from      int64
	size      atomic.Int64 // of what was read first; a Read may still go on after the run has stopped reading
	whole     int64        // size of a regular file
	temporary bool
	since     time.Time // when a regular file was written last
}

// newSpool returns the spool of in. If in is a file, it has what is there now: lines that are appended later are not
// read.
func newSpool(in io.Reader) (*spool, error) {
	if f, ok := in.(*os.File); ok {
		if state, err := f.Stat(); err == nil && state.Mode().IsRegular() {
			if at, err := f.Seek(0, io.SeekCurrent); err == nil {
				size := max(state.Size()-at, 0)
				return &spool{in: io.NewSectionReader(f, at, size), file: f, from: at, whole: size,
					since: state.ModTime()}, nil
			}
		}
	}
	f, err := temporary()
	if err != nil {
		return nil, spoolError(err)
	}
	return &spool{in: in, file: f, temporary: true}, nil
}

// temporary returns a temporary file, which only this user can read, without a name where the system allows that.
func temporary() (*os.File, error) {
	f, err := os.CreateTemp("", "klaviyo-export-")
	if err == nil {
		_ = os.Remove(f.Name()) // removeTemporary does it where an open file cannot be removed
	}
	return f, err
}

// removeTemporary closes and removes a temporary file.
func removeTemporary(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// Read reads the input for the first time.
func (s *spool) Read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if !s.temporary {
		s.size.Add(int64(n))
		return n, err
	}
	written, failed := s.file.Write(p[:n])
	s.size.Add(int64(written))
	if failed != nil {
		return written, spoolError(failed)
	}
	return n, err
}

func spoolError(err error) error {
	return &Error{
		Text: fmt.Sprintf("keep a copy of the input: %v", err),
		Hint: "the copy needs as much room as the input: set TMPDIR to a folder that has it, " +
			"or read from a file instead of a pipe",
		cause: err,
	}
}

// readWhole reads the input to its end for the first time, a regular file without looking at it.
func (s *spool) readWhole(ctx context.Context) error {
	if !s.temporary {
		s.size.Store(s.whole)
		return nil
	}
	_, err := io.Copy(io.Discard, untilDone(ctx, s))
	return err
}

// again returns what was read first.
func (s *spool) again() *io.SectionReader { return io.NewSectionReader(s.file, s.from, s.size.Load()) }

// changed reports whether a regular file was written since it was opened.
func (s *spool) changed() bool {
	if s.temporary {
		return false
	}
	state, err := s.file.Stat()
	return err != nil || !state.ModTime().Equal(s.since) || state.Size() < s.from+s.whole
}

// unended reports whether the last line of what was read first has no newline.
func (s *spool) unended() bool {
	var last [1]byte
	n, _ := s.file.ReadAt(last[:], s.from+s.size.Load()-1)
	return n == 1 && last[0] != '\n'
}

// announced reports whether the last line is an announcement alone.
func (s *spool) announced() bool {
	var last [2 << 10]byte // a run waits for at most a day
	n := min(int64(len(last)), s.size.Load())
	_, _ = s.file.ReadAt(last[:n], s.from+s.size.Load()-n)
	line := last[bytes.LastIndexByte(last[:n], '\n')+1 : n]
	return string(bytes.TrimRight(line, " ")) == announcement
}

func (s *spool) Close() {
	if s.temporary {
		removeTemporary(s.file)
	}
}
