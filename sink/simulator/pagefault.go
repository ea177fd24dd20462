package simulator

import (
	"net/http"
	"slices"
)

// The functions of this file are the kinds of faults that change what a page says. They leave other answers unchanged.

// serveHidden leaves profiles out of the page.
func serveHidden(f *Fault, x *exchange, next func() *kept) *kept {
	return x.eachResource(f, next(), func([]byte) []byte { return nil })
}

// serveUnnamed leaves profiles without an email, a phone number and an external id.
func serveUnnamed(f *Fault, x *exchange, next func() *kept) *kept {
	return x.eachResource(f, next(), func(resource []byte) []byte {
		return rewrite(resource, func(name string, attributes []byte) []byte {
			if name != "attributes" || !isObject(attributes) {
				return attributes
			}
			return rewrite(attributes, func(name string, value []byte) []byte {
				if slices.Contains([]string{"email", "phone_number", "external_id"}, name) {
					return []byte("null")
				}
				return value
			})
		})
	})
}

// serveLoop makes the link to the next page lead back: to the same page, or to the first one.
func serveLoop(f *Fault, x *exchange, next func() *kept) *kept {
	return next().rewritePage(func(name string, value []byte) []byte {
		if name != "links" || !isObject(value) {
			return value
		}
		again := *x.r.URL
		again.Scheme, again.Host = "http", x.r.Host
		if f.As == "first" {
			values := again.Query()
			values.Del("page[cursor]")
			again.RawQuery = values.Encode()
		}
		return rewrite(value, func(name string, link []byte) []byte {
			if name == "next" {
				return quote(nil, again.String())
			}
			return link
		})
	})
}

// eachResource replaces each resource of the page that the fault concerns by what change makes of it, nil for nothing.
func (x *exchange) eachResource(f *Fault, k *kept, change func(resource []byte) []byte) *kept {
	x.lock()
	defer x.mu.Unlock()
	return k.rewritePage(func(name string, value []byte) []byte {
		if name != "data" {
			return value
		}
		b := []byte{'['}
		elements(value, func(_ int, resource []byte) {
			if x.selects(f, resource) {
				resource = change(resource)
			}
			if resource == nil {
				return
			}
			if len(b) > 1 {
				b = append(b, ',')
			}
			b = append(b, resource...)
		})
		return append(b, ']')
	})
}

// selects reports whether a fault concerns a resource. Without patterns it concerns every one.
func (x *exchange) selects(f *Fault, resource []byte) bool {
	if f.Addresses == nil && f.Phones == nil {
		return true
	}
	n, ok := x.profiles.byID(string(identifier(resource, "id")))
	return ok && x.concerns(f, n)
}

// rewritePage is rewrite for the body of a successful answer with an array of data.
func (k *kept) rewritePage(change func(name string, value []byte) []byte) *kept {
	document := k.body.Bytes()
	if k.status != http.StatusOK || !validJSON(document) || !isObject(document) {
		return k
	}
	if data := find(document, "data"); data == nil || !isArray(data) {
		return k
	}
	changed := rewrite(document, change)
	k.body.Reset()
	k.body.Write(changed)
	return k
}

// rewrite returns an object with the values that change returns for those of its members.
func rewrite(object []byte, change func(name string, value []byte) []byte) []byte {
	b := []byte{'{'}
	members(object, func(quoted, name, value []byte) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(b, quoted...), ':')
		b = append(b, change(string(name), value)...)
	})
	return append(b, '}')
}
