package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/validate"
)

// What one import takes, and how it begins and ends.
const (
	mostRows  = 10_000
	mostBytes = 4_900_000
	opening   = `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[`
	closing   = `]}},"relationships":{"lists":{"data":[{"type":"list","id":"` + list + `"}]}}}}`
)

// plain is the whole job without concurrency, retries or limits: rows are checked, looked for among the earlier ones, gathered,
// sent, and get their result lines. Its memory grows with the rows.
type plain struct {
	url     string
	checker *validate.Checker
	results *report.Writer
	room    []byte // headroom for the garbage collector
	seen    map[[2]uint64]int64
	rows    int64 // that have a result
	body    []byte
	sent    int // profiles in body
	keys    []byte
	waiting []waiting // rows that have none yet
}

// waiting is a row whose batch is not full.
type waiting struct {
	key   int // where its key ends in keys
	fault *validate.Fault
	of    int64 // the earlier row that it repeats
}

func newPlain(url string, out io.Writer) (*plain, error) {
	checker, err := validate.New(validate.Options{})
	return &plain{url: url, checker: checker, results: report.NewWriter(out), seen: map[[2]uint64]int64{}, body: []byte(opening), room: make([]byte, 96<<20)}, err
}

// floor is the least that the whole job costs: all of it in one goroutine, over blocks of 256 KiB.
func floor(_ context.Context, args []string, std stdio) error {
	j, err := plainCommand("floor", args, std)
	if err != nil {
		return err
	}
	return j.inSequence(std.in)
}

// items is the whole job in three goroutines that hand each other rows one by one.
func items(_ context.Context, args []string, std stdio) error {
	j, err := plainCommand("items", args, std)
	if err != nil {
		return err
	}
	return j.byItems(std.in)
}

func plainCommand(name string, args []string, std stdio) (*plain, error) {
	debug.SetGCPercent(5) // with the headroom as klaviyo-export does
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	url := flags.String("url", "", "the server's URL")
	if err := parse(flags, args, std); err != nil {
		return nil, err
	}
	return newPlain(*url, std.out)
}

func (j *plain) inSequence(in io.Reader) error {
	var rows validate.Rows
	var scratch validate.Scratch
	text := make([]byte, 0, 256<<10)
	for ended := false; !ended; {
		if len(text) == cap(text) {
			text = slices.Grow(text, cap(text))
		}
		n, err := in.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if ended = err == io.EOF; err != nil && !ended {
			return err
		}
		whole := bytes.LastIndexByte(text, '\n') + 1
		if ended {
			whole = len(text)
		}
		rows.Reset()
		j.checker.Check(text[:whole], ended, &scratch, &rows)
		for i := range rows.Rows {
			if err := j.add(&rows.Rows[i], rows.Data); err != nil {
				return err
			}
		}
		text = text[:copy(text, text[whole:])]
	}
	return j.flush()
}

// item is one checked row. data is its own.
type item struct {
	row  validate.Row
	data []byte
}

func (j *plain) byItems(in io.Reader) error {
	lines, checked := make(chan []byte, 1024), make(chan item, 1024)
	var broken error
	go func() { // ends with the input; the next one waits for it
		defer close(lines)
		for from := bufio.NewReaderSize(in, 256<<10); ; {
			line, err := from.ReadBytes('\n')
			lines <- line
			if err != nil {
				if err != io.EOF {
					broken = err
				}
				return
			}
		}
	}()
	go func() { // ends with lines; the loop below waits for it
		defer close(checked)
		var rows validate.Rows
		var scratch validate.Scratch
		for line := range lines {
			rows.Reset()
			j.checker.Check(line, !bytes.HasSuffix(line, []byte{'\n'}), &scratch, &rows)
			for _, row := range rows.Rows {
				checked <- item{row, bytes.Clone(rows.Data)}
			}
		}
	}()
	var failed error
	for i := range checked {
		if failed == nil {
			failed = j.add(&i.row, i.data)
		}
	}
	if err := errors.Join(failed, broken); err != nil {
		return err
	}
	return j.flush()
}

// add takes the next row. data holds it.
func (j *plain) add(row *validate.Row, data []byte) error {
	profile := data[row.Start:row.End]
	if j.sent == mostRows || len(j.body)+len(profile)+len(closing)+1 > mostBytes {
		if err := j.send(); err != nil {
			return err
		}
	}
	number := j.rows + int64(len(j.waiting)) + 1
	w := waiting{fault: row.Fault}
	if row.Fault == nil {
		if of, met := j.seen[row.Identity]; met {
			w.of = of
		} else {
			j.seen[row.Identity] = number
			j.body = append(append(j.body, profile...), ',')
			j.sent++
		}
	}
	j.keys = append(j.keys, data[row.KeyStart:row.KeyEnd]...)
	w.key = len(j.keys)
	j.waiting = append(j.waiting, w)
	return nil
}

// send sends what is in the body and writes the results of the rows that wait.
func (j *plain) send() error {
	job := ""
	if j.sent > 0 {
		var err error
		if job, err = j.post(append(j.body[:len(j.body)-1], closing...)); err != nil {
			return err
		}
	}
	start := 0
	for _, w := range j.waiting {
		j.rows++
		line := report.Line{Row: j.rows, Key: j.keys[start:w.key], Status: report.Accepted, Job: job}
		switch {
		case w.fault != nil:
			line.Job, line.Status, line.Stage = "", report.Rejected, "validate"
			line.Code, line.Column, line.Detail = string(w.fault.Code), w.fault.Column, w.fault.Detail
		case w.of > 0:
			line.Job, line.Status, line.Code, line.Of = "", report.Skipped, "duplicate", w.of
		}
		j.results.Line(&line)
		start = w.key
	}
	j.body, j.sent, j.keys, j.waiting = append(j.body[:0], opening...), 0, j.keys[:0], j.waiting[:0]
	return nil
}

// post sends a body and returns the job's id.
func (j *plain) post(body []byte) (string, error) {
	res, err := http.Post(j.url+"/api/profile-bulk-import-jobs", "application/vnd.api+json", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var doc struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	text, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	if err != nil || res.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("import %d profiles: %s: %v", j.sent, res.Status, err)
	}
	return doc.Data.ID, nil
}

// flush sends what is left and hands the last results to the output.
func (j *plain) flush() error {
	if err := j.send(); err != nil {
		return err
	}
	return j.results.Flush()
}
