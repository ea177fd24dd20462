package validate

import (
	"bytes"

	"klaviyo-export/validate/phone"
)

// appendPhone appends the phone number m in E.164 with a comma, or returns its fault, perhaps after a part of the
// number.
func (c *Checker) appendPhone(data []byte, m *member, s *Scratch) ([]byte, *Fault) {
	if m.kind != text {
		hint := castHint
		if m.kind == number {
			hint += ", or add -S to mlr: a number loses + and leading zeros"
		}
		return data, wrongType(s.column(m), m.kind, "a string", hint)
	}
	value := trim(s.scan.text(m))
	region := ""
	if bytes.IndexByte(value, '+') < 0 {
		region = c.region(s)
		value = trim(s.scan.text(m)) // decoding the country may have overwritten it
	}
	data, reason := phone.Append(append(data, `"phone_number":"`...), value, region)
	if reason != "" {
		detail := quote(value) + " " + reason
		if reason == phone.NeedsCountry {
			detail += s.unknownCountry()
		}
		return data, &Fault{PhoneInvalid, cutName(s.column(m)), detail}
	}
	return append(data, `",`...), nil
}

// region returns the region of a number without a country code: the row's country if it is a known code, else the
// default, or "" for none.
func (c *Checker) region(s *Scratch) string {
	if p := s.filled[country]; p != 0 && s.member(p).kind == text {
		if region := phone.Region(trim(s.scan.text(s.member(p)))); region != "" {
			return region
		}
	}
	return c.country
}

// unknownCountry returns what a reason adds when the row has a country that is not a known code.
func (s *Scratch) unknownCountry() string {
	p := s.filled[country]
	if p == 0 || s.member(p).kind != text {
		return ""
	}
	return " (the row's country " + quote(trim(s.scan.text(s.member(p)))) + " is not an ISO 3166 alpha-2 code)"
}
