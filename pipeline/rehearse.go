package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/report"
)

// errPaused ends input that goes on, but not for this run.
var errPaused = errors.New("the input was not read further")

// rehearse reads and checks the whole input before anything is sent, and returns it to be read again. When there is a reason not
// to send, the run is stopped by it and refused is set; ended is what is wrong with the input itself. Input that cannot be what
// the job needs is not returned.
func (r *run) rehearse(ctx context.Context, s *spool) (again io.Reader, ended error) {
	checks := stream.New().WithMaxGoroutines(runtime.GOMAXPROCS(0))
	var rows, rejected int64
	var first opening
	unfit := false
	ended = read(ctx, s, r.job.BatchDelay, func(c *chunk) {
		checks.Go(func() (then stream.Callback) {
			then = func() {}
			defer r.bug()
			c.check(r.job.Checker)
			return func() {
				c.first = rows + 1
				if _, err := first.check(c); err != nil {
					unfit = true
					r.stop(err)
				}
				for i := range c.rows.Rows {
					status, final, err := r.resumption.of(c, i, rows+int64(i)+1)
					if err != nil {
						r.stop(err)
					}
					if final && status == report.Rejected || !final && c.rows.Rows[i].Fault != nil {
						rejected++
					}
				}
				rows += int64(len(c.rows.Rows))
				r.gauge.read.Store(rows)
				c.release()
			}
		})
	})
	checks.Wait()
	if unfit {
		return nil, nil
	}
	again = s.again()
	if ctx.Err() != nil {
		again = io.MultiReader(again, reader(func([]byte) (int, error) { return 0, errPaused }))
	} else if err := cmp.Or(r.refusal(rows, rejected, ended), r.resumption.leftOver(rows)); err != nil {
		r.stop(err)
	}
	r.refused = ctx.Err() != nil
	return again, ended
}

// refusal says why a checked input should not be sent, nil if it should.
func (r *run) refusal(rows, rejected int64, ended error) error {
	switch {
	case ended != nil:
		return &Error{Text: "nothing was sent: " + ended.Error(), Hint: Hint(ended), cause: ended, exit: ExitCode(ended)}
	case !r.job.MaxInvalid.allows(rejected, rows):
		return &Error{Text: fmt.Sprintf("nothing was sent: %d of %d rows are not valid, --max-invalid is %v", rejected, rows, r.job.MaxInvalid), Hint: hintRejected, exit: 1}
	case r.job.ExpectRows != nil && *r.job.ExpectRows != rows:
		return &Error{Text: fmt.Sprintf("nothing was sent: the input has %d rows, --expect-rows is %d", rows, *r.job.ExpectRows), Hint: hintExpected, exit: 1}
	}
	return nil
}

// reader is an io.Reader.
type reader func([]byte) (int, error)

func (f reader) Read(p []byte) (int, error) { return f(p) }
