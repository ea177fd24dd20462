package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/segmentio/encoding/json"
)

// maxNesting bounds the levels of a line, which is decoded recursively.
const maxNesting = 100

// ReadStream reads a result stream called name: the lines of any number of runs, one after the other, or reports without
// rows, which may be indented. It returns the merged report of these runs and notes for people on what is odd in the stream.
//
// A report counts, and not the row lines before it. Rows without a report after them are those of a run that did not come to its
// end: they are counted from their lines, as a report with the status interrupted and without times. So is a
// stream without any line. A line that a crash has cut short, at the end of the stream or directly before the next run's first line, is
// left out. Whatever else is no result line is an error. Memory does not grow with the stream.
func ReadStream(name string, in io.Reader) (*Report, []string, error) {
	s := stream{lines: newLines(in, 256<<10), rows: newTally()}
	for {
		err := s.lines.line()
		if err == nil {
			err = s.line(s.lines.rest, s.lines.cut)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	if s.open || s.merged == nil {
		s.killed()
	}
	var notes []string
	for _, note := range []string{
		s.cut.text("line %d is cut short and not counted", "%s lines are cut short and not counted, the first is line %d"),
		s.astray.text("the report in line %d is at odds with the row lines before it, and believed",
			"%s reports are at odds with the row lines before them, and believed; the first is in line %d"),
		s.end,
	} {
		if note != "" {
			notes = append(notes, name+": "+note)
		}
	}
	return s.merged, notes, nil
}

// stream gathers what the lines of a result stream say.
type stream struct {
	lines  *lines
	merged *Report // of the reports so far, nil = none
	rows   tally   // since the last report
	open   bool    // lines have come since the last report
	cut    oddity
	astray oddity // reports that do not fit their rows
	end    string // a note on the rows without a report
}

// oddity counts lines that people are told of.
type oddity struct{ lines, first int64 }

func (o *oddity) note(line int64) {
	if o.lines++; o.lines == 1 {
		o.first = line
	}
}

// text fills in one's line, or the number of several and the first one's line.
func (o *oddity) text(one, more string) string {
	switch o.lines {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(one, o.first)
	}
	return fmt.Sprintf(more, grouped(o.lines), o.first)
}

// line takes a line, or what begins as an indented object. Last is the one without a newline.
func (s *stream) line(text []byte, last bool) error {
	if row, ok := parseRow(text); ok {
		s.row(row.number, row.status, string(row.code), string(row.stage))
		return nil
	}
	n := s.lines.n
	var err error
	if len(text) == 1 && text[0] == '{' && !last {
		if text, last, err = s.indented(); err != nil {
			return err
		}
	}
	if err = s.decode(text, n); err == nil {
		return nil
	}
	if err == errNotJSON {
		err = s.pieces(text, last)
	}
	if err != nil {
		return fmt.Errorf("line %d is not a result: %w", n, err)
	}
	return nil
}

// indented reads an object of several lines, whose first is "{", up to its last, which is "}".
func (s *stream) indented() (text []byte, last bool, err error) {
	text = []byte{'{'}
	n := s.lines.n
	for len(text) < maxLine {
		if err := s.lines.line(); err == io.EOF {
			return text, true, nil
		} else if err != nil {
			return nil, false, err
		}
		text = append(text, s.lines.rest...)
		if string(s.lines.rest) == "}" {
			return text, s.lines.cut, nil
		}
	}
	return nil, false, fmt.Errorf("the object in line %d is longer than %d bytes", n, maxLine)
}

// pieces takes a line that is not JSON: it holds lines that were cut short, each followed directly by the next run's first one.
func (s *stream) pieces(text []byte, last bool) error {
	for {
		piece, next := text, []byte(nil)
		if i := bytes.Index(text[1:], begin); i >= 0 {
			piece, next = text[:i+1], text[i+1:]
		}
		err := s.decode(piece, s.lines.n)
		switch {
		case err == nil:
		case err != errNotJSON || next == nil && !last || !maybeCut(piece):
			return err
		default:
			s.cut.note(s.lines.n)
			s.open = true
		}
		if next == nil {
			return nil
		}
		text = next
	}
}

// maybeCut reports whether text can be the beginning of a result line, or what a file system leaves there after a power failure.
func maybeCut(text []byte) bool {
	text = bytes.Trim(text, "\x00")
	return len(text) == 0 || text[0] == '{'
}

// decode takes a row or a report in whatever form.
func (s *stream) decode(text []byte, n int64) error {
	if tooDeep(text) {
		return fmt.Errorf("it has more than %d nesting levels", maxNesting)
	}
	if !json.Valid(text) {
		return errNotJSON
	}
	var line struct {
		Type   string `json:"type"`
		Row    int64  `json:"row"`
		Status string `json:"status"`
		Stage  string `json:"stage"`
		Code   string `json:"code"`
	}
	if _, err := json.Parse(text, &line, json.DontMatchCaseInsensitiveStructFields); err != nil {
		return errMember
	}
	if line.Type == "report" {
		return s.report(text, n)
	}
	status, known := ParseStatus(line.Status)
	switch {
	case line.Type != "row" || line.Row < 1:
		return errType
	case !known:
		return errStatus
	}
	s.row(line.Row, status, line.Code, line.Stage)
	return nil
}

var errMember = errors.New("one of its members has the wrong type")

func (s *stream) row(number int64, status Status, code, stage string) {
	s.open = true
	s.rows.add(number, status, code, stage)
}

// report takes a report, which ends a run.
func (s *stream) report(text []byte, n int64) error {
	r := new(Report)
	if _, err := json.Parse(text, r, json.DontMatchCaseInsensitiveStructFields); err != nil {
		return errMember
	}
	if err := r.check(); err != nil {
		return err
	}
	if lines := s.rows.Rows(); lines.Read > 0 && !r.fits(lines) {
		s.astray.note(n)
	}
	s.merged = Merge(s.merged, r)
	s.rows, s.open = newTally(), false
	return nil
}

// fits reports whether r can be the report of rows with those lines. Rows that an earlier run had sent may have its lines or none.
func (r *Report) fits(lines Rows) bool {
	want := r.Rows
	want.Read -= want.Resumed
	want.Resumed = 0
	if r.Rows.Resumed == 0 {
		return lines == want
	}
	lines.subtract(want)
	return !lines.negative()
}

// killed takes the rows since the last report, whose run did not come to its end.
func (s *stream) killed() {
	r := &Report{
		Type: "report", Status: StatusOf(143), ExitCode: 143, List: &List{}, Rows: s.rows.Rows(), Reasons: s.rows.Reasons(),
	}
	s.merged = Merge(s.merged, r)
	s.end = "it ends without a report: its run did not come to its end"
	if r.Rows.Read > 0 {
		s.end = fmt.Sprintf("it ends with %s and no report: their run did not come to its end", numbered(r.Rows.Read, "row line"))
	}
}

// tooDeep reports whether brackets outside of strings go deeper than maxNesting.
func tooDeep(text []byte) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := endOfString(text[i+1:])
			if end < 0 {
				return false
			}
			i += end + 1
		case '{', '[':
			if depth++; depth > maxNesting {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// rowLine is what a row line says.
type rowLine struct {
	number      int64
	status      Status
	stage, code []byte
}

// parseRow reads a row line as Writer writes it, to its last byte. It is not ok with others, which may be rows all the same.
func parseRow(text []byte) (r rowLine, ok bool) {
	rest, ok := bytes.CutPrefix(text, beginRow)
	if !ok {
		return r, false
	}
	for len(rest) > 0 && '0' <= rest[0] && rest[0] <= '9' && r.number < maxCount {
		r.number = r.number*10 + int64(rest[0]-'0')
		rest = rest[1:]
	}
	rest, ok = bytes.CutPrefix(rest, inStatus)
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 0 || r.number < 1 {
		return r, false
	}
	if r.status, ok = ParseStatus(string(rest[:end])); !ok {
		return r, false
	}
	for rest = rest[end+1:]; ; {
		if len(rest) <= 1 {
			return r, string(rest) == "}"
		}
		var name, value []byte
		if name, value, rest, ok = parseMember(rest); !ok {
			return r, false
		}
		switch string(name) {
		case "code":
			r.code = value
		case "stage":
			r.stage = value
		case "type", "row", "status":
			return r, false
		}
	}
}

// parseMember reads a comma and a member whose value is an integer or a string without escapes, or with ones that do not matter.
func parseMember(text []byte) (name, value, rest []byte, ok bool) {
	if name, ok = bytes.CutPrefix(text, []byte(`,"`)); !ok {
		return
	}
	end := bytes.IndexByte(name, '"')
	if end < 0 || len(name) < end+3 || name[end+1] != ':' {
		return nil, nil, nil, false
	}
	name, rest = name[:end], name[end+2:]
	if rest[0] != '"' {
		end = bytes.IndexAny(rest, ",}")
		return name, nil, rest[max(end, 0):], end > 0 && strings.Trim(string(rest[:end]), "0123456789") == ""
	}
	if end = endOfString(rest[1:]); end < 0 {
		return nil, nil, nil, false
	}
	value, rest = rest[1:end+1], rest[end+2:]
	plain := string(name) != "code" && string(name) != "stage" || bytes.IndexByte(value, '\\') < 0
	return name, value, rest, plain
}
