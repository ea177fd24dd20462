package validate

// resolve finds out where each member goes and returns the first name or target that is there twice.
func (c *Checker) resolve(r *Rows) (fault *Fault) {
	r.filled = [targets]place{}
	properties := c.renames
	for i := range r.scan.members {
		m := &r.scan.members[i]
		if f := r.resolveMember(topLevel, m); f != nil && fault == nil {
			fault = f
		}
		e := &r.columns.entries[m.column]
		switch {
		case e.target == locationObject || e.target == propertiesObject:
			in := inLocation
			if e.target == propertiesObject {
				in = inProperties
				properties = properties || m.members > 0
			}
			if f := r.resolveNested(in, m); f != nil && fault == nil {
				fault = f
			}
		case e.target >= email:
			if f := r.fill(place(i+1), m); f != nil && fault == nil {
				fault = f
			}
		}
	}
	if fault == nil && properties {
		fault = r.fillProperties()
	}
	return fault
}

// resolveMember gives m its column.
func (r *Rows) resolveMember(in scope, m *member) *Fault {
	m.column = r.columns.find(in, r.scan.name(m))
	e := &r.columns.entries[m.column]
	if e.seen == r.columns.row {
		return r.twice(m)
	}
	e.seen = r.columns.row
	return nil
}

// resolveNested resolves the members of the location or properties object m.
func (r *Rows) resolveNested(in scope, m *member) (fault *Fault) {
	for i := m.first; i < m.first+m.members; i++ {
		n := &r.scan.nested[i]
		f := r.resolveMember(in, n)
		if f == nil {
			f = r.fill(r.nestedPlace(i), n)
		}
		if f != nil && fault == nil {
			fault = f
		}
	}
	return fault
}

func (r *Rows) nestedPlace(i uint32) place {
	return place(len(r.scan.members)) + place(i) + 1
}

// fill notes that m, at p, fills its attribute or location member. An empty phone number becomes null.
func (r *Rows) fill(p place, m *member) *Fault {
	t := r.columns.entries[m.column].target
	if t == phoneNumber && m.kind == text && len(trim(r.scan.text(m))) == 0 {
		m.kind = null
	}
	if t < email || m.kind == null {
		return nil
	}
	if other := r.filled[t]; other != 0 {
		return r.collision(other, m, t.path())
	}
	r.filled[t] = p
	return nil
}

// fillProperties finds custom properties that are filled twice: by a column and by a member of properties, or by a mapped column.
func (r *Rows) fillProperties() *Fault {
	for i := range r.scan.members {
		m := &r.scan.members[i]
		if m.kind == null {
			continue
		}
		switch e := &r.columns.entries[m.column]; e.target {
		case custom:
			name := e.property
			if name == nil {
				name = r.columns.name(m.column)
			}
			if f := r.fillProperty(place(i+1), m, r.columns.find(inProperties, name)); f != nil {
				return f
			}
		case propertiesObject:
			for j := m.first; j < m.first+m.members; j++ {
				n := &r.scan.nested[j]
				if n.kind == null {
					continue
				}
				if f := r.fillProperty(r.nestedPlace(j), n, n.column); f != nil {
					return f
				}
			}
		}
	}
	return nil
}

// fillProperty notes that m, at p, fills the custom property that has the given entry.
func (r *Rows) fillProperty(p place, m *member, entry uint32) *Fault {
	e := &r.columns.entries[entry]
	if e.taken == r.columns.row {
		return r.collision(e.by, m, "properties."+string(r.columns.name(entry)))
	}
	e.taken, e.by = r.columns.row, p
	return nil
}
