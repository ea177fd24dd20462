package pipeline

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/encoding/json"
	"github.com/sourcegraph/conc/stream"

	"klaviyo-export/report"
	"klaviyo-export/sink"
)

const (
	maxGroup = 64 << 10 // lines that are held together for the sake of one job: more than a batch has
	maxAlone = 4096     // lines that are held together where no job is
	maxLine  = 4 << 20  // bytes of a line of results
)

// errCut marks results that end in the middle of a line, as those of a run that was killed do.
var errCut = &Error{Text: "the results end in the middle of a line: the run that wrote them did not come to its end", exit: 1}

// Wait reads the results of an earlier run from in, waits for the jobs of the rows that are accepted there, and writes what
// became of these to out; all other rows are passed on as they are, in the same order. A new report takes the place of the
// old one. Of job it uses Client, WaitTimeout, MaxOpenJobs, Version and Err. It returns what Run does.
func Wait(ctx context.Context, job *Job, in io.Reader, out io.Writer) (*report.Report, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := newRun(job, out, stop)
	r.earlier = new(report.Report)
	var ended error
	if job.Err != nil {
		stop(job.Err)
	} else {
		r.watch = sink.NewJobs(job.Client)
		r.gauge.far(job.Client, r.watch)
		ended = r.waitAll(ctx, in)
	}
	return r.finish(ctx, ended)
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
	g := grouper{open: &outcomes{numbers: []int64{}}, emit: emit, earlier: r.earlier, gauge: r.gauge}
	defer func() { g.next() }()
	lines := bufio.NewReaderSize(untilDone(ctx, in), maxLine)
	defer r.gauge.ended.Store(true)
	for n := 1; ctx.Err() == nil; n++ {
		line, err := lines.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			err = fmt.Errorf("line %d is longer than %d bytes", n, maxLine)
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("read results: %w", err)
		}
		if err == io.EOF && len(bytes.TrimSpace(line)) > 0 && !json.Valid(line) {
			return errCut
		}
		if text := bytes.TrimRight(line, "\r\n"); len(bytes.TrimSpace(text)) > 0 {
			if wrong := g.add(text); wrong != nil {
				return &Error{Text: fmt.Sprintf("read results: line %d is not a result: %v", n, wrong), Hint: "standard input takes what klaviyo-export add wrote to its standard output"}
			}
		}
		if err == io.EOF {
			return nil
		}
	}
	return nil
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
	open    *outcomes
	job     string // of open's accepted rows
	emit    func(*outcomes)
	earlier *report.Report
	gauge   *Gauge
}

// result is a line of results, as far as it matters here.
type result struct {
	Type   string          `json:"type"`
	Row    int64           `json:"row"`
	Status string          `json:"status"`
	Key    json.RawMessage `json:"key"`
	Stage  string          `json:"stage"`
	Code   string          `json:"code"`
	Job    string          `json:"job"`
}

// add takes the next line.
func (g *grouper) add(text []byte) error {
	var line result
	if json.Unmarshal(text, &line) != nil {
		return errors.New("it is not JSON")
	}
	switch {
	case line.Type == "report":
		*g.earlier = report.Report{}
		if json.Unmarshal(text, g.earlier) != nil {
			return errors.New("it is no report")
		}
		return nil
	case line.Type != "row":
		return errors.New(`its type is neither "row" nor "report"`)
	}
	status, ok := report.ParseStatus(line.Status)
	if !ok {
		return errors.New("its status is unknown")
	}
	waiting := status == report.Accepted && line.Job != ""
	if n := len(g.open.ends); waiting && g.job != "" && line.Job != g.job || n >= maxGroup || n >= maxAlone && g.job == "" {
		g.next()
	}
	g.gauge.read.Add(1)
	g.open.numbers = append(g.open.numbers, line.Row)
	if !waiting {
		g.open.add(nil)
		g.open.alone(&report.Line{Status: status, Stage: line.Stage, Code: line.Code, Raw: bytes.Clone(text)})
		return nil
	}
	g.job = line.Job
	g.open.add(line.Key)
	g.open.join(&report.Line{Status: status, Job: line.Job})
	return nil
}

// next hands on what is gathered.
func (g *grouper) next() {
	if len(g.open.ends) > 0 {
		g.emit(g.open)
		g.open, g.job = &outcomes{numbers: []int64{}}, ""
	}
}
