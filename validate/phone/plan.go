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

// problem is the reason why digits are not a valid number; 0 is no problem.
type problem uint8

const (
	noSuchCode problem = 1 + iota
	tooFewDigits
	tooManyDigits
	notInPlan // the numbering plan has no such number
	unread    // only package phonenumbers can read it
)

// readInternational returns the country code and the rest, without a national prefix, of a number whose digits begin
// with its country code.
func readInternational(digits []byte) (code, national []byte, _ problem) {
	if len(digits) <= phonenumbers.MIN_LENGTH_FOR_NSN {
		return nil, nil, tooFewDigits
	}
	number := 0
	for i, d := range digits[:phonenumbers.MAX_LENGTH_COUNTRY_CODE] {
		number = number*10 + int(d-'0')
		if plan := plans().code[number]; plan != nil {
			national, problem := plan().read(digits[i+1:])
			return digits[:i+1], national, problem
		}
		if number == 0 {
			break
		}
	}
	return nil, nil, noSuchCode
}

// readNational is readInternational for a number as people in the plan's region write it, where the country code may
// be missing.
func (p *plan) readNational(digits []byte) (code, national []byte, problem problem) {
	if _, n, how := p.abroad.run(digits); how != unmatched && (n == len(digits) || digits[n] != '0') {
		return readInternational(digits[n:])
	}
	if after, coded := bytes.CutPrefix(digits, p.code); coded {
		whole, _, _ := p.automaton.run(digits)
		rest, class, how := p.strip(after, math.MaxUint32)
		if how == grouped {
			return nil, nil, unread
		}
		// The first digits are a country code if the number is viable, or short enough, only without them.
		if class&viable > whole&viable || len(digits) > p.longest {
			national, problem = plans().code[p.number]().read(rest)
			return p.code, national, problem
		}
	}
	national, problem = p.read(digits)
	return p.code, national, problem
}

// read returns a number of the plan without a national prefix.
func (p *plan) read(digits []byte) (national []byte, _ problem) {
	digits, class, how := p.strip(digits, p.possible)
	if how == grouped {
		return nil, unread
	}
	switch n := len(digits); {
	case n < phonenumbers.MIN_LENGTH_FOR_NSN:
		return nil, tooFewDigits
	case n > phonenumbers.MAX_LENGTH_FOR_NSN:
		return nil, tooManyDigits
	case class>>n&1 == 0:
		return nil, notInPlan
	}
	return digits, 0
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
