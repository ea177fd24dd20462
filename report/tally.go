package report

import "maps"

// tally counts rows by status, by reason and by dropped column.
type tally struct {
	counts  [statuses]int64
	reasons map[reason]*Reason
	dropped map[string]int64 // nil until a row has one
	read    *ReadBackCounts  // nil until a row was read back
	lists   map[string]int64 // final rows by the id of their list; nil until a row has one
	consent Consents
}

type reason struct{ code, stage string }

// maxReasons bounds the number of codes that are counted one by one. Klaviyo has a few dozen. All further codes count
// as otherCodes. The same goes for dropped columns beyond maxColumns.
const (
	maxReasons = 10_000
	maxTallied = 10_000 // lists, as many as the rows of a run may name
	otherCodes = "other"
)

func newTally() tally { return tally{reasons: map[reason]*Reason{}} }

// add counts a row. The code may be empty. add returns the row's reason when no earlier row has it, and nil
// otherwise.
func (t *tally) add(row int64, status Status, code, stage string) (first *Reason) {
	t.counts[status]++
	if code == "" {
		return nil
	}
	if len(code)+len(stage) > maxName {
		code, stage = shortened(code, maxName), shortened(stage, maxName)
	}
	r := t.reasons[reason{code, stage}]
	if r == nil && (code == otherCodes || len(t.reasons) >= maxReasons) {
		code, stage = otherCodes, otherStage(stage)
		r = t.reasons[reason{code, stage}]
	}
	if r == nil {
		r = &Reason{Code: code, Stage: stage, FirstRow: row}
		t.reasons[reason{code, stage}] = r
		first = r
	}
	r.Rows++
	if row < r.FirstRow {
		r.FirstRow, first = row, r
	}
	return first
}

// entry counts a row that was read back.
func (t *tally) entry(e *Entry) {
	if first := t.add(e.Row, e.Status, e.Code, e.Stage); first != nil {
		first.describe(e.texts())
	}
	if len(e.Dropped) > 0 {
		t.drop(e.Status, e.Dropped)
	}
	if e.List != "" {
		t.list(e.Status, e.List)
	}
}

// list counts a row of a list.
func (t *tally) list(status Status, id string) {
	if !status.Final() && status != Valid {
		return
	}
	if _, known := t.lists[id]; !known {
		if t.lists == nil {
			t.lists = map[string]int64{}
		}
		if id = shortened(id, maxName); len(t.lists) >= maxTallied {
			id = otherCodes
		}
	}
	t.lists[id]++
}

// drop counts the columns that a row went without. Rows that a resumed run sends again do not count.
func (t *tally) drop(status Status, columns []string) {
	if !status.Final() && status != Valid {
		return
	}
	if t.dropped == nil {
		t.dropped = map[string]int64{}
	}
	for _, column := range columns {
		if _, known := t.dropped[column]; !known && len(t.dropped) >= maxColumns {
			column = otherCodes
		}
		t.dropped[column]++
	}
}

// readBack counts a row that was read back.
func (t *tally) readBack(l *Line) {
	if t.read == nil {
		t.read = new(ReadBackCounts)
	}
	t.read.count(l.Status, l.ReadBack)
}

// Members returns what reading rows back showed, nil when none was.
func (t *tally) Members() *Members {
	if t.read == nil {
		return nil
	}
	return &Members{ReadBackCounts: t.read}
}

// Consents returns what reading consent back showed.
func (t *tally) Consents() Consents { return t.consent }

// Rows returns the counts of the rows so far.
func (t *tally) Rows() Rows {
	c := &t.counts
	r := Rows{
		Applied: c[Applied], Accepted: c[Accepted], Skipped: c[Skipped], Rejected: c[Rejected],
		Unknown: c[Unknown], Unsent: c[Unsent], Valid: c[Valid], Resumed: c[Resumed],
	}
	r.Read = r.sum()
	return r
}

// Reasons returns the reasons of the rows so far, most rows first.
func (t *tally) Reasons() []Reason {
	list := make([]Reason, 0, len(t.reasons))
	for _, r := range t.reasons {
		list = append(list, *r)
	}
	sortReasons(list)
	return list
}

// Dropped returns the dropped columns of the rows so far, as Report.Dropped counts them. It returns nil when there
// are none.
func (t *tally) Dropped() map[string]int64 { return maps.Clone(t.dropped) }
