package main

import "bytes"

// fault is a code of rejected rows, and the kinds of rows that get it.
type fault struct {
	code  string
	share int // of the bad rows, relative to the other faults
	kinds []kind
}

// kind appends the row in g.draft to b with a fault, and returns the column that the result must name, or "".
type kind func(g *generator, b []byte) (line []byte, column string)

// slots returns the faults of add or remove, each as often as its share says.
func slots(remove bool) []*fault {
	faults := []*fault{
		{"json_invalid", 3, brokenLines},
		{"row_too_deep", 1, deepRows},
		{"not_an_object", 2, otherValues},
	}
	if remove {
		faults = append(faults, removalFaults...)
	} else {
		faults = append(faults, customerFaults...)
	}
	var list []*fault
	for _, f := range faults {
		for range f.share {
			list = append(list, f)
		}
	}
	return list
}

var (
	tooLong  = fault{code: "row_too_long", kinds: []kind{fillNote(1<<20 + 1000)}}
	tooLarge = fault{code: "profile_too_large", kinds: []kind{fillNote(100_500)}}
)

// fillNote makes the row longer than size bytes with one long column.
func fillNote(size int) kind {
	const sentence = "Der Kunde wünscht eine Lieferung am Nachmittag. "
	return func(g *generator, b []byte) ([]byte, string) {
		return set("note", `"`+string(bytes.Repeat([]byte(sentence), size/len(sentence)+1))+`"`).unnamed(g, b)
	}
}

// set gives the column the JSON text value, and names the column.
func set(column, value string) kind {
	return setFor(column, column, value)
}

// setFor gives the column the JSON text value, and names the column named.
func setFor(named, column, value string) kind {
	return func(g *generator, b []byte) ([]byte, string) {
		g.draft.set(column, value)
		return g.draft.appendTo(b), named
	}
}

// unnamed is kind k for a fault of the whole row: the result names no column.
func (k kind) unnamed(g *generator, b []byte) ([]byte, string) {
	b, _ = k(g, b)
	return b, ""
}

// edit changes the bytes of the finished row.
func edit(change func(line []byte) []byte) kind {
	return func(g *generator, b []byte) ([]byte, string) {
		return append(b, change(g.draft.appendTo(nil))...), ""
	}
}

// line replaces the row by text.
func line(text string) kind {
	return func(g *generator, b []byte) ([]byte, string) {
		return append(b, text...), ""
	}
}
