package phone

import (
	"fmt"
	"regexp/syntax"
	"slices"
	"strconv"
	"sync"

	"github.com/nyaruka/phonenumbers/v2"
)

// allPlans are functions that return a plan. Each builds its plan on the first call.
type allPlans struct {
	code [1000]func() *plan // by calling code, as its main region uses it; nil for a code that does not exist
	home map[string]home    // by region
}

// home is a region whose numbers may lack a country code.
type home struct {
	region string
	plan   func() *plan
}

// plans returns all plans. It reads the metadata on the first call.
var plans = sync.OnceValue(func() *allPlans {
	collection, err := phonenumbers.MetadataCollection()
	if err != nil {
		panic(fmt.Sprintf("read the metadata of phone numbers: %v", err))
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

// newPlan returns the plan of a calling code as region uses it. sharing are the regions of that code in the library's
// order.
func newPlan(region *phonenumbers.PhoneMetadata, sharing []*phonenumbers.PhoneMetadata) *plan {
	listed := region.GetGeneralDesc().GetPossibleLength()
	p := &plan{
		code:     strconv.AppendInt(nil, int64(region.GetCountryCode()), 10),
		abroad:   newAutomaton(region.GetInternationalPrefix(), 0, nil, func([]bool) uint32 { return 0 }),
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
	p.automaton = newAutomaton(prefix, group, p.patterns, p.classify)
	return p
}

// rules returns the rules of a region. shares says that other regions have its calling code too.
func (p *plan) rules(m *phonenumbers.PhoneMetadata, shares bool) rules {
	r := rules{general: p.numbers(m.GetGeneralDesc())}
	if m.GetLeadingDigits() != "" && shares {
		r.leading = p.place(`(?:` + m.GetLeadingDigits() + `)\d*`)
	}
	types := []*phonenumbers.PhoneNumberDesc{
		m.GetFixedLine(), m.GetTollFree(), m.GetPremiumRate(), m.GetSharedCost(), m.GetVoip(),
		m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
	}
	if !m.GetSameMobileAndFixedLinePattern() {
		types = append(types, m.GetMobile())
	}
	for _, t := range types {
		r.types = append(r.types, p.numbers(t))
	}
	return r
}

// numbers returns the numbers of a description. One that lists no lengths allows all of them.
func (p *plan) numbers(d *phonenumbers.PhoneNumberDesc) numbers {
	n := numbers{pattern: p.place(d.GetNationalNumberPattern())}
	for _, length := range d.GetPossibleLength() {
		n.lengths |= 1 << uint32(length) // the length -1 sets no bit
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

// classify returns the class of a number from the patterns that match it. A number belongs to the first region whose
// leading digits it has or, if that region has no leading digits, whose types include it. That region must have a
// type for it.
func (p *plan) classify(matched []bool) (class uint32) {
	if matched[p.general] {
		class |= viable
	}
	for i := range p.regions {
		r := &p.regions[i]
		if r.leading != 0 && !matched[r.leading] {
			continue
		}
		if matched[r.general.pattern] {
			for _, t := range r.types {
				if matched[t.pattern] {
					class |= r.general.lengths & t.lengths
				}
			}
		}
		if r.leading != 0 {
			break
		}
	}
	return class
}

// possible returns the lengths of the rest with which the library removes a national prefix: the lengths that the
// region lists, and greater ones.
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
		panic(fmt.Sprintf("parse the pattern %s: %v", pattern, err))
	}
	return re.MaxCap()
}
