package simulator

import (
	"slices"
	"time"

	"github.com/segmentio/encoding/json"
)

// Entry is one effect of a request on one profile.
type Entry struct {
	At time.Time `json:"at"`
	// Change is "created" or "updated" for a profile, and "joined" or "left" for a list. "stayed" means
	// that the profile was added to a list that it was already on.
	Change  string `json:"change"`
	List    string `json:"list,omitempty"` // its id
	Profile string `json:"profile"`        // its id
	Email   string `json:"email,omitempty"`
	Job     string `json:"job,omitempty"`    // the import job's id, if there was one
	Others  bool   `json:"others,omitempty"` // another client did it, as a plan says
}

// The changes of entries. No entry has unchanged.
const (
	created   = "created"
	updated   = "updated"
	joined    = "joined"
	left      = "left"
	stayed    = "stayed"
	unchanged = "unchanged"
)

// Ledger returns which profile reached which list by which import job, in the order of the effects.
// Open import jobs complete first. It is empty without Options.Ledger.
func (s *Simulator) Ledger() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finishJobs()
	return slices.Clone(s.ledger)
}

// Members returns the emails of a list's members in the order of joining. A member without an email is given by its
// id. Open import jobs complete first.
func (s *Simulator) Members(list string) (members []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finishJobs()
	l := s.list(list)
	if l == nil {
		return nil
	}
	for _, m := range l.order {
		if m.left {
			continue
		}
		name := s.email(m.profile)
		if name == "" {
			name = s.profiles.id(m.profile)
		}
		members = append(members, name)
	}
	return members
}

// byOthers stands for a job where another client changes a list.
const byOthers = "others"

// enter adds a change to the ledger.
func (s *Simulator) enter(at time.Time, change, list string, profile uint32, job string) {
	if s.options.Ledger {
		others := job == byOthers
		if others {
			job = ""
		}
		s.ledger = append(s.ledger, Entry{at, change, list, s.profiles.id(profile), s.email(profile), job, others})
	}
}

// email returns the email of a profile, or "".
func (s *Simulator) email(n uint32) string {
	return string(identifier(s.profiles.all[n].attributes, "email"))
}

// appendLedger appends the ledger as a JSON array, one entry a line.
func appendLedger(b []byte, entries []Entry) []byte {
	b = append(b, '[')
	for i, e := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = json.Append(append(b, '\n'), e, 0) // never fails for this struct
	}
	return append(b, "\n]\n"...)
}

// joining adds a profile to a list and to the ledger.
func (s *Simulator) joining(l *list, profile uint32, now time.Time, job string) {
	change := stayed
	if l.join(profile, now) {
		change = joined
	}
	s.enter(now, change, l.id, profile, job)
}

// leaving removes a profile from a list and adds that to the ledger.
func (s *Simulator) leaving(l *list, profile uint32, now time.Time, job string) {
	if l.leave(profile) {
		s.enter(now, left, l.id, profile, job)
	}
}
