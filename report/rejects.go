package report

import (
	"errors"
	"fmt"
	"io"
)

// Reject is a row that did not get there: it is rejected, unknown or unsent. Its members are written in this order.
type Reject struct {
	Row    int64  `json:"row"`
	Key    string `json:"key,omitempty"`
	Column string `json:"column,omitempty"`
	Code   string `json:"code,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Rejects calls add for each row in results that did not get there, and returns notes for people on what is odd in
// the results. Add may keep nothing of its argument. Its error ends Rejects, which returns it as it is. The name
// stands in all other errors and in notes.
//
// The results may hold any number of runs, as for ReadStream. Where a run resumed the runs before it, the last line of
// a row counts. The rows of such runs come in ascending order, and those of independent runs one run after the
// other.
//
// Rejects reads results twice. It copies what cannot be read twice, like a pipe, to a temporary file. Its memory
// grows with the number of runs only.
func Rejects(name string, in io.Reader, add func(*Reject) error) ([]string, error) {
	kept := keep(in)
	defer kept.close()
	results, err := kept.all()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var failed *addError
	notes, err := rejects(results, add)
	switch {
	case errors.As(err, &failed):
		return nil, failed.error
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	for i := range notes {
		notes[i] = name + ": " + notes[i]
	}
	return notes, nil
}

// addError is an error of the caller.
type addError struct{ error }

func rejects(results *io.SectionReader, add func(*Reject) error) (notes []string, err error) {
	all := NewLines(io.NewSectionReader(results, 0, results.Size()))
	var bare oddity
	chains, err := findChains(results, all, &bare)
	if err != nil {
		return nil, err
	}
	for _, note := range []string{
		all.cut.text(cutNote, cutNotes),
		bare.text("the report on line %d has no row lines before it: its rows are not listed",
			"%d reports have no row lines before them: their rows are not listed; the first is on line %d"),
	} {
		if note != "" {
			notes = append(notes, note)
		}
	}
	for _, c := range chains {
		r := new(Results)
		if err := r.open(results, all.code, c.stretches); err != nil {
			return nil, err
		}
		if err := r.rejects(add); err != nil {
			return nil, err
		}
	}
	if n := len(chains); n == 0 || chains[n-1].open {
		notes = append(notes,
			"there is no report at the end: the run did not finish, and rows without a result are not listed")
	}
	return notes, nil
}

// rejects calls add for each row that did not get there.
func (r *Results) rejects(add func(*Reject) error) error {
	for {
		e, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if e.Status != Rejected && e.Status != Unknown && e.Status != Unsent {
			continue
		}
		key, detail := e.texts()
		if err := add(&Reject{Row: e.Row, Key: key, Column: plain(e.Column), Code: e.Code, Detail: detail}); err != nil {
			return &addError{err}
		}
	}
}
