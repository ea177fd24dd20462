package main

// firstMoment is the first millisecond whose ULIDs begin with 01H, in May 2023.
const firstMoment int64 = 49 << 35

// appendID throws d and appends the profile id of the row of that number. The id is a ULID that no other row has,
// because its time is a second of the row's own.
func (g *generator) appendID(b []byte, d *dice, number int) []byte {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	d.throw(g.seed, streamRows, uint64(number))
	moment := firstMoment + int64(number)*1000 + int64(d.below(1000))
	for shift := 45; shift >= 0; shift -= 5 {
		b = append(b, digits[moment>>shift&31])
	}
	for range 16 {
		b = append(b, digits[d.below(32)])
	}
	return b
}

var reasons = newTexts("unsubscribed|bounced|moved to another list|kündigung|退会|לא פעיל|désinscrite 🙁")

// draftRemoval fills g.draft with a good row that removes the profile id. Its other columns break the rules of add,
// because remove ignores them.
func (g *generator) draftRemoval(id []byte) {
	d, r := &g.dice, &g.draft
	r.reset()
	r.escaped, r.spaced = d.chance(12), d.chance(10)
	if d.chance(15) {
		r.text = d.fill(append(r.text, '"'), "former+####@example.com")
		r.text = append(r.text, '"')
		r.end("email")
	}
	blank := ""
	if d.below(100) == 0 {
		blank = pick(d, blanks)
	}
	r.text = append(append(r.text, '"'), blank...)
	r.text = append(append(r.text, id...), blank...)
	r.text = append(r.text, '"')
	r.end("profile_id")
	if d.chance(70) {
		r.write(pick(d, reasons))
		r.end("reason")
	}
	if d.chance(60) {
		g.draftTime("removed_at")
	}
	if d.chance(20) {
		r.text = d.fill(r.text, "N#######")
		r.end("phone_number")
	}
	if d.chance(20) {
		r.add("location", pick(d, []string{`"Berlin"`, "null", `{"town":"Bath"}`}))
	}
	if d.chance(5) {
		r.add("$source", `"crm"`)
	}
}
