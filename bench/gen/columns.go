package main

import "strconv"

var plans = []string{`"free"`, `"plus"`, `"plus"`, `"family"`, `"pro"`}

var amounts = []string{"0", "PN.50", "P#.95", "PN#.99", "P##.10", "1N##.00"}

// oddAmounts are spellings of numbers that a tool must not change.
var oddAmounts = []string{"-P#.25", "0.1", "1.10E+2", "12345678901234567890.125", "3e-7", "-0", "1N##.000000"}

// bigIDs are integers that a float64 cannot hold.
var bigIDs = []string{
	"9007199254740993", "90071992547409#P", "72057594037927P##", "81985529216486P##", "92233720368547758##",
	"1844674407370955####",
}

var (
	tags     = newTexts("vip|newsletter|été|お得意様|🎁|Grüße|मित्र|returning|wholesale|👩‍👩‍👧‍👦 family|بالجملة|נאמן")
	products = newTexts("Espresso cups|緑茶|Crème brûlée set|Dirndl blau|شاي بالنعناع|Teekanne „Rügen“|" +
		"Smørrebrød board|Πιάτα|Walking shoes|수저 세트")

	// notes have all kinds of characters that a JSON string may hold.
	notes = newTexts("says \"hello\" on the phone|C:\\orders\\2024|gift wrap, please 🎀|two\nlines|tab\there|" +
		"naïve café ☕|first line\u2028second line|<b>bold</b> & more|zero\x00byte|次回は午前中に配達してください")
)

// draftColumns adds columns that become custom properties, and attributes of Klaviyo's that few rows have.
func (g *generator) draftColumns(c customer) {
	d, r := &g.dice, &g.draft
	if d.chance(60) {
		r.add("plan", pick(d, plans))
	}
	if d.chance(50) {
		list := amounts
		if d.chance(3) {
			list = oddAmounts
		}
		r.text = d.fill(r.text, pick(d, list))
		r.end("ltv")
	}
	if d.chance(25) {
		r.text = d.fill(r.text, pick(d, bigIDs))
		r.end("customer_id")
	}
	if d.chance(40) {
		g.draftTime("last_order_at")
	}
	if d.chance(15) {
		r.text = append(r.text, '"')
		g.draftDate(1940, 70)
		r.text = append(r.text, '"')
		r.end("birthday")
	}
	if d.chance(30) {
		r.add("accepts_marketing", pick(d, []string{"true", "true", "false"}))
	}
	if d.chance(15) {
		r.add("coupon", "null")
	}
	if d.chance(15) {
		g.draftTags()
	}
	if d.chance(20) {
		g.draftProperties()
	}
	if d.chance(12) {
		r.text = append(append(append(r.text, '"'), c.market.locale...), '"')
		r.end("locale")
	}
	if d.chance(4) {
		r.write(pick(d, notes))
		r.end("note")
	}
	if d.chance(3) {
		g.draftRare()
	}
}

// draftTags adds an array.
func (g *generator) draftTags() {
	d, r := &g.dice, &g.draft
	r.text = append(r.text, '[')
	for i := range d.below(4) {
		if i > 0 {
			r.text = append(r.text, ',')
		}
		r.write(pick(d, tags))
	}
	r.text = append(r.text, ']')
	r.end("tags")
}

// draftProperties adds a properties object.
func (g *generator) draftProperties() {
	d, r := &g.dice, &g.draft
	r.text = append(r.text, `{"favourite":{"product":`...)
	r.write(pick(d, products))
	r.text = d.fill(append(r.text, `,"sizes":[`...), "3#,4#")
	r.text = d.fill(append(r.text, `]},"score":`...), "0.##")
	if d.chance(30) {
		r.text = append(r.text, `,"referrer":null`...)
	}
	r.text = append(r.text, '}')
	r.end("properties")
}

// draftRare adds a good column that few rows have.
func (g *generator) draftRare() {
	d, r := &g.dice, &g.draft
	switch d.below(6) {
	case 0:
		r.add("お気に入り", `"緑茶"`)
	case 1:
		r.add("$source", "null")
	case 2:
		r.add("image", `"https:\/\/cdn.example.com\/p\/`+strconv.Itoa(d.below(1000))+`.jpg"`)
	case 3:
		r.add("organization", `"Bäckerei Müller & Söhne"`)
	case 4:
		r.add("address1", `"Apt 7 · 2nd floor"`)
	default:
		r.add("tree", `{"a":[[],{},[{"b":[1,[2,[3,null]]]}]]}`)
	}
}

// draftTime adds a time in ISO 8601, in UTC or with an offset.
func (g *generator) draftTime(name string) {
	d, r := &g.dice, &g.draft
	r.text = append(r.text, '"')
	g.draftDate(2021, 5)
	r.text = d.fill(append(r.text, 'T'), pick(d, []string{"0#:", "1#:"}))
	r.text = d.fill(r.text, pick(d, []string{"0#:4#", "1#:0#", "3#:5#"}))
	r.text = append(append(r.text, pick(d, []string{"Z", "Z", "+09:00", "-05:00", ".250Z"})...), '"')
	r.end(name)
}

// draftDate writes a date in the given number of years from the first one.
func (g *generator) draftDate(first, years int) {
	d, r := &g.dice, &g.draft
	r.text = strconv.AppendInt(r.text, int64(first+d.below(years)), 10)
	r.text = append(r.text, '-', '0', '1'+byte(d.below(9)), '-', '0'+byte(d.below(3)))
	r.text = append(r.text, '1'+byte(d.below(8)))
}
