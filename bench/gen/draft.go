package main

// draft is a row on its way: members in the order in which they will be printed, each with the JSON text of its value. It is reused from row to row.
type draft struct {
	text    []byte // the values one after the other
	ended   int    // where the last value ended
	members []member
	escaped bool // non-ASCII letters of names and places as \u escapes
	spaced  bool // a space after each colon and comma
}

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

// end appends a member whose value is what was appended to d.text since the last member.
func (d *draft) end(name string) {
	d.members = append(d.members, member{name, d.ended, len(d.text)})
	d.ended = len(d.text)
}

// write appends the right form of t to the value that is being written.
func (d *draft) write(t text) {
	if d.escaped {
		d.text = append(d.text, t.escaped...)
	} else {
		d.text = append(d.text, t.plain...)
	}
}

// set gives the member another value where it stands, or appends it.
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

// drop takes members away.
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

// straighten takes rare spellings out, so that a row has no other fault than the one that is put in.
func (d *draft) straighten() {
	d.spaced = false
	for i := range d.members {
		if d.members[i].name == `em\u0061il` {
			d.members[i].name = "email"
		}
	}
}
