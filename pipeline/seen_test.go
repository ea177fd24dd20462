package pipeline

import (
	"runtime"
	"testing"
)

// A window remembers nearly as many rows as it has, never more, and a person who comes again is remembered anew.
func TestSeen(t *testing.T) {
	for _, window := range []int{1, 2, 15, 16, 17, 1000} {
		s := newSeen(window)
		for row := range int64(5 * window) {
			if of := s.first([2]uint64{uint64(row), 1}, row+1); of != 0 {
				t.Fatalf("window %d: row %d repeats row %d", window, row+1, of)
			}
		}
		last := int64(5 * window)
		kept := 0
		for _, g := range s.order {
			kept += len(g)
		}
		if kept > window+s.size || kept < window-s.size {
			t.Errorf("window %d remembers %d rows", window, kept)
		}
		if of := s.first([2]uint64{uint64(last - 1), 1}, last+1); of != last {
			t.Errorf("window %d: the last row is not found but %d", window, of)
		}
		if of := s.first([2]uint64{0, 1}, last+2); of != 0 {
			t.Errorf("window %d: a row long past is found", window)
		}
	}
	s := newSeen(32)
	s.first([2]uint64{7, 7}, 1)
	for i := range uint64(1000) {
		s.first([2]uint64{i, 1}, int64(i)+2)
		if of := s.first([2]uint64{7, 7}, 0); of != 1 {
			t.Fatalf("who comes again all the time is forgotten after %d rows", i)
		}
	}
}

// A full window costs no more memory, and no allocation, however long the run.
func TestSeenIsFlat(t *testing.T) {
	const window = 100_000
	s := newSeen(window)
	next := uint64(0)
	fill := func(rows int) {
		for range rows {
			next++
			s.first([2]uint64{next * 0x9E3779B97F4A7C15, next}, int64(next))
		}
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	fill(2 * window)
	before := heap()
	fill(10 * window)
	if after := heap(); after > before+before/10 {
		t.Errorf("%d bytes grew to %d", before, after)
	}
	if n := testing.AllocsPerRun(10, func() { fill(10_000) }); n > 100 {
		t.Errorf("%v allocations for 10,000 rows", n)
	}
	runtime.KeepAlive(s)
}

func BenchmarkSeen(b *testing.B) {
	s := newSeen(1_000_000)
	b.ReportAllocs()
	for i := uint64(1); b.Loop(); i++ {
		s.first([2]uint64{i * 0x9E3779B97F4A7C15, i}, int64(i))
	}
}
