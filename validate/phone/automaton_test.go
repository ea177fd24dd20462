package phone

import (
	"math/rand/v2"
	"regexp"
	"sync"
	"testing"
)

// An automaton finds the same as package regexp: which patterns match a string, how much of it the prefix pattern
// matches in its first way, and whether that match uses the watched group.
func TestAutomaton(t *testing.T) {
	patterns := []string{"", "0", "0[12]{2,4}", "(?:0|12)*", "1.*2", "0$|1", "[^0]*", "2(?:0|1|)1"}
	var whole []*regexp.Regexp
	for _, p := range patterns {
		whole = append(whole, regexp.MustCompile(`^(?:`+p+`)$`))
	}
	classify := func(matched []bool) (class uint32) {
		for i := range patterns {
			if matched[prefixes+i] {
				class |= 1 << i
			}
		}
		return class
	}
	for _, test := range []struct {
		prefix string
		group  int
	}{
		{"", 0}, {"()", 1}, {"3", 0}, {"0", 0}, {"0|01", 0}, {"01|0", 0}, {"0?", 0}, {"0??", 0}, {"0*", 0},
		{"0*?1", 0},
		{"0|(12)", 1}, {"(0)|0", 1}, {"0|(0)", 1}, {"0(1)?", 1}, {"0(1)??2?", 1}, {"0?(?:(1|12)2)?", 1},
		{"(?:0|10)(?:(1[12])([0-2]{2,3}))?", 2}, {"([12][0-2]{2})$|0", 1}, {"(00$)|0|001", 1}, {"(?:(0)|1)*", 1},
		{"(?:(0)|1)*?2", 1}, {"(0|1(2))+", 2}, {`\b0|(\B1|01\b)`, 1}, {"^0$|1", 0}, {"(?i:0)|[^01]", 0},
		{".(?s:.)", 0},
	} {
		a := newAutomaton(test.prefix, test.group, patterns, classify)
		alone := newAutomaton(test.prefix, test.group, nil, func([]bool) uint32 { return 0 })
		prefix := regexp.MustCompile(`^(?:` + test.prefix + `)`)
		var check func(digits []byte)
		check = func(digits []byte) {
			var want struct {
				class  uint32
				length int
				how    reach
			}
			for i, re := range whole {
				if re.Match(digits) {
					want.class |= 1 << i
				}
			}
			if loc := prefix.FindSubmatchIndex(digits); loc != nil {
				want.length, want.how = loc[1], ungrouped
				if test.group > 0 && loc[2*test.group] >= 0 {
					want.how = grouped
				}
			}
			got := want
			if got.class, got.length, got.how = a.run(digits); got != want {
				t.Fatalf("%q after %q: got %+v, want %+v", digits, test.prefix, got, want)
			}
			if _, length, how := alone.run(digits); length != want.length || how != want.how {
				t.Fatalf("%q after %q alone: got %d, %d, want %+v", digits, test.prefix, length, how, want)
			}
			for d := byte('0'); d < '3' && len(digits) < 7; d++ {
				check(append(digits, d))
			}
		}
		check(nil)
	}
}

// An automaton keeps at most maxStates states, however many its patterns have, and stays right while others use
// dropped ones.
func TestAutomatonStates(t *testing.T) {
	a := newAutomaton("", 0, []string{"[01]*1[01]{12}"}, func(matched []bool) uint32 {
		if matched[prefixes] {
			return 1
		}
		return 0
	})
	first := a.start.Load()
	var wait sync.WaitGroup
	for seed := range uint64(4) {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(seed, 0))
			digits := make([]byte, 50)
			for range 2000 {
				for i := range digits {
					digits[i] = byte('0' + r.IntN(2))
				}
				if class, _, _ := a.run(digits); class != uint32(digits[len(digits)-13]-'0') {
					t.Errorf("%s: class %d", digits, class)
				}
			}
		})
	}
	wait.Wait()
	if a.start.Load() == first || len(a.states) > maxStates {
		t.Errorf("%d states, dropped once: %t", len(a.states), a.start.Load() != first)
	}
}
