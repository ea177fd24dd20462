package main

import "strconv"

// customer is the person of a row. It depends only on the seed and the row's number.
type customer struct {
	number  int
	market  *market
	first   name
	last    name
	style   int
	capital bool // names in the address begin with capitals
	domain  string
}

var domains = []string{
	"example.com", "example.com", "example.com", "example.org", "example.net", "mail.example.com", "shop.example.org",
	"post.example.net", "students.uni.example.org", "xn--bcher-kva.example.com", "my-mail.example.net",
}

// customer throws d for the row of that number and draws its customer.
func (g *generator) customer(d *dice, number int) customer {
	d.throw(g.seed, streamRows, uint64(number))
	m := &g.markets[d.below(len(g.markets))]
	c := customer{number: number, market: m, first: pick(d, m.people.first), last: pick(d, m.people.last)}
	c.style, c.capital, c.domain = d.below(10), d.chance(4), pick(d, domains)
	return c
}

// appendAddress appends the customer's email address. No other row has it in any case, because the digits before
// the @ are the row's number.
func (c customer) appendAddress(b []byte) []byte {
	start := len(b)
	last := start
	switch c.style {
	case 0:
		b = append(b, c.first.ascii[0], '.')
		last = len(b)
		b = append(b, c.last.ascii...)
	case 1:
		b = append(append(b, c.last.ascii...), '_')
		last = len(b)
		b = append(b, c.first.ascii...)
	case 2:
		b = append(b, c.first.ascii...)
	case 3:
		b = append(append(b, c.first.ascii...), '.')
		last = len(b)
		b = append(append(b, c.last.ascii...), "+shop"...)
	default:
		b = append(append(b, c.first.ascii...), '.')
		last = len(b)
		b = append(b, c.last.ascii...)
	}
	if c.capital {
		b[start] &^= 0x20
		b[last] &^= 0x20
	}
	b = strconv.AppendInt(b, int64(c.number), 10)
	return append(append(b, '@'), c.domain...)
}

// recase changes the case of letters of an address.
func recase(address []byte, way int) {
	end := len(address)
	if way == 0 {
		end = 1
	}
	for i, c := range address[:end] {
		switch {
		case c >= 'a' && c <= 'z':
			address[i] = c - 'a' + 'A'
		case way == 1 && c >= 'A' && c <= 'Z':
			address[i] = c - 'A' + 'a'
		}
	}
}

// blanks are spellings of the white space that may surround an address, an id or a phone number.
var blanks = []string{" ", "  ", `\t`, `\u3000`, "\u3000", "\u00a0", `\r\n`}

// draftCustomer fills g.draft with a good row for c. address is the value of its email column.
func (g *generator) draftCustomer(c customer, address []byte) {
	d, r := &g.dice, &g.draft
	r.reset()
	r.escaped, r.spaced = d.chance(12), d.chance(10)
	if d.chance(25) {
		r.text = d.fill(append(r.text, '"'), "C-1######")
		r.text = append(r.text, '"')
		r.end("external_id")
	}
	late := d.chance(10)
	if !late {
		g.draftAddress(address)
	}
	g.draftName(c)
	where := d.below(20)
	g.draftPhone(c, where)
	g.draftPlace(c, where)
	if late {
		g.draftAddress(address)
	}
	g.draftColumns(c)
}

// draftAddress adds the email column. Few rows spell its name with an escape, or have white space around the address.
func (g *generator) draftAddress(address []byte) {
	d, r := &g.dice, &g.draft
	name := "email"
	if d.below(500) == 0 {
		name = `em\u0061il`
	}
	blank := ""
	if d.below(200) == 0 {
		blank = pick(d, blanks)
	}
	r.text = append(append(r.text, '"'), blank...)
	r.text = append(append(r.text, address...), blank...)
	r.text = append(r.text, '"')
	r.end(name)
}

// draftName adds the columns first_name and last_name to most rows.
func (g *generator) draftName(c customer) {
	r := &g.draft
	switch g.dice.below(20) {
	case 0:
	case 1:
		r.add("first_name", "null")
		r.add("last_name", "null")
	case 2:
		r.write(c.first.text)
		r.end("first_name")
	default:
		r.write(c.first.text)
		r.end("first_name")
		r.write(c.last.text)
		r.end("last_name")
	}
}

// draftPhone adds a phone number to half of the rows. It leaves out the country code only where draftPlace, called
// with the same where, adds the country's ISO code.
func (g *generator) draftPhone(c customer, where int) {
	d, r := &g.dice, &g.draft
	phones := c.market.phones
	switch choice := d.below(100); {
	case choice < 36:
	case choice < 47:
		r.add("phone_number", "null")
	case choice < 50:
		r.add("phone_number", pick(d, []string{`""`, `" "`}))
	default:
		g.scratch = d.fill(g.scratch[:0], pick(d, phones.patterns))
		r.text = append(r.text, '"')
		blank := ""
		if d.below(100) == 0 {
			blank = " "
		}
		r.text = append(r.text, blank...)
		if hasCode(where) && phones.trunk != noNational && d.chance(30) {
			r.text = phones.appendNational(r.text, g.scratch, d.below(national))
		} else {
			r.text = phones.appendInternational(r.text, g.scratch, max(0, d.below(international+4)-4))
		}
		r.text = append(append(r.text, blank...), '"')
		r.end("phone_number")
	}
}

// hasCode reports whether draftPlace adds the country's ISO code.
func hasCode(where int) bool { return where >= 6 }

// draftPlace adds a city and a country, as columns or as a location, to most rows. The choice where decides which.
func (g *generator) draftPlace(c customer, where int) {
	d, r := &g.dice, &g.draft
	p := pick(d, c.market.places)
	switch {
	case where < 4:
	case where < 6:
		r.write(p.city)
		r.end("city")
		r.write(c.market.country)
		r.end("country")
	case where < 14:
		r.write(p.city)
		r.end("city")
		if d.chance(50) {
			g.draftPattern("zip", p.zip)
		}
		g.draftCode(c)
		r.end("country")
		if d.chance(20) {
			r.text = append(append(append(r.text, '"'), p.zone...), '"')
			r.end("timezone")
		}
		if d.chance(10) {
			r.text = d.fill(r.text, p.latitude)
			r.end("latitude")
			r.text = d.fill(r.text, p.longitude)
			r.end("longitude")
		}
	default:
		r.text = append(r.text, `{"city":`...)
		r.write(p.city)
		r.text = append(r.text, `,"country":`...)
		g.draftCode(c)
		if d.chance(30) {
			r.text = append(d.fill(append(r.text, `,"latitude":`...), p.latitude), `,"longitude":"`...)
			r.text = append(d.fill(r.text, p.longitude), '"')
		}
		if d.chance(20) {
			r.text = append(r.text, `,"region":null`...)
		}
		r.text = append(r.text, '}')
		r.end("location")
	}
}

// draftCode writes the country's ISO code, sometimes in lower case.
func (g *generator) draftCode(c customer) {
	r := &g.draft
	r.text = append(append(append(r.text, '"'), c.market.code...), '"')
	if g.dice.below(50) == 0 {
		code := r.text[len(r.text)-3:]
		code[0] |= 0x20
		code[1] |= 0x20
	}
}

// draftPattern adds a string column that dice.fill makes from a pattern.
func (g *generator) draftPattern(name, pattern string) {
	r := &g.draft
	r.text = append(g.dice.fill(append(r.text, '"'), pattern), '"')
	r.end(name)
}
