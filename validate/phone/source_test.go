package phone

import (
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strconv"
	"testing"

	"github.com/nyaruka/phonenumbers/v2"
)

// source draws random numbers from the library's metadata.
type source struct {
	regions []*sourceRegion
	sharing map[string][]*sourceRegion // by calling code
}

type sourceRegion struct {
	id, code       string
	abroad, prefix *syntax.Regexp
	patterns       []*syntax.Regexp
	examples       []string
}

func newSource(t *testing.T) *source {
	s := &source{sharing: map[string][]*sourceRegion{}}
	parse := func(pattern string) *syntax.Regexp {
		re, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		return re
	}
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range collection.GetMetadata() {
		r := &sourceRegion{
			id: m.GetId(), code: strconv.Itoa(int(m.GetCountryCode())),
			abroad: parse(m.GetInternationalPrefix()), prefix: parse(m.GetNationalPrefixForParsing()),
		}
		for _, d := range []*phonenumbers.PhoneNumberDesc{
			m.GetGeneralDesc(), m.GetFixedLine(), m.GetMobile(), m.GetTollFree(), m.GetPremiumRate(),
			m.GetSharedCost(), m.GetVoip(),
			m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
		} {
			if d.GetNationalNumberPattern() == "" {
				continue // the region has no such numbers
			}
			if d.GetExampleNumber() != "" {
				r.examples = append(r.examples, d.GetExampleNumber())
			}
			r.patterns = append(r.patterns, parse(d.GetNationalNumberPattern()))
		}
		s.regions = append(s.regions, r)
		s.sharing[r.code] = append(s.sharing[r.code], r)
	}
	return s
}

// draw returns an example number, a number that matches a pattern, or any digits, perhaps after a national prefix and
// with some edits. Half of the numbers begin with +. The others are written for a home: their own region, another one
// of the same calling code, or any.
func (s *source) draw() sample {
	r := one(s.regions)
	home := one([]*sourceRegion{r, one(s.sharing[r.code]), one(s.regions)})
	international := rand.IntN(2) == 0
	var b []byte
	switch way := rand.IntN(6); {
	case international || way == 0:
		b = append(b, r.code...)
	case way == 1:
		b = append(appendMatch(b, home.abroad), r.code...)
	}
	switch rand.IntN(5) {
	case 0:
		for range rand.IntN(19) {
			b = append(b, byte('0'+rand.IntN(10)))
		}
	case 1:
		b = append(b, one(r.examples)...)
	case 2:
		b = appendMatch(b, one([]*sourceRegion{r, home}).prefix)
		b = append(b, one(r.examples)...)
	case 3:
		b = appendMatch(b, one([]*sourceRegion{r, home}).prefix)
		fallthrough
	default:
		b = appendMatch(b, one(r.patterns))
	}
	for range max(0, rand.IntN(6)-2) {
		switch at, digit := rand.IntN(len(b)+1), byte('0'+rand.IntN(10)); rand.IntN(6) {
		case 0:
			b = b[:at]
		case 1:
			b = slices.Insert(b, at, '0')
		case 2:
			b = slices.Insert(b, at, digit)
		case 3:
			b = slices.Delete(b, at, min(at+1, len(b)))
		default:
			copy(b[at:], []byte{digit})
		}
	}
	if international {
		b = slices.Insert(b, 0, '+')
	}
	for range max(0, rand.IntN(9)-6) {
		b = slices.Insert(b, rand.IntN(len(b)+1), " -.()/"[rand.IntN(6)])
	}
	if !phonenumbers.GetSupportedRegions()[home.id] {
		return sample{text: string(b)}
	}
	return sample{string(b), home.id}
}

func one[T any](of []T) T { return of[rand.IntN(len(of))] }

// appendMatch appends digits that match re.
func appendMatch(b []byte, re *syntax.Regexp) []byte {
	times := func(least, most int) {
		for range least + rand.IntN(most-least+1) {
			b = appendMatch(b, re.Sub[0])
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		b = append(b, string(re.Rune)...)
	case syntax.OpCharClass:
		p := 2 * rand.IntN(len(re.Rune)/2)
		b = append(b, byte(re.Rune[p])+byte(rand.IntN(int(re.Rune[p+1]-re.Rune[p])+1)))
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			b = appendMatch(b, sub)
		}
	case syntax.OpAlternate:
		b = appendMatch(b, re.Sub[rand.IntN(len(re.Sub))])
	case syntax.OpCapture:
		b = appendMatch(b, re.Sub[0])
	case syntax.OpQuest:
		times(0, 1)
	case syntax.OpRepeat:
		times(re.Min, re.Max)
	case syntax.OpEmptyMatch, syntax.OpEndText:
	default:
		panic("no case for " + re.String())
	}
	return b
}
