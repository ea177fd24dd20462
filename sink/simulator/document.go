package simulator

// attribute is one attribute of a resource object. Its value is JSON, or nil for null.
type attribute struct {
	name  string
	value []byte
}

// fieldset is the set of attributes that a sparse fieldset asks for; nil asks for all.
type fieldset map[string]bool

// resource appends a resource object up to its attributes, without the closing brace.
func (f fieldset) resource(b []byte, kind, id string, attributes []attribute) []byte {
	b = quote(append(b, `{"type":`...), kind)
	b = quote(append(b, `,"id":`...), id)
	return f.object(append(b, `,"attributes":`...), attributes)
}

// object appends the requested attributes as an object. A request for NAME.MEMBER requests NAME too.
func (f fieldset) object(b []byte, attributes []attribute) []byte {
	b = append(b, '{')
	first := true
	for _, a := range attributes {
		if !f.wants(a.name) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(quote(b, a.name), ':')
		if a.value == nil {
			b = append(b, "null"...)
		}
		b = append(b, a.value...)
	}
	return append(b, '}')
}

// prune appends the JSON value of the attribute at a path. Of an object it leaves out the members that the fieldset
// does not ask for.
func (f fieldset) prune(b []byte, path string, value []byte) []byte {
	if f == nil || f[path] || !isObject(value) || !f.within(path) {
		return append(b, value...)
	}
	b = append(b, '{')
	first := true
	members(value, func(quoted, name, value []byte) {
		inner := path + "." + string(name)
		if !f[inner] && !f.within(inner) {
			return
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = f.prune(append(append(b, quoted...), ':'), inner, value)
	})
	return append(b, '}')
}

// wants reports whether the fieldset asks for an attribute or for a member of it.
func (f fieldset) wants(name string) bool { return f == nil || f[name] || f.within(name) }

func (f fieldset) within(name string) bool {
	for field := range f {
		if len(field) > len(name) && field[:len(name)] == name && field[len(name)] == '.' {
			return true
		}
	}
	return false
}

// appendIdentifier appends the type and id that represent a resource in a relationship.
func appendIdentifier(b []byte, kind, id string) []byte {
	b = quote(append(b, `{"type":`...), kind)
	return append(quote(append(b, `,"id":`...), id), '}')
}

// appendRelationship appends a relationship of the resource at self. data is JSON, or nil for no data.
func appendRelationship(b []byte, self, name string, data []byte) []byte {
	b = append(quote(b, name), `:{`...)
	if data != nil {
		b = append(append(append(b, `"data":`...), data...), ',')
	}
	b = quote(append(b, `"links":{"self":`...), self+"relationships/"+name+"/")
	b = quote(append(b, `,"related":`...), self+name+"/")
	return append(b, "}}"...)
}

// appendSelf appends the links of a resource object.
func appendSelf(b []byte, self string) []byte {
	return append(quote(append(b, `"links":{"self":`...), self), '}')
}

// document returns the answer with one resource object.
func (c *call) document(status int, data []byte) answer {
	b := append(append([]byte(`{"data":`), data...), ',')
	return answer{status: status, body: append(appendSelf(b, c.link("")), '}')}
}
