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

// The limits of one import, and how its body begins and ends.
const (
	mostRows  = 10_000
	mostBytes = 4_900_000
	opening   = `{"data":{"type":"profile-bulk-import-job","attributes":{"profiles":{"data":[`
	closing   = `]}},"relationships":{"lists":{"data":[{"type":"list","id":"` + list + `"}]}}}}`
)

// plain is a whole run without concurrency, retries or rate limits. It checks rows, skips duplicates, sends batches
// and writes result lines. Its memory grows with the number of rows.
type plain struct {
	url     string
	checker *validate.Checker
	results *report.Writer
	room    []byte // memory that delays the garbage collector, as klaviyo-export delays it
	seen    map[[2]uint64]int64
	rows    int64 // rows with a result
	body    []byte
	sent    int // profiles in body
	keys    []byte
	waiting []waiting // rows without a result
}

// waiting is a row whose batch is not sent yet.
type waiting struct {
	key   int // end of its key in keys
	fault *validate.Fault
	of    int64 // the earlier row with the same identifier, or 0
}

func newPlain(url string, out io.Writer) (*plain, error) {
	checker, err := validate.New(validate.Options{})
	return &plain{
		url: url, checker: checker, results: report.NewWriter(out),
		seen: map[[2]uint64]int64{}, body: []byte(opening), room: make([]byte, 96<<20),
	}, err
}

// floor does a whole run in one goroutine, over blocks of 256 KiB. That is the least that a run can cost.
func floor(_ context.Context, args []string, std stdio) error {
	j, err := plainCommand("floor", args, std)
	if err != nil {
		return err
	}
	return j.inSequence(std.in)
}

// rowwise does a whole run in three goroutines that hand over single rows.
func rowwise(_ context.Context, args []string, std stdio) error {
	j, err := plainCommand("rowwise", args, std)
	if err != nil {
		return err
	}
	return j.rowwise(std.in)
}

func plainCommand(name string, args []string, std stdio) (*plain, error) {
	debug.SetGCPercent(5) // together with room, the collector runs about as often as in klaviyo-export
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

// checked is a row with data of its own.
type checked struct {
	row  validate.Row
	data []byte
}

func (j *plain) rowwise(in io.Reader) error {
	lines, rows := make(chan []byte, 1024), make(chan checked, 1024)
	var broken error
	go func() { // ends with the input; the next goroutine waits for it
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
		defer close(rows)
		var out validate.Rows
		var scratch validate.Scratch
		for line := range lines {
			out.Reset()
			j.checker.Check(line, !bytes.HasSuffix(line, []byte{'\n'}), &scratch, &out)
			for _, row := range out.Rows {
				rows <- checked{row, bytes.Clone(out.Data)}
			}
		}
	}()
	var failed error
	for c := range rows {
		if failed == nil {
			failed = j.add(&c.row, c.data)
		}
	}
	if err := errors.Join(failed, broken); err != nil {
		return err
	}
	return j.flush()
}

// add adds the next row, whose key and profile are parts of data, and first sends the batch if it is full.
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

// send sends the batch and writes the results of the waiting rows.
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

// post sends a body and returns the id of its import job.
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

// flush sends the last batch and writes the last results.
func (j *plain) flush() error {
	if err := j.send(); err != nil {
		return err
	}
	return j.results.Flush()
}
