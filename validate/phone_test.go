package validate

import (
	"os"
	"regexp"
	"testing"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

func TestPhones(t *testing.T) {
	tests := []struct{ value, home, number, reason string }{
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

		{"090-1234-5678", "", "", needsCountry},
		{"12015550123", "", "", needsCountry},
		{"0012015550123", "US", "", "is no number that the numbering plan of +1 has"},
		{"+1234", "", "", "is no number that the numbering plan of +1 has"},
		{"+2345678900", "", "", "is no number that the numbering plan of +234 has"},
		{"+999 123 456 789", "", "", "begins with a country code that does not exist"},
		{"+0 12015550123", "", "", "begins with a country code that does not exist"},
		{"+4944222239994154", "", "", "is no number of 7 to 15 digits"},
		{"+989686", "", "", "is no number of 7 to 15 digits"},
		{"+1", "", "", "has too few digits"},
		{"1", "US", "", "has too few digits"},
		{"123456789012345678901", "JP", "", "has too many digits"},
		{"1234567890123456789012345678901", "JP", "", "has more than 30 digits"},
		{"tel:", "", "", "has no digits"},
		{"+", "", "", "has no digits"},
		{"++12015550123", "", "", "has a + after another + or after digits"},
		{"1+2015550123", "US", "", "has a + after another + or after digits"},
		{"+1 201 555 0123 x5", "", "", "holds the letter `x`: give one number alone, in digits and without extension"},
		{"+1 201 555 0123;ext=5", "", "", "holds `;`: give one number alone, without extension"},
		{"+12015550123, +12015550124", "", "", "holds `,`: give one number alone, without extension"},
		{"1-800-FLOWERS", "US", "", "holds the letter `F`: give one number alone, in digits and without extension"},
		{"tel:tel:+12015550123", "", "", "holds the letter `t`: give one number alone, in digits and without extension"},
		{"'+12015550123", "", "", "holds a character that is not allowed: `'`"},
		{"+1\t2015550123", "", "", "holds a character that is not allowed: `\\u0009`"},
		{"+１2015550123", "", "", "holds a character that is not allowed: `１`"},
		{"+1–201–555–0123", "", "", "holds a character that is not allowed: `–`"},
		{"*123#", "", "", "holds a character that is not allowed: `*`"},
	}
	for _, test := range tests {
		number, reason := parsePhone([]byte(test.value), test.home)
		if number != test.number || reason != test.reason {
			t.Errorf("%s in %q\ngot  %q, %q\nwant %q, %q", test.value, test.home, number, reason, test.number, test.reason)
		}
	}
}

var e164 = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)

func FuzzPhone(f *testing.F) {
	for _, home := range []string{"", "US", "JP", "GB", "IT"} {
		for _, value := range []string{"+12015550123", "(201) 555-0123", "tel: 090-1234-5678", "0044 20 7946 0958", "06 1234 5678", "+1234", "1 + 2", "x"} {
			f.Add(value, home)
		}
	}
	f.Fuzz(func(t *testing.T, value, home string) {
		if !phonenumbers.GetSupportedRegions()[home] {
			home = ""
		}
		number, reason := parsePhone([]byte(value), home)
		if wrong := (phoneCase{value, home}).unlikeLibrary(); wrong != "" {
			t.Error(wrong)
		}
		if reason != "" {
			if number != "" {
				t.Errorf("%q gives %q and %q", value, number, reason)
			}
			return
		}
		if !e164.MatchString(number) {
			t.Fatalf("%q gives %q", value, number)
		}
		// The library reads the same number from the original text and from the result.
		for _, text := range []string{value, number} {
			parsed, err := phonenumbers.Parse(text, home)
			if err != nil || !phonenumbers.IsValidNumber(parsed) || phonenumbers.Format(parsed, phonenumbers.E164) != number {
				t.Errorf("%q gives %q, phonenumbers reads %q as %v, %v", value, number, text, parsed, err)
			}
		}
		for _, r := range value {
			if r > unicode.MaxLatin1 {
				t.Errorf("%q is taken with %q", value, r)
			}
		}
	})
}

// A number is read without an allocation.
func TestPhoneAllocations(t *testing.T) {
	c := checker(t, Options{})
	for _, row := range []string{
		`"+819012345678"`, `"tel:+1 (201) 555-0123"`, `"+44 (0)20 7946 0958"`, `"+5491123456789"`, `"+5511961234567"`,
		`"090-1234-5678","country":"jp"`, `"81 90 1234 5678","country":"JP"`, `"010 1 201 555 0123","country":"JP"`,
		`"(201) 555-0123","country":"US"`, `"1 204 234 5678","country":"ca"`,
	} {
		var out Rows
		line := []byte(`{"email":"a@b.co","phone_number":` + row + "}")
		check := func() {
			out.Reset()
			c.Check(line, true, &out)
		}
		if check(); out.Rows[0].Fault != nil {
			t.Errorf("%s: %+v", row, out.Rows[0].Fault)
		}
		if n := testing.AllocsPerRun(100, check); n != 0 {
			t.Errorf("%s: %v allocations", row, n)
		}
	}
}

// A reason shows the number as it is, also when both it and the country are written with escapes.
func TestPhoneReasonEscaped(t *testing.T) {
	const row = `{"email":"a@b.co","phone_number":"\u0030901234","country":"\u004aapan"}`
	var out Rows
	checker(t, Options{}).Check([]byte(row), true, &out)
	const want = "`0901234` " + needsCountry + " (the row's country `Japan` is no ISO 3166 alpha-2 code)"
	if f := out.Rows[0].Fault; f == nil || f.Detail != want {
		t.Errorf("got  %+v\nwant %s", f, want)
	}
}

func BenchmarkPhone(b *testing.B) {
	for _, bench := range []struct{ name, value, home string }{
		{"E164", "+819012345678", ""}, {"NANP", "+12015550123", ""}, {"Separated", "+81 (0)90-1234-5678", ""}, {"National", "090-1234-5678", "JP"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			value, out := []byte(bench.value), make([]byte, 0, 100)
			b.ReportAllocs()
			for b.Loop() {
				if _, reason := appendPhone(out, value, bench.home); reason != "" {
					b.Fatal(reason)
				}
			}
		})
	}
}

// BenchmarkPhoneSample checks the sample rows, of which two in five have a number with its country code and one in
// nine one without.
func BenchmarkPhoneSample(b *testing.B) {
	lines, err := os.ReadFile("../testdata/profiles.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	c, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	var out Rows
	b.SetBytes(int64(len(lines)))
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		c.Check(lines, true, &out)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(out.Rows)), "ns/row")
}

func parsePhone(value []byte, home string) (number, reason string) {
	b, reason := appendPhone(nil, value, home)
	return string(b), reason
}
