package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// rowSet is a number of generated rows, in files.
type rowSet struct {
	count    int
	mixed    string // the file of rows, some of them bad
	expected string // the file with the status that each of them must get
	clean    string // the file with the same people and no bad rows, for programs that stop at a bad row

	bytes    int64 // of mixed
	nonASCII int64 // rows of mixed
	valid    int64 // rows of mixed that must be sent
	bad      int64 // rows of mixed that must be rejected
}

// generate runs the generator gen and writes so many rows into files in dir.
func generate(ctx context.Context, gen, dir string, rows int) (*rowSet, error) {
	n := strconv.Itoa(rows)
	set := &rowSet{
		count: rows,
		mixed: filepath.Join(dir, "mixed-"+n), expected: filepath.Join(dir, "expected-"+n),
		clean: filepath.Join(dir, "clean-"+n),
	}
	err := toFile(exec.CommandContext(ctx, gen, "-n", n, "-expect", set.expected), set.mixed)
	if err == nil && rows <= mostForAll {
		err = toFile(exec.CommandContext(ctx, gen, "-n", n, "-bad", "0"), set.clean)
	}
	if err != nil {
		return nil, err
	}
	return set, errors.Join(set.describe(), set.expect())
}

// remove removes the files.
func (set *rowSet) remove() {
	for _, name := range []string{set.mixed, set.expected, set.clean} {
		_ = os.Remove(name)
	}
}

// toFile runs cmd and writes its output to a new file.
func toFile(cmd *exec.Cmd, name string) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	cmd.Stdout = file
	if err := errors.Join(cmd.Run(), file.Close()); err != nil {
		return fmt.Errorf("make rows with %s: %w", cmd, err)
	}
	return nil
}

// describe counts bytes, and rows with characters outside ASCII.
func (set *rowSet) describe() error {
	other := false
	return pieces(set.mixed, func(piece []byte, ends bool) {
		set.bytes += int64(len(piece))
		for _, c := range piece {
			other = other || c >= 0x80
		}
		if ends && other {
			set.nonASCII++
		}
		other = other && !ends
	})
}

// expect counts the rows that must be sent, and the bad rows.
func (set *rowSet) expect() error {
	return pieces(set.expected, func(line []byte, _ bool) {
		switch status(line) {
		case "valid":
			set.valid++
		case "rejected":
			set.bad++
		}
	})
}

// pieces calls each with every line of a file, newline included. A line of more than 64 KiB comes in several
// pieces; ends is true for its last one.
func pieces(name string, each func(piece []byte, ends bool)) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 64<<10)
	for {
		piece, err := in.ReadSlice('\n')
		if err == io.EOF && len(piece) == 0 {
			return nil
		}
		if err != nil && err != bufio.ErrBufferFull && err != io.EOF {
			return fmt.Errorf("read %s: %w", name, err)
		}
		each(piece, err != bufio.ErrBufferFull)
	}
}

var beforeStatus = []byte(`"status":"`)

// status returns the status in a line of results or expectations, or "" if the line has none.
func status(line []byte) string {
	i := bytes.Index(line, beforeStatus)
	if i < 0 {
		return ""
	}
	value, _, _ := bytes.Cut(line[i+len(beforeStatus):], []byte{'"'})
	return string(value)
}

// accuracy compares the results of a run with the expectations.
type accuracy struct {
	lines    int64 // results of rows
	accepted int64
	lost     int64 // good rows that were not accepted
	leaked   int64 // bad rows and duplicates that were accepted
}

// score compares the results of all rows with the expectations, both in files.
func score(results, expected string) (accuracy, error) {
	var j accuracy
	file, err := os.Open(expected)
	if err != nil {
		return j, err
	}
	defer file.Close()
	wanted := bufio.NewReaderSize(file, 64<<10)
	var broken error
	err = pieces(results, func(line []byte, _ bool) {
		if !bytes.HasPrefix(line, []byte(`{"type":"row",`)) {
			return
		}
		want, err := wanted.ReadSlice('\n')
		if err != nil {
			broken = fmt.Errorf("result %d has no expectation: %w", j.lines+1, err)
			return
		}
		j.lines++
		sent, good := status(line) == "accepted", status(want) == "valid"
		switch {
		case sent && good:
			j.accepted++
		case sent:
			j.accepted++
			j.leaked++
		case good:
			j.lost++
		}
	})
	return j, errors.Join(err, broken)
}
