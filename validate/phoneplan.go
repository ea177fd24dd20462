package validate

import (
	"bytes"
	"fmt"
	"math"
	"regexp/syntax"
	"slices"
	"strconv"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// plan is the numbering plan of a country calling code as one of its regions has it. It is worked out from the metadata of
// package phonenumbers and reads numbers as that does. Many goroutines may use it at once.
type plan struct {
	number    int        // the calling code
	code      []byte     // its digits
	abroad    *automaton // its prefix pattern is the region's prefix of international calls
	general   int        // place of the region's general pattern
	longest   int        // how many digits the region's longest numbers have
	possible  uint32     // the lengths that a number may have once its national prefix is off
	automaton *automaton // over the digits after the calling code; its verdict is the lengths of valid numbers, and viable
	regions   []rules    // of those that share the calling code, the main one first
	patterns  []string   // of the regions, each once
}

// Lengths are a set: bit n stands for n digits. viable in a verdict says that the plan's region's general pattern matches,
// whatever the length.
const (
	allLengths = 1<<(phonenumbers.MAX_LENGTH_FOR_NSN+1) - 1
	viable     = 1 << 31
)

// rules are what a region has for numbers.
type rules struct {
	leading int // place of the pattern of its first digits, which settle that a number is of this region; 0 when nothing does
	general numbers
	types   []numbers
}

// numbers are those of some lengths that a pattern matches. pattern is its place in automaton.matched.
type numbers struct {
	pattern int
	lengths uint32
}

// allPlans are functions that return a plan, which they work out when first called.
type allPlans struct {
	code [1000]func() *plan // by calling code, as its main region has it; nil when there is none
	home map[string]home    // by region
}

// home is a region whose numbers may lack a country code.
type home struct {
	region string
	plan   func() *plan
}

// plans returns all plans. Nothing is read before the first call.
var plans = sync.OnceValue(func() *allPlans {
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		panic(fmt.Sprintf("reading the metadata of phone numbers: %v", err))
	}
	geographic, worldwide := map[string]*phonenumbers.PhoneMetadata{}, map[int]*phonenumbers.PhoneMetadata{}
	for _, m := range collection.GetMetadata() {
		if m.GetId() == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
			worldwide[int(m.GetCountryCode())] = m
		} else {
			geographic[m.GetId()] = m
		}
	}
	plans := &allPlans{home: map[string]home{}}
	for code := range phonenumbers.GetSupportedCallingCodes() {
		var sharing []*phonenumbers.PhoneMetadata
		for _, id := range phonenumbers.GetRegionCodesForCountryCode(code) {
			if id == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY {
				sharing = append(sharing, worldwide[code])
			} else {
				sharing = append(sharing, geographic[id])
			}
		}
		for i, m := range sharing {
			plan := sync.OnceValue(func() *plan { return newPlan(m, sharing) })
			if i == 0 {
				plans.code[code] = plan
			}
			if id := m.GetId(); phonenumbers.GetSupportedRegions()[id] {
				plans.home[id] = home{id, plan}
			}
		}
	}
	return plans
})

// newPlan returns the plan of the regions that share a calling code, in the library's order, as region has it.
func newPlan(region *phonenumbers.PhoneMetadata, sharing []*phonenumbers.PhoneMetadata) *plan {
	listed := region.GetGeneralDesc().GetPossibleLength()
	p := &plan{
		number:   int(region.GetCountryCode()),
		code:     strconv.AppendInt(nil, int64(region.GetCountryCode()), 10),
		abroad:   newAutomaton(region.GetInternationalPrefix(), 0, nil, func([]bool) uint32 { return 0 }),
		longest:  int(listed[len(listed)-1]),
		possible: possible(listed),
	}
	p.general = p.place(region.GetGeneralDesc().GetNationalNumberPattern())
	for _, m := range sharing {
		p.regions = append(p.regions, p.rules(m, len(sharing) > 1))
	}
	prefix, group := "("+region.GetNationalPrefixForParsing()+")", 0
	if region.GetNationalPrefixTransformRule() != "" {
		group = lastGroup(prefix)
	}
	p.automaton = newAutomaton(prefix, group, p.patterns, p.judge)
	return p
}

// rules returns the rules of a region, which may share its calling code with others.
func (p *plan) rules(m *phonenumbers.PhoneMetadata, shares bool) rules {
	r := rules{general: p.numbers(m.GetGeneralDesc())}
	if m.GetLeadingDigits() != "" && shares {
		r.leading = p.place(`(?:` + m.GetLeadingDigits() + `)\d*`)
	}
	types := []*phonenumbers.PhoneNumberDesc{
		m.GetFixedLine(), m.GetTollFree(), m.GetPremiumRate(), m.GetSharedCost(), m.GetVoip(), m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
	}
	if !m.GetSameMobileAndFixedLinePattern() {
		types = append(types, m.GetMobile())
	}
	for _, t := range types {
		r.types = append(r.types, p.numbers(t))
	}
	return r
}

// numbers returns the numbers that a description describes, those of any length when it lists none.
func (p *plan) numbers(d *phonenumbers.PhoneNumberDesc) numbers {
	n := numbers{pattern: p.place(d.GetNationalNumberPattern())}
	for _, length := range d.GetPossibleLength() {
		n.lengths |= 1 << uint32(length) // the length -1 is none
	}
	if len(d.GetPossibleLength()) == 0 {
		n.lengths = allLengths
	}
	return n
}

// place returns the pattern's place in automaton.matched.
func (p *plan) place(pattern string) int {
	i := slices.Index(p.patterns, pattern)
	if i < 0 {
		i = len(p.patterns)
		p.patterns = append(p.patterns, pattern)
	}
	return prefixes + i
}

// judge returns the verdict on a number from the patterns that match it: a number is of the first region whose leading
// digits it has or which, without leading digits, knows its type. That region has to know its type.
func (p *plan) judge(matched []bool) (verdict uint32) {
	if matched[p.general] {
		verdict |= viable
	}
	for i := range p.regions {
		r := &p.regions[i]
		if r.leading != 0 && !matched[r.leading] {
			continue
		}
		if matched[r.general.pattern] {
			for _, t := range r.types {
				if matched[t.pattern] {
					verdict |= r.general.lengths & t.lengths
				}
			}
		}
		if r.leading != 0 {
			break
		}
	}
	return verdict
}

// possible returns the lengths with which the library takes the national prefix off a number of a region: those that are listed
// for what remains, and greater ones.
func possible(listed []int32) (lengths uint32) {
	for n := listed[0]; n <= maxDigits; n++ {
		if slices.Contains(listed, n) || n > listed[len(listed)-1] {
			lengths |= 1 << n
		}
	}
	return lengths
}

// lastGroup returns the number of the last group of a pattern.
func lastGroup(pattern string) int {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(fmt.Sprintf("parsing the pattern %s: %v", pattern, err))
	}
	return re.MaxCap()
}

// phoneProblem is what keeps digits from being a number, 0 nothing.
type phoneProblem uint8

const (
	noSuchCode phoneProblem = 1 + iota
	tooFewDigits
	tooManyDigits
	notInPlan // the numbering plan has no such number
	unread    // only package phonenumbers can read it
)

// readInternational returns the country code and the rest, without a national prefix, of a number whose digits begin with its
// country code.
func readInternational(digits []byte) (code, national []byte, problem phoneProblem) {
	if len(digits) <= phonenumbers.MIN_LENGTH_FOR_NSN {
		return nil, nil, tooFewDigits
	}
	number := 0
	for i, d := range digits[:phonenumbers.MAX_LENGTH_COUNTRY_CODE] {
		number = number*10 + int(d-'0')
		if plan := plans().code[number]; plan != nil {
			national, problem = plan().read(digits[i+1:])
			return digits[:i+1], national, problem
		}
		if number == 0 {
			break
		}
	}
	return nil, nil, noSuchCode
}

// readNational is readInternational for a number as it is written in the plan's region, where its country code may be missing.
func (p *plan) readNational(digits []byte) (code, national []byte, problem phoneProblem) {
	if _, n, how := p.abroad.run(digits); how != unmatched && (n == len(digits) || digits[n] != '0') {
		return readInternational(digits[n:])
	}
	if after, coded := bytes.CutPrefix(digits, p.code); coded {
		whole, _, _ := p.automaton.run(digits)
		rest, verdict, how := p.strip(after, math.MaxUint32)
		if how == grouped {
			return nil, nil, unread
		}
		// The first digits are the country code of a number that is only viable, or no longer too long, without them.
		if verdict&viable > whole&viable || len(digits) > p.longest {
			national, problem = plans().code[p.number]().read(rest)
			return p.code, national, problem
		}
	}
	national, problem = p.read(digits)
	return p.code, national, problem
}

// read returns a number of the plan without a national prefix.
func (p *plan) read(digits []byte) (national []byte, problem phoneProblem) {
	digits, verdict, how := p.strip(digits, p.possible)
	if how == grouped {
		return nil, unread
	}
	switch n := len(digits); {
	case n < phonenumbers.MIN_LENGTH_FOR_NSN:
		return nil, tooFewDigits
	case n > phonenumbers.MAX_LENGTH_FOR_NSN:
		return nil, tooManyDigits
	case verdict>>n&1 == 0:
		return nil, notInPlan
	}
	return digits, 0
}

// strip takes the national prefix off a number if what remains is of one of the lengths, and returns the verdict on that. A
// prefix that is grouped is left, for it is replaced and not taken off.
func (p *plan) strip(digits []byte, lengths uint32) (rest []byte, verdict uint32, how reach) {
	verdict, prefix, how := p.automaton.run(digits)
	if rest = digits[prefix:]; how != grouped && prefix > 0 && lengths>>len(rest)&1 != 0 {
		// A viable number keeps a prefix without which it would not be one.
		if without, _, _ := p.automaton.run(rest); verdict&viable == 0 || without&viable != 0 {
			return rest, without, how
		}
	}
	return digits, verdict, how
}
