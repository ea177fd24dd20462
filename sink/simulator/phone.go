package simulator

import (
	"strconv"

	"github.com/nyaruka/phonenumbers/v2"
)

// Klaviyo's texts for a phone number that it refuses.
const (
	phoneMalformed  = "Invalid phone number format (Example of a valid format: +12345678901)"
	phoneIneligible = "The phone number provided either does not exist or is ineligible to receive ChannelType.SMS"
)

// phoneState is what Klaviyo makes of a phone number.
type phoneState int

const (
	phoneExists     phoneState = iota
	phoneImpossible            // no E.164, or of a length that its country does not have, such as +1234
	phoneMissing               // possible, but no number of its country's plan
)

// readPhone returns the state of a phone number as sent. Klaviyo was seen to drop +1234 beside an email, and to refuse
// a whole request for a number in the form of E.164 that does not exist or cannot be texted.
//
// Choices: package phonenumbers decides where one ends and the other begins, a number with a national prefix does not
// exist, and every number that exists can be texted. A plan can refuse others.
func readPhone(phone []byte) phoneState {
	if len(phone) < 2 || len(phone) > 16 || phone[0] != '+' || phone[1] == '0' {
		return phoneImpossible
	}
	for _, c := range phone[1:] {
		if c < '0' || c > '9' {
			return phoneImpossible
		}
	}
	number := splitPhone(string(phone[1:]))
	switch {
	case number == nil:
		return phoneImpossible
	case phonenumbers.IsValidNumber(number):
		return phoneExists
	case phonenumbers.IsPossibleNumberWithReason(number) == phonenumbers.IS_POSSIBLE:
		return phoneMissing
	}
	return phoneImpossible
}

// splitPhone separates the country calling code from the rest of a number, or returns nil without one. It does a part
// of phonenumbers.Parse in a tenth of the time.
func splitPhone(digits string) *phonenumbers.PhoneNumber {
	codes := phonenumbers.GetSupportedCallingCodes()
	for i := 1; i <= 3 && i < len(digits); i++ {
		code, _ := strconv.ParseInt(digits[:i], 10, 32)
		if !codes[int(code)] {
			continue
		}
		rest := digits[i:]
		national, _ := strconv.ParseUint(rest, 10, 64) // at most 15 digits
		zeros := 0
		for zeros < len(rest)-1 && rest[zeros] == '0' {
			zeros++
		}
		return &phonenumbers.PhoneNumber{
			CountryCode: new(int32(code)), NationalNumber: &national,
			ItalianLeadingZero: new(zeros > 0), NumberOfLeadingZeros: new(int32(zeros)),
		}
	}
	return nil
}
