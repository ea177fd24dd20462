package phone

import "bytes"

// plan is the numbering plan of one country calling code as one of its regions uses it. It is built from the metadata
// of package phonenumbers and reads numbers as that package does. Many goroutines may use it at once.
type plan struct {
	code      []byte     // the digits of the calling code
	abroad    *automaton // its prefix pattern is the region's prefix of international calls
	general   int        // place of the region's general pattern
	possible  uint32     // the lengths that a number may have without its national prefix
	automaton *automaton // of the digits after the calling code; a class is the lengths of valid numbers, and viable
	regions   []rules    // of the regions that share the calling code, the main one first
	patterns  []string   // of the regions, each once
}

// Package phonenumbers does not export these: digits of a number without its country code, digits of a country code,
// and the region of a number that begins with one.
const (
	minNational   = 2
	maxNational   = 17
	maxCode       = 3
	unknownRegion = "ZZ"
)

// A set of lengths is a bit mask: bit n stands for n digits. viable in a class says that the general pattern of the
// plan's region matches, whatever the length.
const (
	allLengths = 1<<(maxNational+1) - 1
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

// A reading of digits is a country code and the rest without a national prefix, or a problem.

// readCoded reads digits that begin with their country code.
func readCoded(digits []byte) (code, national []byte, _ problem) {
	if len(digits) <= minNational {
		return nil, nil, tooFewDigits
	}
	number := 0
	for i, d := range digits[:maxCode] {
		number = number*10 + int(d-'0')
		if plan := plans().code[number]; plan != nil {
			national, problem := plan().read(digits[i+1:])
			if problem == unread {
				return readWithLibrary("+"+string(digits), unknownRegion)
			}
			return bounded(digits[:i+1], national, problem)
		}
		if number == 0 {
			break
		}
	}
	return nil, nil, noSuchCode
}

// readPlain reads digits without a country code, as people in a region of the plan write them.
func (p *plan) readPlain(digits []byte, region string) (code, national []byte, problem problem) {
	if national, problem = p.read(digits); problem == unread {
		return readWithLibrary(string(digits), region)
	}
	return bounded(p.code, national, problem)
}

// bounded adds the problem of a number that has not the length of E.164.
func bounded(code, national []byte, p problem) ([]byte, []byte, problem) {
	if n := len(code) + len(national); p == 0 && (n < minE164 || n > maxE164) {
		p = notE164
	}
	return code, national, p
}

// split returns the part of digits that begins with a country code, after the region's prefix of international calls
// or at the start. It is empty when digits cannot begin with a country code.
func (p *plan) split(digits []byte) (coded []byte, abroad bool) {
	if _, n, how := p.abroad.run(digits); how != unmatched && (n == len(digits) || digits[n] != '0') {
		return digits[n:], true
	}
	if bytes.HasPrefix(digits, p.code) {
		return digits, false
	}
	return nil, false
}

// readNational reads digits as people in a region of the plan write them, where the country code may be missing. Of
// two readings it returns the valid one.
func (p *plan) readNational(digits []byte, region string) (code, national []byte, problem problem) {
	coded, abroad := p.split(digits)
	code, national, problem = p.readPlain(digits, region)
	switch {
	case coded == nil && problem == notInPlan && bytes.HasPrefix(digits, zeros):
		return nil, nil, notAbroad
	case coded == nil:
		return code, national, problem
	}
	code2, national2, problem2 := readCoded(coded)
	switch {
	case problem2 != 0 && !(abroad && problem != 0):
		return code, national, problem
	case problem == 0 && (!bytes.Equal(code, code2) || !bytes.Equal(national, national2)):
		return nil, nil, ambiguous
	case problem != 0 && !abroad:
		code, national, problem = p.readLocal(digits, region)
		if problem == 0 && (!bytes.Equal(code, code2) || !bytes.Equal(national, national2)) {
			return nil, nil, ambiguous
		}
	}
	return code2, national2, problem2
}

// readLocal reads digits that begin with the calling code as that code and a number without the region's area code:
// 1 310 0957 in Trinidad is +1 868 310 0957. Only a region that shares its calling code has an area code of its own.
func (p *plan) readLocal(digits []byte, region string) (code, national []byte, _ problem) {
	if len(p.regions) == 1 {
		return nil, nil, notInPlan
	}
	return p.readPlain(digits[len(p.code):], region)
}

// read reads a number of the plan, without its country code.
func (p *plan) read(digits []byte) (national []byte, _ problem) {
	digits, class, how := p.strip(digits)
	if how == grouped {
		return nil, unread
	}
	switch n := len(digits); {
	case n < minNational:
		return nil, tooFewDigits
	case n > maxNational:
		return nil, tooManyDigits
	case class>>n&1 == 0:
		return nil, notInPlan
	}
	return digits, 0
}

// strip removes the national prefix from a number if the rest has a possible length. It returns the rest and its
// class. A prefix that is grouped stays, because the library replaces it instead of removing it.
func (p *plan) strip(digits []byte) (rest []byte, class uint32, how reach) {
	class, prefix, how := p.automaton.run(digits)
	if rest = digits[prefix:]; how != grouped && prefix > 0 && p.possible>>len(rest)&1 != 0 {
		// A viable number keeps its prefix if it is not viable without it.
		if without, _, _ := p.automaton.run(rest); class&viable == 0 || without&viable != 0 {
			return rest, without, how
		}
	}
	return digits, class, how
}
