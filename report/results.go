package report

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/segmentio/encoding/json"
)

const (
	// maxLine bounds a line of results, in bytes.
	maxLine = 4 << 20
	// maxRuns bounds how often the rows of results may begin anew. Each beginning costs a buffer of 16 KiB.
	maxRuns = 1000
)

// Results looks up what earlier results say of rows, which are asked for in ascending order. The results may be those of
// several runs of one job, one after the other: then the last line of a row counts. It is for one goroutine at a time and
// takes memory for the number of runs, not of rows.
type Results struct {
	runs []*cursor
	last int64
}

// cursor reads the lines of one run, whose rows ascend.
type cursor struct {
	lines lines
	entry entry // the next row's, its Row is 0 when there is none
}

// entry is what a result line says of a row.
type entry struct {
	row    int64
	status Status
	key    []byte // a JSON string, or empty; valid until the next line is read
}

// OpenResults finds the runs in results of that size. Lines that a crash has cut short are passed over, even where a later
// run's first line follows them directly; anything else that is no result line is an error.
func OpenResults(results io.ReaderAt, size int64) (*Results, error) {
	r := new(Results)
	all := newLines(io.NewSectionReader(results, 0, size), 256<<10)
	var begins []int64
	last := int64(0)
	for {
		e, at, err := all.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if e.row <= last || begins == nil {
			begins = append(begins, at)
		}
		if len(begins) > maxRuns {
			return nil, fmt.Errorf("its rows are not in order: they begin anew more than %d times", maxRuns)
		}
		last = e.row
		r.last = max(r.last, e.row)
	}
	for i, begin := range begins {
		end := size
		if i+1 < len(begins) {
			end = begins[i+1]
		}
		c := &cursor{lines: *newLines(io.NewSectionReader(results, begin, end-begin), 16<<10)}
		if err := c.advance(); err != nil {
			return nil, err
		}
		r.runs = append(r.runs, c)
	}
	return r, nil
}

// Last returns the greatest row number in the results.
func (r *Results) Last() int64 { return r.last }

// Of returns the status that a row has last had, and its key as a JSON string, if the line has one, which is valid until the next call.
// Rows are asked for in ascending order. ok is false where the results do not speak of the row.
func (r *Results) Of(row int64) (status Status, key []byte, ok bool, err error) {
	for _, c := range r.runs {
		for c.entry.row != 0 && c.entry.row < row {
			if err := c.advance(); err != nil {
				return 0, nil, false, err
			}
		}
		if c.entry.row == row {
			status, key, ok = c.entry.status, c.entry.key, true
		}
	}
	return status, key, ok, nil
}

func (c *cursor) advance() error {
	e, _, err := c.lines.next()
	if err != nil && err != io.EOF {
		return err
	}
	c.entry = e
	return nil
}

// lines reads the result lines of rows.
type lines struct {
	in   *bufio.Reader
	long []byte // a line that is longer than the buffer
	at   int64  // offset of the next line
	n    int64  // number of the last line
	rest []byte // what follows the last entry in its line
	from int64  // offset of rest
	cut  bool   // rest has no newline
}

func newLines(in io.Reader, size int) *lines { return &lines{in: bufio.NewReaderSize(in, size)} }

var (
	begin    = []byte(`{"type":"`)
	beginRow = []byte(`{"type":"row","row":`)
	inStatus = []byte(`,"status":"`)
	inKey    = []byte(`,"key":"`)
)

// next returns the next row's entry and where its line begins, with io.EOF after the last.
func (l *lines) next() (entry, int64, error) {
	for {
		if len(l.rest) == 0 {
			if err := l.line(); err != nil {
				return entry{}, 0, err
			}
		}
		// Only the beginning of a line of ours holds these bytes as they are: a second one is a line that follows a cut one.
		text, at := l.rest, l.from
		glued := false
		if i := bytes.Index(text[1:], begin); i >= 0 {
			text, glued = text[:i+1], true
		}
		l.rest, l.from = l.rest[len(text):], l.from+int64(len(text))
		e, err := parse(text, glued || l.cut)
		cut := bytes.HasPrefix(text, begin) || bytes.HasPrefix(begin, text)
		if err != nil && (err != errNotJSON || !glued && !l.cut && !cut) {
			return entry{}, 0, fmt.Errorf("line %d is not a result: %w", l.n, err)
		}
		if err == nil && e.row > 0 {
			return e, at, nil
		}
	}
}

// line reads the next line that is not blank into rest.
func (l *lines) line() error {
	for {
		text, err := l.in.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			l.long = append(l.long[:0], text...)
			for err == bufio.ErrBufferFull && len(l.long) <= maxLine {
				text, err = l.in.ReadSlice('\n')
				l.long = append(l.long, text...)
			}
			text = l.long
		}
		if err == bufio.ErrBufferFull || len(text) > maxLine {
			return fmt.Errorf("line %d is longer than %d bytes", l.n+1, maxLine)
		}
		if err != nil && (err != io.EOF || len(text) == 0) {
			return err
		}
		l.n++
		l.cut = err == io.EOF
		l.from = l.at
		l.at += int64(len(text))
		if l.rest = bytes.TrimRight(text, " \t\r\n"); len(l.rest) > 0 {
			return nil
		}
	}
}

var (
	errNotJSON = errors.New("it is not JSON")
	errType    = errors.New(`its type is neither "row" nor "report"`)
	errStatus  = errors.New("its status is unknown")
)

// parse reads a line. The entry of a report has the row 0. Lines as Writer writes them are not decoded, unless they are in doubt.
func parse(text []byte, doubtful bool) (entry, error) {
	if doubtful && !json.Valid(text) {
		return entry{}, errNotJSON
	}
	if e, ok := parseOwn(text); ok {
		return e, nil
	}
	var line struct {
		Type   string          `json:"type"`
		Row    int64           `json:"row"`
		Status string          `json:"status"`
		Key    json.RawMessage `json:"key"`
	}
	if json.Unmarshal(text, &line) != nil {
		return entry{}, errNotJSON
	}
	if line.Type == "report" {
		return entry{}, nil
	}
	status, known := ParseStatus(line.Status)
	switch {
	case line.Type != "row" || line.Row < 1:
		return entry{}, errType
	case !known:
		return entry{}, errStatus
	}
	return entry{line.Row, status, line.Key}, nil
}

// parseOwn reads a line as Writer writes it. ok is false for others.
func parseOwn(text []byte) (e entry, ok bool) {
	rest, found := bytes.CutPrefix(text, beginRow)
	end := bytes.IndexByte(rest, ',')
	if !found || end < 0 || end > 18 || text[len(text)-1] != '}' {
		return e, false
	}
	for _, c := range rest[:end] {
		if c < '0' || c > '9' {
			return e, false
		}
		e.row = e.row*10 + int64(c-'0')
	}
	rest, found = bytes.CutPrefix(rest[end:], inStatus)
	end = bytes.IndexByte(rest, '"')
	if !found || end < 0 || e.row < 1 {
		return e, false
	}
	if e.status, ok = ParseStatus(string(rest[:end])); !ok {
		return e, false
	}
	if rest, found = bytes.CutPrefix(rest[end+1:], inKey); found {
		end = endOfString(rest)
		e.key = text[len(text)-len(rest)-1:][:end+2]
		ok = end >= 0
	}
	return e, ok
}

// endOfString returns where the quote stands that ends a JSON string, whose first quote is before text.
func endOfString(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// Final reports whether rows of that status are not to be sent again.
func (s Status) Final() bool {
	return slices.Contains([]Status{Applied, Accepted, Skipped, Rejected}, s)
}
