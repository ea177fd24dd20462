// Package phone reads phone numbers as people write them and writes them as E.164. It reads a number as package
// phonenumbers does, some fifty times faster and without an allocation. Unlike that package, it refuses a number that
// can be read in two ways, and one that went through a decimal. Start at Append.
package phone

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/nyaruka/phonenumbers"
)

// The fewest and the most digits of an E.164 number. The standard sets only the upper bound.
const (
	minE164 = 7
	maxE164 = 15
)

// international is what many regions dial for +.
var international = []byte("00")

// Append appends the number in text as E.164. text has one of the formats of klaviyo-api.md section 10, and no white
// space at its ends. region is a result of Region or Country for numbers without a country code; with "" such a number
// is refused.
//
// When text is not a valid number, or is two, Append returns b unchanged and false, and Reason says why. Many
// goroutines may call Append at once.
func Append(b, text []byte, region string) (_ []byte, ok bool) {
	var kept [1 + maxDigits]byte
	one, two := read(kept[:0], text, region)
	if one.problem != 0 || two.problem == 0 {
		return b, false
	}
	return one.append(b), true
}

// Fault is the reason why a text is not one number.
type Fault struct {
	Reason    string // the end of a sentence that begins with the text
	Ambiguous bool   // the text is a valid number in two ways
	NoCountry bool   // the text needs a region; Reason lacks the remedy
}

// Reason returns why Append refuses a text.
func Reason(text []byte, region string) Fault {
	one, two := read(nil, text, region)
	switch {
	case one.problem == 0:
		return Fault{Ambiguous: true, Reason: fmt.Sprintf(
			"can be read as %s or as %s; write it as +…", one.append(nil), two.append(nil))}
	case one.problem == noRegion && bytes.HasPrefix(one.national, international):
		return Fault{NoCountry: true, Reason: "begins with 00, which stands for + only in some countries"}
	case one.problem == noRegion:
		return Fault{NoCountry: true, Reason: "has no country code"}
	case one.problem == notAbroad:
		return Fault{Reason: "begins with 00, which does not stand for + in " + region + "; write it as +…"}
	}
	return Fault{Reason: one.reason()}
}

// reading is a number as one way of reading finds it, or the problem with it.
type reading struct {
	code, national []byte // the country code and the rest, without a national prefix
	problem        problem
	char           rune // of badCharacter
}

// problem is the reason why a text is not a number; 0 is no problem.
type problem uint8

const (
	longText problem = 1 + iota // of the text
	manyDigits
	noDigits
	secondPlus
	badCharacter
	decimal
	noRegion // of the digits
	noSuchCode
	tooFewDigits
	tooManyDigits
	notInPlan // the numbering plan has no such number
	notAbroad // begins with 00, which is not the region's prefix of international calls
	notE164
	unread  // only package phonenumbers can read it
	notRead // there is no other reading
)

// read returns the readings of a text. When one has a problem, two has one too. kept is the memory for the digits.
func read(kept, text []byte, region string) (one, two reading) {
	two.problem = notRead
	digits, problem, char := appendDigits(kept, text)
	switch {
	case problem != 0:
		return reading{problem: problem, char: char}, two
	case digits[0] == '+':
		return readCoded(digits[1:]), two
	case region == "":
		return reading{problem: noRegion, national: digits}, two
	}
	one, two = plans().home[region].plan().readNational(digits, region)
	switch {
	case one.problem != 0 && two.problem == 0:
		return two, one
	case two.problem == 0 && bytes.Equal(one.code, two.code) && bytes.Equal(one.national, two.national):
		two.problem = notRead
	case two.problem == 0 && len(one.national) > len(two.national):
		return two, one
	}
	return one, two
}

// readCoded reads digits that begin with their country code.
func readCoded(digits []byte) reading {
	r := readInternational(digits)
	if r.problem == unread {
		r = readWithLibrary("+"+string(digits), phonenumbers.UNKNOWN_REGION)
	}
	return r.bounded()
}

// readWithLibrary returns a number as package phonenumbers reads it.
func readWithLibrary(digits, region string) reading {
	number, err := phonenumbers.Parse(digits, region)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return reading{problem: noSuchCode}
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return reading{problem: tooManyDigits}
	case err != nil:
		return reading{problem: tooFewDigits}
	}
	r := reading{code: strconv.AppendInt(nil, int64(number.GetCountryCode()), 10)}
	if !phonenumbers.IsValidNumber(number) {
		r.problem = notInPlan
		return r
	}
	r.national = []byte(phonenumbers.GetNationalSignificantNumber(number))
	return r
}

// bounded returns r with a problem if its length is not one of E.164.
func (r reading) bounded() reading {
	if n := len(r.code) + len(r.national); r.problem == 0 && (n < minE164 || n > maxE164) {
		r.problem = notE164
	}
	return r
}

// append appends the number as E.164.
func (r reading) append(b []byte) []byte {
	return append(append(append(b, '+'), r.code...), r.national...)
}
