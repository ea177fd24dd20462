package simulator

import (
	"cmp"
	"slices"
	"time"

	"github.com/segmentio/encoding/json"
)

// Entry is one effect of a request on one profile.
type Entry struct {
	At time.Time `json:"at"`
	// Change is "created", "updated", "deleted" or "merged" (into another one) for a profile, and "joined" or "left" for
	// a list. "stayed" means that the profile was added to a list that it was already on. For consent it is "subscribed",
	// "unsubscribed" (everywhere) or "left_list" (it is unsubscribed from the list alone), a blank and the channel: email,
	// sms or sms-transactional.
	Change  string `json:"change"`
	List    string `json:"list,omitempty"` // its id; for consent, of the list that the request names
	Profile string `json:"profile"`        // its id
	Email   string `json:"email,omitempty"`
	Job     string `json:"job,omitempty"` // the import job's id, if there was one
	// Call is the number of the request that added or removed members by id, or that set or withdrew consent, from 1; 0
	// without one. Whoever left by a call was removed by the client.
	Call   int      `json:"call,omitempty"`
	Row    int      `json:"row,omitempty"`    // the place in a request for consent, from 1
	Others bool     `json:"others,omitempty"` // another client did it, as a plan says
	Also   []string `json:"also,omitempty"`   // the profile's addresses besides Email
}

// cause is who or what changed a profile or a list.
type cause struct {
	job    string
	call   int
	row    int
	others bool
}

// The changes of entries. No entry has unchanged.
const (
	created   = "created"
	updated   = "updated"
	deleted   = "deleted"
	merged    = "merged"
	joined    = "joined"
	left      = "left"
	stayed    = "stayed"
	unchanged = "unchanged"
)

// Ledger returns which profile reached which list by which import job, in the order of the effects.
// Open import jobs complete first, and requests for consent have their effect. It is empty without Options.Ledger.
func (s *Simulator) Ledger() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish()
	return slices.Clone(s.ledger)
}

// Membership is a profile on a list.
type Membership struct {
	Profile string // its id
	Email   string
	Also    []string // its addresses besides Email
	Joined  time.Time
}

// Memberships returns the members of a list in the order of joining. Open import jobs complete first.
func (s *Simulator) Memberships(list string) (members []Membership) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish()
	l := s.list(list)
	if l == nil {
		return nil
	}
	for _, m := range l.order {
		if !m.left {
			members = append(members, Membership{s.profiles.id(m.profile), s.email(m.profile),
				slices.Clone(s.profiles.also[m.profile]), time.Unix(0, m.joined).UTC()})
		}
	}
	return members
}

// Members returns the emails of a list's members in the order of joining. A member without an email is given by its
// id. Open import jobs complete first.
func (s *Simulator) Members(list string) (members []string) {
	for _, m := range s.Memberships(list) {
		members = append(members, cmp.Or(m.Email, m.Profile))
	}
	return members
}

// enter adds a change to the ledger.
func (s *Simulator) enter(at time.Time, change, list string, profile uint32, by cause) {
	if s.options.Ledger {
		s.ledger = append(s.ledger, Entry{at, change, list, s.profiles.id(profile), s.email(profile), by.job, by.call,
			by.row, by.others, slices.Clone(s.profiles.also[profile])})
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
func (s *Simulator) joining(l *list, profile uint32, now time.Time, by cause) {
	change := stayed
	if l.join(profile, now) {
		change = joined
	}
	s.enter(now, change, l.id, profile, by)
}

// leaving removes a profile from a list and adds that to the ledger.
func (s *Simulator) leaving(l *list, profile uint32, now time.Time, by cause) {
	if l.leave(profile) {
		s.enter(now, left, l.id, profile, by)
	}
}
