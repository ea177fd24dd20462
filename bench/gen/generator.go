package main

import (
	"io"
	"math"

	"github.com/segmentio/encoding/json"
)

// The streams of random choices of one seed.
const (
	streamRows = iota
	streamBad
	streamDuplicates
	streamEarlier
	streamLong
	streamLarge
	streamRounds
)

const (
	// reach is the largest distance between a duplicate and the first row of that person.
	reach = 100_000
	// One in longEvery rows is too long, and one in largeEvery is too large for a profile. More would outweigh the
	// other rows.
	longEvery  = 100_000
	largeEvery = 10_000
)

// generator makes rows one after the other. A row depends only on the flags and its number, so that no earlier row
// is kept.
type generator struct {
	rows                         int
	seed                         uint64
	remove                       bool
	bad, duplicates, long, large sample
	markets                      []market
	slots                        []*fault // each fault as often as its share says

	dice    dice
	draft   draft
	address []byte // of the last row; its profile id for remove
	scratch []byte
	order   []*fault // slots in the order of this round
	round   int64
}

// expectation is the result that a row must get.
type expectation struct {
	Row    int    `json:"row"`
	Status string `json:"status"`
	Code   string `json:"code,omitempty"`
	Column string `json:"column,omitempty"`
	Of     int    `json:"of,omitempty"`
	Key    string `json:"key,omitempty"`
}

func newGenerator(rows int, seed uint64, bad float64, remove bool) *generator {
	share := int64(math.Round(bad * 10_000))
	g := &generator{rows: rows, seed: seed, remove: remove, markets: markets(), round: -1}
	g.slots = slots(remove)
	g.order = make([]*fault, len(g.slots))
	g.bad = sample{seed, streamBad, share}
	g.duplicates = sample{seed, streamDuplicates, share / 6}
	if share > 0 && rows >= longEvery {
		g.long = sample{seed, streamLong, 1_000_000 / longEvery}
	}
	if share > 0 && !remove {
		g.large = sample{seed, streamLarge, 1_000_000 / largeEvery}
	}
	return g
}

// writeAll writes every row to lines and, unless expectations is nil, every row's expectation to expectations.
func (g *generator) writeAll(lines, expectations io.Writer) error {
	var line, expected []byte
	for row := 1; row <= g.rows; row++ {
		var want expectation
		line, want = g.appendRow(line[:0], row)
		if _, err := lines.Write(append(line, '\n')); err != nil {
			return err
		}
		if expectations == nil {
			continue
		}
		if want.Status != "rejected" {
			want.Key = string(g.address)
		}
		var err error
		if expected, err = json.Append(expected[:0], &want, 0); err != nil {
			return err
		}
		if _, err := expectations.Write(append(expected, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// appendRow appends the line of a row without its newline, sets g.address to its key, and returns its expectation.
func (g *generator) appendRow(b []byte, row int) ([]byte, expectation) {
	fate, block := g.fate(row)
	switch fate {
	case bad:
		g.draftRow(row)
		return g.appendFault(b, row, g.fault(block))
	case long:
		g.draftRow(row)
		return g.appendFault(b, row, &tooLong)
	case large:
		g.draftRow(row)
		return g.appendFault(b, row, &tooLarge)
	case duplicate:
		if of := g.earlier(row); of > 0 {
			g.draftAgain(row, of)
			return g.draft.appendTo(b), expectation{Row: row, Status: "skipped", Code: "duplicate", Of: of}
		}
	}
	g.draftRow(row)
	return g.draft.appendTo(b), expectation{Row: row, Status: "valid"}
}

// fate is the kind of a row.
type fate int

const (
	good fate = iota
	bad
	long
	large
	duplicate
)

// fate returns the kind of a row and, for a bad row, its number among the bad rows. The first row is good, because
// a run ends when the required column is missing from the rows before the first request.
func (g *generator) fate(row int) (fate, int64) {
	if row == 1 {
		return good, 0
	}
	if _, marked := g.long.marks(row); marked {
		return long, 0
	}
	if _, marked := g.large.marks(row); marked {
		return large, 0
	}
	if block, marked := g.bad.marks(row); marked {
		return bad, block
	}
	if _, marked := g.duplicates.marks(row); marked {
		return duplicate, 0
	}
	return good, 0
}

// key returns the name of the required column.
func (g *generator) key() string {
	if g.remove {
		return "profile_id"
	}
	return "email"
}

// draftRow makes the good row of that number.
func (g *generator) draftRow(row int) {
	if g.remove {
		g.address = g.appendID(g.address[:0], &g.dice, row)
		g.draftRemoval(g.address)
		return
	}
	c := g.customer(&g.dice, row)
	g.address = c.appendAddress(g.address[:0])
	g.draftCustomer(c, g.address)
}

// draftAgain makes a row for the person of an earlier row.
func (g *generator) draftAgain(row, of int) {
	if g.remove {
		g.address = g.appendID(g.address[:0], &g.dice, of)
		g.dice.throw(g.seed, streamRows, uint64(row))
		g.draftRemoval(g.address)
		return
	}
	c := g.customer(&g.dice, of)
	g.address = c.appendAddress(g.address[:0])
	g.dice.throw(g.seed, streamRows, uint64(row))
	recase(g.address, g.dice.below(3))
	g.draftCustomer(c, g.address)
}

// earlier returns a good row within reach before row, or 0 if it finds none.
func (g *generator) earlier(row int) int {
	var d dice
	d.throw(g.seed, streamEarlier, uint64(row))
	span := min(row-1, reach)
	for range 50 {
		of := row - 1 - d.below(span)
		if fate, _ := g.fate(of); fate == good {
			return of
		}
	}
	return 0
}

// appendFault appends the drafted row with a fault.
func (g *generator) appendFault(b []byte, row int, f *fault) ([]byte, expectation) {
	g.draft.straighten()
	b, column := pick(&g.dice, f.kinds)(g, b)
	return b, expectation{Row: row, Status: "rejected", Code: f.code, Column: column}
}

// fault returns the fault of the bad row of that number. Each round has all faults, each as often as its share
// says, in an order of its own.
func (g *generator) fault(number int64) *fault {
	slots := int64(len(g.order))
	if round := number / slots; round != g.round {
		g.round = round
		copy(g.order, g.slots)
		var d dice
		d.throw(g.seed, streamRounds, uint64(round))
		for i := len(g.order) - 1; i > 0; i-- {
			j := d.below(i + 1)
			g.order[i], g.order[j] = g.order[j], g.order[i]
		}
	}
	return g.order[number%slots]
}
