package simulator

import (
	"bytes"
	"slices"
)

// sentProfile is one profile of an import. Its slices are parts of the request's body.
type sentProfile struct {
	attributes             []byte // as sent
	id                     string
	email, phone, external []byte   // decoded, nil if not given
	unset                  []string // names of properties that are removed
	dropped                []string // attributes that are not written, such as a malformed phone number
	rewrite                bool     // the attributes cannot be stored as sent
	tooLarge               bool
}

// parseProfile reads and checks one profile of an import. The pointers of the problems start at the profile.
func parseProfile(w *walker) (sent sentProfile, ps problems) {
	if !isObject(w.b) {
		w.value()
		return sent, problems{invalid("", payloadInvalid)}
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
			if sent.id = string(id); !ok && !isNull(value) {
				ps.add(wrongType("/id", "id", "string"))
			}
		case "attributes":
			ps = sent.parseAttributes(w, ps)
		case "meta":
			ps = sent.parseMeta(w.value(), ps)
		default:
			w.value()
			ps.unknownField("", name, "profile")
		}
	})
	sent.tooLarge = len(w.since(before)) > maxProfileBytes
	if !isProfile {
		ps.invalid("/type", "The type must be 'profile'.")
	}
	if sent.attributes == nil {
		ps.invalid("/attributes", "The attributes of a profile must be an object.")
	}
	if ps == nil && sent.id == "" && sent.email == nil && sent.phone == nil && sent.external == nil {
		const detail = "At least one identifier is required: id, email, phone_number or external_id."
		ps.invalid("/attributes", detail)
	}
	return sent, ps
}

// parseAttributes reads and checks the attributes, keeps the identifiers among them, and adds the problems to ps.
// An impossible phone number is a problem only without a valid email. With one it is silently dropped. A number that
// does not exist is always a problem.
func (sent *sentProfile) parseAttributes(w *walker, ps problems) problems {
	if !isObject(w.b) {
		w.value()
		return ps
	}
	before := w.b
	var seen [16]bool
	w.object(func(_, name []byte) {
		i, known := attributeNumbers[string(name)]
		value := w.value()
		if !known {
			ps.unknownField("/attributes", name, "profile")
			return
		}
		// Klaviyo writes no null, and the last of equal names counts.
		sent.rewrite = sent.rewrite || seen[i] || isNull(value) || string(name) == "_kx" ||
			isObject(value) && bytes.Contains(value, []byte("null"))
		seen[i] = true
		for _, p := range sent.take(string(name), value) {
			ps.add(p)
		}
	})
	sent.attributes = w.since(before)
	emailValid := sent.email != nil && validEmail(sent.email)
	if sent.email != nil && !emailValid {
		ps.invalid("/attributes/email", emailInvalid)
	}
	if sent.phone == nil {
		return ps
	}
	switch readPhone(sent.phone) {
	case phoneMissing:
		ps.invalid("/attributes/phone_number", phoneIneligible)
	case phoneImpossible:
		if !emailValid {
			ps.invalid("/attributes/phone_number", phoneMalformed)
		}
		sent.phone, sent.rewrite = nil, true
		sent.drop("phone_number")
	}
	return ps
}

// drop leaves an attribute out when the profile is written.
func (sent *sentProfile) drop(name string) { sent.dropped = append(slices.Clip(sent.dropped), name) }

// take checks the type of one attribute and keeps it if it is an identifier.
func (sent *sentProfile) take(name string, value []byte) problems {
	if name == "location" { // the only attribute that must not be null
		return checkLocation(value)
	}
	if isNull(value) {
		return nil
	}
	if name == "properties" {
		if !isObject(value) {
			return problems{wrongType("/attributes/properties", name, "object")}
		}
		return nil
	}
	given, ok := text(value)
	if !ok {
		return problems{wrongType("/attributes/"+name, name, "string")}
	}
	switch name {
	case "email":
		sent.email = given
	case "phone_number":
		sent.phone = given
	case "external_id":
		sent.external = given
		if len(given) > 255 {
			const detail = "The external_id must not be longer than 255 characters."
			return problems{invalid("/attributes/external_id", detail)}
		}
	}
	return nil
}

// attributeNumbers are the attributes that a profile may be written with.
var attributeNumbers = numbers("email", "phone_number", "external_id", "_kx", "first_name", "last_name",
	"organization", "locale", "title", "image", "location", "properties")

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
			ps.unknownField(pointer, name, "profile")
		case isText || isNull(value) || coordinate && isNumber(value):
		default:
			ps.invalid(pointer+"/"+string(name), "'%s' must be of type string or null.", name)
		}
	})
	return ps
}
