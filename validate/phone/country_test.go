package phone

import (
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers/v2"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// A country is read by its codes and its English names, in any case and with any accents. A name that several
// countries share, or that is in another language, is no country.
func TestCountry(t *testing.T) {
	for text, want := range map[string]string{
		"DE": "DE", "de": "DE", "DEU": "DE", "deu": "DE", "Germany": "DE", "germany": "DE", "GERMANY": "DE",
		"GB": "GB", "GBR": "GB", "UK": "GB", "U.K.": "GB", "United Kingdom": "GB", "Great Britain": "GB", "England": "GB",
		"United Kingdom of Great Britain and Northern Ireland": "GB", "United Kingdom (UK)": "GB",
		"US": "US", "USA": "US", "U.S.": "US", "U.S.A.": "US", "United States": "US", "United States of America": "US",
		"Republic of Korea": "KR", "Korea, Republic of": "KR", "Korea (the Republic of)": "KR", "South Korea": "KR",
		"Korea, Democratic People's Republic of": "KP", "Korea": "", "Congo": "", "Virgin Islands": "",
		"Congo (the Democratic Republic of the)": "CD", "Guinea": "GN", "Guinea-Bissau": "GW",
		"Côte d'Ivoire": "CI", "Co\u0302te d’Ivoire": "CI", "COTE D'IVOIRE": "CI", "Ivory Coast": "CI",
		"Türkiye": "TR", "TÜRKİYE": "TR", "Turkiye": "TR", "Turkey": "TR", "Curacao": "CW", "Åland": "AX",
		"São Tomé and Príncipe": "ST", "Sao Tome & Principe": "ST", "St. Lucia": "LC", "Saint Lucia": "LC",
		"Netherlands": "NL", "The Netherlands": "NL", "Netherlands (Kingdom of the)": "NL", "Holland": "NL",
		"Bosnia & Herzegovina": "BA", "Bosnia and Herzegovina": "BA", "Hong Kong": "HK", "Czechia": "CZ",
		"Czech Republic": "CZ", "Viet Nam": "VN", "Russian Federation": "RU", "Iran (Islamic Republic of)": "IR",
		"Kosovo": "XK", "XKX": "XK", "North Macedonia": "MK", "Eswatini": "SZ", "Swaziland": "SZ",
		"": "", " ": "", ".": "", "Germnay": "", "Deutschland": "", "日本": "", "XX": "", "XXX": "", "49": "", "+49": "",
		"Antarctica": "", "AQ": "", "the": "", "Europe": "", "California": "", strings.Repeat("Germany", 100): "",
	} {
		if got := Country([]byte(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Every region of package phonenumbers is found by its alpha-2 and alpha-3 code and its English name, and no two have
// a name in common.
func TestCountryNames(t *testing.T) {
	owner := map[string]string{}
	own := func(region, name string) {
		if got := Country([]byte(name)); got != region {
			t.Errorf("%s: %q is the country %q", region, name, got)
		}
		key := string(appendKey(nil, []byte(name)))
		if other := owner[key]; other != "" && other != region {
			t.Errorf("%q is %s and %s", name, other, region)
		}
		owner[key] = region
	}
	for id := range phonenumbers.GetSupportedRegions() {
		region, err := language.ParseRegion(id)
		if err != nil {
			t.Error(err)
			continue
		}
		own(id, id)
		own(id, region.ISO3())
		own(id, display.English.Regions().Name(region))
	}
	for line := range strings.Lines(countryNames) {
		region, names, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for name := range strings.SplitSeq(names, "; ") {
			own(region, name)
		}
	}
}

// A country is found without an allocation.
func TestCountryAllocations(t *testing.T) {
	for _, name := range []string{"de", "Germany", "Côte d'Ivoire", "Germnay", strings.Repeat("Germany", 100)} {
		text := []byte(name)
		if allocs := testing.AllocsPerRun(100, func() { Country(text) }); allocs != 0 {
			t.Errorf("%.20s: %v allocations", name, allocs)
		}
	}
}

func BenchmarkCountry(b *testing.B) {
	text := []byte("United Kingdom")
	b.ReportAllocs()
	for b.Loop() {
		if Country(text) != "GB" {
			b.Fatal("not found")
		}
	}
}
