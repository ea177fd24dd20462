package phone

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp/syntax"
	"sync"
	"sync/atomic"
)

// automaton matches many regular expressions against a string of digits in one pass. It computes a state when a
// string first reaches it and keeps it, so that a later step is one load. Many goroutines may use it; only a new step
// takes a lock.
type automaton struct {
	insts    []inst
	prefix   int                         // the instructions before this one belong to the prefix pattern
	classify func(matched []bool) uint32 // returns the class of a string that these patterns match

	start atomic.Pointer[state]

	mu      sync.Mutex // guards the fields below
	states  map[string]*state
	begin   []uint16 // the first instruction of each pattern
	visited []bool   // by instruction
	matched []bool   // by pattern
	at      []uint16 // the instructions that step reaches
	threads []byte
}

// maxStates is how many states an automaton keeps. Before it keeps more, it drops all of them and starts again.
const maxStates = 4096

// state stands for all strings that the same digits may follow.
type state struct {
	next    [10]atomic.Pointer[state]
	class   uint32 // of a string that ends here
	within  reach  // how the prefix pattern matches up to here if a digit follows
	whole   reach  // the same if no digit follows
	threads string // the instructions that wait for a digit, two bytes each; those of the prefix pattern by priority
}

// reach is how the prefix pattern matches up to a state.
type reach uint8

const (
	unmatched reach = iota
	ungrouped       // without the watched group
	grouped
)

// prefixes is how many of the first places in automaton.matched belong to the prefix pattern, one for each reach.
const prefixes = 2

// inst is an instruction of a pattern's program.
type inst struct {
	op     syntax.InstOp
	out    uint16
	arg    uint16 // of an alternative the second way, of an empty match the condition, of a match its place in matched
	digits uint16 // bit n is set if the instruction accepts the digit n
}

// newAutomaton returns the automaton of patterns, which match whole strings, and of prefix. The prefix pattern
// matches the beginning of a string in the first way it can, as a regexp.Regexp does. group is the group of prefix to
// watch, 0 for none.
func newAutomaton(prefix string, group int, patterns []string, classify func(matched []bool) uint32) *automaton {
	a := &automaton{classify: classify, states: map[string]*state{}, matched: make([]bool, prefixes+len(patterns))}
	a.begin = append(a.begin, a.add(`^(?:`+prefix+`)`, 0))
	if n := len(a.insts); group > 0 {
		// After the group the program continues in a copy of itself, which has its own match.
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

// add appends the program of a pattern and returns its first instruction. place is where its match is marked.
func (a *automaton) add(pattern string, place int) uint16 {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(fmt.Sprintf("parse the pattern %s: %v", pattern, err))
	}
	prog, err := syntax.Compile(re.Simplify())
	base := len(a.insts)
	if err != nil || base+len(prog.Inst) > math.MaxUint16 {
		panic(fmt.Sprintf("compile the pattern %s after %d instructions: %v", pattern, base, err))
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

// run returns the class of digits, how many of them the prefix pattern matches, and how.
func (a *automaton) run(digits []byte) (class uint32, prefix int, how reach) {
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
	return s.class, prefix, how
}

// step computes the state that the digit d leads to from s.
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

// state returns the state in which the instructions at come next. before is the character before them, -1 for none.
func (a *automaton) state(at []uint16, before rune) *state {
	a.follow(at, syntax.EmptyOpContext(before, -1))
	class, whole := a.classify(a.matched), a.reach()
	a.follow(at, syntax.EmptyOpContext(before, '0'))
	within, n := a.reach(), len(a.threads)

	a.threads = binary.NativeEndian.AppendUint32(append(a.threads, byte(within), byte(whole)), class)
	if known := a.states[string(a.threads)]; known != nil {
		return known
	}
	key := string(a.threads)
	if len(a.states) >= maxStates {
		clear(a.states)
		a.start.Store(a.state(a.begin, -1))
	}
	s := &state{threads: key[:n], class: class, whole: whole, within: within}
	a.states[key] = s
	return s
}

// follow runs the instructions at, under the conditions hold, up to matches and to threads that wait for a digit.
func (a *automaton) follow(at []uint16, hold syntax.EmptyOp) {
	clear(a.visited)
	clear(a.matched)
	a.threads = a.threads[:0]
	for _, pc := range at {
		a.visit(pc, hold)
	}
}

func (a *automaton) visit(pc uint16, hold syntax.EmptyOp) {
	if a.visited[pc] || int(pc) < a.prefix && a.reach() != unmatched { // the first match of the prefix pattern wins
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
