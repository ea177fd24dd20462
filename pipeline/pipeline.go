// Package pipeline carries rows from standard input to Klaviyo and their results to standard output. Start with
// flow in this file.
//
//	stdin → read ─chunk→ checks (N, in order) → compares (1) → batches (1) → sends (M, in order) → settles (in order)
//	→ verifies (in order) → consents (in order) → writes → stdout
//
// A chunk is some 256 KiB of whole rows, a batch is what one request takes. Nothing smaller is handed on. Each
// arrow is a blocking call: a slow Klaviyo stops sends, which stops batches, checks and read in turn. Behind sends
// only the keys and results of rows are left. Without Options.Wait, settles hands everything on at once. So does
// verifies without Options.Verify, consents unless consent is waited for, and compares without Options.State.
//
// With Options.Lists, checked rows first find the lists that they name. A batch has rows of one list then, from
// anywhere in the input, and the last stage puts the results into order: see lists.go, fills.go and orders.go.
//
// With Options.Mirror, the flow is a part of more: see mirror.go.
package pipeline

import (
	"context"
	"io"

	"klaviyo-export/report"
	"klaviyo-export/validate"
)

// Interrupted is the cause with which a signal cancels the context that Run gets.
type Interrupted struct {
	Signal   string
	ExitCode int // 130 or 143
}

func (i *Interrupted) Error() string { return "stopped by " + i.Signal }

// Run reads rows from in, does what the options say, and writes to out a result line for every row and then the
// report. It returns the report and, unless the exit status is 0, the reason for people. When ctx ends, reading and
// sending stop, requests in flight end by their own time limit, and every row that was read still gets its result.
//
// A blocked Read of in cannot be cancelled: one goroutine then stays with it until the Read returns.
func Run(ctx context.Context, o *Options, in io.Reader, out io.Writer) (*report.Report, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := newRun(ctx, o, out, stop)
	var ended error
	if err := r.prepare(ctx); err != nil {
		stop(err)
	} else {
		ended = r.carry(ctx, in)
	}
	r.closeState()
	return r.finish(ctx, ended)
}

// Refuse writes to out the report of a run that cannot begin, and returns it with the reason why.
func Refuse(ctx context.Context, o *Options, why error, out io.Writer) (*report.Report, error) {
	ctx, stop := context.WithCancelCause(ctx)
	stop(why)
	return newRun(ctx, o, out, stop).finish(ctx, nil)
}

// carry takes the rows of in through the flow. With CheckFirst they are rehearsed before, and when the rehearsal
// finds a reason not to send, each row gets its result without the flow. The error is the input's.
func (r *run) carry(ctx context.Context, in io.Reader) error {
	earlier, err := newResumption(r.options)
	if err != nil {
		r.control.stop(err)
		return nil
	}
	if !r.options.CheckFirst && r.options.Mirror == nil {
		return r.flow(ctx, in, earlier)
	}
	s, err := newSpool(in)
	if err != nil {
		r.control.stop(err)
		return nil
	}
	defer s.Close()
	checked := r.rehearse(ctx, s, earlier)
	if earlier, err = newResumption(r.options); err != nil {
		r.control.stop(err)
		return nil
	}
	switch again := s.again(); {
	case checked.unfit:
		return nil
	case checked.paused:
		r.refuse(ctx, paused(again), earlier)
		return checked.ended
	case ctx.Err() != nil:
		r.refuse(ctx, again, earlier)
		return checked.ended
	case r.options.Mirror != nil:
		return r.newMirror(s, checked).carry(ctx, earlier)
	default:
		return r.flow(ctx, again, earlier)
	}
}

// read cuts in into chunks for emit. Its error is the input's.
func (r *run) read(ctx context.Context, in io.Reader, emit func(*chunk)) error {
	defer r.control.guard()
	whole, err := read(ctx, in, r.options.BatchDelay, &r.control.pools, emit)
	r.unread = r.unread || !whole
	return err
}

// flow joins the stages and takes the rows of in through them until in or ctx ends. Its error is the input's.
func (r *run) flow(ctx context.Context, in io.Reader, earlier *resumption) error {
	open := newPermits(r.watch, r.options.MaxOpenJobs)
	out, lacking := r.out, false
	var people *roll
	if r.mirror != nil {
		people, out, lacking = r.mirror.roll, r.mirror.out(), r.mirror.again != nil
	}
	writes := newWrites(r.control, out, open)
	write, wait, ordered := writes.add, writes.wait, newOrders(writes)
	if r.lists != nil {
		write, wait = ordered.add, ordered.wait
	}
	if r.mirror != nil {
		writes.refused = func(key []byte) { people.refuse(r.options.Checker.Identity(plain(key))) }
	}
	consents := newConsents(r.control, r.consents, r.options.WaitTimeout, write)
	verifies := newVerifies(r.control, r.reader, r.options.Operation == validate.Remove, func(s *results) {
		consents.add(ctx, s)
	})
	settles := newSettles(r.control, r.watch, r.options, func(s *results) { verifies.add(ctx, s) })
	sends := newSends(r.control, r.sender, r.options, open, func(s *results) { settles.add(ctx, s) })
	sends.again = r.consents != nil
	batches := newBatches(r.control, r.sender, r.options, earlier, people, func(b *batch) { sends.add(ctx, b) })
	batches.lacking, batches.waits = lacking, r.watch != nil && !r.options.DryRun
	if r.lists != nil {
		sends.sender = nil // it is for no list
		batches.lists, batches.fills = r.lists, &fills{orders: ordered, rest: r.lists.rest}
	}
	compares := &compares{control: r.control, state: r.state, emit: batches.add}
	checks := newChecks(r.control, r.options.Checker, r.finding(ctx, compares.add))
	checks.state, batches.look = r.state, r.options.DryRun
	if r.state != nil && !r.options.DryRun {
		sends.state = r.state
		writes.state = &remembers{
			state: r.state, list: r.list, hasher: r.newHasher(), control: r.control, window: int64(r.options.Window),
		}
	}

	ended := r.read(ctx, in, checks.add)
	checks.wait()
	compares.wait()
	batches.wait()
	sends.wait()
	settles.wait()
	verifies.wait()
	consents.wait()
	r.open = append(r.open, wait()...)

	if ended == nil && ctx.Err() == nil {
		ended = earlier.leftOver(batches.rows)
	}
	return ended
}
