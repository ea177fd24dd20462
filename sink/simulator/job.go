package simulator

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// job is one import job.
type job struct {
	id       string
	number   uint32 // from 1
	created  time.Time
	started  time.Time // zero while it is queued
	ended    time.Time // zero until it is complete or cancelled
	listIDs  []string
	total    int
	sent     []sentProfile // nil after the end
	profiles []uint32      // the profiles written, in the order of sent
	errors   []importError

	fate       fate
	processing time.Duration // how long it is processing
	life       time.Duration // how long it can be read
	size       int           // of the request's body
	failing    map[int]*Fault
	report     *int // how many of the errors can be read; nil: all
}

// fate is how an import job ends.
type fate int

const (
	fateComplete fate = iota
	fateCancelled
	fateStuck
)

// registration is how much later than its own answer the collection says that a job was created. A second was
// recorded, and that later second in the job's id.
const registration = time.Second

// newJobID returns an id of the observed form. Clients must treat it as opaque.
func newJobID(now time.Time) string {
	second := now.Add(registration).Unix()
	id := fmt.Appendf(nil, "%s_maintenance.%s.%d.%s", accountID, randomID(), second, randomID())
	return base64.RawURLEncoding.EncodeToString(id)
}

// randomID returns six letters and digits, as in the ids of lists.
func randomID() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var id [6]byte
	for i := range id {
		id[i] = letters[rand.IntN(len(letters))]
	}
	return string(id[:])
}

// advance brings the import jobs to their state at a time. A job has its whole effect at once, when it completes.
func (s *Simulator) advance(now time.Time) {
	for _, j := range s.open {
		if start := j.created.Add(s.options.JobTime); !now.Before(start) {
			j.started = start
		}
	}
	s.end(func(j *job) (time.Time, bool) {
		at := j.created.Add(s.options.JobTime + j.processing)
		return at, !now.Before(at) && j.fate != fateStuck
	})
}

// finish ends the open import jobs before their time, except those that never end. Then requests for consent have their
// effect.
func (s *Simulator) finish() {
	now := s.options.Now()
	s.advance(now)
	for _, j := range s.open {
		if j.started.IsZero() {
			j.started = now
		}
	}
	s.end(func(j *job) (time.Time, bool) { return now, j.fate != fateStuck })
	s.finishConsents(now)
}

// end ends the open import jobs that are over. They complete in the order of creation, in which their time is up.
func (s *Simulator) end(over func(*job) (at time.Time, ok bool)) {
	s.open = slices.DeleteFunc(s.open, func(j *job) bool {
		at, ok := over(j)
		switch {
		case !ok:
			return false
		case j.fate == fateCancelled:
			j.sent, j.failing = nil, nil
		default:
			s.apply(j, at)
		}
		j.ended = at
		return true
	})
}

// apply writes the profiles of an import job, and adds them to those of its lists that still exist.
func (s *Simulator) apply(j *job, now time.Time) {
	lists := s.listsOf(j)
	for i := range j.sent {
		sent := &j.sent[i]
		if f := j.failing[i]; f != nil {
			j.errors = append(j.errors, f.importError(i, sent))
			continue
		}
		n, change, p := s.importProfile(sent, j.number, now)
		if p != nil {
			p.pointer = profilePointer(i)
			j.errors = append(j.errors, newImportError(*p, sent))
		}
		if change == "" {
			continue
		}
		if change != unchanged {
			s.enter(now, change, "", n, cause{job: j.id})
		}
		j.profiles = append(j.profiles, n)
		for _, l := range lists {
			s.joining(l, n, now, cause{job: j.id})
		}
	}
	j.sent, j.failing = nil, nil
}

// importProfile is upsert with a check of the size. The check happens when the import job runs, and fails one profile.
func (s *Simulator) importProfile(sent *sentProfile, job uint32, now time.Time) (n uint32, change string, p *problem) {
	if sent.tooLarge {
		const detail = "The profile is larger than the maximum of 100KB."
		return 0, "", &problem{code: "invalid", title: "Invalid input", detail: detail}
	}
	return s.profiles.upsert(sent, now, job)
}

// listsOf returns those lists of an import job that still exist.
func (s *Simulator) listsOf(j *job) (lists []*list) {
	for _, id := range j.listIDs {
		if l := s.list(id); l != nil {
			lists = append(lists, l)
		}
	}
	return lists
}

func (j *job) status() string {
	switch {
	case !j.ended.IsZero() && j.fate == fateCancelled:
		return "cancelled"
	case !j.ended.IsZero():
		return "complete"
	case !j.started.IsZero():
		return "processing"
	}
	return "queued"
}

// expires returns when the import job can no longer be read.
func (j *job) expires() time.Time { return j.created.Add(j.life) }

// field returns the one field that a filter may name.
func (j *job) field(string) (status string, at time.Time) { return j.status(), time.Time{} }
