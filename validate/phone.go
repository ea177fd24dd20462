package validate

import (
	"bytes"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// maxDigits is more than any number has, with every prefix.
const maxDigits = 30

// phone appends the phone number m in E.164 with a comma.
func (c *Checker) phone(r *Rows, m *member) *Fault {
	if m.kind != text {
		return typeWrong(r.column(m), m.kind, "a string: cast it to text, or add -S to mlr: a number loses + and leading zeros")
	}
	home := c.home(r)
	value := trim(r.scan.text(m))
	number, reason := parsePhone(value, home)
	if reason == needsCountry {
		reason += r.unknownCountry()
	}
	if reason != "" {
		return &Fault{PhoneInvalid, cutName(r.column(m)), quote(value) + " " + reason}
	}
	r.Data = append(r.Data, `"phone_number":"`...)
	r.Data = append(r.Data, number...)
	r.Data = append(r.Data, `",`...)
	return nil
}

// home returns the region of a number without a country code: that of the row's country if it is a known code, else the
// default, "" when there is none.
func (c *Checker) home(r *Rows) string {
	if p := r.filled[country]; p != 0 && r.member(p).kind == text {
		if value := trim(r.scan.text(r.member(p))); len(value) == 2 {
			code := string(bytes.ToUpper(value))
			if phonenumbers.GetSupportedRegions()[code] {
				return code
			}
		}
	}
	return c.country
}

// unknownCountry adds to a reason that the row's country was of no help.
func (r *Rows) unknownCountry() string {
	p := r.filled[country]
	if p == 0 || r.member(p).kind != text {
		return ""
	}
	return " (the row's country " + quote(trim(r.scan.text(r.member(p)))) + " is no ISO 3166 alpha-2 code)"
}

const needsCountry = "has no country code: write it as +…, or give --default-country"

// parsePhone returns a number, in one of the formats of klaviyo-api.md section 10, as E.164, or the reason why it is none.
func parsePhone(value []byte, home string) (number, reason string) {
	digits, reason := phoneDigits(value)
	switch {
	case reason != "":
		return "", reason
	case digits[0] == '+':
		home = phonenumbers.UNKNOWN_REGION
	case home == "":
		return "", needsCountry
	}
	parsed, err := phonenumbers.Parse(digits, home)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return "", "begins with a country code that does not exist"
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return "", "has too many digits"
	case err != nil:
		return "", "has too few digits"
	case !phonenumbers.IsValidNumber(parsed):
		return "", fmt.Sprintf("is no number that the numbering plan of +%d has", parsed.GetCountryCode())
	}
	number = phonenumbers.Format(parsed, phonenumbers.E164)
	if !isE164(number) {
		return "", "is no number of 7 to 15 digits"
	}
	return number, ""
}

// phoneDigits returns the digits of a number, after a + if it has one, or the reason why it is none.
func phoneDigits(value []byte) (digits, reason string) {
	const scheme = "tel:"
	rest := value
	if len(rest) >= len(scheme) && bytes.EqualFold(rest[:len(scheme)], []byte(scheme)) {
		rest = rest[len(scheme):]
	}
	kept := make([]byte, 0, maxDigits+1)
	count := 0
	for i := 0; i < len(rest); {
		r, n := utf8.DecodeRune(rest[i:])
		switch r {
		case ' ', '\u00a0', '-', '.', '(', ')', '/':
		case '+':
			if len(kept) > 0 {
				return "", "has a + after another + or after digits"
			}
			kept = append(kept, '+')
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if count++; count > maxDigits {
				return "", fmt.Sprintf("has more than %d digits", maxDigits)
			}
			kept = append(kept, byte(r))
		default:
			return "", phoneCharacter(r, rest[i:i+n])
		}
		i += n
	}
	if count == 0 {
		return "", "has no digits"
	}
	return string(kept), ""
}

// phoneCharacter says what is wrong with a character in a number.
func phoneCharacter(r rune, as []byte) string {
	switch {
	case r == ';' || r == ',':
		return "holds " + quote(as) + ": give one number alone, without extension"
	case unicode.IsLetter(r):
		return "holds the letter " + quote(as) + ": give one number alone, in digits and without extension"
	}
	return "holds a character that is not allowed: " + quote(as)
}

// isE164 says whether s is a + and 7 to 15 digits, the first of them not 0.
func isE164(s string) bool {
	if len(s) < 8 || len(s) > 16 || s[0] != '+' || s[1] == '0' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}
