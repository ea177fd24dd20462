package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/validate"
)

// Earlier is the results of an earlier run, open for looking up rows. A pipe is copied to a temporary file.
type Earlier struct {
	Rows    int64          // the greatest row number in the results
	Unended bool           // the last line has no newline
	Report  *report.Report // of the last run that wrote one, nil when none did
	Ended   time.Time      // when the file was written last; for a pipe, when it was read
	spool   *spool
	file    *os.File // nil where it is the caller's
}

// OpenEarlier opens a file of results as it is now: lines that are appended later are not seen. Waiting for a pipe
// ends with ctx; the error is its cause. A file is opened all the same: the run appends its report to it.
func OpenEarlier(ctx context.Context, name string) (*Earlier, error) {
	opening := ctx
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		opening = context.WithoutCancel(ctx)
	}
	f, err := Within(opening, func() (*os.File, error) { return os.Open(name) })
	if err != nil {
		return nil, fmt.Errorf("read the earlier results: %w", err)
	}
	e, err := openEarlier(opening, f)
	if err == nil && opening.Err() != nil {
		e.spool.Close()
		err = context.Cause(ctx)
	} else if err == nil {
		e.file = f
		var r *report.Results
		if r, err = e.results(); err == nil {
			e.Rows, e.Report = r.Last, r.Reports
			e.Unended = e.spool.unended()
			e.Ended = time.Now()
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
				e.Ended = info.ModTime()
			}
			return e, nil
		}
		e.spool.Close()
	}
	_ = f.Close()
	return nil, &Error{
		Text: fmt.Sprintf("read the earlier results in %s: %v", name, err),
		Hint: cmp.Or(Hint(err),
			"name the file that an earlier run wrote to its standard output, and pass the rows on standard input"),
		cause: err,
	}
}

// openEarlier copies results that cannot be read twice, as far as they go when ctx ends.
func openEarlier(ctx context.Context, in io.Reader) (*Earlier, error) {
	s, err := newSpool(in)
	if err != nil {
		return nil, err
	}
	if err := s.readWhole(ctx); err != nil && ctx.Err() == nil {
		s.Close()
		return nil, err
	}
	return &Earlier{spool: s}, nil
}

// results returns the results from their beginning.
func (e *Earlier) results() (*report.Results, error) {
	again := e.spool.again()
	return report.OpenResults(again, again.Size())
}

// Close closes the file.
func (e *Earlier) Close() {
	e.spool.Close()
	if e.file != nil {
		_ = e.file.Close()
	}
}

// beginning returns the first import job in the results, "" where there is none, and when the first run that has a
// report started, by the clock of its machine, zero where none has.
func (e *Earlier) beginning() (job string, started time.Time, err error) {
	lines := report.NewLines(e.spool.again())
	for job == "" || started.IsZero() {
		line, err := lines.Next()
		switch {
		case err == io.EOF:
			return job, started, nil
		case err != nil:
			return "", time.Time{}, fmt.Errorf("read the earlier results: %w", err)
		case line.Report && started.IsZero():
			var r struct {
				StartedAt time.Time `json:"started_at"`
			}
			if err := json.Unmarshal(line.Text, &r); err != nil {
				return "", time.Time{}, fmt.Errorf("read the earlier report: %w", err)
			}
			started = r.StartedAt
		case job == "":
			job = line.Job
		}
	}
	return job, started, nil
}

// sent returns what the lines of a run that was killed say of the first row that Klaviyo accepted: only Job, List and
// Channels. It is nil where there is no such row.
func (e *Earlier) sent() (*report.Entry, error) {
	lines := report.NewLines(e.spool.again())
	for {
		line, err := lines.Next()
		switch {
		case err == io.EOF:
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("read the earlier results: %w", err)
		case line.Row > 0 && (line.Status == report.Applied || line.Status == report.Accepted):
			return &report.Entry{
				Job: strings.Clone(line.Job), List: strings.Clone(line.List), Channels: slices.Clone(line.Channels),
			}, nil
		}
	}
}

// losses are what results show of answers that were lost.
type losses struct {
	at        time.Time // when it happened last, zero for never
	consent   bool      // lines are of subscribe or unsubscribe
	announced bool      // a line was cut that may have announced a request of unsubscribe
}

// lost returns the losses, as far as the lines show them. A run that was killed may have lost some. A run that read
// rows began when earlier losses did not matter any more; one that read none, as one that was refused, changes nothing.
// wait cannot say what a killed run has lost.
func (e *Earlier) lost() (l losses, err error) {
	lines, traces, cut := report.NewLines(e.spool.again()), false, int64(0)
	other := false // a row was sent for another command
	for {
		line, err := lines.Next()
		if n := lines.Cut(); n > cut {
			traces, l.announced, cut = true, l.announced || !other, n
		}
		switch {
		case err == io.EOF:
			l.announced = l.announced || e.spool.announced()
			if traces {
				l.at = e.Ended.Add(announceAfter)
			}
			return l, nil
		case err != nil:
			return l, fmt.Errorf("read the earlier results: %w", err)
		case !line.Report:
			sent := line.Status == report.Applied || line.Status == report.Accepted
			traces, l.consent, other = true, l.consent || line.Channels != nil, other || line.Channels == nil && sent
			continue
		}
		var r struct {
			Rows       report.Rows
			Operation  string
			Unread     bool
			Consent    *struct{}
			StartedAt  time.Time `json:"started_at"`
			FinishedAt time.Time `json:"finished_at"`
		}
		if err := json.Unmarshal(line.Text, &r); err != nil {
			return l, fmt.Errorf("read the earlier report: %w", err)
		}
		if r.Rows.Read > 0 {
			l.announced, other = l.announced && r.Operation == validate.Unsubscribe.String(), false
		}
		switch {
		case r.Rows.Read > 0 && r.Rows.Unknown > 0, r.Consent == nil && (l.consent || l.announced || r.Unread):
			l.at = r.FinishedAt
		case r.Rows.Read > 0:
			l.at = time.Time{}
		case traces: // of a run that was killed before
			l.at = r.StartedAt
		}
		traces = false
	}
}

// unsubscribesTwice is what Klaviyo may do.
const unsubscribesTwice = "unsubscribe people from the whole account who are unsubscribed from a list twice " +
	"within 30 minutes"

// tooEarly returns the error of a command that handles rows of e again while Klaviyo may still act on their lost
// requests, nil where that is safe: see run.tooEarly. operation and listless are of the run that wrote e.
func (e *Earlier) tooEarly(operation string, listless bool, command, remedy string) error {
	var what string
	switch {
	case operation == validate.Subscribe.String():
		what = "ignore people who are subscribed twice within 30 minutes"
	case operation == validate.Unsubscribe.String() && !listless:
		what = unsubscribesTwice
	default:
		return nil
	}
	lost, err := e.lost()
	return cmp.Or(err, e.refuse(what, lost.at, command, remedy))
}

// tooEarlyToPick is like tooEarly, for picked rows. A run that was killed has no report that names its operation: where
// its lines are of consent, they may be of unsubscribe.
func (e *Earlier) tooEarlyToPick() error {
	const command, remedy = "pick", "pick them"
	if r := e.Report; r != nil && (r.Consent != nil || r.Operation == validate.Unsubscribe.String()) {
		return e.tooEarly(r.Operation, r.Consent != nil && r.Consent.Everywhere, command, remedy)
	}
	lost, err := e.lost()
	if err != nil || !lost.consent && !lost.announced {
		return err
	}
	return e.refuse(unsubscribesTwice, lost.at, command, remedy)
}

// refuse is the error of tooEarly, nil where the last answers were lost long ago.
func (e *Earlier) refuse(what string, lost time.Time, command, remedy string) error {
	again := lost.Add(sink.Quiet)
	if !time.Now().Before(again) {
		return nil
	}
	hint := remedy + " after " + again.Format(time.TimeOnly)
	if e.Report != nil && e.Rows > 0 { // wait needs both
		hint = "run klaviyo-export wait < RESULTS to see what was done, or " + hint
	}
	return &Error{Text: command + ": answers of the earlier run are lost, and Klaviyo may " + what, Hint: hint}
}
