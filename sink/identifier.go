package sink

import "strings"

// Identifier is what names a person in Klaviyo: an attribute of the profile, or its id.
type Identifier string

// Identifiers as Klaviyo's API names them.
const (
	Email       Identifier = "email"
	PhoneNumber Identifier = "phone_number"
	ExternalID  Identifier = "external_id"
	ProfileID   Identifier = "profile_id"
)

// field is the identifier's name in a filter.
func (i Identifier) field() string {
	if i == ProfileID {
		return "id"
	}
	return string(i)
}

// same returns the form in which two values of one person are equal: Klaviyo compares emails without regard to case.
func (i Identifier) same(value string) string {
	if i == Email {
		return strings.ToLower(value)
	}
	return value
}

// of returns a profile's value, "" where it has none.
func (i Identifier) of(p *profileResource) string {
	a := &p.Attributes
	switch i {
	case Email:
		return a.Email
	case PhoneNumber:
		return a.PhoneNumber
	case ExternalID:
		return a.ExternalID
	}
	return p.ID
}
