package sink

import (
	"fmt"
	"strings"
	"sync/atomic"
)

const (
	// batchTexts and runTexts bound Klaviyo's reasons against rows that are kept until their results are written, in
	// bytes. From half of a bound on, a reason is cut to cutShort bytes; beyond the bound, only its code and column stay.
	batchTexts = 8 << 20
	runTexts   = 32 << 20
	cutShort   = 100
	// perText is what a kept reason takes beside its texts: the Fault, and its place among the known ones.
	perText = 160
	// mostBare is how many pairs of code and column are kept for a batch beyond the bounds. Klaviyo has a few dozen.
	mostBare = 100
)

var (
	bounds   = fmt.Sprintf("a request keeps %d MB of Klaviyo's reasons, a run %d MB", batchTexts>>20, runTexts>>20)
	cutNote  = " (cut: " + bounds + ")"
	leftNote = "the reason is left out: " + bounds
)

// texts keeps the reasons against the rows of one batch or import job, equal ones once, within bounds for itself and
// for the run. It is for one goroutine at a time; free may be called by another one at the end.
type texts struct {
	run   *atomic.Int64 // bytes that all texts of the run hold
	held  int64
	known map[Fault]*Fault // by code, column and detail
	bare  int              // kept beyond the bounds
}

func (c *Client) newTexts() *texts { return &texts{run: &c.texts, known: map[Fault]*Fault{}} }

// keep returns a Fault with the code, the column and the detail as far as there is room for it. Rows share it: nobody
// may change it.
func (t *texts) keep(code, column, detail string) *Fault {
	if f := t.known[Fault{Code: code, Column: column, Detail: detail}]; f != nil {
		return f
	}
	short := detail
	if len(short) > cutShort {
		short = cutTo(cutShort, short) + cutNote
	}
	switch {
	case t.hold(code, column, detail, 2):
		return t.enter(code, column, detail)
	case t.known[Fault{Code: code, Column: column, Detail: short}] != nil:
		return t.known[Fault{Code: code, Column: column, Detail: short}]
	case t.hold(code, column, short, 1):
		return t.enter(code, column, short)
	}
	return t.keepBare(code, column)
}

// keepBare is keep beyond the bounds.
func (t *texts) keepBare(code, column string) *Fault {
	code, column = cutTo(longestID, code), cutTo(longestID, column)
	if f := t.known[Fault{Code: code, Column: column, Detail: leftNote}]; f != nil {
		return f
	}
	if t.bare >= mostBare {
		code, column = "other", ""
		if f := t.known[Fault{Code: code, Detail: leftNote}]; f != nil {
			return f
		}
	}
	t.bare++
	return t.enter(code, column, leftNote)
}

// hold takes room for a reason, unless more than one part of the bounds would be used.
func (t *texts) hold(code, column, detail string, part int64) bool {
	size := int64(len(code)+len(column)+len(detail)) + perText
	if t.held+size > batchTexts/part {
		return false
	}
	if t.run.Add(size) > runTexts/part {
		t.run.Add(-size)
		return false
	}
	t.held += size
	return true
}

func (t *texts) enter(code, column, detail string) *Fault {
	f := &Fault{Code: code, Column: strings.Clone(column), Detail: detail} // a column is a part of a longer text
	t.known[*f] = f
	f.texts = t
	return f
}

// both returns the Fault of a row with one more reason. The first one gives code and column, and the detail holds all
// different ones, unless it is long already.
func (t *texts) both(f *Fault, detail string) *Fault {
	if len(f.Detail) >= maxText || strings.Contains(f.Detail, detail) || f.Detail == leftNote {
		return f
	}
	return t.keep(f.Code, f.Column, f.Detail+"; "+detail)
}

// seal ends keeping: what is kept stays until free.
func (t *texts) seal() { t.known = nil }

// free gives back what is held.
func (t *texts) free() {
	t.run.Add(-t.held)
	t.held = 0
}
