package validate

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// maxDigits is more than any number has, with every prefix; maxPhone, in bytes, is the longest text that package phonenumbers reads.
const (
	maxDigits = 30
	maxPhone  = 250
)

// phone appends the phone number m in E.164 with a comma, or returns its fault, perhaps with a part of it appended.
func (c *Checker) phone(r *Rows, m *member) *Fault {
	if m.kind != text {
		return typeWrong(r.column(m), m.kind, "a string: cast it to text, or add -S to mlr: a number loses + and leading zeros")
	}
	value := trim(r.scan.text(m))
	home := ""
	if bytes.IndexByte(value, '+') < 0 {
		home = c.home(r)
		value = trim(r.scan.text(m)) // the country may have been decoded over it
	}
	r.Data = append(r.Data, `"phone_number":"`...)
	data, reason := appendPhone(r.Data, value, home)
	if reason != "" {
		detail := quote(value, " ", reason)
		if reason == needsCountry {
			detail += r.unknownCountry()
		}
		return &Fault{PhoneInvalid, cutName(r.column(m)), detail}
	}
	r.Data = append(data, `",`...)
	return nil
}

// home returns the region of a number without a country code: that of the row's country if it is a known code, else the
// default, "" when there is none.
func (c *Checker) home(r *Rows) string {
	if p := r.filled[country]; p != 0 && r.member(p).kind == text {
		if value := trim(r.scan.text(r.member(p))); len(value) == 2 {
			const capital = ^byte('a' - 'A')
			code := [2]byte{value[0] & capital, value[1] & capital}
			if home := plans().home[string(code[:])]; home.plan != nil {
				return home.region
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

// E.164's bounds on the digits of a number, the lower one by custom.
const (
	minE164 = 7
	maxE164 = 15
)

// appendPhone appends a number, in one of the formats of klaviyo-api.md section 10, as E.164, or returns the reason why it is
// none. home is the region of a number without a country code, "" when there is none.
func appendPhone(b, value []byte, home string) (_ []byte, reason string) {
	var kept [1 + maxDigits]byte
	digits, reason := phoneDigits(kept[:0], value)
	switch {
	case reason != "":
		return b, reason
	case digits[0] != '+' && home == "":
		return b, needsCountry
	}
	var code, national []byte
	var problem phoneProblem
	if digits[0] == '+' {
		home = phonenumbers.UNKNOWN_REGION
		code, national, problem = readInternational(digits[1:])
	} else {
		code, national, problem = plans().home[home].plan().readNational(digits)
	}
	if problem == unread {
		code, national, problem = readAny(string(digits), home)
	}
	switch problem {
	case noSuchCode:
		return b, "begins with a country code that does not exist"
	case tooManyDigits:
		return b, "has too many digits"
	case tooFewDigits:
		return b, "has too few digits"
	case notInPlan:
		return b, fmt.Sprintf("is no number that the numbering plan of +%s has", string(code))
	}
	if n := len(code) + len(national); n < minE164 || n > maxE164 {
		return b, "is no number of 7 to 15 digits"
	}
	return append(append(append(b, '+'), code...), national...), ""
}

// readAny returns the country code and the rest of a number as package phonenumbers reads it.
func readAny(digits, home string) (code, national []byte, problem phoneProblem) {
	number, err := phonenumbers.Parse(digits, home)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return nil, nil, noSuchCode
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return nil, nil, tooManyDigits
	case err != nil:
		return nil, nil, tooFewDigits
	}
	code = strconv.AppendInt(nil, int64(number.GetCountryCode()), 10)
	if !phonenumbers.IsValidNumber(number) {
		return code, nil, notInPlan
	}
	return code, []byte(phonenumbers.GetNationalSignificantNumber(number)), 0
}

// phoneDigits appends to kept the digits of a number, after a + if it has one, or returns the reason why it is none.
func phoneDigits(kept, value []byte) (digits []byte, reason string) {
	if len(value) > maxPhone {
		return nil, fmt.Sprintf("is longer than %d bytes: give one number alone", maxPhone)
	}
	const scheme = "tel:"
	rest := value
	if len(rest) >= len(scheme) && bytes.EqualFold(rest[:len(scheme)], []byte(scheme)) {
		rest = rest[len(scheme):]
	}
	count := 0
	for i := 0; i < len(rest); {
		r, n := utf8.DecodeRune(rest[i:])
		switch r {
		case ' ', '\u00a0', '-', '.', '(', ')', '/':
		case '+':
			if len(kept) > 0 {
				return nil, "has a + after another + or after digits"
			}
			kept = append(kept, '+')
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if count++; count > maxDigits {
				return nil, fmt.Sprintf("has more than %d digits", maxDigits)
			}
			kept = append(kept, byte(r))
		default:
			return nil, phoneCharacter(r, rest[i:i+n])
		}
		i += n
	}
	if count == 0 {
		return nil, "has no digits"
	}
	return kept, ""
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
