package phone

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/nyaruka/phonenumbers/v2"
)

// A number in any of the accepted formats becomes E.164; any other text gets the reason why it does not.
func TestAppend(t *testing.T) {
	tests := []struct{ text, region, number, reason string }{
		{"+12015550123", "", "+12015550123", ""},
		{"+1-201-555-0123", "", "+12015550123", ""},
		{"+1 201 555 0123", "JP", "+12015550123", ""},
		{"+1\u00a0201.555.0123", "", "+12015550123", ""},
		{"+1/201/555/0123", "", "+12015550123", ""},
		{"(+1201) 555 0123", "", "+12015550123", ""},
		{"+1 (201) 555-0123", "", "+12015550123", ""},
		{"tel:+1-201-555-0123", "", "+12015550123", ""},
		{"TEL: +12015550123", "", "+12015550123", ""},
		{"tel: 2015550123", "US", "+12015550123", ""},
		{"201 555 0123", "US", "+12015550123", ""},
		{"1-201-555-0123", "US", "+12015550123", ""},
		{"090-1234-5678", "JP", "+819012345678", ""},
		{"060-1234-5678", "JP", "+816012345678", ""},
		{"81 90 1234 5678", "JP", "+819012345678", ""},
		{"010 1 201 555 0123", "JP", "+12015550123", ""},
		{"0044 20 7946 0958", "DE", "+442079460958", ""},
		{"+44 (0)20 7946 0958", "", "+442079460958", ""},
		{"+39 06 1234 5678", "", "+390612345678", ""},
		{"06 1234 5678", "IT", "+390612345678", ""},
		{"011 81 90 1234 5678", "US", "+819012345678", ""},
		{"8 701 234 5678", "KZ", "+77012345678", ""},
		{"460 1234", "AG", "+12684601234", ""},
		{"01481 256789", "GG", "+441481256789", ""},
		{"+800 1234 5678", "", "+80012345678", ""},
		{"+1 1 201 555 0123", "", "+12015550123", ""},
		{"+7 800 555 3535", "", "+78005553535", ""},
		{"+7 8 800 555 3535", "", "+78005553535", ""},
		{"+7 701 234 5678", "", "+77012345678", ""},
		{"+44 1481 256789", "", "+441481256789", ""},
		{"+54 11 15 2345 6789", "", "+5491123456789", ""},
		{"+55 0 15 11 96123 4567", "", "+5511961234567", ""},
		{"+378 886377", "", "+3780549886377", ""},

		{"090-1234-5678", "", "", "has no country code"},
		{"12015550123", "", "", "has no country code"},
		{"0012015550123", "US", "", "begins with 00, which does not mean + in US; write it as +…"},
		{"0044 20 7946 0958", "JP", "", "begins with 00, which does not mean + in JP; write it as +…"},
		{"0044 20 7946 0958", "", "", "begins with 00, which means + only in some countries"},
		{"0044 20 7946 095", "DE", "", "is not a valid number in the numbering plan of +44"},
		{"+377 49 12 34 56", "", "", "is not a valid number in the numbering plan of +377"},
		{"+1234", "", "", "is not a valid number in the numbering plan of +1"},
		{"+2345678900", "", "", "is not a valid number in the numbering plan of +234"},
		{"+999 123 456 789", "", "", "begins with a country code that does not exist"},
		{"+0 12015550123", "", "", "begins with a country code that does not exist"},
		{"+4944222239994154", "", "", "has 16 digits with its country code; expected 7 to 15"},
		{"+989686", "", "", "has 6 digits with its country code; expected 7 to 15"},
		{"+1", "", "", "has too few digits"},
		{"1", "US", "", "has too few digits"},
		{"123456789012345678901", "JP", "", "has too many digits"},
		{"1234567890123456789012345678901", "JP", "", "has more than 30 digits"},
		{"123456789012345678901234567890", "JP", "", "has too many digits"},
		{"+12015550123" + strings.Repeat(" ", 250-12), "", "+12015550123", ""},
		{"+12015550123" + strings.Repeat(" ", 251-12), "", "", "is longer than 250 bytes; give a single number"},
		{"tel:", "", "", "has no digits"},
		{"+", "", "", "has no digits"},
		{"++12015550123", "", "", "has a + after another + or after a digit"},
		{"1+2015550123", "US", "", "has a + after another + or after a digit"},
		{"+1 201 555 0123 x5", "", "",
			"contains the letter 'x'; give a single number in digits, without an extension"},
		{"+1 201 555 0123;ext=5", "", "", "contains a semicolon; give a single number without an extension"},
		{"+12015550123, +12015550124", "", "", "contains a comma; give a single number without an extension"},
		{"1-800-FLOWERS", "US", "", "contains the letter 'F'; give a single number in digits, without an extension"},
		{"tel:tel:+12015550123", "", "",
			"contains the letter 't'; give a single number in digits, without an extension"},
		{"'+12015550123", "", "", "begins with ', which a spreadsheet puts before text; remove it"},
		{"'030 901820", "DE", "", "begins with ', which a spreadsheet puts before text; remove it"},
		{"+1'2015550123", "", "", `contains the character '\'', which is not allowed`},
		{"\u202a+12015550123", "", "", `contains '\u202a', which is invisible; remove it`},
		{"+1\t2015550123", "", "", `contains the character '\t', which is not allowed`},
		{"+１2015550123", "", "", "contains '１', which is a full-width digit; write 0-9"},
		{"０９０-1234-5678", "JP", "", "contains '０', which is a full-width digit; write 0-9"},
		{"09９-1234-5678", "", "", "contains '９', which is a full-width digit; write 0-9"},
		{"090ー1234ー5678", "JP", "", "contains 'ー', which is not a hyphen; write -"},
		{"+1–201–555–0123", "", "", "contains the character '–', which is not allowed"},
		{"*123#", "", "", "contains the character '*', which is not allowed"},
	}
	for _, test := range tests {
		number, reason := normalize(test.text, test.region)
		if number != test.number || reason != test.reason {
			t.Errorf("%s in %q\ngot  %q, %q\nwant %q, %q",
				test.text, test.region, number, reason, test.number, test.reason)
		}
	}
}

// Every country that has phone numbers is a region, by its code in any case, and no other text is one.
func TestRegion(t *testing.T) {
	for code := range phonenumbers.GetSupportedRegions() {
		if got := Region([]byte(code)); got != code {
			t.Errorf("%s is the region %q", code, got)
		}
	}
	for code, want := range map[string]string{
		"jp": "JP", "uS": "US", "": "", "J": "", "JPN": "", "UK": "", "001": "", "XX": "", "81": "", "日": "",
	} {
		if got := Region([]byte(code)); got != want {
			t.Errorf("%q is the region %q, want %q", code, got, want)
		}
	}
}

var e164 = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)

// FuzzAppend compares Append with package phonenumbers: a number that Append accepts is E.164, a reading of the text,
// and valid. What Append refuses has a reason and no number.
func FuzzAppend(f *testing.F) {
	for _, region := range []string{"", "US", "JP", "GB", "IT", "DE"} {
		for _, text := range []string{
			"491712345678", "0491712345", "49 (0) 171 2345678", "4930901820.0", "4.93E+11", "'030 901820",
			"+12015550123", "(201) 555-0123", "tel: 090-1234-5678", "0044 20 7946 0958", "06 1234 5678", "+1234",
			"1 + 2", "x",
		} {
			f.Add(text, region)
		}
	}
	f.Fuzz(func(t *testing.T, text, region string) {
		defer time.AfterFunc(10*time.Second, func() { panic("no end after 10 seconds") }).Stop()
		if !phonenumbers.GetSupportedRegions()[region] {
			region = ""
		}
		number, reason := normalize(text, region)
		if difference := (sample{text, region}).difference(); difference != "" {
			t.Error(difference)
		}
		if reason != "" {
			if number != "" {
				t.Errorf("%q gives %q and %q", text, number, reason)
			}
			return
		}
		if !e164.MatchString(number) {
			t.Fatalf("%q gives %q", text, number)
		}
		parsed, err := phonenumbers.Parse(number, "")
		if err != nil || !phonenumbers.IsValidNumber(parsed) || phonenumbers.Format(parsed, phonenumbers.E164) != number {
			t.Errorf("%q: got %q, phonenumbers reads %v, %v", text, number, parsed, err)
		}
		for _, r := range text {
			if r > unicode.MaxLatin1 {
				t.Errorf("%q is accepted with %q", text, r)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, bench := range []struct{ name, text, region string }{
		{"E164", "+819012345678", ""},
		{"NANP", "+12015550123", ""},
		{"Separated", "+81 (0)90-1234-5678", ""},
		{"National", "090-1234-5678", "JP"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			text, out := []byte(bench.text), make([]byte, 0, 100)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := Append(out, text, bench.region); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}
