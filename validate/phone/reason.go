package phone

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// problem is the reason why a text is not one number; 0 is no problem.
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
	notAbroad // the same, and it begins with 00, which is not the region's prefix of international calls
	notE164   // its length
	ambiguous // it is a number with and without a country code
	unread    // only package phonenumbers can read it
)

// zeros is the most common prefix of international calls.
var zeros = []byte("00")

// SpreadsheetQuote is the reason for a text that begins with a quote.
const SpreadsheetQuote = "begins with ', which a spreadsheet puts before text; remove it"

// Fault is the reason why a text is not one number.
type Fault struct {
	Reason    string // the end of a sentence that begins with the text
	Ambiguous bool   // the text is a number in two ways
	NoCountry bool   // the text needs a region; Reason lacks the remedy
}

// Reason returns why Append refuses a text.
func Reason(text []byte, region string) Fault {
	var kept [1 + maxDigits]byte
	code, rest, problem := read(kept[:0], text, region)
	switch problem {
	case ambiguous:
		digits, _ := appendDigits(nil, text)
		return Fault{Reason: bothReadings(digits, region), Ambiguous: true}
	case badCharacter:
		if rest[0] == '\'' && len(rest) == len(text) {
			return Fault{Reason: SpreadsheetQuote}
		}
		if bytes.IndexByte([]byte("eE,"), rest[0]) >= 0 && isDecimal(text) {
			problem = decimal
		}
	case noRegion:
		if bytes.HasPrefix(rest, zeros) {
			return Fault{Reason: "begins with 00, which means + only in some countries", NoCountry: true}
		}
		return Fault{Reason: "has no country code", NoCountry: true}
	case notAbroad:
		return Fault{Reason: "begins with 00, which does not mean + in " + region + "; write it as +…"}
	}
	return Fault{Reason: problem.reason(code, rest)}
}

// bothReadings is the reason for digits that are a number in two ways.
func bothReadings(digits []byte, region string) string {
	plan := plans().home[region].plan()
	coded, _ := plan.split(digits)
	one, national, _ := readCoded(coded)
	other, rest, problem := plan.readPlain(digits, region)
	if problem != 0 {
		other, rest, _ = plan.readLocal(digits, region)
	}
	return fmt.Sprintf("can be read as %s or as %s; write it as +…",
		appendE164(nil, one, national), appendE164(nil, other, rest))
}

// reason describes the problem of a number with that country code. rest is what read returned.
func (p problem) reason(code, rest []byte) string {
	switch p {
	case longText:
		return fmt.Sprintf("is longer than %d bytes; give a single number", maxText)
	case manyDigits:
		return fmt.Sprintf("has more than %d digits", maxDigits)
	case noDigits:
		return "has no digits"
	case secondPlus:
		return "has a + after another + or after a digit"
	case badCharacter:
		r, _ := utf8.DecodeRune(rest)
		return characterReason(r)
	case decimal:
		return "is a decimal number, so its digits may be wrong; cast the column to text in the query"
	case noSuchCode:
		return "begins with a country code that does not exist"
	case tooFewDigits:
		return "has too few digits"
	case tooManyDigits:
		return "has too many digits"
	case notE164:
		return fmt.Sprintf("has %d digits with its country code; expected %d to %d",
			len(code)+len(rest), minE164, maxE164)
	}
	return "is not a valid number in the numbering plan of +" + string(code)
}

// characterReason is the reason for a number that contains r.
func characterReason(r rune) string {
	switch {
	case '０' <= r && r <= '９':
		return fmt.Sprintf("contains %q, which is a full-width digit; write 0-9", r)
	case r == 'ー':
		return fmt.Sprintf("contains %q, which is not a hyphen; write -", r)
	case r == ';':
		return "contains a semicolon; give a single number without an extension"
	case r == ',':
		return "contains a comma; give a single number without an extension"
	case unicode.IsLetter(r):
		return fmt.Sprintf("contains the letter %q; give a single number in digits, without an extension", r)
	case unicode.In(r, unicode.Cf):
		return fmt.Sprintf("contains %q, which is invisible; remove it", r)
	}
	return fmt.Sprintf("contains the character %q, which is not allowed", r)
}
