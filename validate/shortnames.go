package validate

import (
	"encoding/binary"
	"math/bits"
)

// shortName is the greatest length of a name in shortNames.
const shortName = 23

// shortNames finds the columns of names that earlier rows had by their bytes. Nothing in it branches on the name, as
// the processor could not foresee the way. It has raw names without escapes. A name that is missing is new, is long, or
// has lost its place to another one.
type shortNames [128]struct {
	text   [3]uint64 // the name, with zeros behind it
	column uint32    // 0: free
	in     scope
	size   uint8 // of the name: a row that is not JSON may have zeros in one
}

// find returns the column of the name that begins at i, and where the name ends. Column 0 says that it is not known.
// p may go on behind the line, which ends at end.
func (t *shortNames) find(in scope, p []byte, i, end int) (column uint32, nameEnd int) {
	if i+shortName >= len(p) {
		return 0, i
	}
	p = p[i : i+shortName+1 : i+shortName+1]
	a, b, c := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:]), binary.LittleEndian.Uint64(p[16:])
	n := bits.TrailingZeros32(quoteBits(a)|quoteBits(b)<<8|quoteBits(c)<<16|1<<31) & 31
	m := &heads[n]
	text := [3]uint64{a & m[0], b & m[1], c & m[2]}
	if e := &t[slotOf(in, &text)]; e.text == text && e.in == in && int(e.size) == n && i+n < end {
		return e.column, i + n
	}
	return 0, i
}

// quoteBits has a bit for each byte of w that is a quote. The bits above the lowest may be false.
func quoteBits(w uint64) uint32 {
	w ^= '"' * ones
	return uint32((w - ones) &^ w & highs >> 7 * 0x0102040810204080 >> 56)
}

// heads are the masks of the first n bytes of a text.
var heads = func() (m [32][3]uint64) {
	for n := range m {
		for j := range m[n] {
			m[n][j] = 1<<max(8*(n-8*j), 0) - 1
		}
	}
	return m
}()

// add enters the column of a raw name without escapes.
func (t *shortNames) add(in scope, name []byte, column uint32) {
	if len(name) > shortName {
		return
	}
	var p [shortName + 1]byte
	copy(p[:], name)
	var text [3]uint64
	for j := range text {
		text[j] = binary.LittleEndian.Uint64(p[8*j:])
	}
	e := &t[slotOf(in, &text)]
	e.text, e.in, e.size, e.column = text, in, uint8(len(name)), column
}

// slotOf returns the place of a name in shortNames.
func slotOf(in scope, text *[3]uint64) uint64 {
	h := (text[0] ^ bits.RotateLeft64(text[1], 24) ^ bits.RotateLeft64(text[2], 48)) + uint64(in)
	return h * 0x9E3779B97F4A7C15 >> (64 - 7)
}
