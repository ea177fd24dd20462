package simulator

import "bytes"

// row is one profile of an import. Its slices are parts of the request's body.
type row struct {
	attributes             []byte // as sent
	id                     string
	email, phone, external []byte // what they say, nil where not given
	dropPhone              bool   // the phone number is malformed and is not written
	rewrite                bool   // the attributes can't be stored as they were sent
	tooLarge               bool
}

// parseRow passes one profile of an import and checks it. The pointers of the problems begin at the profile.
func parseRow(w *walker) (r row, ps problems) {
	if !isObject(w.b) {
		w.value()
		return r, problems{invalid("", payloadInvalid)}
	}
	before := w.b
	isProfile := false
	w.object(func(_, name []byte) {
		switch string(name) {
		case "type":
			kind, _ := text(w.value())
			isProfile = string(kind) == "profile"
		case "id":
			value := w.value()
			id, ok := text(value)
			if r.id = string(id); !ok && !isNull(value) {
				ps = append(ps, wrongType("/id", "id", "string"))
			}
		case "attributes":
			ps = append(ps, r.parseAttributes(w)...)
		case "meta":
			w.value()
			ps = append(ps, invalid("/meta", "The simulator does not support meta."))
		default:
			w.value()
			ps = append(ps, unknownField("", name, "profile"))
		}
	})
	r.tooLarge = len(w.since(before)) > maxProfileBytes
	if !isProfile {
		ps = append(ps, invalid("/type", "The type must be 'profile'."))
	}
	if r.attributes == nil {
		ps = append(ps, invalid("/attributes", "The attributes of a profile must be an object."))
	}
	if ps == nil && r.id == "" && r.email == nil && r.phone == nil && r.external == nil {
		ps = append(ps, invalid("/attributes", "At least one identifier is required: id, email, phone_number or external_id."))
	}
	return r, ps
}

// parseAttributes passes the attributes of a row, checks them and takes the identifiers out of them.
// A malformed phone number is a problem only where there is no valid email; beside one it is dropped without a word.
func (r *row) parseAttributes(w *walker) (ps problems) {
	if !isObject(w.b) {
		w.value()
		return nil
	}
	before := w.b
	var seen [16]bool
	w.object(func(_, name []byte) {
		i, known := attributeNumbers[string(name)]
		value := w.value()
		if !known {
			ps = append(ps, unknownField("/attributes", name, "profile"))
			return
		}
		// Klaviyo writes no null; of a name that comes twice the last counts.
		r.rewrite = r.rewrite || seen[i] || isNull(value) || isObject(value) && bytes.Contains(value, []byte("null")) || string(name) == "_kx"
		seen[i] = true
		if p := r.take(string(name), value); p != nil {
			ps = append(ps, p...)
		}
	})
	r.attributes = w.since(before)
	emailValid := r.email != nil && validEmail(r.email)
	if r.email != nil && !emailValid {
		ps = append(ps, invalid("/attributes/email", "Invalid email address"))
	}
	if r.phone != nil && !validPhone(r.phone) {
		if !emailValid {
			ps = append(ps, invalid("/attributes/phone_number", "Invalid phone number format (Example of a valid format: +12345678901)"))
		}
		r.phone, r.dropPhone, r.rewrite = nil, true, true
	}
	return ps
}

// take checks the type of one attribute and keeps it if it is an identifier.
func (r *row) take(name string, value []byte) problems {
	if name == "location" { // the one attribute that must not be null
		return checkLocation(value)
	}
	if isNull(value) {
		return nil
	}
	switch name {
	case "properties":
		if !isObject(value) {
			return problems{wrongType("/attributes/properties", name, "object")}
		}
		return nil
	}
	said, ok := text(value)
	if !ok {
		return problems{wrongType("/attributes/"+name, name, "string")}
	}
	switch name {
	case "email":
		r.email = said
	case "phone_number":
		r.phone = said
	case "external_id":
		r.external = said
		if len(said) > 255 {
			return problems{invalid("/attributes/external_id", "The external_id must not be longer than 255 characters.")}
		}
	}
	return nil
}

// attributeNumbers are the attributes that a profile may be written with.
var attributeNumbers = numbers("email", "phone_number", "external_id", "_kx", "first_name", "last_name", "organization", "locale", "title", "image",
	"location", "properties")

var locationNumbers = numbers(locationAttributes...)

func numbers(names ...string) map[string]int {
	m := map[string]int{}
	for i, name := range names {
		m[name] = i
	}
	return m
}

func checkLocation(value []byte) (ps problems) {
	const pointer = "/attributes/location"
	if !isObject(value) {
		return problems{invalid(pointer, "'location' must be of type object.")}
	}
	members(value, func(_, name, value []byte) {
		_, known := locationNumbers[string(name)]
		_, isText := text(value)
		coordinate := string(name) == "latitude" || string(name) == "longitude"
		switch {
		case !known:
			ps = append(ps, unknownField(pointer, name, "profile"))
		case isText || isNull(value) || coordinate && isNumber(value):
		default:
			ps = append(ps, wrongType(pointer+"/"+string(name), string(name), "string"))
		}
	})
	return ps
}
