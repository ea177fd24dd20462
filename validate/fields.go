package validate

import "sync/atomic"

// target is the place in a profile that a member fills.
type target uint8

const (
	custom        target = iota // a custom property
	dropped                     // nowhere
	reserved                    // its name is not allowed for a custom property
	unknownMember               // of the location object: Klaviyo does not know it
	misnamed                    // its name has something around it, or an invisible character in it
	locationObject
	propertiesObject

	email // the first of the attributes, klaviyo-api.md section 6.3
	phoneNumber
	externalID
	kx
	firstName
	lastName
	organization
	locale
	title
	image

	address1 // the first member of location
	address2
	city
	country
	region
	zip
	timezone
	ip
	latitude
	longitude

	profileID
	consentedAt
	listed // the list of the row
	targets
)

var targetNames = [targets]string{
	locationObject: "location", propertiesObject: "properties",
	email: "email", phoneNumber: "phone_number", externalID: "external_id", kx: "_kx", firstName: "first_name",
	lastName: "last_name", organization: "organization", locale: "locale", title: "title", image: "image",
	address1: "address1", address2: "address2", city: "city", country: "country", region: "region", zip: "zip",
	timezone: "timezone", ip: "ip", latitude: "latitude", longitude: "longitude", profileID: "profile_id",
	consentedAt: "consented_at", listed: "list",
}

func (t target) name() string { return targetNames[t] }

func (t target) isAttribute() bool { return t >= email && t <= image }

func (t target) isLocation() bool { return t >= address1 && t <= longitude }

// anyText reports whether every string is a good value for a target.
func (t target) anyText() bool {
	return t > externalID && t <= longitude
}

// path returns the full name of a target.
func (t target) path() string {
	if t.isLocation() {
		return "location." + t.name()
	}
	return t.name()
}

// field says what a column becomes.
type field struct {
	target   target
	mapped   bool
	met      *atomic.Bool // of a column that the options name: whether some row had it
	property []byte       // of a column that is mapped to a custom property: the new name
	label    string       // the name in the profile with quotes and colon, "" for a custom property that keeps its own
}

// attributeFields are the columns, and locationFields the members of the location object, that go where their names
// say.
var attributeFields, locationFields = ownFields()

func ownFields() (attributes, location map[string]field) {
	attributes = map[string]field{
		"location":   {target: locationObject},
		"properties": {target: propertiesObject},
	}
	location = map[string]field{}
	for t := email; t <= longitude; t++ {
		f := field{target: t, label: `"` + t.name() + `":`}
		attributes[t.name()] = f
		if t.isLocation() {
			location[t.name()] = f
		}
	}
	return attributes, location
}

// as describes what a column of that name becomes.
func (f *field) as(name []byte) string {
	switch {
	case f.target == dropped:
		return "dropped"
	case f.target != custom:
		return f.target.path()
	case f.property != nil:
		name = f.property
	}
	return "properties." + string(name)
}

// field returns what a member of that name becomes.
func (c *Checker) field(in scope, name []byte) field {
	switch in {
	case topLevel:
		if f, ok := c.fields[string(name)]; ok {
			if f.met != nil {
				f.met.Store(true)
			}
			return f
		}
		bare := bareName(string(name))
		switch {
		case bare != string(name) && (!c.operation.narrow() || c.fields[bare].target >= email):
			return field{target: misnamed}
		case c.operation.narrow():
			return field{target: dropped}
		}
	case inLocation:
		if f, ok := locationFields[string(name)]; ok {
			return f
		}
		if bareName(string(name)) != string(name) {
			return field{target: misnamed}
		}
		return field{target: unknownMember}
	case inProperties:
		if bareName(string(name)) != string(name) {
			return field{target: misnamed}
		}
	}
	if len(name) == 0 || name[0] == '$' {
		return field{target: reserved}
	}
	return field{}
}
