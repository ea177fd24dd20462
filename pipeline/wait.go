package pipeline

import (
	"bytes"
	"context"
	"io"

	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

const (
	maxGroup = 64 << 10 // lines that are held together for the sake of one job: more than a batch has
	maxAlone = 4096     // lines that are held together where no job is
)

// Wait reads the results of an earlier run from in, waits for the jobs of the rows that are accepted there, and writes what
// became of these to out; all other rows are passed on as they are, in the same order. A new report takes the place of the
// old one. Of job it uses Client, WaitTimeout, MaxOpenJobs and Version. It returns what Run does.
func Wait(ctx context.Context, job *Options, in io.Reader, out io.Writer) (*report.Report, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := newRun(job, out, stop)
	r.earlier = new(report.Report)
	r.watch = sink.NewJobs(job.Client)
	r.gauge.far(job.Client, r.watch)
	return r.finish(ctx, r.waitAll(ctx, in))
}

// waitAll takes the lines of in through settling. Its error is the input's.
func (r *run) waitAll(ctx context.Context, in io.Reader) error {
	settles := stream.New().WithMaxGoroutines(r.job.MaxOpenJobs)
	defer settles.Wait()
	emit := func(o *outcomes) {
		settles.Go(func() stream.Callback {
			r.settle(ctx, o)
			return func() { r.write(o) }
		})
	}
	g := grouper{open: &outcomes{numbers: []int64{}}, emit: emit, gauge: r.gauge}
	defer func() { g.next() }()
	earlier, err := openEarlier(ctx, in)
	if err != nil {
		return notResults(err)
	}
	defer earlier.Close()
	results, err := earlier.results()
	if err != nil {
		return notResults(err)
	}
	if results.Reports != nil {
		*r.earlier = *results.Reports
	}
	for {
		e, err := results.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return notResults(err)
		}
		g.add(&e)
	}
	if results.Cut {
		return &Error{Text: "the results end in the middle of a line: the run that wrote them did not come to its end", Hint: "add --resume takes it up again", exit: 1}
	}
	return nil
}

func notResults(err error) error {
	return &Error{Text: "read results: " + err.Error(), Hint: "standard input takes what klaviyo-export add wrote to its standard output", cause: err}
}

// untilDone reads from in until ctx ends, whatever in does.
func untilDone(ctx context.Context, in io.Reader) io.Reader {
	blocks := blocksOf(ctx, in)
	var last block
	return reader(func(p []byte) (int, error) {
		for len(last.data) == 0 {
			if last.err != nil {
				return 0, last.err
			}
			select {
			case last = <-blocks:
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			}
		}
		n := copy(p, last.data)
		last.data = last.data[n:]
		return n, nil
	})
}

// grouper gathers the rows of each job.
type grouper struct {
	open  *outcomes
	job   string // of open's accepted rows
	emit  func(*outcomes)
	gauge *Gauge
}

// add takes the next row.
func (g *grouper) add(e *report.Entry) {
	waiting := e.Status == report.Accepted && e.Job != ""
	if n := len(g.open.ends); waiting && g.job != "" && e.Job != g.job || n >= maxGroup || n >= maxAlone && g.job == "" {
		g.next()
	}
	g.gauge.read.Add(1)
	g.open.numbers = append(g.open.numbers, e.Row)
	if !waiting {
		g.open.add(nil)
		g.open.alone(&report.Line{Status: e.Status, Stage: e.Stage, Code: e.Code, Raw: bytes.Clone(e.Text)})
		return
	}
	g.job = e.Job
	g.open.add(e.Key)
	g.open.join(&report.Line{Status: e.Status, Job: e.Job})
}

// next hands on what is gathered.
func (g *grouper) next() {
	if len(g.open.ends) > 0 {
		g.emit(g.open)
		g.open, g.job = &outcomes{numbers: []int64{}}, ""
	}
}
