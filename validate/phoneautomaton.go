package validate

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp/syntax"
	"sync"
	"sync/atomic"
)

// automaton runs regular expressions over strings of digits, all of them at once. Its states are worked out when a string
// first leads to them and then kept, so that a step is one load. Many goroutines may use it; only a new step takes a lock.
type automaton struct {
	insts  []inst
	prefix int                         // the instructions before it are those of the prefix pattern
	judge  func(matched []bool) uint32 // returns the verdict on a string that the patterns match

	start atomic.Pointer[state]

	mu      sync.Mutex // guards what follows
	states  map[string]*state
	begin   []uint16 // the first instruction of each pattern
	visited []bool   // by instruction
	matched []bool   // by pattern
	at      []uint16 // where step leads
	threads []byte
}

// maxStates is how many states an automaton keeps. When there would be more it begins anew.
const maxStates = 4096

// state is where all strings lead to that the same digits may follow.
type state struct {
	next    [10]atomic.Pointer[state]
	verdict uint32 // on a string that ends here
	within  reach  // how the prefix pattern matches up to here when a digit follows
	whole   reach  // the same when none follows
	threads string // the instructions that wait for a digit, two bytes each, those of the prefix pattern by priority
}

// reach is how the prefix pattern matches up to a state.
type reach uint8

const (
	unmatched reach = iota
	ungrouped       // without the group that is watched
	grouped
)

// The first places of automaton.matched are the prefix pattern's. It is in one of them when it matches, by its reach.
const prefixes = 2

// inst is an instruction of a pattern's program.
type inst struct {
	op     syntax.InstOp
	out    uint16
	arg    uint16 // the second way of an alternative, the condition of an empty match, the place in matched of a match
	digits uint16 // bit n is set if it takes the digit n
}

// newAutomaton returns the automaton of patterns, which match whole strings, and of prefix, which matches the beginning of a
// string in the first way it can, as a regexp.Regexp does. group is the group of prefix to watch, 0 for none.
func newAutomaton(prefix string, group int, patterns []string, judge func(matched []bool) uint32) *automaton {
	a := &automaton{judge: judge, states: map[string]*state{}, matched: make([]bool, prefixes+len(patterns))}
	a.begin = append(a.begin, a.add(`^(?:`+prefix+`)`, 0))
	if n := len(a.insts); group > 0 {
		// Behind the group the program goes on in a copy of itself, which has a match of its own.
		a.add(`^(?:`+prefix+`)`, 1)
		for i := range a.insts[:n] {
			if in := &a.insts[i]; in.op == syntax.InstCapture && int(in.arg) == 2*group {
				in.out += uint16(n)
			}
		}
	}
	a.prefix = len(a.insts)
	for i, p := range patterns {
		a.begin = append(a.begin, a.add(`^(?:`+p+`)$`, prefixes+i))
	}
	a.visited = make([]bool, len(a.insts))
	a.start.Store(a.state(a.begin, -1))
	return a
}

// add appends the program of a pattern, whose match is noted at place, and returns its first instruction.
func (a *automaton) add(pattern string, place int) uint16 {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(fmt.Sprintf("parsing the pattern %s: %v", pattern, err))
	}
	prog, err := syntax.Compile(re.Simplify())
	base := len(a.insts)
	if err != nil || base+len(prog.Inst) > math.MaxUint16 {
		panic(fmt.Sprintf("compiling the pattern %s after %d instructions: %v", pattern, base, err))
	}
	for _, from := range prog.Inst {
		in := inst{op: from.Op, out: uint16(base) + uint16(from.Out), arg: uint16(from.Arg)}
		switch in.op {
		case syntax.InstAlt, syntax.InstAltMatch:
			in.arg += uint16(base)
		case syntax.InstMatch:
			in.arg = uint16(place)
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			for d := range 10 {
				if from.MatchRune('0' + rune(d)) {
					in.digits |= 1 << d
				}
			}
		}
		a.insts = append(a.insts, in)
	}
	return uint16(base) + uint16(prog.Start)
}

// run returns the verdict on digits, of how many of them the prefix pattern matches, and how.
func (a *automaton) run(digits []byte) (verdict uint32, prefix int, how reach) {
	s := a.start.Load()
	for i, d := range digits {
		if s.within != unmatched {
			prefix, how = i, s.within
		}
		next := s.next[d-'0'].Load()
		if next == nil {
			next = a.step(s, d-'0')
		}
		s = next
	}
	if s.whole != unmatched {
		prefix, how = len(digits), s.whole
	}
	return s.verdict, prefix, how
}

// step works out the state that the digit d leads to from s.
func (a *automaton) step(s *state, d byte) *state {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := a.at[:0]
	for t := []byte(s.threads); len(t) > 0; t = t[2:] {
		if in := &a.insts[binary.NativeEndian.Uint16(t)]; in.digits>>d&1 != 0 {
			at = append(at, in.out)
		}
	}
	a.at = at
	next := a.state(at, '0')
	s.next[d].Store(next)
	return next
}

// state returns the state where the instructions at come next, behind the character before, -1 for none.
func (a *automaton) state(at []uint16, before rune) *state {
	a.follow(at, syntax.EmptyOpContext(before, -1))
	verdict, whole := a.judge(a.matched), a.reach()
	a.follow(at, syntax.EmptyOpContext(before, '0'))
	within, n := a.reach(), len(a.threads)

	a.threads = binary.NativeEndian.AppendUint32(append(a.threads, byte(within), byte(whole)), verdict)
	if known := a.states[string(a.threads)]; known != nil {
		return known
	}
	key := string(a.threads)
	if len(a.states) >= maxStates {
		clear(a.states)
		a.start.Store(a.state(a.begin, -1))
	}
	s := &state{threads: key[:n], verdict: verdict, whole: whole, within: within}
	a.states[key] = s
	return s
}

// follow leads the instructions at, where the conditions hold, to matches and to the threads.
func (a *automaton) follow(at []uint16, hold syntax.EmptyOp) {
	clear(a.visited)
	clear(a.matched)
	a.threads = a.threads[:0]
	for _, pc := range at {
		a.visit(pc, hold)
	}
}

func (a *automaton) visit(pc uint16, hold syntax.EmptyOp) {
	if a.visited[pc] || int(pc) < a.prefix && a.reach() != unmatched { // the prefix pattern's first match has priority
		return
	}
	a.visited[pc] = true
	switch in := &a.insts[pc]; in.op {
	case syntax.InstAlt, syntax.InstAltMatch:
		a.visit(in.out, hold)
		a.visit(in.arg, hold)
	case syntax.InstCapture, syntax.InstNop:
		a.visit(in.out, hold)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(in.arg)&^hold == 0 {
			a.visit(in.out, hold)
		}
	case syntax.InstMatch:
		a.matched[in.arg] = true
	default:
		a.threads = binary.NativeEndian.AppendUint16(a.threads, pc)
	}
}

func (a *automaton) reach() reach {
	switch {
	case a.matched[0]:
		return ungrouped
	case a.matched[1]:
		return grouped
	}
	return unmatched
}
