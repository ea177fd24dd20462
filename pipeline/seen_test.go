package pipeline

import (
	"fmt"
	"math/bits"
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// mixed turns a number into a hash.
func mixed(n uint64) uint64 {
	n = (n ^ n>>30) * 0xBF58476D1CE4E5B9
	n = (n ^ n>>27) * 0x94D049BB133111EB
	return n ^ n>>31
}

// nthID gives people whose hashes have nothing in common.
func nthID(n uint64) [2]uint64 { return [2]uint64{mixed(2 * n), mixed(2*n + 1)} }

// nthLike gives people who share one half of their hashes with others, mostly at the ends of the tables.
func nthLike(n uint64) [2]uint64 {
	halves := []uint64{0, 1, 1 << 63, ^uint64(0) - 1, ^uint64(0), 1 << 40, 1<<64 - 1<<50}
	return [2]uint64{halves[n%7], n / 7 << rowBits}
}

// No person is taken for another. A person met within the window is found by their first row. A person is forgotten
// when as many others came since as the window remembers at most.
func TestSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.OneOf(rapid.IntRange(1, 40), rapid.IntRange(100, 400)).Draw(t, "window")
		most := window + (window+14)/15*2 - 2
		id := rapid.SampledFrom([]func(uint64) [2]uint64{nthID, nthLike}).Draw(t, "id")
		type met struct{ first, last, others int64 } // others: how many were new before
		people := map[uint64]met{}
		newcomers := int64(0)
		s := newSeen(window)
		spread := rapid.Uint64Range(1, uint64(3*window)).Draw(t, "people")
		random := mixed(rapid.Uint64().Draw(t, "seed"))
		for row := int64(1); row <= int64(8*window); row++ {
			random = mixed(random + 0x9E3779B97F4A7C15)
			who := random % spread
			if random>>60 == 0 {
				who = uint64(row) + spread
			}
			p, known := people[who]
			switch of := s.first(id(who), row); {
			case of != 0 && (!known || of != p.first):
				t.Fatalf("row %d repeats row %d, not %d", row, of, p.first)
			case of == 0 && known && row-p.last <= int64(window):
				t.Fatalf("row %d repeats row %d, last met in row %d, and is not found", row, p.first, p.last)
			case of != 0 && newcomers-p.others >= int64(most):
				t.Fatalf("row %d repeats row %d, before %d others", row, of, newcomers-p.others)
			case of == 0:
				newcomers++
				p.first = row
			}
			people[who] = met{p.first, row, newcomers}
		}
	})
}

// A window that grows, fills up and forgets loses no person on the way, and remembers no more people than it
// states. A row of the window costs some 26 bytes, and once it is full a new person is rarely looked for.
func TestSeenIsBounded(t *testing.T) {
	const window = 110_000 // not a multiple of 7
	const most = window + window/15*2
	before := heapNow()
	s := newSeen(window)
	n := uint64(0)
	fill := func(rows int) {
		for range rows {
			n++
			who, want := n, int64(0)
			if n > window && n%7 == 0 { // the row so far back is of a new person
				who, want = n-window, int64(n-window)
			}
			if of := s.first(nthID(who), int64(n)); of != want {
				t.Fatalf("row %d repeats row %d, not %d", n, of, want)
			}
		}
	}
	for _, rows := range []int{window / 2, window, window, 4 * window} {
		fill(rows)
		if per := (heapNow() - before) / window; per > 27 {
			t.Errorf("%d rows: %.1f bytes for each row of the window", n, per)
		}
		if got := remembered(s, n); got < int(min(n, window)) || got > most {
			t.Errorf("%d people are remembered after %d rows", got, n)
		}
	}
	if got := lookedFor(s, n, window); got > window/15 {
		t.Errorf("%d new people are looked for %d times", window, got)
	}
	if n := testing.AllocsPerRun(1, func() { fill(window) }); n > 0 {
		t.Errorf("%v allocations for a full window", n)
	}
}

// heapNow returns the bytes of the heap that are in use.
func heapNow() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// remembered counts the people from 1 to n that s finds. It remembers none of them anew.
func remembered(s *seen, n uint64) (found int) {
	for who := uint64(1); who <= n; who++ {
		id := nthID(who)
		if _, of := s.newest.find(id); of != 0 || s.older(id) != 0 {
			found++
		}
	}
	return found
}

// lookedFor counts in how many older generations s would look for so many people behind the n-th.
func lookedFor(s *seen, n, people uint64) (times int) {
	for who := n + 1; who <= n+people; who++ {
		times += bits.OnesCount16(s.marks.of(nthID(who)[0]))
	}
	return times
}

// A short input costs little memory, whatever the window, and the memory follows the rows.
func TestSeenOfFewRows(t *testing.T) {
	before := heapNow()
	s := newSeen(100_000_000)
	for n := range uint64(10) {
		s.first(nthID(n), int64(n)+1)
	}
	if took := heapNow() - before; took > 1<<18 {
		t.Errorf("10 rows took %.0f bytes", took)
	}
	const rows = 1_000_000
	for n := uint64(10); n < rows; n++ {
		s.first(nthID(n), int64(n)+1)
	}
	if per := (heapNow() - before) / rows; per > 2.1*16 {
		t.Errorf("a row of a million took %.0f bytes", per)
	}
	if of := s.first(nthID(0), 0); of != 1 {
		t.Errorf("row 1 is row %d", of)
	}
}

// BenchmarkSeen measures look-ups of rows, most of them of new people.
func BenchmarkSeen(b *testing.B) {
	for _, c := range []struct {
		window       int
		rows, repeat uint64 // each repeat-th row is of a person within the window
	}{{1_000_000, 3_000_000, 0}, {1_000_000, 3_000_000, 10}, {1000, 3_000_000, 0}, {1, 300_000, 0}} {
		b.Run(fmt.Sprintf("window=%d/repeat=%d", c.window, c.repeat), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s := newSeen(c.window)
				for n := uint64(1); n <= c.rows; n++ {
					who := n
					if c.repeat != 0 && n%c.repeat == 0 {
						who -= mixed(n) % min(n, uint64(c.window))
					}
					s.first(nthID(who), int64(n))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.rows), "ns/row")
		})
	}
}
