package pipeline

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"klaviyo-export/pipeline/state"
	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// Codes of rows that neither a check nor an answer of Klaviyo explains (DESIGN.md §4).
const (
	duplicate   = report.Duplicate
	unchanged   = report.Unchanged
	stopped     = "stopped"
	interrupted = "interrupted"
	outage      = "outage"
)

// unchangedLine is the result of rows whose profile is as the state remembers it.
var unchangedLine = report.Line{Status: report.Skipped, Code: unchanged}

// stageOfChecks is the stage of rows that a check rejects.
const stageOfChecks = "validate"

// results are those of a stretch of rows: all that their lines need, so that chunks and profiles can go while
// import jobs are waited for. Beside its key a row takes 4 bytes.
type results struct {
	first   int64 // number of the first row
	last    int64 // number of the last row of earlier results; the rows between that are not here are passed on
	keys    []byte
	ends    []uint32         // where each row's key ends in keys
	at      int              // the row that is entered
	odd     []odd            // rows with a result of their own, or of their neighbours, in input order
	shared  []shared         // the results of all others, in input order
	dropped []uint32         // indexes of the rows whose profile went without its bad phone number
	proofs  []proof          // of the rows that were read back
	sentAs  []sentAs         // what the state may remember of the rows that were sent
	asked   []sink.Consented // the rows whose consent Klaviyo was asked for
	unset   []unset          // the properties that rows clear, where they are read back
	permits int              // that the rows' batch took
	pooled  bool             // they go back to the pool when they are written
	earlier bool             // an earlier run sent the rows
	again   bool             // rows whose answers are lost are kept, to be sent again when they were read back

	unsetNames []uint16 // the numbers of those properties, row by row

	// where all rows are of one list:
	to      *target  // nil: all rows of the run are for one list
	list    string   // its id
	numbers []uint32 // the rows' numbers, less first; nil: the rows follow each other
	cost    int      // bytes that the results take

	of scattered // of earlier results that lie among others

	refused *sink.Fault // one of those in odd by which Klaviyo refuses rows, nil for none
}

// odd is the result of one row, or of several neighbours that were not sent for the same reason.
type odd struct {
	row, rows int // index in results, and how many there are
	line      report.Line
}

// sentAs is the hash of the profile that a row was sent as.
type sentAs struct {
	row     uint32 // index in results
	profile state.Hash
}

// shared is the result of so many rows; settlement, when it is known, has what the end of their import job says.
type shared struct {
	line       report.Line
	rows       int
	settlement *sink.Settlement
	created    time.Time // when Klaviyo created that job, zero when not known
}

// newResults returns empty results from the pool.
func (p *pools) newResults() *results {
	r := p.results.take()
	clear(r.asked)
	*r = results{
		keys: r.keys[:0], ends: r.ends[:0], odd: r.odd[:0], shared: r.shared[:0], dropped: r.dropped[:0],
		sentAs: r.sentAs[:0], unset: r.unset[:0], unsetNames: r.unsetNames[:0], asked: r.asked[:0], pooled: true,
	}
	return r
}

// take fills empty results with those of a batch. valid says that good rows were only checked, unsent is the code
// of good rows that were not sent, and rejected is called with the number of each row that Klaviyo rejects.
func (r *results) take(b *batch, valid bool, unsent string, rejected func(row int64)) {
	keys, rows := 0, b.rows
	for _, p := range b.parts {
		keys += p.keyBytes()
	}
	if len(b.parts) == 1 && b.parts[0].brief != nil {
		keys, rows = 0, 0
	}
	odd := b.odd()
	for i := range b.profiles {
		if b.profiles[i].Status == sink.Rejected {
			odd++
		}
	}
	r.earlier = b.job != ""
	r.first, r.keys, r.ends = b.first(), slices.Grow(r.keys, keys), slices.Grow(r.ends, rows)
	r.odd = slices.Grow(r.odd, odd)
	profiles, skips := b.profiles, b.skips
	sent := func(number int64, droppedPhone bool) {
		if droppedPhone && (valid || profiles[0].Status != sink.Unsent) {
			r.drop()
		}
		if profiles[0].Channels != 0 {
			r.ask(&profiles[0])
		}
		if r.sent(&profiles[0], valid, unsent); profiles[0].Status == sink.Rejected {
			r.refused = profiles[0].Fault
			rejected(number)
		}
		profiles = profiles[1:]
	}
	for _, p := range b.parts {
		if p.brief != nil {
			r.takeBrief(p.brief, len(b.parts) == 1, sent)
			continue
		}
		for i := p.from; i < p.to; i++ {
			row, number := &p.chunk.rows.Rows[i], p.chunk.first+int64(i)
			r.add(p.chunk.rows.Data[row.KeyStart:row.KeyEnd])
			if !r.decided(row, number, &skips) {
				if b.job == "" {
					r.hash(p.chunk, i)
				}
				r.clears(p.chunk, i)
				sent(number, row.DroppedPhone)
			}
		}
	}
}

// takeBrief adds the rows of a brief, which it may take over if it is alone. sent is called for each one that was sent.
func (r *results) takeBrief(b *results, alone bool, sent func(number int64, droppedPhone bool)) {
	base := len(r.ends)
	if alone {
		r.keys, r.ends, r.numbers, r.sentAs = b.keys, b.ends, b.numbers, b.sentAs
		r.unset, r.unsetNames = b.unset, b.unsetNames
	} else {
		before := uint32(len(r.keys))
		r.keys = append(r.keys, b.keys...)
		for _, end := range b.ends {
			r.ends = append(r.ends, before+end)
		}
		for _, hash := range b.sentAs {
			r.sentAs = append(r.sentAs, sentAs{uint32(base) + hash.row, hash.profile})
		}
		b.unsetOf(func(row uint32, numbers []uint16) {
			r.unsetNames = append(r.unsetNames, numbers...)
			r.unset = append(r.unset, unset{uint32(base) + row, uint32(len(r.unsetNames))})
		})
	}
	odds, dropped := b.odd, b.dropped
	for i := 0; i < len(b.ends); i++ {
		if len(odds) > 0 && odds[0].row == i {
			r.odd = append(r.odd, odd{base + i, odds[0].rows, odds[0].line})
			i += odds[0].rows - 1
			odds = odds[1:]
			continue
		}
		r.at = base + i
		droppedPhone := len(dropped) > 0 && int(dropped[0]) == i
		if droppedPhone {
			dropped = dropped[1:]
		}
		sent(b.number(i), droppedPhone)
	}
}

// decided enters the result of the row that is entered, if it is not sent. skips are those from this row on.
func (r *results) decided(row *validate.Row, number int64, skips *[]skip) bool {
	skipped := len(*skips) > 0 && (*skips)[0].row == number
	switch {
	case skipped && (*skips)[0].of == resumedRow:
		r.run(&report.Line{Status: report.Resumed})
	case row.Fault != nil:
		r.alone(invalid(row.Fault))
		return true
	case skipped && (*skips)[0].of == unchangedRow:
		r.run(&unchangedLine)
	case skipped:
		r.alone(&report.Line{Status: report.Skipped, Code: duplicate, Of: (*skips)[0].of})
	default:
		return false
	}
	*skips = (*skips)[1:]
	return true
}

// hash notes the hash of a row that is sent, and that was added last.
func (r *results) hash(c *chunk, i int) {
	if c.hashes != nil {
		r.sentAs = append(r.sentAs, sentAs{uint32(r.at), c.hashes[i].Profile})
	}
}

// invalid is the result of a row that the checks reject.
func invalid(f *validate.Fault) *report.Line {
	return &report.Line{
		Status: report.Rejected, Stage: stageOfChecks, Code: string(f.Code), Column: f.Column, Detail: f.Detail,
	}
}

// sent enters the result of a good row: what sending made of its profile.
func (r *results) sent(p *sink.Profile, valid bool, unsent string) {
	if n := len(r.shared); n > 0 && p.Status == sink.Accepted && p.Fault == nil && !valid { // as most rows are
		if last := &r.shared[n-1]; last.line.Status == report.Accepted && last.line.Code == "" && last.line.Job == p.Job {
			last.rows++
			return
		}
	}
	line := report.Line{Job: p.Job}
	if valid && (p.Status == sink.Accepted || p.Status == sink.Applied) { // its request was printed
		r.join(&report.Line{Status: report.Valid})
		return
	}
	if p.Fault != nil {
		line.Code, line.Column, line.Detail = p.Fault.Code, p.Fault.Column, p.Fault.Detail
	}
	switch p.Status {
	case sink.Accepted:
		line.Status = report.Accepted
	case sink.Applied:
		line.Status = report.Applied
		if p.Others > 0 {
			line.Profiles = p.Others + 1
			r.alone(&line)
			return
		}
	case sink.Skipped:
		line.Status = report.Skipped
	case sink.Unknown:
		line.Status = report.Unknown
	case sink.Rejected:
		line.Status, line.Stage = report.Rejected, "request"
		r.alone(&line)
		return
	case sink.Unsent:
		line.Status, line.Code = report.Unsent, unsent
		if valid {
			line.Status, line.Code = report.Valid, ""
		}
	}
	r.join(&line)
}

// add enters the next row. The methods below are about that one.
func (r *results) add(key []byte) {
	r.keys = append(r.keys, key...)
	r.at = len(r.ends)
	r.ends = append(r.ends, uint32(len(r.keys)))
}

// alone gives the row that is entered a result of its own.
func (r *results) alone(line *report.Line) {
	r.odd = append(r.odd, odd{r.at, 1, *line})
}

// run gives the row that is entered the result in line, which the rows before it share if they have the same one.
// No result of a row alone has the same code.
func (r *results) run(line *report.Line) {
	if n := len(r.odd); n > 0 {
		last := &r.odd[n-1]
		if last.row+last.rows == r.at && last.line.Status == line.Status && last.line.Code == line.Code {
			last.rows++
			return
		}
	}
	r.alone(line)
}

// join gives the row that is entered the result in line, which the row before may share. line has no Key, Row
// and Raw.
func (r *results) join(line *report.Line) {
	if n := len(r.shared); n > 0 {
		last := &r.shared[n-1]
		if last.line.Status == line.Status && last.line.Job == line.Job && last.line.Code == line.Code &&
			last.line.Column == line.Column && last.line.Detail == line.Detail {
			last.rows++
			return
		}
	}
	r.shared = append(r.shared, shared{line: *line, rows: 1})
}

// drop notes that the profile of the row that is entered went without its phone number.
func (r *results) drop() { r.dropped = append(r.dropped, uint32(r.at)) }

// number is the number of a row.
func (r *results) number(row int) int64 {
	if r.numbers != nil {
		return r.first + int64(r.numbers[row])
	}
	return r.first + int64(row)
}

func (r *results) key(row int) []byte {
	start := uint32(0)
	if row > 0 {
		start = r.ends[row-1]
	}
	return r.keys[start:r.ends[row]]
}

// rowsOf are the indexes of the rows that share the n-th result.
func (r *results) rowsOf(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		skip, rows := 0, r.shared[n].rows
		for i := range n { // others may be settled meanwhile: only their numbers of rows are read
			skip += r.shared[i].rows
		}
		odd := r.odd
		for row := 0; rows > 0; row++ {
			switch {
			case len(odd) > 0 && odd[0].row == row:
				row += odd[0].rows - 1
				odd = odd[1:]
			case skip > 0:
				skip--
			default:
				if rows--; !yield(row) {
					return
				}
			}
		}
	}
}

// keysOf are the identifiers of the rows that share the n-th result.
func (r *results) keysOf(n int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for row := range r.rowsOf(n) {
			if !yield(unquoted(r.key(row))) {
				return
			}
		}
	}
}

// free gives back what the reasons of the rows took, when they are written.
func (r *results) free() {
	r.refused.Free()
	for i := range r.shared {
		r.shared[i].settlement.Free()
	}
}

// enter sets line to the result of the row at a place among those that share it.
func (s *shared) enter(place int, line *report.Line) {
	*line = s.line
	if s.settlement == nil {
		return
	}
	fault := s.settlement.Fault(place)
	switch {
	case fault != nil:
		line.Status, line.Stage = report.Rejected, "import"
	case s.settlement.Rest == sink.Applied:
		line.Status = report.Applied
	case s.settlement.Rest == sink.Unknown:
		line.Status, fault = report.Unknown, s.settlement.RestFault
	}
	if fault != nil {
		line.Code, line.Column, line.Detail = fault.Code, fault.Column, fault.Detail
	}
}

// left returns the import job of rows that stay accepted, "" when there is none.
func (s *shared) left() string {
	if s.line.Status == report.Accepted && (s.settlement == nil || s.settlement.Rest == sink.Accepted) {
		return s.line.Job
	}
	return ""
}

// unsentCode says why rows were not sent.
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

// unsentNow is the code of rows that are not sent from now on, "" while ctx goes on.
func unsentNow(ctx context.Context) string {
	if ctx.Err() == nil {
		return ""
	}
	return unsentCode(context.Cause(ctx))
}
