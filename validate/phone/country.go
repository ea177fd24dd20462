package phone

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
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

// Country is Region for a country as people write it: its ISO 3166 alpha-2 or alpha-3 code, or its English name, in
// any case, with or without accents. It returns "" for a name that several countries share, such as Korea.
func Country(text []byte) string {
	if region := Region(text); region != "" {
		return region
	}
	var key [maxKey + 5]byte
	return countries()[string(appendKey(key[:0], text))]
}

// countries returns the regions by the keys of their alpha-3 codes and names. It reads the names on the first call.
var countries = sync.OnceValue(func() map[string]string {
	names, keys := display.English.Regions(), map[string]string{}
	add := func(region, name string) {
		if key := appendKey(nil, []byte(name)); len(key) > 0 {
			keys[string(key)] = region
		}
	}
	for id := range plans().home {
		region, err := language.ParseRegion(id)
		if err != nil {
			continue
		}
		add(id, region.ISO3())
		add(id, names.Name(region))
	}
	for line := range strings.Lines(otherNames) {
		region, names, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for name := range strings.SplitSeq(names, "; ") {
			add(region, name)
		}
	}
	return keys
})

// maxKey is more than the key of any country has.
const maxKey = 60

// appendKey appends what tells the name of a country from others: its letters, in lower case and without accents. The
// words the, and and of do not count.
func appendKey(key, name []byte) []byte {
	word := len(key)
	for len(name) > 0 {
		r, n := utf8.DecodeRune(name)
		name = name[n:]
		letter := unicode.IsLetter(r)
		if letter {
			key = appendLetter(key, r)
		}
		if len(key) > maxKey {
			return key[:0]
		}
		if letter && len(name) > 0 || r == '.' || unicode.IsMark(r) {
			continue
		}
		switch string(key[word:]) {
		case "the", "and", "of":
			key = key[:word]
		case "st":
			key = append(key[:word], "saint"...)
		}
		word = len(key)
	}
	return key
}

// accents are the letters with accents in names of countries, each before the one that people write for it.
const accents = "áaãaåaàaâaäaçcéeèeêeëeíiìiîiïiñnóoôoõoöoøoúuùuûuüu"

// appendLetter appends a letter in lower case, without an accent if it is one of accents.
func appendLetter(key []byte, r rune) []byte {
	if r < utf8.RuneSelf {
		return append(key, byte(r|0x20))
	}
	r = unicode.ToLower(r)
	if i := strings.IndexRune(accents, r); i >= 0 {
		return append(key, accents[i+utf8.RuneLen(r)])
	}
	return utf8.AppendRune(key, r)
}

// otherNames are names beside those of package display: the short names of ISO 3166 where they differ, and what
// people write.
const otherNames = `AE: UAE
AX: Åland
BO: Bolivia, Plurinational State of; Plurinational State of Bolivia
BN: Brunei Darussalam
BQ: Bonaire; Bonaire, Sint Eustatius and Saba
CC: Cocos Islands; Keeling Islands
CD: Democratic Republic of the Congo; Congo, Democratic Republic of the; DR Congo; Congo (DRC); DRC; Congo-Kinshasa
CG: Republic of the Congo; Congo (Republic); Congo-Brazzaville
CI: Ivory Coast
CN: People's Republic of China; Mainland China
CV: Cabo Verde
CZ: Czech Republic
DE: Federal Republic of Germany
DO: Dominican Rep.
FK: Falkland Islands (Malvinas)
FM: Micronesia, Federated States of; Federated States of Micronesia
FO: Faeroe Islands
GB: UK; Great Britain; Britain; England; Scotland; Wales; Northern Ireland
GB: United Kingdom of Great Britain and Northern Ireland; United Kingdom (UK)
GM: The Gambia
HK: Hong Kong; Hong Kong SAR; Hong Kong, China
IE: Republic of Ireland
IR: Iran, Islamic Republic of; Islamic Republic of Iran
KN: Saint Kitts
KP: Korea, Democratic People's Republic of; Democratic People's Republic of Korea; Korea, North; DPRK
KR: Korea, Republic of; Republic of Korea; Korea, South
LA: Lao People's Democratic Republic; Lao PDR
LY: State of Libya
MD: Moldova, Republic of; Republic of Moldova
MF: Saint Martin (French part)
MK: North Macedonia; Republic of North Macedonia; The former Yugoslav Republic of Macedonia
MM: Myanmar; Burma
MO: Macau; Macao; Macao SAR; Macau SAR; Macao SAR China; Macao, China
NL: Holland; Netherlands, Kingdom of the; Kingdom of the Netherlands
PH: The Philippines
PS: Palestine; Palestine, State of; State of Palestine; Palestinian Territory, Occupied
RU: Russian Federation
SH: Saint Helena, Ascension and Tristan da Cunha
SJ: Svalbard
SX: Sint Maarten (Dutch part)
SY: Syrian Arab Republic
SZ: Eswatini
TL: East Timor
TR: Türkiye
TW: Taiwan, Province of China; Republic of China; Taiwan, China
TZ: Tanzania, United Republic of; United Republic of Tanzania
US: U.S.; United States of America; United States (US)
VA: Vatican; Holy See
VC: Saint Vincent
VE: Venezuela, Bolivarian Republic of; Bolivarian Republic of Venezuela
VG: Virgin Islands, British; Virgin Islands (British); BVI
VI: United States Virgin Islands; US Virgin Islands; Virgin Islands, U.S.; Virgin Islands (U.S.); USVI
VN: Viet Nam
XK: XKX`
