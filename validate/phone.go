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
	number := c.number(m, s)
	data, ok := number.appendTo(append(data, `"phone_number":"`...))
	switch {
	case ok:
		return append(data, `",`...), nil
	case c.dropPhones:
		s.columns.uncount(m)
		m.kind, s.droppedPhone = null, true
		return data[:start], nil
	}
	return data, c.badPhone(m, number, s)
}

// writtenPhone is a phone number as the row has it, and the region to read it in. unknown says that the row has a
// country that is not known; then there is no region.
type writtenPhone struct {
	value   []byte
	region  string
	unknown bool
}

// number returns the phone number of m. Its value is valid until the next text is decoded.
func (c *Checker) number(m *member, s *Scratch) writtenPhone {
	n := writtenPhone{value: trim(s.scan.text(m))}
	if bytes.IndexByte(n.value, '+') < 0 {
		n.region, n.unknown = c.region(s)
		n.value = trim(s.scan.text(m)) // decoding the country may have overwritten it
	}
	return n
}

// appendTo appends the number in E.164. Without ok, it is not one number, and a part of it may be appended.
func (n writtenPhone) appendTo(data []byte) (_ []byte, ok bool) {
	return phone.Append(data, n.value, n.region)
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
func (c *Checker) badPhone(m *member, n writtenPhone, s *Scratch) *Fault {
	f := phone.Reason(n.value, n.region)
	code, detail := PhoneInvalid, quoteThen(n.value, f.Reason)
	switch {
	case f.Ambiguous:
		code = PhoneAmbiguous
	case f.NoCountry && n.unknown:
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
