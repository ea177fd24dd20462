// Package phone reads phone numbers as people write them and writes them as E.164. It accepts exactly the numbers that
// package phonenumbers accepts, some fifty times faster and without an allocation. Start at Append.
package phone

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// NeedsCountry is the reason of Append for a number that has no country code where no region is given.
const NeedsCountry = "has no country code; write it as +…, or set --default-country"

const (
	maxText   = 250 // bytes; package phonenumbers reads no longer text
	maxDigits = 30  // more than any number has, with every prefix
)

// The fewest and the most digits of an E.164 number. The standard sets only the upper bound.
const (
	minE164 = 7
	maxE164 = 15
)

// Region returns the region that has the ISO 3166 alpha-2 code, in capitals. The code may be in any case. Region
// returns "" for any other text and for a code without phone numbers.
func Region(code []byte) string {
	if len(code) != 2 {
		return ""
	}
	const capital = ^byte('a' - 'A')
	return plans().home[string([]byte{code[0] & capital, code[1] & capital})].region
}

// Append appends the number in text as E.164. text has one of the formats of klaviyo-api.md section 10, and no white
// space at its ends. region is a result of Region for numbers without a country code; with "" such a number is
// refused.
//
// When text is not a valid number, Append returns b unchanged and a reason: the end of a sentence that begins with
// the number. Many goroutines may call Append at once.
func Append(b, text []byte, region string) (_ []byte, reason string) {
	var kept [1 + maxDigits]byte
	digits, reason := appendDigits(kept[:0], text)
	switch {
	case reason != "":
		return b, reason
	case digits[0] != '+' && region == "":
		return b, NeedsCountry
	}
	var code, national []byte
	var problem problem
	if digits[0] == '+' {
		region = phonenumbers.UNKNOWN_REGION
		code, national, problem = readInternational(digits[1:])
	} else {
		code, national, problem = plans().home[region].plan().readNational(digits)
	}
	if problem == unread {
		code, national, problem = readWithLibrary(string(digits), region)
	}
	switch problem {
	case noSuchCode:
		return b, "begins with a country code that does not exist"
	case tooManyDigits:
		return b, "has too many digits"
	case tooFewDigits:
		return b, "has too few digits"
	case notInPlan:
		return b, fmt.Sprintf("is not a valid number in the numbering plan of +%s", string(code))
	}
	if n := len(code) + len(national); n < minE164 || n > maxE164 {
		return b, fmt.Sprintf("has %d digits with its country code; expected %d to %d", n, minE164, maxE164)
	}
	return append(append(append(b, '+'), code...), national...), ""
}

// readWithLibrary returns the country code and the rest of a number as package phonenumbers reads it.
func readWithLibrary(digits, region string) (code, national []byte, _ problem) {
	number, err := phonenumbers.Parse(digits, region)
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

// appendDigits appends the digits of a number to kept, after a + if the number has one, or returns the reason why
// text is not a number.
func appendDigits(kept, text []byte) (digits []byte, reason string) {
	if len(text) > maxText {
		return nil, fmt.Sprintf("is longer than %d bytes; give a single number", maxText)
	}
	const scheme = "tel:"
	if len(text) >= len(scheme) && bytes.EqualFold(text[:len(scheme)], []byte(scheme)) {
		text = text[len(scheme):]
	}
	count := 0
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch r {
		case ' ', '\u00a0', '-', '.', '(', ')', '/':
		case '+':
			if len(kept) > 0 {
				return nil, "has a + after another + or after a digit"
			}
			kept = append(kept, '+')
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if count++; count > maxDigits {
				return nil, fmt.Sprintf("has more than %d digits", maxDigits)
			}
			kept = append(kept, byte(r))
		default:
			return nil, badCharacter(r)
		}
		text = text[n:]
	}
	if count == 0 {
		return nil, "has no digits"
	}
	return kept, ""
}

// badCharacter is the reason for a number that contains r.
func badCharacter(r rune) string {
	switch {
	case r == ';':
		return "contains a semicolon; give a single number without an extension"
	case r == ',':
		return "contains a comma; give a single number without an extension"
	case unicode.IsLetter(r):
		return fmt.Sprintf("contains the letter %q; give a single number in digits, without an extension", r)
	}
	return fmt.Sprintf("contains the character %q, which is not allowed", r)
}
