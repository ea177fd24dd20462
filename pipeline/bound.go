package pipeline

import (
	"errors"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Bound is how many rejected rows a run allows: a number, or a share of the rows read.
type Bound struct {
	rows      int64
	share     uint64 // in millionths of a percent, used when percent is set
	isPercent bool
}

// percent is 1 % in the unit of Bound.share.
const percent = 1_000_000

var errBound = errors.New("expected a number, or a percentage from 0% to 100% with at most 6 decimals")

// UnmarshalText reads "20" or "0.5%".
func (b *Bound) UnmarshalText(text []byte) error {
	number, isPercent := strings.CutSuffix(string(text), "%")
	if !isPercent {
		rows, err := strconv.ParseUint(number, 10, 63)
		*b = Bound{rows: int64(rows)}
		if err != nil {
			return errBound
		}
		return nil
	}
	whole, decimals, _ := strings.Cut(number, ".")
	if len(decimals) > 6 || number == "" || strings.HasSuffix(number, ".") {
		return errBound
	}
	share, err := strconv.ParseUint(whole+decimals+"000000"[len(decimals):], 10, 32)
	if err != nil || share > 100*percent {
		return errBound
	}
	*b = Bound{share: share, isPercent: true}
	return nil
}

func (b Bound) String() string {
	if !b.isPercent {
		return strconv.FormatInt(b.rows, 10)
	}
	return strconv.FormatFloat(float64(b.share)/percent, 'f', -1, 64) + "%"
}

// allows reports whether so many of the rows read may be rejected.
func (b Bound) allows(rejected, read int64) bool {
	if !b.isPercent {
		return rejected <= b.rows
	}
	high, low := bits.Mul64(uint64(rejected), 100*percent)
	most, rest := bits.Mul64(uint64(read), b.share)
	return high < most || high == most && low <= rest
}

// sample is how many rows are read before a share of them stops the run.
const sample = 1000

// allowsSoFar is allows while the input has not ended.
func (b Bound) allowsSoFar(rejected, read int64) bool {
	if b.isPercent {
		return b.allows(rejected, max(read, sample))
	}
	return b.allows(rejected, math.MaxInt64)
}
