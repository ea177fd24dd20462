package report

import (
	"cmp"
	"slices"
	"sort"

	"github.com/segmentio/encoding/json"
)

// Codes of rows with which all is well: two of skipped ones, and one of accepted ones.
const (
	Duplicate = "duplicate"            // the row repeats an earlier one
	Unchanged = "unchanged"            // the row was applied before as it is now
	Pending   = "confirmation_pending" // the person has to confirm the consent
)

// Fault is false for rows with which all is well.
func (r *Reason) Fault() bool { return r.Code != Duplicate && r.Code != Unchanged && r.Code != Pending }

// describe sets the key and the detail of the reason to those of its first row.
func (r *Reason) describe(key, detail string) {
	r.FirstKey, r.Detail = shortened(key, maxKey), shortened(detail, maxDetail)
}

// texts returns the key and the detail of a line.
func (l *Line) texts() (key, detail string) {
	if l.Raw == nil {
		return plain(l.Key), l.Detail
	}
	e, _ := parse(l.Raw) // a line that cannot be read has no texts
	return e.texts()
}

func (e *Entry) texts() (key, detail string) { return plain(e.Key), plain(e.Detail) }

// plain returns the text of a JSON string, or "" for anything else.
func plain(value []byte) (text string) {
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return ""
	}
	return text
}

// mergeReasons adds up the reasons that share a code and a stage. It keeps the first maxReasons by code, so that the
// order in which reports are merged makes no difference, and adds up the others for each stage.
func mergeReasons(a, b []Reason) []Reason {
	all := slices.Concat(a, b)
	sort.Slice(all, func(i, j int) bool {
		a, b := &all[i], &all[j]
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Stage, b.Stage)) < 0
	})
	merged := all[:0]
	var others []Reason
	for _, r := range all {
		n := len(merged)
		switch same := n > 0 && merged[n-1].Code == r.Code && merged[n-1].Stage == r.Stage; {
		case r.Code == otherCodes || !same && n == maxReasons:
			others = addOther(others, r)
		case same:
			merged[n-1].add(r)
		default:
			merged = append(merged, r)
		}
	}
	merged = slices.Clone(append(merged, others...)) // all may be far longer
	sortReasons(merged)
	return merged
}

// addOther adds a reason to those with the code otherCodes, of which there is one for each stage.
func addOther(others []Reason, r Reason) []Reason {
	r.Code, r.Stage = otherCodes, otherStage(r.Stage)
	for i := range others {
		if others[i].Stage == r.Stage {
			others[i].add(r)
			return others
		}
	}
	return append(others, r)
}

// otherStage returns the stage of rows that count as otherCodes: it has no more values than runs have stages.
func otherStage(stage string) string {
	switch stage {
	case "", "validate", "request", "import":
		return stage
	}
	return otherCodes
}

// add adds the rows of o, which has the same code and stage. The first row of both keeps its key, detail and file.
// When two reports have the same first row, a text wins over none, and a smaller one over a greater one.
func (r *Reason) add(o Reason) {
	preferred := func(a, b string) int {
		if (a == "") != (b == "") {
			return cmp.Compare(b, a)
		}
		return cmp.Compare(a, b)
	}
	if cmp.Or(cmp.Compare(o.FirstRow, r.FirstRow), preferred(o.FirstKey, r.FirstKey), preferred(o.Detail, r.Detail),
		preferred(o.FirstFile, r.FirstFile)) < 0 {
		r.FirstRow, r.FirstKey, r.Detail, r.FirstFile = o.FirstRow, o.FirstKey, o.Detail, o.FirstFile
	}
	r.Rows += o.Rows
}

// sortReasons sorts by rows, most first. First row, code and stage break ties.
func sortReasons(list []Reason) {
	sort.Slice(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		return cmp.Or(cmp.Compare(b.Rows, a.Rows), cmp.Compare(a.FirstRow, b.FirstRow),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Stage, b.Stage)) < 0
	})
}

// SetFile names the file that r was read from, as that of the first rows of its reasons. Reasons of merged reports
// keep the files that they have.
func (r *Report) SetFile(name string) {
	name = shortened(name, maxName)
	for i := range r.Reasons {
		if r.Reasons[i].FirstFile == "" {
			r.Reasons[i].FirstFile = name
		}
	}
}
