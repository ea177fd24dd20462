package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// MirrorOptions are what a run that makes a list equal to its rows needs beside Options.
type MirrorOptions struct {
	Plan         bool   // find out what would be done, and change nothing
	MaxRemovals  *Bound // how many of the members may be removed; nil, which is for a plan: any number
	MaxUnmatched Bound  // how many of the rows may be unaccounted for when somebody is removed
}

// mirror is the part of a run that takes everybody off a list who is in no row, once the rows are sent. DESIGN.md §5
// says why each step is needed: nobody is removed by mistake.
type mirror struct {
	run       *run
	options   *MirrorOptions
	input     *spool
	rehearsed *rehearsal
	roll      *roll // the people of the rows
	began     time.Time
	extras    *extras // members who match no row so far
	draft     *draft  // the results until it is known which rows are sent again; nil without a state
	again     *draft  // the results of those rows; nil while they are not sent
	remover   *sink.Extras
	outMu     sync.Mutex // guards the output while extras are removed
	counts    report.Mirrored
	counted   bool // the counts are whole

	unmatched int64 // number of the first row that is not accounted for
	unproved  int64 // members that an earlier run may have removed
}

// clockSlack is what Klaviyo's clocks may differ by: the one that dates its answers, and the one that dates members.
const clockSlack = 2 * time.Second

func (r *run) newMirror(input *spool, h *rehearsal) *mirror {
	return &mirror{run: r, options: r.options.Mirror, input: input, rehearsed: h, roll: newRoll(h.rows)}
}

// errInputChanged is the error of a file that is written while it is read: a person may be missing in each reading.
var errInputChanged = &Error{
	Text: "nobody was removed: the input changed while it was read",
	Hint: "pass a file that nobody writes to, or a pipe", exit: 1,
}

// nobodyRemoved is the error of a run that ended before it removed anybody.
func nobodyRemoved(err error) error {
	const says = "nobody was removed: "
	if strings.HasPrefix(err.Error(), says) {
		return err
	}
	return fmt.Errorf(says+"%w", err)
}

// inputChanged reports whether the rows that were sent are not those that were rehearsed, or the file has changed.
func (m *mirror) inputChanged() bool {
	return m.out().Rows().Read != m.rehearsed.rows || m.roll.sum != m.rehearsed.people || m.input.changed()
}

// carry sends the rows of the input, which the rehearsal found right, and removes everybody else. Its error is what is
// wrong with the input, or why not everybody else was removed.
func (m *mirror) carry(ctx context.Context, earlier *resumption) (err error) {
	r := m.run
	r.mirror = m
	if r.state != nil {
		if m.draft, err = newDraft(); err != nil {
			r.control.stop(err)
			return nil
		}
		defer m.draft.close()
	}
	ended := r.flow(ctx, m.input.again(), earlier)
	whole := ended == nil && m.goesOn(ctx)
	if whole && m.inputChanged() {
		whole, ended = false, errInputChanged
	}
	unread := stopped
	if whole {
		if err := m.compare(ctx); err != nil {
			r.control.stop(nobodyRemoved(err))
		} else if m.goesOn(ctx) {
			unread = ""
		}
	}
	defer m.again.close()
	defer m.extras.close()
	if m.draft != nil {
		if err := settleDraft(r.out, m.draft, m.again, m.draft.Rows().Read, cmp.Or(unsentNow(ctx), unread)); err != nil {
			r.control.stop(err)
		}
	}
	if !whole || !m.goesOn(ctx) || m.extras == nil {
		return ended
	}
	if m.input.changed() {
		return errInputChanged
	}
	return m.settle(ctx)
}

// goesOn reports whether nothing has stopped the run, and all import jobs have ended.
func (m *mirror) goesOn(ctx context.Context) bool {
	return ctx.Err() == nil && m.run.control.late.Load() == 0
}

// out is where the flow writes its results.
func (m *mirror) out() *report.Writer {
	switch {
	case m.again != nil:
		return m.again.Writer
	case m.draft != nil:
		return m.draft.Writer
	}
	return m.run.out
}

// compare reads the members, sends the rows that the state remembers and whose people left the list, and looks up the
// people who are not seen on the list.
func (m *mirror) compare(ctx context.Context) (err error) {
	if id, _, _ := m.run.list.State(); id == "" { // the list does not exist: it is a plan, or no row was sent
		if m.counted = true; m.options.Plan {
			m.counts.Added = int64(m.roll.valid)
		}
		return nil
	}
	if m.extras, err = newExtras(); err != nil {
		return err
	}
	if m.began, err = m.beginning(ctx); err != nil {
		return err
	}
	if err := m.walk(ctx); err != nil {
		return err
	}
	if m.roll.kept && m.options.Plan {
		m.run.control.unchanged.Add(-m.roll.left())
	} else if m.roll.kept {
		if m.again, err = newDraft(); err != nil {
			return err
		}
		if err := m.run.flow(ctx, m.input.again(), nil); err != nil || !m.goesOn(ctx) {
			return err
		}
	}
	return m.lookUp(ctx)
}

// beginning is when the run began, or the first one that it continues. Whoever joined later may have come by another
// way since the rows were queried. Klaviyo dates the first import job, which is created when all rows are read; the
// earlier report has the time before that. The earlier one of the two counts.
func (m *mirror) beginning(ctx context.Context) (time.Time, error) {
	client, resume := m.run.options.Client, m.run.options.Resume
	began := client.Began()
	if resume == nil || resume.Rows == 0 {
		return began, nil
	}
	job, started, err := resume.beginning()
	if err != nil {
		return began, err
	}
	if job == "" && started.IsZero() {
		return began, &Error{
			Text: "nobody was removed: the earlier results do not say when their run began",
			Hint: "query the rows again, and run mirror without --resume",
		}
	}
	if job != "" {
		if began, err = client.JobCreated(ctx, job); err != nil {
			return began, fmt.Errorf("find out when the earlier run began: %w", err)
		}
	}
	if !started.IsZero() && started.Before(began) {
		began = started
	}
	return began, nil
}

// settle removes the extras, unless there is a reason not to, and writes a line for each.
func (m *mirror) settle(ctx context.Context) error {
	if err := m.extras.divide(m.began, m.options.Plan, &m.counts); err != nil {
		return err
	}
	m.counted = true
	if err := m.tell(ctx); err != nil {
		m.run.control.stop(nobodyRemoved(err))
		return nil
	}
	why := m.refusal()
	if m.options.Plan || why != nil {
		return orBroken(m.extras.each(m.write), why)
	}
	return m.remove(ctx)
}

// refusal says why nobody is removed, nil when the extras are.
func (m *mirror) refusal() error {
	rows, c, o := m.run.out.Rows(), &m.counts, m.run.options
	before := c.Read - c.JoinedLater // members: people that the rows have added make no room for removals
	if !m.options.Plan {
		before -= c.Added
	}
	refuse := func(hint, format string, args ...any) error {
		nobody := "nobody was removed: "
		if m.options.Plan {
			nobody = "a run would remove nobody: "
		}
		return &Error{Text: nobody + fmt.Sprintf(format, args...), Hint: hint, exit: 1}
	}
	switch rejected := rows.Rejected + m.run.control.earlierRejected.Load(); {
	case !o.MaxInvalid.allows(rejected, rows.Read):
		return refuse(hintRejected, "%d of %d rows are rejected, --max-invalid is %v", rejected, rows.Read, o.MaxInvalid)
	case !m.options.MaxUnmatched.allows(c.Unmatched, rows.Read):
		return refuse("each of them may be somebody on the list under another name; --max-unmatched N or N% allows some",
			"%d of %d rows are not accounted for on the list, the first is row %d; --max-unmatched is %v",
			c.Unmatched, rows.Read, m.unmatched, m.options.MaxUnmatched)
	case m.options.MaxRemovals != nil && !m.options.MaxRemovals.allows(c.Extras, before):
		return refuse("check the query; the lines of type member name them; --max-removals N or N% allows more",
			"%d of %d members match no row, --max-removals is %v", c.Extras, before, m.options.MaxRemovals)
	}
	return nil
}

// orBroken is the first error that there is.
func orBroken(broken, why error) error {
	if broken != nil {
		return broken
	}
	return why
}

// write writes the line of an extra.
func (m *mirror) write(e *extra) {
	line := report.Member{Status: report.MemberExtra, Key: e.key, ProfileID: e.ID}
	if e.Fault != nil {
		line.Code, line.Detail = e.Fault.Code, e.Fault.Detail
	}
	switch e.State {
	case sink.Removed:
		line.Status = report.MemberRemoved
		m.counts.Removed++
	case sink.Uncertain:
		line.Status = report.MemberUnknown
	case sink.Rejoined:
		m.counts.JoinedLater++
		m.counts.Extras--
		return
	case sink.Left:
		m.counts.Read--
		m.counts.Extras--
		return
	}
	m.run.out.Member(&line)
}
