package pipeline

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Bound is how many rejected rows a job bears: a number, or a share of the rows that are read.
type Bound struct {
	Rows    int64
	Percent float64 // used when it is above 0
}

// UnmarshalText reads "20" or "0.5%".
func (b *Bound) UnmarshalText(text []byte) (err error) {
	number, percent := strings.CutSuffix(string(text), "%")
	if percent {
		share, err := strconv.ParseFloat(number, 64)
		if err != nil || !(share >= 0 && share <= 100) {
			return errors.New("it takes a number of rows, or a percentage from 0% to 100%")
		}
		*b = Bound{Percent: share}
		return nil
	}
	b.Rows, err = strconv.ParseInt(number, 10, 64)
	if err != nil || b.Rows < 0 {
		return errors.New("it takes a number of rows, or a percentage from 0% to 100%")
	}
	return nil
}

func (b Bound) String() string {
	if b.Percent > 0 {
		return strconv.FormatFloat(b.Percent, 'f', -1, 64) + "%"
	}
	return strconv.FormatInt(b.Rows, 10)
}

// bears reports whether so many of the rows read may be rejected.
func (b Bound) bears(rejected, read int64) bool {
	if b.Percent > 0 {
		return float64(rejected)*100 <= b.Percent*float64(read)
	}
	return rejected <= b.Rows
}

// sample is how many rows must be read before a share of them says something.
const sample = 1000

// bearsSoFar is bears while the input has not ended.
func (b Bound) bearsSoFar(rejected, read int64) bool {
	if b.Percent > 0 {
		return b.bears(rejected, max(read, sample))
	}
	return b.bears(rejected, math.MaxInt64)
}
