package main

import "bytes"

// fault is one code of rejection and the kinds of rows that earn it.
type fault struct {
	code  string
	share int // of the bad rows, against the other faults
	kinds []kind
}

// kind appends the row in g.draft to b with something wrong, and returns the column that is to be named, or "".
type kind func(g *generator, b []byte) (line []byte, column string)

// slots returns the faults of an operation, each as often as its share says.
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

// fillNote makes the row longer than size bytes by one long column.
func fillNote(size int) kind {
	const sentence = "Der Kunde wünscht eine Lieferung am Nachmittag. "
	return func(g *generator, b []byte) ([]byte, string) {
		return set("note", `"`+string(bytes.Repeat([]byte(sentence), size/len(sentence)+1))+`"`).unnamed(g, b)
	}
}

// set gives the row's column that JSON text, and names the column.
func set(column, value string) kind {
	return setFor(column, column, value)
}

// setFor gives the row's column that JSON text, and names another.
func setFor(named, column, value string) kind {
	return func(g *generator, b []byte) ([]byte, string) {
		g.draft.set(column, value)
		return g.draft.appendTo(b), named
	}
}

// unnamed is the kind without its column, for faults of the whole row.
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

// line stands in the place of the row.
func line(text string) kind {
	return func(g *generator, b []byte) ([]byte, string) {
		return append(b, text...), ""
	}
}
