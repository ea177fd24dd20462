package phone

import (
	"slices"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers/v2"
)

// A number without + that is valid with and without its country code is refused with both readings. One that is valid
// in one way only, or the same in both, is accepted.
func TestReadings(t *testing.T) {
	for _, test := range []struct{ name, text, region, number, reason string }{
		{"a German mobile number", "491712345678", "DE", "", twoReadings("+491712345678", "+49491712345678")},
		{"with separators", "49 (171) 234-5678", "DE", "", twoReadings("+491712345678", "+49491712345678")},
		{"another German number", "4915123456789", "DE", "", twoReadings("+4915123456789", "+494915123456789")},
		{"an Indonesian number", "62211234567", "ID", "", twoReadings("+62211234567", "+6262211234567")},
		{"a number of Kosovo", "38328012345", "XK", "", twoReadings("+38328012345", "+38338328012345")},
		{"an Italian mobile number", "390546462", "IT", "", twoReadings("+390546462", "+39390546462")},
		{"after a prefix of international calls", "81080012345678", "RU",
			"", twoReadings("+80012345678", "+781080012345678")},
		{"a local number after the calling code, Trinidad", "13100957", "TT",
			"", twoReadings("+13100957", "+18683100957")},
		{"a local number after the calling code, Barbados", "1 310 1234", "BB",
			"", twoReadings("+13101234", "+12463101234")},

		{"a local number of Trinidad", "3100957", "TT", "+18683100957", ""},
		{"the same digits in the main region", "13100957", "US", "+13100957", ""},
		{"a country code in a fixed plan", "81 90 1234 5678", "JP", "+819012345678", ""},
		{"a national prefix in brackets", "49 (0) 171 2345678", "DE", "+491712345678", ""},
		{"a country code that is the national prefix", "12015550123", "US", "+12015550123", ""},
		{"a country code, valid only with it", "55800123456", "BR", "+55800123456", ""},
		{"a national number, valid only without", "3931234567", "IT", "+393931234567", ""},
		{"a local number that begins with the code", "445601", "JE", "+441534445601", ""},
		{"a national number after 0", "0491712345", "DE", "+49491712345", ""},
		{"a prefix of international calls", "0049 171 2345678", "DE", "+491712345678", ""},
		{"the same after another country's prefix", "011 49 171 2345678", "US", "+491712345678", ""},
		{"with +", "+49 171 2345678", "DE", "+491712345678", ""},
	} {
		number, reason := normalize(test.text, test.region)
		if number != test.number || reason != test.reason {
			t.Errorf("%s: %s in %s\ngot  %q, %q\nwant %q, %q",
				test.name, test.text, test.region, number, reason, test.number, test.reason)
		}
		fault := Reason([]byte(test.text), test.region)
		if fault.Ambiguous != strings.HasPrefix(test.reason, "can be read as ") {
			t.Errorf("%s: ambiguous %t", test.name, fault.Ambiguous)
		}
	}
}

// examples calls check with every example number of every region: with its country code, and as people in the region
// write it.
func examples(t *testing.T, check func(region, code, national, written string)) {
	t.Helper()
	regions := 0
	for _, r := range newSource(t).regions {
		if !phonenumbers.GetSupportedRegions()[r.id] {
			continue
		}
		regions++
		for _, example := range r.examples {
			number, err := phonenumbers.Parse("+"+r.code+example, unknownRegion)
			if err != nil {
				t.Fatal(r.id, example, err)
			}
			if n := len(r.code + example); n < minE164 || n > maxE164 {
				continue
			}
			check(r.id, r.code, example, phonenumbers.Format(number, phonenumbers.NATIONAL))
		}
	}
	if regions < 240 {
		t.Errorf("%d regions", regions)
	}
}

// In every region, a national number is accepted, with and without the national prefix. The same number after its
// country code is that number, or ambiguous, but never another one.
func TestEveryRegion(t *testing.T) {
	ambiguous := map[string]bool{}
	examples(t, func(region, code, national, written string) {
		want := "+" + code + national
		if number, _ := readByLibrary(written, region); number != want {
			written = national // the library cannot read what it writes
		}
		for _, text := range []string{national, written, "+" + code + " " + national, "tel:+" + code + "-" + national} {
			if number, reason := normalize(text, region); number != want {
				t.Errorf("%s: %s: got %q, %q, want %s", region, text, number, reason, want)
			}
		}
		number, reason := normalize(code+national, region)
		switch other := "+" + code + code + national; {
		case number == want:
		case number == "" && reason == twoReadings(want, other):
			ambiguous[region] = true
		default:
			t.Errorf("%s: %s: got %q, %q, want %s", region, code+national, number, reason, want)
		}
	})
	for _, region := range []string{"BR", "DE", "ID", "NL", "SE", "VN", "XK"} {
		if !ambiguous[region] {
			t.Errorf("%s: no example is ambiguous", region)
		}
	}
}

// In every region, a number that went through a decimal is refused with that reason, whatever it would be without.
func TestEveryDecimal(t *testing.T) {
	const want = "is a decimal number, so its digits may be wrong; cast the column to text in the query"
	refuse := func(text, region string) {
		t.Helper()
		if number, reason := normalize(text, region); number != "" || reason != want {
			t.Errorf("%s in %q: got %q, %q", text, region, number, reason)
		}
	}
	examples(t, func(region, code, national, written string) {
		for _, zeros := range []string{".0", ".00", ",0", ".000000"} {
			refuse("+"+code+national+zeros, "")
			refuse("+"+code+national+zeros, region)
			refuse(code+national+zeros, region)
			refuse(national+zeros, region)
			refuse("tel:"+national+zeros, region)
		}
		refuse(written+".0", region)
		refuse(written+" .0", region)
		refuse(written+",00", region)
		exponent := code[:1] + "." + (code + national)[1:4] + "E+1"
		refuse(exponent, region)
		refuse("+"+exponent, "")
	})
	for _, text := range []string{
		"+4930901820.0", "4.93E+11", "4.93e+11", "4.93E11", "4,93E+11", "5e+11", "+4.9E+11", "-4.93E+11", "4.E+11", "1E9",
		"4.9301712345678E+11", "491712345678.0", "tel: 491712345678.0", "0.0",
		"+4930901820 .0", "+4930901820 .00", "+49 30 901820.00", "+49 30 901820,00", "+49 (30) 901-820.000",
		"030 901820.00", "030/901820\u00a0.00", "+4930901820 ,0", "030.901.820.0", "030.901.820,00",
	} {
		refuse(text, "")
		refuse(text, "DE")
	}
}

// Points between groups of digits are no decimal point.
func TestPoints(t *testing.T) {
	for text, want := range map[string]string{
		"+1.201.555.0100": "+12015550100", "+49.30.901820": "+4930901820", "+49.3090.1820": "+4930901820",
		"+33.1.42.68.53.00": "+33142685300", "+4930901820.": "+4930901820", "+49 30 90.18.20": "+4930901820",
		"+1 201 555-0100": "+12015550100", "+1.2015550100": "+12015550100",
		"+49.30.901.820": "+4930901820", "+49.30.901.82.00": "+49309018200", "+33 1.42.68.53.00": "+33142685300",
	} {
		if number, reason := normalize(text, ""); number != want {
			t.Errorf("%s: got %q, %q, want %s", text, number, reason, want)
		}
	}
}

// Where several regions share a calling code, digits that begin with it never become another number than package
// phonenumbers reads, also when they leave out the first digits of a national number.
func TestSharedCodes(t *testing.T) {
	compared, draws := map[string]int{}, 20
	if raceDetector() && !*long {
		draws = 4 // the library is ten times slower then
	}
	for _, r := range newSource(t).regions {
		if !phonenumbers.GetSupportedRegions()[r.id] {
			continue
		}
		nationals := slices.Clone(r.examples)
		for range draws {
			nationals = append(nationals, string(appendMatch(nil, one(r.patterns))))
		}
		for _, national := range nationals {
			for cut := range min(len(national), 5) {
				for _, before := range []string{"", r.code, r.code + r.code, string(appendMatch(nil, r.abroad)) + r.code} {
					text := before + national[cut:]
					number, reason := normalize(text, r.id)
					library, _ := readByLibrary(text, r.id)
					if number != "" && library != "" && number != library {
						t.Errorf("%s in %s: got %s, %q, the library reads %s", text, r.id, number, reason, library)
					}
					if number != "" {
						compared[r.code]++
					}
				}
			}
		}
	}
	if len(compared) < 200 {
		t.Errorf("%d calling codes", len(compared))
	}
}
