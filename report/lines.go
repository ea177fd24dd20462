package report

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// maxLine and maxReport bound the length of a row's line and of a report's line in bytes. A report may name many open
// jobs.
const maxLine, maxReport = 4 << 20, 64 << 20

// Lines reads the lines of results. It skips lines that a crash cut short, even where a later run's first line
// follows on the same line. Objects may be indented as jq does it. Lines may end in CRLF and begin with a byte order
// mark, and all of them may be in UTF-16. The error of any other line is a *NoResult. Memory does not grow with the
// results.
type Lines struct {
	in    *bufio.Reader
	code  encoding
	known bool   // there was an entry
	long  []byte // room for lines that are longer than the buffer
	isIn  bool   // the last line is in long
	at    int64  // offset of the next line
	n     int64  // number of the last line
	first int64  // number of the last entry's first line
	rest  []byte // what follows the last entry on its line
	from  int64  // offset of rest
	last  bool   // rest has no newline
	cut   oddity
}

// NewLines returns the lines of in.
func NewLines(in io.Reader) *Lines { return newLines(in, 256<<10, unseen) }

// newLines returns the lines of in, with a buffer of that size.
func newLines(in io.Reader, size int, code encoding) *Lines {
	l := &Lines{in: bufio.NewReaderSize(in, size), code: code}
	l.decode()
	return l
}

// decode makes in return UTF-8 when the results are in UTF-16.
func (l *Lines) decode() {
	if l.code == littleUTF16 || l.code == bigUTF16 {
		l.in = bufio.NewReaderSize(newNarrow(l.in, l.code), l.in.Size())
	}
}

// Next returns the next entry, or io.EOF after the last. The entry is valid until the next call.
func (l *Lines) Next() (Entry, error) {
	e, _, err := l.next()
	return e, err
}

// Cut returns how many lines were skipped because a crash cut them short.
func (l *Lines) Cut() int64 { return l.cut.lines }

// next returns the next entry and its offset.
func (l *Lines) next() (Entry, int64, error) {
	for {
		if len(l.rest) == 0 {
			if err := l.line(); err != nil {
				return Entry{}, 0, err
			}
		}
		text, at, n := l.rest, l.from, l.n
		l.first = n
		if len(text) == 1 && text[0] == '{' && !l.last {
			text = []byte{'{'} // append must not write into the reader's buffer
			if next, _ := l.in.Peek(1); len(next) > 0 && next[0] != '{' {
				var err error
				if text, err = l.indented(text); err != nil {
					return Entry{}, 0, err
				}
			}
		}
		e, err := parse(text)
		piece := text
		if err == errNotJSON {
			// These bytes only occur at the beginning of a line of ours. A second one is a line after a cut one.
			if i := bytes.Index(text[1:], begin); i >= 0 {
				if piece = text[:i+1]; piece[0] == '{' {
					e, err = parse(bytes.TrimSuffix(piece, []byte(mark)))
				}
			}
		}
		l.rest, l.from = text[len(piece):], at+l.code.size(piece)
		switch {
		case err == nil:
			l.known = true
			return e, at, nil
		case err == errNotJSON && (maybeCut(piece) || l.last && l.known && piece[0] == '{'):
			l.cut.note(n)
		default:
			return Entry{}, 0, noResult(n, text, err, l.known)
		}
	}
}

// offset returns the offset of what follows the last entry.
func (l *Lines) offset() int64 {
	if len(l.rest) > 0 {
		return l.from
	}
	return l.at
}

// maybeCut reports whether text can be the beginning of a result line, or what a file system leaves there after a
// power failure. Blanks may follow its first byte.
func maybeCut(text []byte) bool {
	text, begin := bytes.Trim(text, "\x00"), begin
	if len(text) > 0 && text[0] == '{' {
		text, begin = bytes.TrimLeft(text[1:], " "), begin[1:]
	}
	return bytes.HasPrefix(text, begin) || bytes.HasPrefix(begin, text)
}

// indented reads an object that spans several lines. The first line is text, "{", and the last one is "}".
func (l *Lines) indented(text []byte) ([]byte, error) {
	n := l.n
	for len(text) < maxLine {
		if err := l.line(); err == io.EOF {
			return text, nil
		} else if err != nil {
			return nil, err
		}
		text = append(text, l.rest...)
		if string(l.rest) == "}" {
			return text, nil
		}
	}
	return nil, fmt.Errorf("the object on line %d is longer than %d bytes", n, maxLine)
}

// line reads the next line that is not blank into rest.
func (l *Lines) line() error {
	if l.code == unseen {
		first, _ := l.in.Peek(4) // the next read returns the error
		l.code = encodingOf(first)
		l.decode()
	}
	for {
		most := maxLine
		text, err := l.in.ReadSlice('\n')
		if l.isIn = err == bufio.ErrBufferFull; l.isIn {
			l.long = append(l.long[:0], text...)
			if bytes.HasPrefix(bytes.TrimPrefix(text, []byte(mark)), beginReport) {
				most = maxReport
			}
			for err == bufio.ErrBufferFull && len(l.long) <= most {
				text, err = l.in.ReadSlice('\n')
				l.long = append(l.long, text...)
			}
			text = l.long
		}
		if err == bufio.ErrBufferFull || len(text) > most {
			return fmt.Errorf("line %d is longer than %d bytes", l.n+1, most)
		}
		if err != nil && (err != io.EOF || len(text) == 0) {
			return err
		}
		l.n++
		l.last = err == io.EOF
		l.from = l.at
		l.at += l.code.size(text)
		if text[0] == mark[0] && bytes.HasPrefix(text, []byte(mark)) {
			text = text[len(mark):]
			l.from += l.code.size([]byte(mark))
		}
		if l.rest = bytes.TrimRight(text, " \t\r\n"); len(l.rest) > 0 {
			return nil
		}
	}
}

// oddity counts lines that a note mentions.
type oddity struct{ lines, first int64 }

func (o *oddity) note(line int64) {
	if o.lines++; o.lines == 1 {
		o.first = line
	}
}

// text returns the note, or "" when there are no such lines. The format one has the line's number, the format more
// has the number of lines and the first one's number.
func (o *oddity) text(one, more string) string {
	switch o.lines {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(one, o.first)
	}
	return fmt.Sprintf(more, o.lines, o.first)
}
