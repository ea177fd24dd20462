package simulator

import (
	"bytes"
	"fmt"
	"slices"
)

// payloadInvalid is Klaviyo's text for a body that it cannot interpret.
const payloadInvalid = "The payload provided in the request is invalid."

// resource checks that a body is {"data":{"type":kind,"attributes":{…}}}, and returns data. data may also have
// the members others.
func resource(body []byte, kind string, others ...string) (data []byte, ps problems) {
	bad := problems{invalid("/data", payloadInvalid)}
	if !validJSON(body) {
		return nil, bad
	}
	if ps := onlyMembers(walk(body).b, "", kind, "data"); ps != nil {
		return nil, ps
	}
	if data = find(body, "data"); data == nil {
		return nil, bad
	}
	if ps := onlyMembers(data, "/data", kind, append([]string{"type", "attributes"}, others...)...); ps != nil {
		return nil, ps
	}
	if given := find(data, "type"); given == nil || string(given) != `"`+kind+`"` {
		return nil, problems{invalid("/data/type", "The type must be '%s'.", kind)}
	}
	if attributes := find(data, "attributes"); attributes == nil || !isObject(attributes) {
		return nil, bad
	}
	return data, nil
}

// onlyMembers returns a problem if object is not an object, and one for each member whose name is not in names.
func onlyMembers(object []byte, pointer, kind string, names ...string) (ps problems) {
	if !isObject(object) {
		return problems{invalid(pointer, payloadInvalid)}
	}
	members(object, func(_, name, _ []byte) {
		if !slices.Contains(names, string(name)) {
			ps.unknownField(pointer, name, kind)
		}
	})
	return ps
}

// parseIdentifiers reads an array of at most so many {"type":kind,"id":ID}. Of more it keeps nothing.
func parseIdentifiers(array []byte, kind, pointer string, most int) (ids []string, ps problems) {
	n := 0
	elements(array, func(i int, value []byte) {
		if n = i + 1; n > most {
			return
		}
		at := fmt.Sprintf("%s/%d", pointer, i)
		if found := onlyMembers(value, at, kind, "type", "id"); found != nil {
			for _, p := range found {
				ps.add(p)
			}
			return
		}
		id := find(value, "id")
		given := find(value, "type")
		if given == nil || string(given) != `"`+kind+`"` || id == nil || id[0] != '"' {
			ps.invalid(at, payloadInvalid)
			return
		}
		s, _ := text(id)
		ids = append(ids, string(s))
	})
	if n > most {
		return nil, problems{invalid(pointer, "The number of %ss must not be more than %d.", kind, most)}
	}
	return ids, ps
}

// unknownField adds the problem of a member that the resource does not have. It repeats the start of its name.
func (ps *problems) unknownField(pointer string, name []byte, kind string) {
	const most = 100
	if len(name) > most {
		name = bytes.ToValidUTF8(name[:most], nil)
	}
	ps.invalid(pointer+"/"+string(name), "'%s' is not a valid field for the resource '%s'.", name, kind)
}

func wrongType(pointer, name, wanted string) problem {
	return invalid(pointer, "'%s' must be of type %s or null.", name, wanted)
}
