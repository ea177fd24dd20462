package simulator

import (
	"testing"

	"github.com/nyaruka/phonenumbers/v2"
)

// An impossible number is told from one that does not exist and from one that does.
func TestPhones(t *testing.T) {
	for _, test := range []struct {
		name, number string
		want         phoneState
	}{
		{"too short", "+1234", phoneImpossible},
		{"a part that can be dialled within an area alone", "+15550100", phoneImpossible},
		{"too long for its country", "+120255501234", phoneImpossible},
		{"16 digits", "+1202555012345678", phoneImpossible},
		{"a calling code alone", "+1", phoneImpossible},
		{"nothing", "", phoneImpossible},
		{"a plus alone", "+", phoneImpossible},
		{"no such calling code", "+999123456789", phoneImpossible},
		{"a zero first", "+0123456789", phoneImpossible},
		{"no plus", "12025550123", phoneImpossible},
		{"blanks", "+1 202 555 0123", phoneImpossible},
		{"an area that does not exist", "+15550100001", phoneMissing},
		{"a range that is kept for stories", "+447700900123", phoneMissing},
		{"a national prefix", "+49030901820", phoneMissing},
		{"a mobile phone", "+4915123456789", phoneExists},
		{"a landline", "+4930901820", phoneExists},
		{"a leading zero that belongs to the number", "+390612345678", phoneExists},
		{"no country's number", "+80012345678", phoneExists},
	} {
		if got := readPhone([]byte(test.number)); got != test.want {
			t.Errorf("%s, %s: %d, want %d", test.name, test.number, got, test.want)
		}
	}
}

// Every example number of package phonenumbers exists, and is split as that package splits it.
func TestExamplePhones(t *testing.T) {
	examples := 0
	for region := range phonenumbers.GetSupportedRegions() {
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			example := phonenumbers.GetExampleNumberForTypeInRegion(region, kind)
			if example == nil || !phonenumbers.IsValidNumber(example) {
				continue
			}
			examples++
			number := phonenumbers.Format(example, phonenumbers.E164)
			if state := readPhone([]byte(number)); state != phoneExists {
				t.Errorf("%s, type %d: %s: %d", region, kind, number, state)
			}
			split := splitPhone(number[1:])
			if got := phonenumbers.Format(split, phonenumbers.E164); got != number {
				t.Errorf("%s is split into %s", number, got)
			}
		}
	}
	if examples < 1000 {
		t.Errorf("%d examples", examples)
	}
}
