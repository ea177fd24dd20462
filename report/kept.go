package report

import (
	"fmt"
	"io"
	"os"
)

// kept reads results that may be read a second time. What cannot be read twice, like a pipe, is copied to a temporary
// file on the way.
type kept struct {
	in   io.Reader
	at   *io.SectionReader // what can be read twice as it is, or nil
	copy *os.File          // nil where there is none
	size int64             // of the copy
	err  error             // of the copy: it matters only where it is needed
}

// keep begins to read in.
func keep(in io.Reader) *kept {
	k := &kept{in: in}
	switch in := in.(type) {
	case *io.SectionReader:
		k.at = in
	case *os.File:
		if state, err := in.Stat(); err == nil && state.Mode().IsRegular() {
			if at, err := in.Seek(0, io.SeekCurrent); err == nil {
				k.at = io.NewSectionReader(in, at, max(state.Size()-at, 0))
			}
		}
	}
	if k.at != nil {
		k.in = k.at
		return k
	}
	if k.copy, k.err = os.CreateTemp("", "klaviyo-export-"); k.err == nil {
		_ = os.Remove(k.copy.Name()) // close removes it where an open file cannot be removed
	}
	return k
}

func (k *kept) Read(p []byte) (int, error) {
	n, err := k.in.Read(p)
	if k.at == nil && k.err == nil {
		if _, k.err = k.copy.Write(p[:n]); k.err != nil {
			k.close() // the space may be short
		}
		k.size += int64(n)
	}
	return n, err
}

// again returns what was read so far, for reading it again.
func (k *kept) again() (*io.SectionReader, error) {
	switch {
	case k.at != nil:
		return k.at, nil
	case k.err != nil:
		return nil, fmt.Errorf("keep a copy of the results: %w", k.err)
	}
	return io.NewSectionReader(k.copy, 0, k.size), nil
}

// all returns everything.
func (k *kept) all() (*io.SectionReader, error) {
	if k.at != nil {
		return k.at, nil
	}
	if _, err := io.Copy(io.Discard, k); err != nil {
		return nil, fmt.Errorf("keep a copy of the results: %w", err)
	}
	return k.again()
}

// close frees the copy.
func (k *kept) close() {
	if k.copy != nil {
		_ = k.copy.Close()
		_ = os.Remove(k.copy.Name())
		k.copy = nil
	}
}
