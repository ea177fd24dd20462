package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/segmentio/encoding/json"
)

// flushAt is the size in bytes from which lines are handed to the output.
const flushAt = 64 << 10

// Line is the result of one row. Key is a JSON string with its quotes, or empty.
// The other strings are left out where they are empty, Of where it is 0.
type Line struct {
	Row    int64
	Status Status
	Key    []byte
	Stage  string
	Code   string
	Column string
	Detail string
	Of     int64 // the row that this one repeats
	Job    string
	Raw    []byte // the whole line as it stands, if it is there already
}

// Writer writes result lines and counts them. It is for one goroutine at a time.
// The first error of its output is kept and nothing is written after it.
type Writer struct {
	out     io.Writer
	buf     []byte
	counts  [statuses]int64
	reasons map[reason]*Reason
	written int64
	err     error
}

type reason struct{ code, stage string }

// NewWriter returns a Writer to out.
func NewWriter(out io.Writer) *Writer {
	return &Writer{out: out, reasons: map[reason]*Reason{}}
}

// Line counts a row and writes its line.
func (w *Writer) Line(l *Line) {
	w.counts[l.Status]++
	if l.Code != "" {
		w.count(l)
	}
	if w.err != nil {
		return
	}
	if l.Raw != nil {
		w.buf = append(append(w.buf, l.Raw...), '\n')
	} else {
		w.buf = appendLine(w.buf, l)
	}
	if len(w.buf) >= flushAt {
		w.Flush()
	}
}

func (w *Writer) count(l *Line) {
	key := reason{l.Code, l.Stage}
	if r := w.reasons[key]; r != nil {
		r.Rows++
		return
	}
	w.reasons[key] = &Reason{Code: l.Code, Stage: l.Stage, Rows: 1, FirstRow: l.Row}
}

func appendLine(b []byte, l *Line) []byte {
	b = append(b, `{"type":"row","row":`...)
	b = strconv.AppendInt(b, l.Row, 10)
	b = append(b, `,"status":"`...)
	b = append(b, l.Status.String()...)
	b = append(b, '"')
	if len(l.Key) > 0 {
		b = append(b, `,"key":`...)
		b = append(b, l.Key...)
	}
	b = appendMember(b, `,"stage":`, l.Stage)
	b = appendMember(b, `,"code":`, l.Code)
	b = appendMember(b, `,"column":`, l.Column)
	b = appendMember(b, `,"detail":`, l.Detail)
	if l.Of != 0 {
		b = append(b, `,"of":`...)
		b = strconv.AppendInt(b, l.Of, 10)
	}
	b = appendMember(b, `,"job":`, l.Job)
	return append(b, '}', '\n')
}

func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, name...)
	return json.AppendEscape(b, value, 0)
}

// Flush hands all lines so far to the output and returns the first error that it ever had.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.buf) == 0 {
		return w.err
	}
	n, err := w.out.Write(w.buf)
	w.written += int64(bytes.Count(w.buf[:n], []byte{'\n'}))
	if err != nil {
		w.err = fmt.Errorf("write results: %w", err)
	}
	w.buf = w.buf[:0]
	return w.err
}

// Written returns how many rows' lines the output has taken whole.
func (w *Writer) Written() int64 { return w.written }

// Rows returns the counts of the rows so far.
func (w *Writer) Rows() Rows {
	c := &w.counts
	r := Rows{
		Applied: c[Applied], Accepted: c[Accepted], Skipped: c[Skipped], Rejected: c[Rejected],
		Unknown: c[Unknown], Unsent: c[Unsent], Valid: c[Valid],
	}
	for _, n := range c {
		r.Read += n
	}
	return r
}

// Reasons returns the codes of the rows so far, those with most rows first.
func (w *Writer) Reasons() []Reason {
	list := make([]Reason, 0, len(w.reasons))
	for _, r := range w.reasons {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.FirstRow, b.FirstRow), cmp.Compare(a.Code, b.Code))
	})
	return list
}

// Report writes r as the last line, with an empty array where a list is nil.
func (w *Writer) Report(r *Report) error {
	if err := w.Flush(); err != nil {
		return err
	}
	if r.Reasons == nil {
		r.Reasons = []Reason{}
	}
	if r.Jobs.Open == nil {
		r.Jobs.Open = []string{}
	}
	if r.Timeline == nil {
		r.Timeline = []Bucket{}
	}
	line, err := json.Append(nil, r, 0)
	if err != nil {
		return fmt.Errorf("encode the report: %v", err)
	}
	if _, err := w.out.Write(append(line, '\n')); err != nil {
		w.err = fmt.Errorf("write the report: %w", err)
	}
	return w.err
}
