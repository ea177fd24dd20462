package validate

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp/syntax"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

var phoneRounds = flag.Int("phone.rounds", 1, "rounds of TestPhonesAsLibrary, each of 200,000 numbers")

// Every number, wherever it is from and however spoilt, gets the text or the reason that package phonenumbers gives it. A longer
// run is go test ./validate -run TestPhonesAsLibrary -phone.rounds 100 -timeout 1h.
func TestPhonesAsLibrary(t *testing.T) {
	t.Parallel()
	numbers := 200_000 * *phoneRounds
	if raceDetector() {
		numbers /= 20 // it makes the library ten times slower
	}
	source := newPhoneSource(t)
	const workers = 2
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for range numbers / workers {
				if c := source.draw(); c.unlikeLibrary() != "" {
					t.Error(c.unlikeLibrary())
					return
				}
			}
		})
	}
	wait.Wait()
}

func raceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// Rules that make no difference with today's metadata hold as well.
func TestPlan(t *testing.T) {
	numbers := func(pattern string, lengths ...int32) *phonenumbers.PhoneNumberDesc {
		return &phonenumbers.PhoneNumberDesc{NationalNumberPattern: &pattern, PossibleLength: lengths}
	}
	same, leading := true, "4[0-4]"
	regions := map[rune]*phonenumbers.PhoneMetadata{
		'a': {
			GeneralDesc: numbers(`[1-5]\d*`, 5, 6, 7), FixedLine: numbers(`1\d*`, 5, 9), TollFree: numbers(`6\d*`), Pager: numbers(`2\d*`),
			Mobile: numbers(`5\d*`), SameMobileAndFixedLinePattern: &same,
		},
		'b': {GeneralDesc: numbers(`4\d*`, 6, 7, 8, 9), Mobile: numbers(`4[159]\d*`, 6, -1, 8), LeadingDigits: &leading},
		'c': {GeneralDesc: numbers(`[48]\d*`, 8, 9), Voip: numbers(`[48]\d*`)},
	}
	for _, test := range []struct {
		regions, digits string
		valid           bool
	}{
		{"a", "12345", true},
		{"a", "123456", false},    // no length of the type
		{"a", "123456789", false}, // no length of the region
		{"a", "212345", true},
		{"a", "512345", false}, // the mobile pattern is the fixed line one's
		{"a", "612345", false}, // not of the general pattern
		{"b", "411234", true},
		{"b", "491234", true}, // nobody else's, whatever its first digits
		{"bc", "491234", false},
		{"bc", "41123456", true},
		{"bc", "411234567", false}, // by its first digits of b
		{"bc", "491234567", true},
		{"cb", "411234567", true},
		{"cb", "411234", true},
	} {
		var sharing []*phonenumbers.PhoneMetadata
		for _, r := range test.regions {
			sharing = append(sharing, regions[r])
		}
		if _, problem := newPlan(sharing[0], sharing).read([]byte(test.digits)); (problem == 0) != test.valid {
			t.Errorf("%s in %s: problem %d", test.digits, test.regions, problem)
		}
	}
}

// All numbers of the world in all the homes there are lead to no more states than this: some 12 MB. Those with a country code
// lead to 25,000 of them.
func TestPhoneStates(t *testing.T) {
	const most = 65_000
	all := map[*automaton]string{}
	for code, plan := range plans().code {
		if plan != nil {
			all[plan().automaton] = strconv.Itoa(code)
		}
	}
	for region, home := range plans().home {
		all[home.plan().automaton] = region
		all[home.plan().abroad] = region
	}
	sum := 0
	for a, of := range all {
		states := map[*state]bool{}
		var visit func(s *state)
		visit = func(s *state) {
			if states[s] {
				return
			}
			states[s] = true
			for d := range s.next {
				visit(a.step(s, byte(d)))
			}
		}
		visit(a.start.Load())
		if len(states) > maxStates/2 {
			t.Errorf("%s: %d states", of, len(states))
		}
		sum += len(states)
	}
	if sum > most {
		t.Errorf("%d states", sum)
	}
}

// phoneCase is a number and the region of numbers without a country code.
type phoneCase struct{ value, home string }

// unlikeLibrary says how the number is read otherwise than by package phonenumbers, "" when it is not.
func (c phoneCase) unlikeLibrary() string {
	number, reason := parsePhone([]byte(c.value), c.home)
	if wantNumber, wantReason := libraryPhone([]byte(c.value), c.home); number != wantNumber || reason != wantReason {
		return fmt.Sprintf("%s in %q\ngot  %q, %q\nwant %q, %q", c.value, c.home, number, reason, wantNumber, wantReason)
	}
	return ""
}

// libraryPhone is parsePhone by package phonenumbers alone.
func libraryPhone(value []byte, home string) (number, reason string) {
	digits, reason := phoneDigits(nil, value)
	switch {
	case reason != "":
		return "", reason
	case digits[0] == '+':
		home = phonenumbers.UNKNOWN_REGION
	case home == "":
		return "", needsCountry
	}
	parsed, err := phonenumbers.Parse(string(digits), home)
	switch {
	case errors.Is(err, phonenumbers.ErrInvalidCountryCode):
		return "", "begins with a country code that does not exist"
	case errors.Is(err, phonenumbers.ErrNumTooLong):
		return "", "has too many digits"
	case err != nil:
		return "", "has too few digits"
	case !phonenumbers.IsValidNumber(parsed):
		return "", fmt.Sprintf("is no number that the numbering plan of +%d has", parsed.GetCountryCode())
	}
	number = phonenumbers.Format(parsed, phonenumbers.E164)
	if !e164.MatchString(number) {
		return "", "is no number of 7 to 15 digits"
	}
	return number, ""
}

// phoneSource draws numbers from the library's metadata.
type phoneSource struct {
	regions []*phoneRegion
	sharing map[string][]*phoneRegion // by calling code
}

type phoneRegion struct {
	id, code       string
	abroad, prefix *syntax.Regexp
	patterns       []*syntax.Regexp
	examples       []string
}

func newPhoneSource(t *testing.T) *phoneSource {
	s := &phoneSource{sharing: map[string][]*phoneRegion{}}
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
		r := &phoneRegion{
			id: m.GetId(), code: strconv.Itoa(int(m.GetCountryCode())),
			abroad: parse(m.GetInternationalPrefix()), prefix: parse(m.GetNationalPrefixForParsing()),
		}
		for _, d := range []*phonenumbers.PhoneNumberDesc{
			m.GetGeneralDesc(), m.GetFixedLine(), m.GetMobile(), m.GetTollFree(), m.GetPremiumRate(), m.GetSharedCost(), m.GetVoip(),
			m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
		} {
			if d.GetNationalNumberPattern() == "NA" {
				continue // there are no such numbers
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

// draw returns an example, a number that matches a pattern, perhaps after a national prefix, or any, with some edits. Half of
// them begin with +. The others are written for a home: their own, another of the same calling code, or any.
func (s *phoneSource) draw() phoneCase {
	r := one(s.regions)
	home := one([]*phoneRegion{r, one(s.sharing[r.code]), one(s.regions)})
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
		b = appendMatch(b, one([]*phoneRegion{r, home}).prefix)
		b = append(b, one(r.examples)...)
	case 3:
		b = appendMatch(b, one([]*phoneRegion{r, home}).prefix)
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
		return phoneCase{string(b), ""}
	}
	return phoneCase{string(b), home.id}
}

func one[T any](of []T) T { return of[rand.IntN(len(of))] }

// appendMatch appends a string that matches re, of digits.
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
