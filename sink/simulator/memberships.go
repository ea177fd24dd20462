package simulator

// getMemberships is GET /api/profiles/{id}/lists and …/relationships/lists, in the order of the lists' creation.
func (s *Simulator) getMemberships(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	n, ok := s.profiles.byID(c.id)
	if !ok {
		return noSuch("profile", c.id).answer()
	}
	at := func(i int) (*list, bool) {
		_, member := s.lists[i].at[n]
		return s.lists[i], member
	}
	return collection(c, len(s.lists), at, func(b []byte, l *list) []byte {
		if c.relationship {
			return appendIdentifier(b, "list", l.id)
		}
		return l.append(b, c, timeJSON)
	})
}
