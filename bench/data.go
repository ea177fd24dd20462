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

// data is one size of the rows, in files.
type data struct {
	rows     int
	mixed    string // as they come, some of them bad
	expected string // what a right tool says of each of those
	clean    string // the same people without bad rows, for programs that stop at the first one

	bytes    int64 // of mixed
	nonASCII int64 // rows of mixed
	valid    int64 // rows of mixed that should be sent
	bad      int64 // rows of mixed that should be rejected
}

// makeData has the generator make so many rows in a folder.
func makeData(ctx context.Context, gen, dir string, rows int) (*data, error) {
	n := strconv.Itoa(rows)
	d := &data{
		rows:  rows,
		mixed: filepath.Join(dir, "mixed-"+n), expected: filepath.Join(dir, "expected-"+n), clean: filepath.Join(dir, "clean-"+n),
	}
	err := toFile(exec.CommandContext(ctx, gen, "-n", n, "-expect", d.expected), d.mixed)
	if err == nil && rows <= mostForAll {
		err = toFile(exec.CommandContext(ctx, gen, "-n", n, "-bad", "0"), d.clean)
	}
	if err != nil {
		return nil, err
	}
	return d, errors.Join(d.describe(), d.expect())
}

// free removes the files.
func (d *data) free() {
	for _, name := range []string{d.mixed, d.expected, d.clean} {
		_ = os.Remove(name)
	}
}

// toFile runs cmd with a new file as its output.
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

// describe counts bytes and rows with other characters than ASCII.
func (d *data) describe() error {
	other := false
	return pieces(d.mixed, func(piece []byte, ends bool) {
		d.bytes += int64(len(piece))
		for _, c := range piece {
			other = other || c >= 0x80
		}
		if ends && other {
			d.nonASCII++
		}
		other = other && !ends
	})
}

// expect counts the rows that should be sent, and the bad ones.
func (d *data) expect() error {
	return pieces(d.expected, func(line []byte, _ bool) {
		switch status(line) {
		case "valid":
			d.valid++
		case "rejected":
			d.bad++
		}
	})
}

// pieces calls each for a file's lines, with their newlines; lines that are longer than a buffer come in pieces, of which
// the last ends.
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

// status returns the status in a line of results or expectations, "" where there is none.
func status(line []byte) string {
	i := bytes.Index(line, beforeStatus)
	if i < 0 {
		return ""
	}
	value, _, _ := bytes.Cut(line[i+len(beforeStatus):], []byte{'"'})
	return string(value)
}

// judgement is how results compare with what was expected of them.
type judgement struct {
	lines    int64 // with a row's result
	accepted int64
	lost     int64 // good rows that were not accepted
	leaked   int64 // bad rows and duplicates that were
}

// judge compares the results of all rows with the expectations.
func judge(results, expected string) (judgement, error) {
	var j judgement
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
