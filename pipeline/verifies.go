package pipeline

import (
	"context"
	"sort"
	"time"

	"github.com/segmentio/encoding/json"
	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// verifiesAtOnce is how many stretches of rows are read back at once. The look-ups of one fill the quota; the next one
// begins while its last answers are on the way.
const verifiesAtOnce = 2

// verifies is the stage that reads applied rows back on the list, with a quota of its own, while other batches are
// sent. Results are handed on in order.
type verifies struct {
	control *control
	reader  *sink.ReadBack // nil: nothing is read back
	removal bool
	later   bool // the rows were sent by an earlier run
	emit    func(*results)
	stream  *stream.Stream
}

func newVerifies(c *control, reader *sink.ReadBack, removal bool, emit func(*results)) *verifies {
	return &verifies{
		control: c, reader: reader, removal: removal, emit: emit,
		stream: stream.New().WithMaxGoroutines(verifiesAtOnce),
	}
}

// add reads the applied rows of results back and hands the results on. It blocks while enough are being read.
func (s *verifies) add(ctx context.Context, r *results) {
	if s.reader == nil {
		s.emit(r)
		return
	}
	s.stream.Go(func() stream.Callback {
		s.verify(ctx, r)
		return func() { s.emit(r) }
	})
}

// wait returns when all results are handed on.
func (s *verifies) wait() { s.stream.Wait() }

// verify reads the applied rows of r back. Where that fails, or ctx ends, they are not verified.
func (s *verifies) verify(ctx context.Context, r *results) {
	defer s.control.guard()
	s.control.begin("verify")
	r.proofs = r.applied()
	if len(r.proofs) == 0 || ctx.Err() != nil {
		return
	}
	values := make([]string, len(r.proofs))
	for i := range r.proofs {
		r.proofs[i].removal, values[i] = s.removal, plain(r.key(r.proofs[i].row))
	}
	reader := s.reader
	if r.to != nil {
		reader = r.to.reader
	}
	if reader == nil {
		return // the list was deleted since
	}
	read := reader.Added
	if s.removal {
		read = reader.Removed
	}
	found, err := read(ctx, values)
	if err != nil {
		if ctx.Err() == nil && !(r.to != nil && sink.ListGone(err)) {
			s.control.stop(err)
		}
		return
	}
	for i := range r.proofs {
		p := &r.proofs[i]
		p.state, p.missing = found[i].State, found[i].State == sink.OffList
		if s.removal {
			p.missing = found[i].State == sink.OnList
			continue
		}
		p.since, p.mailable = found[i].Since, found[i].Mailable
		began, later := s.control.client.Began(), s.later || r.earlier
		if later {
			began = p.created.Truncate(time.Second)
		}
		p.dated = !later || !p.created.IsZero()
		p.new = p.dated && !p.since.IsZero() && !p.since.Before(began)
	}
	if err := s.cleared(ctx, reader, r, found); err != nil && ctx.Err() == nil {
		s.control.stop(err)
	}
}

// proof is what reading a row back showed.
type proof struct {
	row           int // index in results
	state         sink.ProofState
	missing       bool     // it is not as it should be
	left          []string // the properties that the row clears and the profile still has
	removal       bool
	created       time.Time // when Klaviyo created the row's import job, zero when not known
	since         time.Time
	dated         bool // whether the member is new is known
	new, mailable bool
}

// applied returns proofs, still empty, of the rows that are applied, in input order.
func (r *results) applied() (rows []proof) {
	for i := range r.odd {
		if r.odd[i].line.Status == report.Applied {
			rows = append(rows, proof{row: r.odd[i].row})
		}
	}
	var line report.Line
	for n := range r.shared {
		place := 0
		for row := range r.rowsOf(n) {
			if r.shared[n].enter(place, &line); line.Status == report.Applied {
				rows = append(rows, proof{row: row, created: r.shared[n].created})
			}
			place++
		}
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].row < rows[j].row })
	return rows
}

// enter enters what reading a row back showed into its line.
func (p *proof) enter(line *report.Line) {
	switch {
	case len(p.left) > 0:
		line.Status, line.Code, line.Column, line.Detail = report.Unknown, "not_cleared", p.left[0], notCleared(p.left)
	case !p.missing:
	case p.removal:
		line.Status, line.Code = report.Unknown, "still_on_list"
		line.Detail = "Klaviyo removed the person, but the list still shows the identifier: the person may have joined again"
	default:
		line.Status, line.Code = report.Unknown, "not_on_list"
		line.Detail = "the import job ended without an error for this row, but the list does not show the person"
	}
	line.ReadBack = &report.ReadBack{
		Verified: p.state != sink.NotRead, Since: p.since, Dated: p.dated, New: p.new, Mailable: p.mailable,
	}
}

// plain is the text of a key.
func plain(key []byte) (text string) {
	_ = json.Unmarshal(key, &text) // it is a JSON string
	return text
}
