package phone

import (
	"strconv"
	"testing"

	"github.com/nyaruka/phonenumbers/v2"
)

// A plan follows also the rules of package phonenumbers that make no difference with today's metadata.
func TestPlan(t *testing.T) {
	numbers := func(pattern string, lengths ...int32) *phonenumbers.PhoneNumberDesc {
		return &phonenumbers.PhoneNumberDesc{NationalNumberPattern: &pattern, PossibleLength: lengths}
	}
	same, leading := true, "4[0-4]"
	regions := map[rune]*phonenumbers.PhoneMetadata{
		'a': {
			GeneralDesc: numbers(`[1-5]\d*`, 5, 6, 7),
			FixedLine:   numbers(`1\d*`, 5, 9),
			TollFree:    numbers(`6\d*`),
			Pager:       numbers(`2\d*`),
			Mobile:      numbers(`5\d*`), SameMobileAndFixedLinePattern: &same,
		},
		'b': {
			GeneralDesc:   numbers(`4\d*`, 6, 7, 8, 9),
			Mobile:        numbers(`4[159]\d*`, 6, -1, 8),
			LeadingDigits: &leading,
		},
		'c': {GeneralDesc: numbers(`[48]\d*`, 8, 9), Voip: numbers(`[48]\d*`)},
	}
	for _, test := range []struct {
		name, regions, digits string
		valid                 bool
	}{
		{"a length of region and type", "a", "12345", true},
		{"a length of the region, not of the type", "a", "123456", false},
		{"a length of the type, not of the region", "a", "123456789", false},
		{"a type without lengths", "a", "212345", true},
		{"the mobile pattern is the fixed line's", "a", "512345", false},
		{"the general pattern does not match", "a", "612345", false},
		{"leading digits of the only region", "b", "411234", true},
		{"other leading digits of the only region", "b", "491234", true},
		{"other leading digits, and a second region", "bc", "491234", false},
		{"leading digits of the first region", "bc", "41123456", true},
		{"leading digits of the first region, a length of the second", "bc", "411234567", false},
		{"other leading digits, a length of the second region", "bc", "491234567", true},
		{"leading digits of the second region, a length of the first", "cb", "411234567", true},
		{"leading digits of the second region, a length of the second", "cb", "411234", true},
	} {
		var sharing []*phonenumbers.PhoneMetadata
		for _, r := range test.regions {
			sharing = append(sharing, regions[r])
		}
		if _, problem := newPlan(sharing[0], sharing).read([]byte(test.digits)); (problem == 0) != test.valid {
			t.Errorf("%s: %s in %s: problem %d", test.name, test.digits, test.regions, problem)
		}
	}
}

// The numbers of all regions, read in every region, need no more states than this: some 12 MB. Those with a country
// code need 25,000.
func TestStates(t *testing.T) {
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
