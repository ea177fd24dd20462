package simulator

import (
	"strings"
	"time"
)

// deleteProfile deletes a profile, which leaves all lists.
func (s *Simulator) deleteProfile(n uint32, now time.Time) {
	for _, l := range s.lists {
		s.leaving(l, n, now, byOthers)
	}
	s.enter(now, deleted, "", n, byOthers)
	s.profiles.remove(n)
	delete(s.consents, n)
}

// mergeProfiles merges a profile into another one, with its memberships.
func (s *Simulator) mergeProfiles(n, survivor uint32, now time.Time) {
	s.enter(now, merged, "", n, byOthers)
	for _, l := range s.lists {
		if _, member := l.at[n]; !member {
			continue
		}
		s.enter(now, left, l.id, n, byOthers)
		if l.hand(n, survivor) == joined {
			s.enter(now, joined, l.id, survivor, byOthers)
		}
	}
	s.profiles.mergeInto(n, survivor, now)
	s.enter(now, updated, "", survivor, byOthers)
	if consent, known := s.consents[n]; known {
		if _, has := s.consents[survivor]; !has {
			s.consents[survivor] = consent
		}
		delete(s.consents, n)
	}
}

// survivor returns the profile n, or the one into which it was merged. A deleted profile has none.
func (ps *profiles) survivor(n uint32) (_ uint32, ok bool) {
	for ok = true; ok && ps.all[n].attributes == nil; {
		n, ok = ps.merged[n]
	}
	return n, ok
}

// remove deletes a profile, so that no identifier finds it.
func (ps *profiles) remove(n uint32) {
	attributes := ps.all[n].attributes
	for _, email := range ps.addresses(n) {
		delete(ps.email, strings.ToLower(email))
	}
	delete(ps.also, n)
	ps.phone.remove(identifier(attributes, "phone_number"), n)
	ps.external.remove(identifier(attributes, "external_id"), n)
	ps.all[n].attributes = nil
}

// addresses returns all email addresses of a profile, its first one first.
func (ps *profiles) addresses(n uint32) (all []string) {
	if email := identifier(ps.all[n].attributes, "email"); email != nil {
		all = []string{string(email)}
	}
	return append(all, ps.also[n]...)
}

// mergeInto merges a profile into another one, the survivor. The survivor's values win, and it has the addresses of
// both, up to five. Choices: these two.
func (ps *profiles) mergeInto(n, survivor uint32, now time.Time) {
	addresses, attributes := ps.addresses(n), ps.all[n].attributes
	ps.remove(n)
	ps.merged[n] = survivor
	p := &ps.all[survivor]
	p.attributes, p.updated = merge(attributes, p.attributes, nil), now.UnixNano()
	ps.index(survivor, &sentProfile{email: identifier(p.attributes, "email"),
		phone: identifier(p.attributes, "phone_number"), external: identifier(p.attributes, "external_id")}, nil)
	for _, email := range addresses {
		if _, taken := ps.byEmail([]byte(email)); !taken && len(ps.also[survivor]) < 4 {
			ps.alias(survivor, email)
		}
	}
}
