package main

// draft is a row that is being made: its members in the order of printing, each with the JSON text of its value. It
// is reused from row to row.
type draft struct {
	text    []byte // all values, one after the other
	ended   int    // end of the last member's value in text
	members []member
	escaped bool // names and places have \u escapes for letters outside ASCII
	spaced  bool // each colon and comma has a space behind it
}

// member is a member of the row's object.
type member struct {
	name       string // JSON text without its quotes
	start, end int    // in draft.text
}

func (d *draft) reset() {
	*d = draft{text: d.text[:0], members: d.members[:0]}
}

// add appends a member whose value is the JSON text value.
func (d *draft) add(name, value string) {
	d.text = append(d.text, value...)
	d.end(name)
}

// end appends a member whose value is the end of d.text, behind the last member's value.
func (d *draft) end(name string) {
	d.members = append(d.members, member{name, d.ended, len(d.text)})
	d.ended = len(d.text)
}

// write appends t to the value that is being written, with escapes if d.escaped is set.
func (d *draft) write(t text) {
	if d.escaped {
		d.text = append(d.text, t.escaped...)
	} else {
		d.text = append(d.text, t.plain...)
	}
}

// set replaces the value of a member, or appends the member if the row does not have it.
func (d *draft) set(name, value string) {
	d.add(name, value)
	last := d.members[len(d.members)-1]
	for i, m := range d.members[:len(d.members)-1] {
		if m.name == name {
			d.members[i] = last
			d.members = d.members[:len(d.members)-1]
			return
		}
	}
}

// drop removes members.
func (d *draft) drop(names ...string) {
	kept := d.members[:0]
next:
	for _, m := range d.members {
		for _, name := range names {
			if m.name == name {
				continue next
			}
		}
		kept = append(kept, m)
	}
	d.members = kept
}

// appendTo appends the row to b, without a newline.
func (d *draft) appendTo(b []byte) []byte {
	b = append(b, '{')
	for i, m := range d.members {
		if i > 0 {
			b = append(b, ',')
			if d.spaced {
				b = append(b, ' ')
			}
		}
		b = append(b, '"')
		b = append(b, m.name...)
		b = append(b, '"', ':')
		if d.spaced {
			b = append(b, ' ')
		}
		b = append(b, d.text[m.start:m.end]...)
	}
	return append(b, '}')
}

// straighten removes rare spellings, so that a bad row has one fault only.
func (d *draft) straighten() {
	d.spaced = false
	for i := range d.members {
		if d.members[i].name == `em\u0061il` {
			d.members[i].name = "email"
		}
	}
}
