package simulator

import "slices"

// merge returns the attributes old, nil for a new profile, after writing the attributes sent. null writes nothing, and
// location and properties are written member by member. _kx, which Klaviyo does not keep, is left out, and so are
// the attributes dropped.
func merge(old, sent []byte, dropped []string) []byte {
	m := newMerger(old)
	members(sent, func(quoted, name, value []byte) {
		if slices.Contains(dropped, string(name)) {
			return
		}
		switch string(name) {
		case "_kx":
			return
		case "location", "properties":
			if isNull(value) {
				return
			}
			inner := newMerger(m.value(name))
			members(value, inner.write)
			if len(inner.members) == 0 {
				return
			}
			value = inner.object()
		}
		m.write(quoted, name, value)
	})
	return m.object()
}

// merger is an object that is being changed. Its members keep their order.
type merger struct {
	members []member
	at      map[string]int
}

type member struct{ quoted, value []byte }

func newMerger(object []byte) *merger {
	m := &merger{at: map[string]int{}}
	if object != nil {
		members(object, m.write)
	}
	return m
}

func (m *merger) value(name []byte) []byte {
	if i, ok := m.at[string(name)]; ok {
		return m.members[i].value
	}
	return nil
}

func (m *merger) write(quoted, name, value []byte) {
	if isNull(value) {
		return
	}
	if i, ok := m.at[string(name)]; ok {
		m.members[i].value = value
		return
	}
	m.at[string(name)] = len(m.members)
	m.members = append(m.members, member{quoted, value})
}

func (m *merger) object() []byte {
	size := 2
	for _, mem := range m.members {
		size += len(mem.quoted) + len(mem.value) + 2
	}
	b := append(make([]byte, 0, size), '{')
	for i, mem := range m.members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, mem.quoted...), ':'), mem.value...)
	}
	return append(b, '}')
}
