package report

import (
	"fmt"
	"io"

	"github.com/segmentio/encoding/json"
)

// chain is a run and all runs that resumed it.
type chain struct {
	stretches []stretch
	open      bool // the last run has no report
	joined    bool // there are several runs
	whole     bool // there is a line for each row that the reports count as their own
}

// segment is the rows since the last report.
type segment struct {
	stretches []stretch
	row       int64 // the last one
	err       error // the rows are not in order
}

// add adds a row at an offset of results, which end at end.
func (s *segment) add(row, at, end int64) (err error) {
	s.stretches, err = ascend(s.stretches, row, s.row, at, end)
	s.row = row
	return err
}

// close returns the stretches up to a report with these rows, and begins the next segment.
func (s *segment) close(at int64, rows *Rows) []stretch {
	run := s.stretches
	s.stretches = nil
	if n := len(run); n > 0 {
		run[n-1].to = at
	}
	if rows.Continues {
		if len(run) == 0 {
			run = []stretch{{from: at, to: at}}
		}
		run[len(run)-1].until = rows.Read
	}
	return run
}

// findChains reads all lines and returns the chains in results. A merged report resumes no run. Reports whose rows have
// no lines are noted in bare.
func findChains(results *io.SectionReader, all *Lines, bare *oddity) (chains []chain, err error) {
	var run segment
	for {
		e, at, err := all.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if e.isRow() {
			if err := run.add(e.Row, at, results.Size()); err != nil {
				return nil, err
			}
		}
		if !e.Report {
			continue
		}
		var r struct {
			Rows Rows  `json:"rows"`
			Runs int64 `json:"runs"`
		}
		if _, err := json.Parse(e.Text, &r, json.DontMatchCaseInsensitiveStructFields); err != nil {
			return nil, fmt.Errorf("line %d is not a result: %w", all.first, errMember)
		}
		r.Rows.Continues = r.Rows.Continues && r.Runs < 2
		if rows := &r.Rows; len(run.stretches) == 0 && rows.Rejected+rows.Unknown+rows.Unsent > 0 {
			bare.note(all.first)
		}
		c := chain{stretches: run.close(at, &r.Rows)}
		if n := len(chains); n == 0 || !r.Rows.Continues {
			chains = append(chains, c)
		} else if err := chains[n-1].join(c); err != nil {
			return nil, err
		}
	}
	return findOpen(results, all.code, chains, run.stretches)
}

// findOpen adds the runs without a report after them to chains.
func findOpen(results io.ReaderAt, code encoding, chains []chain, runs []stretch) ([]chain, error) {
	for _, run := range runs {
		c := chain{stretches: []stretch{run}, open: true}
		n := len(chains)
		resumed := false
		if n > 0 {
			var err error
			if resumed, err = resumes(results, code, chains[n-1].stretches, c.stretches); err != nil {
				return nil, err
			}
		}
		if !resumed {
			chains = append(chains, c)
		} else if err := chains[n-1].join(c); err != nil {
			return nil, err
		}
	}
	return chains, nil
}

// join adds the run that resumed c.
func (c *chain) join(next chain) error {
	c.stretches, c.open = append(c.stretches, next.stretches...), next.open
	c.joined, c.whole = true, c.whole && next.whole
	if len(c.stretches) > maxRuns {
		return errOrder
	}
	return nil
}

// resumes reports whether a run that left no report resumed the runs before it. A run that resumes another has the
// same keys, and no line for a row with a final result, except for the last row, which the end of the input may have
// cut, and for accepted rows whose import job it waited for.
func resumes(results io.ReaderAt, code encoding, earlier, run []stretch) (bool, error) {
	var before, now Results
	if err := before.open(results, code, earlier); err != nil {
		return false, err
	}
	if err := now.open(results, code, run); err != nil {
		return false, err
	}
	finals := 0
	for {
		e, err := now.Next()
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		old, ok, err := before.Of(e.Row)
		if err != nil {
			return false, err
		}
		if ok && len(old.Key) > 0 && len(e.Key) > 0 && plain(old.Key) != plain(e.Key) {
			return false, nil
		}
		settled := old.Status == Accepted && old.Job != "" && old.Job == e.Job
		if ok && old.Status.Final() && !settled {
			if finals++; finals > 1 || old.Code != codeCut {
				return false, nil
			}
		}
	}
}

// codeCut is the code of the last row where the end of the input cut it.
const codeCut = "json_invalid"
