package report

// tally counts rows by status and by reason.
type tally struct {
	counts  [statuses]int64
	reasons map[reason]*Reason
}

type reason struct{ code, stage string }

// maxReasons bounds the number of codes that are counted one by one. Klaviyo has a few dozen. All further codes count
// as otherCodes.
const (
	maxReasons = 10_000
	otherCodes = "other"
)

func newTally() tally { return tally{reasons: map[reason]*Reason{}} }

// add counts a row. The code may be empty.
func (t *tally) add(row int64, status Status, code, stage string) {
	t.counts[status]++
	if code == "" {
		return
	}
	r := t.reasons[reason{code, stage}]
	if r == nil && len(t.reasons) >= maxReasons {
		code = otherCodes
		r = t.reasons[reason{code, stage}]
	}
	if r == nil {
		r = &Reason{Code: code, Stage: stage, FirstRow: row}
		t.reasons[reason{code, stage}] = r
	}
	r.Rows++
	r.FirstRow = min(r.FirstRow, row)
}

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
