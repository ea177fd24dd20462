package simulator

import "slices"

// parseMeta reads what a profile of an import is to lose, and adds the problems to ps. Of the operations on a profile
// only unset is simulated. klaviyo-more.md section 6.
func (sent *sentProfile) parseMeta(meta []byte, ps problems) problems {
	const pointer = "/meta/patch_properties"
	if !isObject(meta) {
		ps.invalid("/meta", "'meta' must be of type object.")
		return ps
	}
	members(meta, func(_, name, patch []byte) {
		switch {
		case string(name) != "patch_properties":
			ps.invalid("/meta/"+string(name), "The simulator supports no meta but patch_properties.")
		case !isObject(patch):
			ps.invalid(pointer, "'patch_properties' must be of type object.")
		default:
			members(patch, func(_, name, value []byte) {
				switch {
				case isNull(value):
				case string(name) != "unset":
					ps.invalid(pointer+"/"+string(name), "The simulator supports no patch but unset.")
				default:
					ps = sent.parseUnset(value, pointer+"/unset", ps)
				}
			})
		}
	})
	return ps
}

// parseUnset reads one name, or an array of names.
func (sent *sentProfile) parseUnset(value []byte, pointer string, ps problems) problems {
	take := func(value []byte) {
		name, ok := text(value)
		if !ok {
			ps.invalid(pointer, "The names in 'unset' must be of type string.")
			return
		}
		sent.unset = append(sent.unset, string(name))
	}
	if isArray(value) {
		elements(value, func(_ int, element []byte) { take(element) })
	} else {
		take(value)
	}
	return ps
}

// remove returns attributes without the properties of those names.
func remove(attributes []byte, names []string) []byte {
	if len(names) == 0 {
		return attributes
	}
	properties := find(attributes, "properties")
	if properties == nil {
		return attributes
	}
	left := newMerger(nil)
	members(properties, func(quoted, name, value []byte) {
		if !slices.Contains(names, string(name)) {
			left.write(quoted, name, value)
		}
	})
	m := newMerger(attributes)
	m.write(nil, []byte("properties"), left.object())
	return m.object()
}
