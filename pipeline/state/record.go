package state

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"

	"github.com/segmentio/encoding/json"
	"go.etcd.io/bbolt"
)

const (
	version  = 1
	pageSize = 4096
	rowSize  = 32
	blocks   = 1 << 12
)

var (
	metaBucket, peopleBucket, recentBucket = []byte("meta"), []byte("people"), []byte("recent")
	recordKey, sumsKey                     = []byte("state"), []byte("sums")
	castagnoli                             = crc32.MakeTable(crc32.Castagnoli)
)

// record says what the file is for, and what its other values must be. Every commit writes it.
type record struct {
	Version int    `json:"version"` // 0 while the file is new
	Key     []byte `json:"key"`
	Binding
	Tx    int    `json:"tx"`    // transaction that wrote it
	First uint64 `json:"first"` // number of the oldest commit in recent, and of the next one
	Next  uint64 `json:"next"`
	Sums  uint32 `json:"sums"` // checksum of the value sums
}

// readRecord returns the record. Its version is 0 in a database that nothing was written to.
func readRecord(name string, tx *bbolt.Tx) (record, error) {
	var r record
	meta := tx.Bucket(metaBucket)
	if meta == nil && tx.ID() <= 1 {
		return r, nil
	}
	if meta == nil {
		return r, foreign(name)
	}
	if tx.Bucket(peopleBucket) == nil || tx.Bucket(recentBucket) == nil {
		return r, damaged(name, "a bucket is missing")
	}
	value, sums := meta.Get(recordKey), meta.Get(sumsKey)
	if len(value) < 4 || number32(value) != checksum(recordKey, value[4:]) {
		return r, damaged(name, "its record is not as it was written")
	}
	var other struct{ Version int }
	if json.Unmarshal(value[4:], &other) == nil && other.Version != version {
		return r, &Error{
			fmt.Sprintf("the state %s has version %d, and this klaviyo-export reads version %d", name, other.Version, version),
			"use the klaviyo-export that wrote it, or delete it: the next run sends all rows again",
		}
	}
	if err := json.Unmarshal(value[4:], &r); err != nil || len(r.Key) != 32 {
		return r, damaged(name, "its record cannot be read")
	}
	if r.Tx != tx.ID() || len(sums) != 4*blocks || r.Sums != checksum(sumsKey, sums) {
		return r, damaged(name, "its record belongs to another commit")
	}
	return r, nil
}

// write writes the record, and sums unless they are nil.
func (r *record) write(tx *bbolt.Tx, sums []byte) error {
	meta := tx.Bucket(metaBucket)
	if sums != nil {
		r.Sums = checksum(sumsKey, sums)
		if err := meta.Put(sumsKey, sums); err != nil {
			return err
		}
	}
	r.Tx = tx.ID()
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return meta.Put(recordKey, append(binary.BigEndian.AppendUint32(nil, checksum(recordKey, text)), text...))
}

// bind takes what b knows.
func (r *record) bind(b Binding) {
	r.Operation, r.Mapping = b.Operation, b.Mapping
	if b.List != "" {
		r.List = b.List
	}
	if b.Account != "" {
		r.Account = b.Account
	}
}

// fits returns an error unless the file is new, or is for b.
func (r *record) fits(name string, b Binding) error {
	if r.Version == 0 {
		return nil
	}
	var faults []string
	differ := func(format string, was, is string) {
		if was != is {
			faults = append(faults, fmt.Sprintf(format, was, is))
		}
	}
	if r.Account != "" && b.Account != "" {
		differ("it is for the account %s, and the key belongs to %s", r.Account, b.Account)
	}
	switch {
	case r.List != "" && b.List == "":
		faults = append(faults, fmt.Sprintf("it is for the list %s, and this run makes a new list", r.List))
	case r.List != "":
		differ("it is for the list %s, and this run is for %s", r.List, b.List)
	}
	differ("it is for %s, and this run is %s", r.Operation, b.Operation)
	flags := maps.Clone(b.Mapping)
	if flags == nil {
		flags = map[string]string{}
	}
	maps.Copy(flags, r.Mapping)
	for _, flag := range slices.Sorted(maps.Keys(flags)) {
		differ("it was made %s, and this run is %s", with(flag, r.Mapping[flag]), with(flag, b.Mapping[flag]))
	}
	if len(faults) == 0 {
		return nil
	}
	return &Error{
		fmt.Sprintf("the state %s cannot be used: %s", name, strings.Join(faults, "; ")),
		"pass --state with a file of its own for this list, command and mapping, " +
			"or delete the file: the next run then sends all rows",
	}
}

func with(flag, value string) string {
	if value == "" {
		return "without " + flag
	}
	return fmt.Sprintf("with %s %s", flag, value)
}

// checksum returns the checksum of a value, which covers its key.
func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

func blockKey(block int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(block)) }

// putSum stores the checksum of a block among sums.
func putSum(sums []byte, block int, rows []byte) {
	binary.BigEndian.PutUint32(sums[4*block:], checksum(blockKey(block), rows))
}

func number32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
func number64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// block returns the block that a person belongs to.
func (h *Hash) block() int { return int(binary.BigEndian.Uint16(h[:]) >> 4) }
