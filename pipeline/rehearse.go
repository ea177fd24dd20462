package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"klaviyo-export/report"
)

// rehearsal counts the checked rows of an input before the first row is sent.
type rehearsal struct {
	control  *control
	earlier  *resumption
	lists    *lists // nil: all rows are for one list
	required required
	rows     int64
	people   uint64 // sum of hashes of the people, one for each row
	rejected int64
	several  int64 // rejected rows that may hold several rows
	unfit    bool  // the rows lack the column that the operation needs
	paused   bool  // the run was stopped before the input ended
	ended    error // what is wrong with the input itself
}

// rehearse reads and checks the whole input. It stops the run when there is a reason not to send.
func (r *run) rehearse(ctx context.Context, s *spool, earlier *resumption) *rehearsal {
	h := &rehearsal{control: r.control, earlier: earlier, lists: r.lists}
	h.required = newRequired(r.options.Checker)
	checks := newChecks(r.control, r.options.Checker, r.finding(ctx, h.add))
	h.ended = r.read(ctx, s, checks.add)
	checks.wait()
	if h.paused = ctx.Err() != nil; !h.paused {
		h.refuse()
	}
	if !h.paused && !h.unfit {
		if err := cmp.Or(h.refusal(r.options), earlier.leftOver(h.rows)); err != nil {
			r.control.stop(err)
		}
	}
	return h
}

// add counts the rows of the next chunk.
func (h *rehearsal) add(c *chunk) {
	defer c.release()
	defer h.control.guard()
	h.control.begin("rehearse")
	c.first = h.rows + 1
	if h.required.see(c); h.required.due() {
		h.refuse()
	}
	for i := range c.rows.Rows {
		h.people += c.rows.Rows[i].Identity[0]
		status, final, err := h.earlier.of(c, i, c.first+int64(i))
		if err != nil {
			h.control.stop(err)
		}
		if final && status == report.Rejected || !final && c.rows.Rows[i].Fault != nil {
			h.rejected++
			if c.rows.Rows[i].Several {
				h.several++
			}
		}
	}
	h.rows += int64(len(c.rows.Rows))
	h.control.read.Store(h.rows)
}

// refuse stops the run when the rows lack the required column, or all lists that they name are missing.
func (h *rehearsal) refuse() {
	err := h.required.missing()
	if err == nil {
		err = h.lists.none(h.rows)
	}
	if err != nil {
		h.unfit = true
		h.control.stop(err)
	}
}

// refusal says why the input should not be sent, nil if it should.
func (h *rehearsal) refusal(o *Options) error {
	switch {
	case h.ended != nil:
		return nothingSent(h.ended)
	case !o.MaxInvalid.allows(h.rejected, h.rows):
		return &Error{
			Text: fmt.Sprintf("nothing was sent: %d of %d rows are not valid, --max-invalid is %v",
				h.rejected, h.rows, o.MaxInvalid),
			Hint: hintRejected, exit: 1,
		}
	case h.several > 0:
		return nothingSent(severalError(h.several))
	case o.Mirror != nil && h.rows > 0 && h.rejected == h.rows:
		return nothingSent(&Error{
			Text: "no row is valid, and without rows mirror would remove everybody from the list", Hint: hintRejected, exit: 1,
		})
	case o.Mirror != nil && h.rows == 0:
		return nothingSent(emptyMirror())
	}
	if err := o.otherNumber(h.rows); err != nil {
		return nothingSent(err)
	}
	return nil
}

// emptyMirror is the error of a mirror without rows.
func emptyMirror() error {
	return &Error{
		Text: "the input has no rows, and without rows mirror would remove everybody from the list",
		Hint: "check whether the client before the pipe failed; to empty a list, pass its members to remove",
	}
}

// otherNumber is the error of an input with another number of rows than the options expect, nil for any other.
func (o *Options) otherNumber(rows int64) error {
	switch {
	case o.ExpectRows != nil && *o.ExpectRows != rows:
		return &Error{
			Text: fmt.Sprintf("--expect-rows: expected %s, got %d", plural(*o.ExpectRows, "row"), rows),
			Hint: hintExpected, exit: 1,
		}
	case rows < o.MinRows:
		return &Error{
			Text: fmt.Sprintf("--min-rows: expected at least %s, got %d", plural(o.MinRows, "row"), rows),
			Hint: hintExpected, exit: 1,
		}
	}
	return nil
}

func nothingSent(why error) error {
	return &Error{Text: "nothing was sent: " + why.Error(), Hint: Hint(why), cause: why, exit: ExitCode(why)}
}

// errPaused ends an input that goes on, but not for this run: a row that it cuts is no row.
var errPaused = errors.New("the input was not read further")

// paused is in with errPaused as its end.
func paused(in io.Reader) io.Reader {
	return io.MultiReader(in, reader(func([]byte) (int, error) { return 0, errPaused }))
}
