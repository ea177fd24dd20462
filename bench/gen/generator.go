package main

import (
	"io"
	"math"

	"github.com/segmentio/encoding/json"
)

// The streams of choices that are made with one seed.
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
	// reach is how far back the first row of a duplicate lies at most.
	reach = 100_000
	// longEvery and largeEvery are the rows on one that is too long, or too large for a profile: more would drown the others' bytes.
	longEvery  = 100_000
	largeEvery = 10_000
)

// generator makes rows one after the other. A row follows from the flags and its number alone, so that nothing is kept of earlier ones.
type generator struct {
	rows                         int
	seed                         uint64
	remove                       bool
	bad, duplicates, long, large sample
	markets                      []market
	slots                        []*fault // each fault as often as its share

	dice    dice
	draft   draft
	address []byte // or profile id
	scratch []byte
	order   []*fault // slots in the order of the round
	round   int64
}

// verdict is what a right tool says of a row.
type verdict struct {
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

// writeAll writes every row to lines and, unless verdicts is nil, what is expected of each to verdicts.
func (g *generator) writeAll(lines, verdicts io.Writer) error {
	var line, expected []byte
	for row := 1; row <= g.rows; row++ {
		var v verdict
		line, v = g.appendRow(line[:0], row)
		if _, err := lines.Write(append(line, '\n')); err != nil {
			return err
		}
		if verdicts == nil {
			continue
		}
		if v.Status != "rejected" {
			v.Key = string(g.address)
		}
		var err error
		if expected, err = json.Append(expected[:0], &v, 0); err != nil {
			return err
		}
		if _, err := verdicts.Write(append(expected, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// appendRow appends the line of a row without its newline, leaves its key in g.address, and returns its verdict.
func (g *generator) appendRow(b []byte, row int) ([]byte, verdict) {
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
			return g.draft.appendTo(b), verdict{Row: row, Status: "skipped", Code: "duplicate", Of: of}
		}
	}
	g.draftRow(row)
	return g.draft.appendTo(b), verdict{Row: row, Status: "valid"}
}

// fate is what becomes of a row.
type fate int

const (
	good fate = iota
	bad
	long
	large
	duplicate
)

// fate returns what becomes of a row and, for a bad one, its number among the bad ones. The first row is good: without its
// required column nothing of the input would be read.
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

// draftRow makes the row as it is if nothing is wrong with it.
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

// draftAgain makes a row for the person of an earlier one.
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

// earlier returns a good row before row, within reach, or 0 where it finds none.
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

// appendFault appends the drafted row with what is wrong with it.
func (g *generator) appendFault(b []byte, row int, f *fault) ([]byte, verdict) {
	g.draft.straighten()
	b, column := pick(&g.dice, f.kinds)(g, b)
	return b, verdict{Row: row, Status: "rejected", Code: f.code, Column: column}
}

// fault returns what is wrong with the bad row of that number. Bad rows go through all faults, each in its share, before they begin anew in another order.
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
