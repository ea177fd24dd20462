package phone

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
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
	keys := map[string]string{}
	for line := range strings.Lines(countryNames) {
		region, names, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for name := range strings.SplitSeq(names, "; ") {
			keys[string(appendKey(nil, []byte(name)))] = region
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
			if word > 0 || len(name) > 0 { // AND is a code
				key = key[:word]
			}
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
	if r = unicode.ToLower(r); r < utf8.RuneSelf {
		return append(key, byte(r))
	}
	if i := strings.IndexRune(accents, r); i >= 0 {
		return append(key, accents[i+utf8.RuneLen(r)])
	}
	return utf8.AppendRune(key, r)
}
