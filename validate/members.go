package validate

// resolve finds where each member goes. Its fault is the first name that appears twice or target that is filled twice.
func (c *Checker) resolve(s *Scratch) (fault *Fault) {
	s.filled = [targets]place{}
	properties := c.renames
	for i := range s.scan.members {
		m := &s.scan.members[i]
		if f := s.resolveMember(topLevel, m); f != nil && fault == nil {
			fault = f
		}
		e := &s.columns.entries[m.column]
		var f *Fault
		switch {
		case e.target >= email:
			f = s.fill(place(i+1), m)
		case e.target >= locationObject:
			in := inLocation
			if e.target == propertiesObject {
				in = inProperties
				properties = properties || m.members > 0
			}
			f = s.resolveNested(in, m)
		case e.target == misnamed:
			f = s.misnamedColumn(m)
		}
		if f != nil && fault == nil {
			fault = f
		}
	}
	if fault == nil && properties {
		fault = s.fillProperties()
	}
	return fault
}

// resolveMember gives m its column.
func (s *Scratch) resolveMember(in scope, m *member) *Fault {
	if m.column == 0 {
		name := s.scan.name(m)
		m.column = s.columns.find(in, name)
		if !m.nameEscaped {
			s.columns.short.add(in, name, m.column)
		}
	}
	e := &s.columns.entries[m.column]
	if m.kind != null {
		if e.rows++; e.rows == 1 {
			s.columns.counted = append(s.columns.counted, m.column)
		}
	}
	if e.seen == s.columns.row {
		return s.twice(m)
	}
	e.seen = s.columns.row
	return nil
}

// resolveNested resolves the members of the location or properties object m.
func (s *Scratch) resolveNested(in scope, m *member) (fault *Fault) {
	for i := m.first; i < m.first+m.members; i++ {
		n := &s.scan.nested[i]
		f := s.resolveMember(in, n)
		if f == nil {
			f = s.fill(s.nestedPlace(i), n)
		}
		if f == nil && s.columns.entries[n.column].target == misnamed {
			f = s.misnamedColumn(n)
		}
		if f != nil && fault == nil {
			fault = f
		}
	}
	return fault
}

// fill marks that m, at p, fills its attribute or location member. An empty phone number or email becomes null.
func (s *Scratch) fill(p place, m *member) *Fault {
	t := s.columns.entries[m.column].target
	if (t == phoneNumber || t == email) && m.kind == text && len(trim(s.scan.text(m))) == 0 {
		s.columns.uncount(m)
		m.kind = null
	}
	if t < email || m.kind == null {
		return nil
	}
	if other := s.filled[t]; other != 0 {
		return s.collision(other, m, t.path())
	}
	s.filled[t] = p
	return nil
}

// fillProperties finds a custom property that is filled or cleared twice: by a column and a member of properties, or
// by a mapped column.
func (s *Scratch) fillProperties() *Fault {
	clears := s.columns.checker.clearNulls
	for i := range s.scan.members {
		m := &s.scan.members[i]
		if m.kind == null && !clears {
			continue
		}
		switch e := &s.columns.entries[m.column]; e.target {
		case custom:
			if f := s.fillProperty(place(i+1), m, s.columns.twinOf(m.column)); f != nil {
				return f
			}
		case propertiesObject:
			for j := m.first; j < m.first+m.members; j++ {
				n := &s.scan.nested[j]
				if n.kind == null && !clears {
					continue
				}
				if f := s.fillProperty(s.nestedPlace(j), n, n.column); f != nil {
					return f
				}
			}
		}
	}
	return nil
}

// fillProperty marks that m, at p, fills the custom property of the entry.
func (s *Scratch) fillProperty(p place, m *member, entry uint32) *Fault {
	e := &s.columns.entries[entry]
	if e.filled == s.columns.row {
		return s.collision(e.by, m, "properties."+string(s.columns.name(entry)))
	}
	e.filled, e.by = s.columns.row, p
	return nil
}
