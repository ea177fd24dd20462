package pipeline

import (
	"context"
	"io"

	"klaviyo-export/report"
)

// refusal gives the rows of an input that must not be sent their results: bad rows are rejected, all others unsent.
type refusal struct {
	control *control
	earlier *resumption
	code    string // of unsent rows
	rows    int64
	emit    func(*results)
}

// refuse reads a rehearsed input again and writes a result for each of its rows. ctx has ended with the reason.
func (r *run) refuse(ctx context.Context, in io.Reader, earlier *resumption) {
	writes := newWrites(r.control, r.out, nil)
	f := &refusal{control: r.control, earlier: earlier, code: unsentNow(ctx), emit: writes.add}
	checks := newChecks(r.control, r.options.Checker, r.finding(ctx, f.add))
	_ = r.read(context.WithoutCancel(ctx), in, checks.add) // the rehearsal has told what is wrong with it
	checks.wait()
	r.open = writes.wait()
}

// add hands on the results of the next chunk's rows.
func (f *refusal) add(c *chunk) {
	defer c.release()
	defer f.control.guard()
	r := f.control.newResults()
	r.first = f.rows + 1
	for i := range c.rows.Rows {
		row, number := &c.rows.Rows[i], f.rows+int64(i)+1
		status, final, err := f.earlier.of(c, i, number)
		if err != nil {
			f.control.stop(err)
		}
		r.add(c.rows.Data[row.KeyStart:row.KeyEnd])
		switch {
		case final:
			f.control.resume(status)
			r.alone(&report.Line{Status: report.Resumed})
		case row.Fault != nil:
			f.control.rejected.Add(1)
			r.alone(invalid(row.Fault))
		default:
			r.join(&report.Line{Status: report.Unsent, Code: f.code})
		}
	}
	f.rows += int64(len(c.rows.Rows))
	f.emit(r)
}
