package validate

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"unicode/utf8"
)

// identifiers are the columns that can name a person, with the codes of rows that lack one or have a bad one.
var identifiers = [...]struct{ missing, invalid Code }{
	email:       {EmailMissing, EmailInvalid},
	phoneNumber: {PhoneMissing, PhoneInvalid},
	externalID:  {ExternalIDMissing, ExternalIDInvalid},
	profileID:   {ProfileIDMissing, ProfileIDInvalid},
}

// by returns the identifiers that an operation accepts. The first one is its default.
func (o Operation) by() []target {
	if o == Remove {
		return []target{profileID, email, phoneNumber, externalID}
	}
	return []target{email, phoneNumber, externalID}
}

// parseBy reads Options.By.
func parseBy(o Operation, by string) (target, error) {
	accepted := o.by()
	if by == "" {
		return accepted[0], nil
	}
	var names []string
	for _, t := range accepted {
		if t.name() == by {
			return t, nil
		}
		names = append(names, t.name())
	}
	return 0, fmt.Errorf("--by: %s expects %s, got %s", o, either(names), quote(by))
}

// By returns the name of the identifier: email, phone_number, external_id or profile_id.
func (c *Checker) By() string { return c.key.name() }

// Identity returns Row.Identity of a row whose identifier has this value, as Klaviyo has it.
func (c *Checker) Identity(value string) [2]uint64 {
	if c.key == email {
		value = strings.ToLower(value)
	}
	return [2]uint64{maphash.String(seeds[0], value), maphash.String(seeds[1], value)}
}

// checkKey checks the value of the required column. It leaves the identifier, as Klaviyo gets it, in s.key.
func (c *Checker) checkKey(m *member, required Required, s *Scratch) *Fault {
	switch required {
	case Missing:
		return c.missing(s)
	case WrongType:
		return s.notText(m)
	}
	codes := identifiers[c.key]
	if m.kind == null && s.scan.line[m.value] != '"' {
		return &Fault{codes.missing, cutName(c.required), "column " + quote(c.required) + " is null"}
	}
	value := trim(s.scan.text(m))
	if len(value) == 0 {
		return &Fault{codes.missing, cutName(c.required), "column " + quote(c.required) + " is empty"}
	}
	reason := ""
	switch c.key {
	case phoneNumber:
		return c.phoneKey(m, s)
	case email:
		if !validEmail(value) {
			reason = emailReason(value)
		}
	case profileID:
		if !validProfileID(value) {
			reason = profileIDReason(value)
		}
	case externalID:
		if n := utf8.RuneCount(value); n > maxExternalID {
			reason = fmt.Sprintf("has more than %d characters", maxExternalID)
		}
	}
	if reason != "" {
		return &Fault{codes.invalid, cutName(c.required), quoteThen(value, reason)}
	}
	s.key = append(s.key[:0], value...)
	return nil
}

// phoneKey is checkKey for a phone number.
func (c *Checker) phoneKey(m *member, s *Scratch) *Fault {
	number := c.number(m, s)
	key, ok := number.appendTo(s.key[:0])
	if !ok {
		return c.badPhone(m, number, s)
	}
	s.key = key
	return nil
}

// other returns the clause on another identifier that a row without the required column has, "" for none that the
// operation accepts.
func (c *Checker) other(s *Scratch) string {
	like := ""
	for _, t := range c.operation.by() {
		for i := range s.scan.members {
			name := string(s.columns.name(s.scan.members[i].column))
			switch {
			case t == c.key:
			case name == t.name():
				return ", but " + quote(name) + " is there; use --by " + name
			case like == "" && lookalike(name) == t.name():
				like = ", but " + quote(name) + " is there; use --by " + t.name() + " " + mapFlag(name, t.name())
			}
		}
	}
	return like
}

// reads reports whether the operation reads a target. A narrow one reads the identifiers that it needs, and what tells
// the country of a phone number.
func (c *Checker) reads(t target) bool {
	phones := c.key == phoneNumber || c.second == phoneNumber
	return !c.operation.narrow() || t == c.key || t == c.second || phones && slices.Contains(phoneContext, t)
}

// phoneContext are the targets that tell the country of a phone number.
var phoneContext = []target{country, locationObject}
