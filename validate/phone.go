package validate

import (
	"bytes"
	"fmt"

	"klaviyo-export/validate/phone"
)

// appendPhone appends the phone number m in E.164 with a comma. A number that is bad is left out with Options.BadPhone
// Drop, and is a fault otherwise; then a part of it may be appended.
func (c *Checker) appendPhone(data []byte, m *member, s *Scratch) ([]byte, *Fault) {
	if m.kind != text {
		return data, s.notText(m)
	}
	start := len(data)
	value := trim(s.scan.text(m))
	region, unknown := "", false
	if bytes.IndexByte(value, '+') < 0 {
		region, unknown = c.region(s)
		value = trim(s.scan.text(m)) // decoding the country may have overwritten it
	}
	data, ok := phone.Append(append(data, `"phone_number":"`...), value, region)
	switch {
	case ok:
		return append(data, `",`...), nil
	case c.dropPhones:
		s.columns.uncount(m)
		m.kind, s.droppedPhone = null, true
		return data[:start], nil
	}
	return data, c.badPhone(m, value, region, unknown, s)
}

// region returns the region of a number without a country code: the row's country, or the default in a row without
// one. unknown says that the row has a country that is not known; then there is no region.
func (c *Checker) region(s *Scratch) (region string, unknown bool) {
	if p := s.filled[country]; p != 0 && s.member(p).kind == text {
		if value := trim(s.scan.text(s.member(p))); len(value) > 0 {
			region = phone.Country(value)
			return region, region == ""
		}
	}
	return c.country, false
}

// badPhone is the fault of m, whose value is not one phone number.
func (c *Checker) badPhone(m *member, value []byte, region string, unknown bool, s *Scratch) *Fault {
	f := phone.Reason(value, region)
	code, detail := PhoneInvalid, quote(value)+" "+f.Reason
	switch {
	case f.Ambiguous:
		code = PhoneAmbiguous
	case f.NoCountry && unknown:
		detail += fmt.Sprintf(", and the row's country %s is not known; "+
			"write the number as +…, or the country as an ISO 3166 code",
			quote(trim(s.scan.text(s.member(s.filled[country])))))
		if c.country != "" {
			detail += "; --default-country is only for rows without a country"
		}
	case f.NoCountry:
		detail += "; write it as +…, or set --default-country"
	}
	return &Fault{code, cutName(s.column(m)), detail}
}
