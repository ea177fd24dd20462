package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"klaviyo-export/report"
)

// draft keeps results in a temporary file that may still change: a mirror sends rows again that are as the state
// remembers them, but not on the list any more.
type draft struct {
	*report.Writer
	file *os.File
}

func newDraft() (*draft, error) {
	f, err := temporary()
	if err != nil {
		return nil, draftError(err)
	}
	return &draft{report.NewWriter(draftFile{f}), f}, nil
}

type draftFile struct{ *os.File }

func (f draftFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if err != nil {
		err = draftError(err)
	}
	return n, err
}

func draftError(err error) error {
	return &Error{
		Text: fmt.Sprintf("keep the results in a temporary file: %v", err),
		Hint: "set TMPDIR to a folder that has as much room as the results take; nobody was removed", cause: err,
	}
}

// lines returns the results from their beginning.
func (h *draft) lines() (*report.Lines, error) {
	broken := h.Flush()
	_, err := h.file.Seek(0, io.SeekStart)
	if broken != nil {
		err = broken
	}
	return report.NewLines(h.file), err
}

func (h *draft) close() {
	if h != nil {
		removeTemporary(h.file)
	}
}

// settleDraft writes the first results to out, for so many rows, each replaced by its second result where there is one.
// second may be nil. Rows without a result were resumed, unless the results could not be kept. unread is the code of
// rows that were skipped as unchanged when the list was not read: they may have to be sent. It is "" when it was read.
func settleDraft(out *report.Writer, first, second *draft, rows int64, unread string) error {
	lines, broken := newDraftLines(first)
	again, alsoBroken := newDraftLines(second)
	for row := int64(1); row <= rows; row++ {
		e, ok := lines.of(row)
		if replaced, replaces := again.of(row); replaces {
			e, ok = replaced, true
		}
		broken := errors.Join(broken, alsoBroken, lines.err, again.err)
		switch {
		case ok && (unread != "" || broken != nil) && e.Code == unchanged:
			out.Line(&report.Line{Row: row, Status: report.Unsent, Code: cmp.Or(unread, stopped), Key: e.Key})
		case ok:
			out.Line(&report.Line{
				Row: e.Row, Status: e.Status, Key: e.Key, Stage: e.Stage, Code: e.Code, Dropped: e.Dropped, Raw: e.Text,
			})
		case broken != nil:
			out.Line(&report.Line{Row: row, Status: report.Unknown, Code: "answer_lost", Detail: broken.Error()})
		default:
			out.Line(&report.Line{Row: row, Status: report.Resumed})
		}
	}
	return errors.Join(out.Flush(), broken, alsoBroken, lines.err, again.err)
}

// draftLines are the results in a draft, one after the other.
type draftLines struct {
	lines *report.Lines // nil for none
	next  report.Entry
	read  bool  // next is the result of a row to come
	err   error // of the file
}

// newDraftLines returns the lines of a draft, which may be nil. The error is that of what could not be kept.
func newDraftLines(d *draft) (*draftLines, error) {
	if d == nil {
		return &draftLines{}, nil
	}
	lines, err := d.lines()
	return &draftLines{lines: lines}, err
}

// of returns the result of a row, which is valid until the next call, and whether there is one.
func (d *draftLines) of(row int64) (report.Entry, bool) {
	for d.lines != nil && d.err == nil && (!d.read || d.next.Row < row) {
		var err error
		if d.next, err = d.lines.Next(); err == io.EOF {
			d.lines = nil
			return report.Entry{}, false
		} else if err != nil {
			d.err = draftError(err)
			return report.Entry{}, false
		}
		d.read = true
	}
	return d.next, d.lines != nil && d.err == nil && d.next.Row == row
}
