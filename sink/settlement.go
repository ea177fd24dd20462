package sink

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
)

// End is what is known of a job when the wait for it is over.
type End struct {
	State      JobState
	Took       time.Duration // from its creation to its completion by Klaviyo's clock, 0 when not known
	Created    time.Time     // by Klaviyo's clock; zero when not known
	Settlement Settlement
	Unread     string // why the errors of a job that has ended were not read; such a job counts as Open
}

// Settlement is the status of a job's rows: Rejected where Fault names a reason; Rest and RestFault apply to all
// others.
type Settlement struct {
	Rest      Status
	RestFault *Fault
	named     []namedRow // by place
	texts     *texts     // that hold their faults
}

// namedRow is a row that errors name.
type namedRow struct {
	place int
	fault *Fault
}

// Fault returns the reason against the row at a place in the job, nil for none.
func (s *Settlement) Fault(place int) *Fault {
	byPlace := func(n namedRow, place int) int { return cmp.Compare(n.place, place) }
	at, ok := slices.BinarySearchFunc(s.named, place, byPlace)
	if !ok {
		return nil
	}
	return s.named[at].fault
}

// Free notes that the results of the job's rows are written: others get the room that its reasons took. Free of nil
// does nothing.
func (s *Settlement) Free() {
	if s != nil && s.texts != nil {
		s.texts.free()
	}
}

// endOf returns the end of a job whose errors are not to be read.
func endOf(state JobState, took time.Duration) *End {
	const unclear = "the row may or may not have been imported"
	e := &End{State: state, Took: took}
	switch state {
	case Open:
		e.Settlement.Rest = Accepted
	case Complete:
		e.Settlement.Rest = Applied
	case Cancelled:
		e.Settlement = unknown("job_cancelled", "the import job was cancelled; "+unclear)
	case Expired:
		e.Settlement = unknown("job_expired",
			"Klaviyo no longer knows the import job, or the API key belongs to another account; "+unclear)
	}
	return e
}

func unknown(code, detail string) Settlement {
	return Settlement{Rest: Unknown, RestFault: &Fault{Code: code, Detail: detail}}
}

// settling attributes the errors of a complete job to its rows, one by one. It keeps of them what the rows need.
type settling struct {
	rows          int
	keys          iter.Seq[[]byte] // as in Job
	failed, total int              // as Klaviyo counts, -1 when it does not say

	places    map[string]int // of the rows' identifiers, in lower case; nil until an error has one, and between tries
	twice     map[string][]int
	texts     *texts
	faults    map[int]*Fault // by place
	unmatched int            // errors that match no row
	endless   int            // how many errors were read when that was given up, 0 when all were
}

// attribute enters one error.
func (s *settling) attribute(e *importError) {
	said := &e.Attributes
	at, column := indexed(said.Source.Pointer, importPointer, s.rows)
	if s.total != s.rows {
		at = -1 // rows of the job are, or may be, missing here: an index proves nothing
	}
	if said.Payload != (payload{}) {
		at = s.placeOf(&said.Payload, at)
	}
	if at < 0 {
		s.unmatched++
		return
	}
	if f := s.faults[at]; f != nil {
		s.faults[at] = s.texts.both(f, said.text())
		return
	}
	s.faults[at] = s.texts.keep(said.Code.String(), column, said.text())
}

// placeOf returns the place of the row that is named by one of the identifiers, or -1. Where they fit several rows, it
// is the one at which the error points. An email that no row has names no row.
func (s *settling) placeOf(p *payload, pointed int) int {
	if s.places == nil {
		s.index()
	}
	fit := map[int]bool{}
	for _, name := range p {
		if place, ok := s.places[name]; ok && name != "" {
			fit[place] = true
			for _, other := range s.twice[name] {
				fit[other] = true
			}
		}
	}
	switch {
	case len(fit) == 1:
		for place := range fit {
			return place
		}
	case fit[pointed] || len(fit) == 0 && p[0] == "":
		return pointed
	}
	return -1
}

// index enters the first row of each identifier into places, and all others into twice.
func (s *settling) index() {
	s.places, s.twice = make(map[string]int, s.rows), map[string][]int{}
	place := 0
	for key := range s.keys {
		name := strings.ToLower(string(key))
		if _, known := s.places[name]; known {
			s.twice[name] = append(s.twice[name], place)
		} else {
			s.places[name] = place
		}
		place++
	}
}

// rest drops what can be made again, while the next page cannot be read.
func (s *settling) rest() { s.places, s.twice = nil, nil }

// settlement returns the status of the rows. Success is proved, never computed: when an error matches no row, when
// fewer rows are named than failed, or when some errors were not read, all others are Unknown.
func (s *settling) settlement() Settlement {
	v := Settlement{Rest: Applied}
	switch {
	case s.unmatched > 0:
		v = unknown("error_unmatched", fmt.Sprintf(
			"the import job reported errors that match no row (%d); one of them may be about this row", s.unmatched))
	case s.endless > 0:
		v = unknown("errors_incomplete", fmt.Sprintf(
			"the import job of %d rows reported %d errors and more that were not read; one of them may be about this row",
			s.rows, s.endless))
	case len(s.faults) < s.failed:
		v = unknown("errors_incomplete", fmt.Sprintf(
			"the import job failed for %d rows, but its errors name only %d; this row may be one of the others",
			s.failed, len(s.faults)))
	}
	v.texts = s.texts
	v.texts.seal()
	v.named = make([]namedRow, 0, len(s.faults))
	for _, place := range slices.Sorted(maps.Keys(s.faults)) {
		v.named = append(v.named, namedRow{place, s.faults[place]})
	}
	return v
}
