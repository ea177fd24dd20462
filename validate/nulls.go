package validate

// unsetEnd is what follows the names of the properties that a profile clears.
const unsetEnd = `]}}`

// null keeps that m, at p, is null where nulls clear. The fault is a name that no custom property may have.
func (s *Scratch) null(m *member, p place) *Fault {
	if !s.columns.checker.clearNulls {
		return nil
	}
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

// countNulls counts the nulls of a good row.
func (s *Scratch) countNulls() {
	for _, p := range s.nulls {
		i := s.member(p).column
		if e := &s.columns.entries[i]; e.nulls == 0 {
			s.columns.counted = append(s.columns.counted, i)
		}
		s.columns.entries[i].nulls++
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
