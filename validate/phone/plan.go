package phone

import (
	"bytes"
	"math"

	"github.com/nyaruka/phonenumbers"
)

// plan is the numbering plan of one country calling code as one of its regions uses it. It is built from the metadata
// of package phonenumbers and reads numbers as that package does. Many goroutines may use it at once.
type plan struct {
	number    int        // the calling code
	code      []byte     // its digits
	abroad    *automaton // its prefix pattern is the region's prefix of international calls
	general   int        // place of the region's general pattern
	longest   int        // how many digits the region's longest numbers have
	possible  uint32     // the lengths that a number may have without its national prefix
	automaton *automaton // of the digits after the calling code; a class is the lengths of valid numbers, and viable
	regions   []rules    // of the regions that share the calling code, the main one first
	patterns  []string   // of the regions, each once
}

// A set of lengths is a bit mask: bit n stands for n digits. viable in a class says that the general pattern of the
// plan's region matches, whatever the length.
const (
	allLengths = 1<<(phonenumbers.MAX_LENGTH_FOR_NSN+1) - 1
	viable     = 1 << 31
)

// rules are a region's rules for numbers.
type rules struct {
	leading int // place of the pattern of the first digits that belong to this region alone; 0 when it has none
	general numbers
	types   []numbers
}

// numbers are the numbers of some lengths that a pattern matches. pattern is its place in automaton.matched.
type numbers struct {
	pattern int
	lengths uint32
}

// readInternational reads digits that begin with their country code.
func readInternational(digits []byte) reading {
	if len(digits) <= phonenumbers.MIN_LENGTH_FOR_NSN {
		return reading{problem: tooFewDigits}
	}
	number := 0
	for i, d := range digits[:phonenumbers.MAX_LENGTH_COUNTRY_CODE] {
		number = number*10 + int(d-'0')
		if plan := plans().code[number]; plan != nil {
			return plan().read(digits[:i+1], digits[i+1:])
		}
		if number == 0 {
			break
		}
	}
	return reading{problem: noSuchCode}
}

// readNational reads digits as people in a region of the plan write them, where the country code may be missing. one
// is the reading of package phonenumbers. two is the other one: without a country code where one has it, with it where
// one lacks it.
func (p *plan) readNational(digits []byte, region string) (one, two reading) {
	two.problem = notRead
	if _, n, how := p.abroad.run(digits); how != unmatched && (n == len(digits) || digits[n] != '0') {
		return readCoded(digits[n:]), p.read(p.code, digits).bounded()
	}
	if after, coded := bytes.CutPrefix(digits, p.code); coded {
		whole, _, _ := p.automaton.run(digits)
		rest, class, how := p.strip(after, math.MaxUint32)
		switch {
		case how == grouped:
			return readWithLibrary(string(digits), region).bounded(), two
		case class&viable > whole&viable || len(digits) > p.longest:
			// The first digits are a country code if the number is viable, or short enough, only without them.
			one, two = plans().code[p.number]().read(p.code, rest), p.read(p.code, digits).bounded()
		default:
			one, two = p.read(p.code, digits), readCoded(digits)
		}
	} else {
		one = p.read(p.code, digits)
	}
	if one.problem == unread {
		one = readWithLibrary(string(digits), region)
	}
	if one = one.bounded(); one.problem != 0 && bytes.HasPrefix(digits, international) {
		one.problem = notAbroad
	}
	return one, two
}

// read reads a number of the plan that may begin with a national prefix.
func (p *plan) read(code, digits []byte) reading {
	digits, class, how := p.strip(digits, p.possible)
	r := reading{code: code, national: digits}
	switch n := len(digits); {
	case how == grouped:
		r.problem = unread
	case n < phonenumbers.MIN_LENGTH_FOR_NSN:
		r.problem = tooFewDigits
	case n > phonenumbers.MAX_LENGTH_FOR_NSN:
		r.problem = tooManyDigits
	case class>>n&1 == 0:
		r.problem = notInPlan
	}
	return r
}

// strip removes the national prefix from a number if the rest has one of the lengths. It returns the rest and its
// class. A prefix that is grouped stays, because the library replaces it instead of removing it.
func (p *plan) strip(digits []byte, lengths uint32) (rest []byte, class uint32, how reach) {
	class, prefix, how := p.automaton.run(digits)
	if rest = digits[prefix:]; how != grouped && prefix > 0 && lengths>>len(rest)&1 != 0 {
		// A viable number keeps its prefix if it is not viable without it.
		if without, _, _ := p.automaton.run(rest); class&viable == 0 || without&viable != 0 {
			return rest, without, how
		}
	}
	return digits, class, how
}
