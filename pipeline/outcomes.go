package pipeline

import (
	"context"
	"errors"
	"slices"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// Codes of rows that no check and no answer of Klaviyo speaks of (DESIGN.md §4).
const (
	duplicate   = "duplicate"
	stopped     = "stopped"
	interrupted = "interrupted"
	outage      = "outage"
)

// outcomes is what became of a stretch of rows: all that their result lines need, so that chunks and profiles can go
// while Klaviyo's jobs are waited for. Beside the keys a row takes 4 bytes.
type outcomes struct {
	first   int64   // number of the first row
	numbers []int64 // of the rows, where they do not follow each other
	keys    []byte
	ends    []uint32 // where each row's key ends in keys
	odd     []odd    // rows with a result of their own, in input order
	shared  []shared // the results of all others, in input order
}

// odd is the result of one row.
type odd struct {
	row  int // index in outcomes
	line report.Line
}

// shared is the result of so many rows; verdict, when it is known, has what their job's end made of it.
type shared struct {
	line    report.Line
	rows    int
	verdict *sink.Settlement
}

// add enters the next row.
func (o *outcomes) add(key []byte) {
	o.keys = append(o.keys, key...)
	o.ends = append(o.ends, uint32(len(o.keys)))
}

// alone gives the row that was added last its own result.
func (o *outcomes) alone(line *report.Line) {
	o.odd = append(o.odd, odd{len(o.ends) - 1, *line})
}

// join gives the row that was added last the result that line has, which the row before may share. Lines without Key,
// Row and Raw are compared by what else is in them.
func (o *outcomes) join(line *report.Line) {
	if n := len(o.shared); n > 0 {
		last := &o.shared[n-1]
		if last.line.Status == line.Status && last.line.Job == line.Job && last.line.Code == line.Code && last.line.Detail == line.Detail {
			last.rows++
			return
		}
	}
	o.shared = append(o.shared, shared{line: *line, rows: 1})
}

func (o *outcomes) key(row int) []byte {
	start := uint32(0)
	if row > 0 {
		start = o.ends[row-1]
	}
	return o.keys[start:o.ends[row]]
}

func (o *outcomes) number(row int) int64 {
	if o.numbers != nil {
		return o.numbers[row]
	}
	return o.first + int64(row)
}

// rowsOf returns the indexes of the rows that share the n-th result.
func (o *outcomes) rowsOf(n int) []int {
	skip := 0
	for _, s := range o.shared[:n] {
		skip += s.rows
	}
	rows := make([]int, 0, o.shared[n].rows)
	odd := o.odd
	for row := 0; len(rows) < o.shared[n].rows; row++ {
		switch {
		case len(odd) > 0 && odd[0].row == row:
			odd = odd[1:]
		case skip > 0:
			skip--
		default:
			rows = append(rows, row)
		}
	}
	return rows
}

// written are outcomes whose lines are written. Those whose jobs are waited for are not used again: they have the size of their rows.
var written stock[outcomes]

// outcomes takes from a batch what its result lines need. It is called at once for several batches.
func (r *run) outcomes(ctx context.Context, b *batch) *outcomes {
	keys := 0
	for _, p := range b.parts {
		for i := p.from; i < p.to; i++ {
			row := &p.chunk.rows.Rows[i]
			keys += int(row.KeyEnd - row.KeyStart)
		}
	}
	o := new(outcomes)
	if r.watch == nil {
		o = written.take()
	}
	*o = outcomes{
		first: b.parts[0].chunk.first + int64(b.parts[0].from),
		keys:  slices.Grow(o.keys[:0], keys), ends: slices.Grow(o.ends[:0], b.rows), odd: o.odd[:0], shared: o.shared[:0],
	}
	unsent := ""
	if ctx.Err() != nil {
		unsent = unsentCode(context.Cause(ctx))
	}
	profiles, skips := b.profiles, b.skips
	for _, p := range b.parts {
		for i := p.from; i < p.to; i++ {
			row := &p.chunk.rows.Rows[i]
			o.add(p.chunk.rows.Data[row.KeyStart:row.KeyEnd])
			skipped := len(skips) > 0 && skips[0].row == p.chunk.first+int64(i)
			switch {
			case skipped && skips[0].of == 0:
				o.alone(&report.Line{Status: report.Resumed})
				skips = skips[1:]
			case row.Fault != nil:
				o.alone(&report.Line{
					Status: report.Rejected, Stage: "validate",
					Code: string(row.Fault.Code), Column: row.Fault.Column, Detail: row.Fault.Detail,
				})
			case skipped:
				o.alone(&report.Line{Status: report.Skipped, Code: duplicate, Of: skips[0].of})
				skips = skips[1:]
			default:
				r.judge(o, &profiles[0], p.chunk.first+int64(i), unsent)
				profiles = profiles[1:]
			}
		}
	}
	return o
}

// judge enters what became of a good row.
func (r *run) judge(o *outcomes, p *sink.Profile, row int64, unsent string) {
	line := report.Line{Job: p.Job}
	if p.Fault != nil {
		line.Code, line.Column, line.Detail = p.Fault.Code, p.Fault.Column, p.Fault.Detail
	}
	switch p.Status {
	case sink.Accepted:
		line.Status = report.Accepted
	case sink.Applied:
		line.Status = report.Applied
	case sink.Unknown:
		line.Status = report.Unknown
	case sink.Rejected:
		line.Status, line.Stage = report.Rejected, "request"
		o.alone(&line)
		r.reject(row)
		return
	case sink.Unsent:
		line.Status, line.Code = report.Unsent, unsent
		if r.sender == nil && !r.refused {
			line.Status, line.Code = report.Valid, ""
		}
	}
	o.join(&line)
}

// unsentCode tells rows why they were not sent.
func unsentCode(cause error) string {
	var signal *Interrupted
	var failed *sink.Error
	switch {
	case errors.As(cause, &signal):
		return interrupted
	case errors.As(cause, &failed) && failed.Kind == sink.Outage:
		return outage
	}
	return stopped
}
