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
}

// findChains reads all lines and returns the chains in results. It notes reports whose rows have no lines in bare.
func findChains(results *io.SectionReader, all *Lines, bare *oddity) (chains []chain, err error) {
	var run []stretch // since the last report
	last := int64(0)
	for {
		e, at, err := all.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if !e.Report {
			if run, err = ascend(run, e.Row, last, at, results.Size()); err != nil {
				return nil, err
			}
			last = e.Row
			continue
		}
		var r struct {
			Rows Rows `json:"rows"`
		}
		if _, err := json.Parse(e.Text, &r, json.DontMatchCaseInsensitiveStructFields); err != nil {
			return nil, fmt.Errorf("line %d is not a result: %w", all.first, errMember)
		}
		if n := len(run); n > 0 {
			run[n-1].to = at
		} else if rows := &r.Rows; rows.Rejected+rows.Unknown+rows.Unsent > 0 {
			bare.note(all.first)
		}
		if chains, err = join(chains, chain{stretches: run}, r.Rows.Resumed > 0); err != nil {
			return nil, err
		}
		run = nil
	}
	if len(run) == 0 {
		return chains, nil
	}
	resumed, err := resumes(results, all.code, chains, run)
	if err != nil {
		return nil, err
	}
	return join(chains, chain{run, true}, resumed)
}

// join appends a chain, or adds it to the last one.
func join(chains []chain, c chain, resumed bool) ([]chain, error) {
	n := len(chains)
	if !resumed || n == 0 {
		return append(chains, c), nil
	}
	last := &chains[n-1]
	last.stretches, last.open = append(last.stretches, c.stretches...), c.open
	if len(last.stretches) > maxRuns {
		return nil, fmt.Errorf("the rows are not in order: their numbers start over more than %d times", maxRuns)
	}
	return chains, nil
}

// resumes reports whether a run that left no report resumed the last chain. A run that resumes another has no line for
// a row with a final result, except for the last row, which the end of the input may have cut.
func resumes(results io.ReaderAt, code encoding, chains []chain, run []stretch) (bool, error) {
	if len(chains) == 0 {
		return false, nil
	}
	var before, now Results
	if err := before.open(results, code, chains[len(chains)-1].stretches); err != nil {
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
		earlier, ok, err := before.Of(e.Row)
		if err != nil {
			return false, err
		}
		if ok && earlier.Status.Final() {
			if finals++; finals > 1 || earlier.Code != "json_invalid" {
				return false, nil
			}
		}
	}
}
