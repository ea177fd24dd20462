package state

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

const (
	blocks   = 1 << 16 // in the bucket people
	hashSize = len(Hash{})
	rowSize  = 2 * hashSize
	sumSize  = 4 // of a checksum
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sequence is the key of a commit in the bucket recent.
func sequence(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// block is the number of a person's block, and blockKey its key.
func block(person *Hash) int { return int(binary.BigEndian.Uint16(person[:])) }

func blockKey(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

func appendRow(b []byte, row Row) []byte {
	return append(append(b, row.Person[:]...), row.Profile[:]...)
}

// sealed is rows with their checksum, and unsealed the rows, nil and false where the checksum is wrong.
func sealed(rows []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(make([]byte, 0, sumSize+len(rows)), crc32.Checksum(rows, castagnoli)), rows...)
}

func unsealed(value []byte) (rows []byte, ok bool) {
	if len(value) < sumSize || (len(value)-sumSize)%rowSize != 0 {
		return nil, false
	}
	rows = value[sumSize:]
	return rows, binary.LittleEndian.Uint32(value) == crc32.Checksum(rows, castagnoli)
}

// profileOf returns the profile of a person in sorted rows, nil for none.
func profileOf(rows []byte, person *Hash) []byte {
	from, to := 0, len(rows)/rowSize
	for from < to {
		middle := (from + to) / 2
		row := rows[middle*rowSize : (middle+1)*rowSize]
		switch c := bytes.Compare(row[:hashSize], person[:]); {
		case c == 0:
			return row[hashSize:]
		case c < 0:
			from = middle + 1
		default:
			to = middle
		}
	}
	return nil
}

// merged is a block's rows with newer ones, both sorted. A newer row without a profile removes the older one.
func merged(rows []byte, newer []Row) []byte {
	all := make([]byte, 0, len(rows)+len(newer)*rowSize)
	for len(newer) > 0 {
		c := -1
		if len(rows) == 0 {
			c = 1
		} else {
			c = bytes.Compare(rows[:hashSize], newer[0].Person[:])
		}
		if c < 0 {
			all, rows = append(all, rows[:rowSize]...), rows[rowSize:]
			continue
		}
		if c == 0 {
			rows = rows[rowSize:]
		}
		if newer[0].Profile != (Hash{}) {
			all = appendRow(all, newer[0])
		}
		newer = newer[1:]
	}
	return append(all, rows...)
}
