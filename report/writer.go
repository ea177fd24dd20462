package report

import (
	"bytes"
	"fmt"
	"io"
	"strconv"

	"github.com/segmentio/encoding/json"
)

// flushAt is the number of bytes from which Writer passes its lines on to the output.
const flushAt = 64 << 10

// Line is the result of one row. Key is a JSON string with its quotes, or empty. Empty strings are left out, and so
// is an Of of 0.
type Line struct {
	Row    int64
	Status Status
	Key    []byte
	Stage  string
	Code   string
	Column string
	Detail string
	Of     int64  // the row that this one repeats
	List   string // the id of the row's list, where rows name their lists
	Job    string
	// Profiles is how many profiles a removal removed for the row, where they are several.
	Profiles int
	// Dropped names the columns whose values the row's profile went without.
	Dropped  []string
	ReadBack *ReadBack // nil for a row that was not to be read back
	Consent  *Consent  // nil for a row without one
	Raw      []byte    // the whole line without its newline; when set, the other fields only count
}

// Writer writes result lines and counts them. It is for one goroutine at a time. It keeps the first error of its
// output and writes nothing after it.
type Writer struct {
	tally
	out     io.Writer
	buf     []byte
	job     string // of the last line that has one
	jobText []byte // the member with it
	last    int64  // row of the last line in buf
	written int64  // row of the last line that the output accepted
	err     error
}

// NewWriter returns a Writer that writes to out.
func NewWriter(out io.Writer) *Writer {
	return &Writer{out: out, tally: newTally()}
}

// Line counts a row and, unless it is Resumed, writes its line.
func (w *Writer) Line(l *Line) {
	if first := w.tally.add(l.Row, l.Status, l.Code, l.Stage); first != nil {
		first.describe(l.texts())
	}
	if len(l.Dropped) > 0 {
		w.tally.drop(l.Status, l.Dropped)
	}
	if l.List != "" {
		w.tally.list(l.Status, l.List)
	}
	if l.ReadBack != nil {
		w.tally.readBack(l)
	}
	if l.Consent != nil {
		w.tally.consent.count(l.Consent)
	}
	if l.Status == Resumed || w.err != nil {
		return
	}
	if l.Raw != nil {
		w.buf = append(append(w.buf, l.Raw...), '\n')
	} else {
		w.appendLine(l)
	}
	w.last = l.Row
	if len(w.buf) >= flushAt {
		w.Flush()
	}
}

// Member writes the line of a member. It is no row, and counts nowhere.
func (w *Writer) Member(m *Member) {
	if w.err != nil {
		return
	}
	if w.buf = m.append(w.buf); len(w.buf) >= flushAt {
		w.Flush()
	}
}

// appendLine appends a line to buf.
func (w *Writer) appendLine(l *Line) {
	b := append(w.buf, `{"type":"row","row":`...)
	b = strconv.AppendInt(b, l.Row, 10)
	b = append(b, `,"status":"`...)
	b = append(b, l.Status.String()...)
	if len(l.Key) > 0 {
		b = append(b, `","key":`...)
		b = append(b, l.Key...)
	} else {
		b = append(b, '"')
	}
	b = appendMember(b, `,"stage":`, l.Stage)
	b = appendMember(b, `,"code":`, l.Code)
	b = appendMember(b, `,"column":`, l.Column)
	b = appendMember(b, `,"detail":`, l.Detail)
	if l.Of != 0 {
		b = append(b, `,"of":`...)
		b = strconv.AppendInt(b, l.Of, 10)
	}
	b = appendMember(b, `,"list":`, l.List)
	if l.Job != "" {
		if l.Job != w.job { // thousands of rows have the same one
			w.job, w.jobText = l.Job, appendMember(w.jobText[:0], `,"job":`, l.Job)
		}
		b = append(b, w.jobText...)
	}
	if l.Profiles != 0 {
		b = append(b, `,"profiles":`...)
		b = strconv.AppendInt(b, int64(l.Profiles), 10)
	}
	for i, column := range l.Dropped {
		if i == 0 {
			b = append(b, `,"dropped":[`...)
		} else {
			b = append(b, ',')
		}
		b = json.AppendEscape(b, column, 0)
	}
	if len(l.Dropped) > 0 {
		b = append(b, ']')
	}
	if l.ReadBack != nil {
		b = l.ReadBack.Append(b)
	}
	if l.Consent != nil {
		b = l.Consent.append(b)
	}
	w.buf = append(b, '}', '\n')
}

func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, name...)
	from := len(b)
	return shown(json.AppendEscape(b, value, 0), from)
}

// Flush passes all lines so far on to the output. It returns the first error of the output.
func (w *Writer) Flush() error {
	if w.err != nil || len(w.buf) == 0 {
		return w.err
	}
	n, err := w.out.Write(w.buf)
	if err == nil {
		w.written = w.last
	} else {
		w.written = max(w.written, lastRow(w.buf[:n]))
		w.err = fmt.Errorf("write results: %w", err)
	}
	w.buf = w.buf[:0]
	return w.err
}

// lastRow returns the row of the last row's line in text that is whole, 0 when there is none.
func lastRow(text []byte) int64 {
	for end := bytes.LastIndexByte(text, '\n'); end >= 0; {
		text = text[:end]
		end = bytes.LastIndexByte(text, '\n')
		if e, _ := parse(text[end+1:]); e.Row > 0 {
			return e.Row
		}
	}
	return 0
}

// Written returns the row of the last line that the output accepted in full, 0 when there is none.
func (w *Writer) Written() int64 { return w.written }

// Report writes r as the last line, with its texts cut. A nil list becomes an empty array.
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
	r.shorten()
	line, err := json.Append(nil, r, json.SortMapKeys)
	if err != nil {
		return fmt.Errorf("encode the report: %v", err)
	}
	if _, err := w.out.Write(append(shown(line, 0), '\n')); err != nil {
		w.err = fmt.Errorf("write the report: %w", err)
	}
	return w.err
}
