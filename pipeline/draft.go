package pipeline

import (
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
	lines, broken := first.lines()
	var again *report.Lines
	if second != nil {
		again, _ = second.lines()
	}
	e, more := nextRow(lines)
	var replaced report.Entry
	var replaces bool
	if again != nil {
		replaced, replaces = nextRow(again)
	}
	for row := int64(1); row <= rows; row++ {
		switch {
		case replaces && replaced.Row == row:
			pass(out, &replaced)
			replaced, replaces = nextRow(again)
			if more && e.Row == row {
				e, more = nextRow(lines)
			}
		case more && e.Row == row && unread != "" && e.Code == unchanged:
			out.Line(&report.Line{Row: row, Status: report.Unsent, Code: unread, Key: e.Key})
			e, more = nextRow(lines)
		case more && e.Row == row:
			pass(out, &e)
			e, more = nextRow(lines)
		case broken != nil:
			out.Line(&report.Line{Row: row, Status: report.Unknown, Code: "answer_lost", Detail: broken.Error()})
		default:
			out.Line(&report.Line{Row: row, Status: report.Resumed})
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return broken
}

// nextRow returns the next result, and whether there is one.
func nextRow(lines *report.Lines) (report.Entry, bool) {
	e, err := lines.Next()
	return e, err == nil
}

// pass writes a result as it is.
func pass(out *report.Writer, e *report.Entry) {
	out.Line(&report.Line{
		Row: e.Row, Status: e.Status, Key: e.Key, Stage: e.Stage, Code: e.Code, Dropped: e.Dropped, Raw: e.Text,
	})
}
