package simulator

import (
	"slices"
	"time"

	"github.com/segmentio/encoding/json"
)

// Entry is one effect of a request on one person.
type Entry struct {
	At time.Time `json:"at"`
	// Change is "created" or "updated", of a profile; "joined" or "left", of a list; or "stayed":
	// the profile was added to a list that it was on already.
	Change  string `json:"change"`
	List    string `json:"list,omitempty"` // its id
	Profile string `json:"profile"`        // its id
	Email   string `json:"email,omitempty"`
	Job     string `json:"job,omitempty"` // its id; none if the list was written without one
}

// The changes of entries; unchanged is of none.
const (
	created   = "created"
	updated   = "updated"
	joined    = "joined"
	left      = "left"
	stayed    = "stayed"
	unchanged = "unchanged"
)

// Ledger returns who reached which list by which job, in the order of effect. The open jobs are completed first. It is
// empty without Options.Ledger.
func (s *Simulator) Ledger() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleAll()
	return slices.Clone(s.ledger)
}

// Members returns the emails of a list's members, or the ids of those who have none, in the order of joining. The open
// jobs are completed first.
func (s *Simulator) Members(list string) (members []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settleAll()
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

// enter writes a change into the ledger.
func (s *Simulator) enter(at time.Time, change, list string, profile uint32, job string) {
	if s.options.Ledger {
		s.ledger = append(s.ledger, Entry{at, change, list, s.profiles.id(profile), s.email(profile), job})
	}
}

// email returns that of a profile, "" if it has none.
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
		b, _ = json.Append(append(b, '\n'), e, 0) // such a struct can always be written
	}
	return append(b, "\n]\n"...)
}

// joining adds a profile to a list and enters it.
func (s *Simulator) joining(l *list, profile uint32, now time.Time, job string) {
	change := stayed
	if l.join(profile, now) {
		change = joined
	}
	s.enter(now, change, l.id, profile, job)
}

// leaving removes a profile from a list and enters it.
func (s *Simulator) leaving(l *list, profile uint32, now time.Time) {
	if l.leave(profile) {
		s.enter(now, left, l.id, profile, "")
	}
}
