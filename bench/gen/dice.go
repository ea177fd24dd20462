package main

import (
	"math/bits"
	"math/rand/v2"
)

// dice makes random choices. It uses PCG's numbers directly: Go keeps them the same in all versions, but not what
// the methods of rand.Rand make of them.
type dice struct {
	pcg rand.PCG
}

// throw seeds the dice for a number in a stream.
func (d *dice) throw(seed, stream, number uint64) {
	d.pcg.Seed(seed^stream*0x9e3779b97f4a7c15, number*0xd1342543de82ef95)
}

// below returns a number from 0 to n-1.
func (d *dice) below(n int) int {
	high, _ := bits.Mul64(d.pcg.Uint64(), uint64(n))
	return int(high)
}

// chance returns true in percent of 100 calls.
func (d *dice) chance(percent int) bool {
	return d.below(100) < percent
}

// pick returns an element of list.
func pick[T any](d *dice, list []T) T {
	return list[d.below(len(list))]
}

// fill appends pattern with random digits: # becomes 0 to 9, P becomes 1 to 9, N becomes 2 to 9.
func (d *dice) fill(b []byte, pattern string) []byte {
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '#':
			b = append(b, '0'+byte(d.below(10)))
		case 'P':
			b = append(b, '1'+byte(d.below(9)))
		case 'N':
			b = append(b, '2'+byte(d.below(8)))
		default:
			b = append(b, c)
		}
	}
	return b
}

// sample marks a share of all rows evenly: one row, at a random place, in each block of a million/share rows.
type sample struct {
	seed, stream uint64
	share        int64 // marked rows in a million
}

// marks returns the number of the row's block and reports whether the row is marked.
func (s sample) marks(row int) (block int64, marked bool) {
	if s.share == 0 {
		return 0, false
	}
	block = int64(row-1) * s.share / 1_000_000
	first, next := s.first(block), s.first(block+1)
	var d dice
	d.throw(s.seed, s.stream, uint64(block))
	return block, int64(row) == first+int64(d.below(int(next-first)))
}

// first returns the first row of a block.
func (s sample) first(block int64) int64 {
	return 1 + (block*1_000_000+s.share-1)/s.share
}
