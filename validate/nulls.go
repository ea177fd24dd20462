package validate

// unsetEnd is what follows the names of the properties that a profile clears.
const unsetEnd = `]}}`

// findNulls finds the members that are null. The fault is a name that no custom property may have.
func (s *Scratch) findNulls() *Fault {
	s.nulls = s.nulls[:0]
	for i := range s.scan.members {
		m := &s.scan.members[i]
		switch t := s.columns.entries[m.column].target; {
		case m.kind == null:
			if f := s.null(m, place(i+1)); f != nil {
				return f
			}
		case t == propertiesObject, t == locationObject:
			for j := m.first; j < m.first+m.members; j++ {
				if n := &s.scan.nested[j]; n.kind == null {
					if f := s.null(n, s.nestedPlace(j)); f != nil {
						return f
					}
				}
			}
		}
	}
	return nil
}

// null keeps the place p of m, which is null.
func (s *Scratch) null(m *member, p place) *Fault {
	switch s.columns.entries[m.column].target {
	case reserved:
		return s.reservedName(m)
	case dropped, unknownMember, s.columns.checker.key:
		return nil
	}
	s.nulls = append(s.nulls, p)
	return nil
}

// appendUnset appends to the profile, after its attributes, what clears the custom properties that are null, and
// returns where their names are: 0 and nothing when there are none (klaviyo-more.md section 6).
func (s *Scratch) appendUnset(data []byte) (_ []byte, names int) {
	for _, p := range s.nulls {
		m := s.member(p)
		if s.columns.entries[m.column].target != custom {
			continue
		}
		if names == 0 {
			data = append(data, `,"meta":{"patch_properties":{"unset":[`...)
			names = len(data)
		} else {
			data = append(data, ',')
		}
		data = s.appendName(data, m)
	}
	if names > 0 {
		data = append(data, unsetEnd...)
	}
	return data, names
}

// countNulls counts the nulls of a row that is good.
func (s *Scratch) countNulls() {
	c := &s.columns
	for _, p := range s.nulls {
		i := s.member(p).column
		if n := len(c.entries); len(c.nulls) < n {
			c.nulls = append(c.nulls, make([]uint32, n-len(c.nulls))...)
		}
		if c.nulls[i]++; c.nulls[i] == 1 {
			c.counted = append(c.counted, i)
		}
	}
}

// Unset returns the names of the custom properties that row i clears, as JSON strings with commas between them, nil
// for none.
func (r *Rows) Unset(i int) []byte {
	row := &r.Rows[i]
	if row.Unset == 0 {
		return nil
	}
	return r.Data[row.Unset : int(row.End)-len(unsetEnd+"}")]
}
