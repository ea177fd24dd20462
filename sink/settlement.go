package sink

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// End is what is known of a job: its state and, when it is Complete, its errors.
type End struct {
	State  JobState
	Took   time.Duration // from its creation to its completion by Klaviyo's clock, 0 when not known
	failed int
	total  int
	errors []importError
}

// Settlement is the status of a job's rows. Faults holds those that its errors name, by their place in the job; Rest
// and RestFault apply to all others.
type Settlement struct {
	Faults    map[int]*Fault
	Rest      Status
	RestFault *Fault
}

// Settle attributes a job's errors to its n rows. key returns a row's email address. Success is proved, never
// computed: when an error matches no row, or fewer rows are named than failed, all others are Unknown.
func (e *End) Settle(n int, key func(place int) []byte) Settlement {
	const unclear = "the row may or may not have been imported"
	switch e.State {
	case Open:
		return Settlement{Rest: Accepted}
	case Cancelled:
		return unknown("job_cancelled", "the import job was cancelled; "+unclear)
	case Expired:
		return unknown("job_expired",
			"Klaviyo no longer knows the import job, or the API key belongs to another account; "+unclear)
	}
	s := Settlement{Faults: map[int]*Fault{}, Rest: Applied}
	if len(e.errors) == 0 && e.failed <= 0 {
		return s
	}
	unmatched := e.attribute(&s, n, key)
	switch {
	case unmatched > 0:
		s.Rest, s.RestFault = Unknown, &Fault{Code: "error_unmatched", Detail: fmt.Sprintf(
			"the import job reported errors that match no row (%d); one of them may be about this row", unmatched)}
	case len(s.Faults) < e.failed:
		s.Rest, s.RestFault = Unknown, &Fault{Code: "errors_incomplete", Detail: fmt.Sprintf(
			"the import job failed for %d rows, but its errors name only %d; this row may be one of the others",
			e.failed, len(s.Faults))}
	}
	return s
}

func unknown(code, detail string) Settlement {
	return Settlement{Rest: Unknown, RestFault: &Fault{Code: code, Detail: detail}}
}

// ambiguous is the place of an address that several rows of a job have.
const ambiguous = -1

// attribute enters the errors into s and returns how many match no row.
func (e *End) attribute(s *Settlement, n int, key func(int) []byte) (unmatched int) {
	places := placesByEmail(n, key)
	for i := range e.errors {
		said := &e.errors[i].Attributes
		at, column := indexed(said.Source.Pointer, importPointer, n)
		if e.total != n {
			at = -1 // rows of the job are, or may be, missing here: an index proves nothing
		}
		if address := strings.ToLower(e.errors[i].email()); address != "" {
			place, ok := places[address]
			switch {
			case !ok:
				at = -1
			case place != ambiguous:
				at = place
			case at >= 0 && string(bytes.ToLower(key(at))) != address:
				at = -1
			}
		}
		if at < 0 {
			unmatched++
			continue
		}
		if f := s.Faults[at]; f != nil {
			f.add(said.text())
			continue
		}
		s.Faults[at] = &Fault{Code: said.Code.String(), Column: column, Detail: said.text()}
	}
	return unmatched
}

// placesByEmail returns the place of each address, in lower case.
func placesByEmail(n int, key func(int) []byte) map[string]int {
	places := make(map[string]int, n)
	for i := range n {
		address := string(bytes.ToLower(key(i)))
		if _, twice := places[address]; twice {
			places[address] = ambiguous
			continue
		}
		places[address] = i
	}
	return places
}
